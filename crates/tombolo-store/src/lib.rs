//! The DataStore: one commit path from an operation to rows, documents and log, on any backend.
//!
//! [`Engine`] holds all the meaning: validate, edit the open document, project it into its row, append to the log, in
//! one transaction of a [`backend::Backend`]. [`Store`] puts a queue with group commit in front of the engine and the
//! reads on a pool of connections; [`DataStore`] is the face that every edge calls.
//!
//! This crate deliberately knows no SQL, no socket and no async runtime. Callers on an async runtime submit a job with
//! a callback, or block a thread that they can spare.
//!
//! ```no_run
//! # fn open() -> std::sync::Arc<dyn tombolo_store::DataStore> { unimplemented!() }
//! use tombolo_core::Operation;
//! let store = open();
//! let insert = Operation::from_json("insert", &serde_json::json!({"entity": "Page", "data": {"title": "Hello"}}))?;
//! println!("{}", store.execute(insert)?.into_json());
//! # Ok::<(), tombolo_core::Error>(())
//! ```

pub mod backend;

mod docs;
mod engine;
mod feed;
mod live;
mod order;
mod reads;
mod store;
mod writer;

pub use engine::{Committed, Draft, Engine, Incoming, Judgement, Role, Settings};
pub use feed::{Feed, Piece};
pub use live::{Difference, Moved, Removed, Subscription, Why};
pub use reads::{Answer, answer as read, draft_json, row_json};
pub use store::{DataStore, Store, Submitter};

/// A document's key in one database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DocKey(pub i64);

/// A space's key in one database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SpaceKey(pub i64);
