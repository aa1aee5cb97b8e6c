//! Documents: the only crate that names Loro.
//!
//! A [`Doc`] is one open document. It is edited in place, imports foreign bytes under guard, and shows what it
//! holds as plain values. [`rewrite`] takes a refused commit out of a document and writes the later ones again.
//!
//! This crate deliberately knows no manifest policy, no database, no clock and no network. Every call into Loro is
//! made under `catch_unwind`: after a panic the document answers [`Error::Broken`] for ever and is forgotten, not
//! dropped, because dropping it would panic again; its owner opens it anew from disk.
//!
//! ```
//! use tombolo_crdt::Doc;
//! use tombolo_core::{PeerId, Value};
//! let mut mine = Doc::new(PeerId(1));
//! let (_, update) = mine.edit(|edit| edit.set("done", &Value::Bool(true)))?;
//! let mut theirs = Doc::new(PeerId(2));
//! theirs.import(&update.expect("something was written"))?;
//! assert_eq!(theirs.row()?.values["done"], tombolo_crdt::Scalar::Bool(true));
//! # Ok::<(), tombolo_crdt::Error>(())
//! ```

mod check;
mod doc;
mod edit;
mod error;
mod pack;
mod rewrite;
mod richtext;
mod row;
mod wire;

pub use doc::{Doc, Imported, KeyWrite, Span, Version, spans};
pub use edit::Edit;
pub use error::{Error, Result};
pub use pack::unpack;
pub use rewrite::{Pending, Rewrite, Rewritten, rewrite};
pub use row::{Place, RowView, Scalar};

#[cfg(test)]
mod tests;
