//! The rich-text document: a list of blocks whose text carries marks, and every form it takes.
//!
//! A page body is a [`Document`]. In a replica it lives as one CRDT text with block markers ([`Flat`], see
//! `docs/adr/0004-rich-text.md`); SQL and search read its plain text; tools read JSON; people bring and take
//! Markdown, one page ([`from_markdown`], [`to_markdown`]) or a whole folder ([`folder`]).
//!
//! The crate is pure: it knows no CRDT library, no file, no clock and no source of randomness. Who wants new block
//! ids passes a closure that makes them.
//!
//! Unknown block types, attributes and marks are data: each form carries them as they are, except Markdown, which has
//! no place for them (there a block of an unknown type is written as its text).
//!
//! ```
//! let mut next = 0;
//! let mut ids = || { next += 1; format!("block{next:03}") };
//! let document = tombolo_richtext::from_markdown("# Plan\n\nBuy *good* tea\n", &mut ids);
//! assert_eq!(document.plain_text(), "Plan\nBuy good tea");
//! assert_eq!(tombolo_richtext::to_markdown(&document), "# Plan\n\nBuy *good* tea\n");
//! let flat = tombolo_richtext::flatten(&document);
//! assert_eq!(flat.text, "\nPlan\nBuy good tea");
//! ```

mod document;
mod flat;
pub mod folder;
mod markdown;

pub use document::{
    Attrs, Block, Document, EMBED, InvalidDocument, LINE_BREAK, Marks, Run, SCHEMA, attr, block_id, kind,
    mark,
};
pub use flat::{Expand, Flat, FlatMark, Marker, expand_of, flatten, parse_flat};
pub use markdown::{from_markdown, to_markdown};
