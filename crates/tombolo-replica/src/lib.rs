//! A whole client without a screen: a store in a data folder, a session with a server, and the socket between them.
//!
//! [`Replica`] opens the folder and syncs it for as long as it lives: reads and writes go to [`Replica::store`] and
//! never wait for the network; [`Replica::status`] says how far they have come. When to connect, what to send and how
//! to take a refusal is decided by the machine in `tombolo-sync`; here is the loop that drives it.
//!
//! This crate deliberately knows no window and no command line.
//!
//! ```no_run
//! use std::{path::Path, sync::Arc};
//! use tombolo_core::{Manifest, Operation, SystemClock, SystemRandom};
//! use tombolo_replica::{Replica, Server, Settings};
//! # async fn example(manifest: Manifest) -> tombolo_core::Result<()> {
//! let server = Server { url: "http://localhost:8787".parse()?, token: "secret".into() };
//! let settings =
//!     Settings { clock: Arc::new(SystemClock), random: Box::new(SystemRandom), server: Some(server) };
//! let replica = Replica::open(Path::new("data"), Arc::new(manifest), settings).await?;
//! let store = replica.store();
//! let list = Operation::from_json("list", &serde_json::json!({"entity": "Page"}))?;
//! let pages = tokio::task::spawn_blocking(move || store.execute(list)).await;
//! replica.close().await
//! # }
//! ```

mod address;
mod connection;
mod driver;
mod local;
mod replica;

pub use address::ServerUrl;
pub use replica::{Fate, News, Replica, Server, Settings, Token};
pub use tombolo_sync::{SyncState, SyncStatus};
