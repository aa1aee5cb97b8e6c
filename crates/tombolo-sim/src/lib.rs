//! Replicas, a server, their network, disks and clocks in one thread, in virtual time and from one seed.
//!
//! Everything in it is the product: engines on SQLite, the client's and the hub's machines, the bytes of the protocol.
//! Only the drivers between them are its own. The checkers know what was acknowledged and read what lies on the
//! disks: [`World::check`] heals the world, lets it settle, and says which promise is broken ([`Checker`]).
//!
//! A world runs on any manifest, so an app can hold its own against loss of connections, restarts, failing disks and
//! wrong clocks:
//!
//! ```
//! use serde_json::json;
//! # let manifest = tombolo_core::Manifest::parse(r#"{"manifest_version":1,"name":"n","version":1,
//! #     "entities":[{"name":"Page","fields":[{"name":"title","type":"string","crdt":"text"}]}]}"#)?;
//! let mut world = tombolo_sim::World::new(1, &manifest)?;
//! let page = world.replica(0).call("insert", json!({"entity": "Page", "data": {"title": "Plan"}}))?["id"].clone();
//! world.run(5_000);
//! world.partition(1);
//! world.replica(0).call("update", json!({"entity": "Page", "id": page, "patch": {"title": "A plan"}}))?;
//! world.replica(1).call("update", json!({"entity": "Page", "id": page, "patch": {"title": "Plan B"}}))?;
//! world.run(60_000);
//! world.heal();
//! world.check()?;
//! assert_eq!(world.replica(1).call("get_by_id", json!({"entity": "Page", "id": page}))?["title"], "A plan B");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`simulate`] does the same with random writes and faults: first a time in which anything goes wrong, then one in
//! which everything must end well.

mod chaos;
mod check;
mod config;
mod drive;
mod editor;
mod facts;
mod links;
mod model;
mod network;
mod node;
mod trace;
mod workload;
mod world;

pub use check::{Checker, Violation};
pub use config::{Config, Faults, Sabotage};
pub use node::Storage;
pub use trace::Seen;
pub use world::{Device, World};

use std::ops::Range;
use tombolo_core::Manifest;

/// A seed whose world broke a promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// The promise.
    pub violation: Violation,
    /// The last of what happened.
    pub trace: String,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { seed, violation, trace } = self;
        write!(f, "{trace}\nseed {seed}: {violation}\nrerun it alone with TOMBOLO_SIM_SEED={seed}")
    }
}

impl std::error::Error for Failure {}

/// Runs a seed's world through so many milliseconds of trouble, then heals and checks it.
///
/// # Errors
/// The first promise that is broken, with the last of what happened.
pub fn simulate(seed: u64, manifest: &Manifest, config: Config, ms: u64) -> Result<Seen, Box<Failure>> {
    let fail = |violation, trace| Box::new(Failure { seed, violation, trace });
    let mut world = World::with(seed, manifest, config).map_err(|error| fail(error.into(), String::new()))?;
    world.run(ms);
    world.check().map_err(|violation| fail(violation, world.trace()))
}

/// The seeds to run: the one that `TOMBOLO_SIM_SEED` names, else as many as `TOMBOLO_SIM_SEEDS` says, else so many.
#[must_use]
pub fn seeds(usual: Range<u64>) -> Range<u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    match (number("TOMBOLO_SIM_SEED"), number("TOMBOLO_SIM_SEEDS")) {
        (Some(seed), _) => seed..seed + 1,
        (None, Some(count)) => usual.start..usual.start + count,
        (None, None) => usual,
    }
}
