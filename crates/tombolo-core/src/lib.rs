//! What every other crate agrees on: ids, clock, error codes, manifest, values, queries, operations and commits.
//!
//! This crate deliberately knows no database, no CRDT, no socket and no async runtime. The two impure things
//! that a program needs, the time and random bytes, enter through [`Clock`] and [`Random`], so that a test can
//! hand in its own.
//!
//! ```
//! use tombolo_core::{Manifest, Filter};
//! let manifest = Manifest::parse(r#"{"manifest_version":1,"name":"notes","version":1,"entities":[
//!     {"name":"Page","fields":[{"name":"title","type":"string"}]}]}"#)?;
//! let page = manifest.entity("Page")?;
//! let filter = Filter::parse(page, &serde_json::json!({"title": "Shopping"}))?;
//! assert_eq!(filter.terms.len(), 1);
//! # Ok::<(), tombolo_core::Error>(())
//! ```

mod clock;
mod code;
mod commit;
mod error;
mod id;
mod manifest;
mod operation;
mod query;
mod random;
mod value;

pub use clock::{Clock, Millis, SystemClock, format_time, parse_time};
pub use code::{Code, Retry};
pub use commit::{Commit, DocRef, LogEntry, Part, Rejection, Status, Verdict};
pub use error::{Error, Result};
pub use id::{ActorId, CommitId, Epoch, PeerId, RowId, Seq, ServerId, SpaceId};
pub use manifest::{
    Crdt, Diagnostic, Entity, Field, FieldType, IMPLICIT_FIELDS, Index, Manifest, OnDelete, Relation, Search,
};
pub use operation::{Operation, Options, Receipt, RichtextForm, WriteState, too_large_update};
pub use query::{DEFAULT_LIMIT, Direction, Fields, Filter, MAX_LIMIT, Order, Term, Test};
pub use random::{Random, SeededRandom, SystemRandom};
pub use value::Value;

/// Bounds that every replica and server agrees on.
pub mod limit {
    /// The largest commit, in bytes of its parts. Larger transactions are refused before they are acknowledged.
    pub const COMMIT_BYTES: usize = 8 * 1024 * 1024;
    /// The largest update of one document, in bytes.
    pub const UPDATE_BYTES: usize = 1024 * 1024;
    /// The largest document, in bytes of its base and updates.
    pub const DOCUMENT_BYTES: usize = 64 * 1024 * 1024;
    /// The most parts in a commit.
    pub const COMMIT_PARTS: usize = 10_000;
    /// The most operations in one transaction.
    pub const TRANSACTION_OPERATIONS: usize = 10_000;
    /// The deepest nesting of maps and lists in a value.
    pub const VALUE_DEPTH: usize = 64;
    /// The longest label of origin, in bytes.
    pub const ORIGIN_BYTES: usize = 256;
}
