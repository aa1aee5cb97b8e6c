//! Markdown both ways, so that a page which came from a file can go back to it.
//!
//! The reader walks comrak's tree and trusts nothing it cannot write back: each top-level construct is written again
//! and compared with its source, and the whole result is read once more. What does not return as it was (tables, HTML,
//! definitions, and any spelling this version has no place for) stays verbatim in a `raw` block, or in an inline run
//! with the mark `md` = true. So an import loses nothing by construction, not by the completeness of a list.
//!
//! The writer decides about escapes the same way: it writes the text bare, reads it, and escapes only where it would
//! be read as something else.
//!
//! # Spelling hints
//!
//! Markdown spells one thing in several ways; what would be lost is kept beside the meaning, and used only while it
//! still reads as the meaning, so that no edit can make a hint lie:
//!
//! | where | hint |
//! |---|---|
//! | mark `bold`, `italic`, `strike` | the delimiter instead of true, where it is not `**`, `*`, `~~` |
//! | mark `md`, a string | the source of this run's text (an escape, an entity, an autolink, a line break) |
//! | mark `link_md` | the link after its text: a title, a reference label |
//! | mark `nest` | the order of the marks, outermost first, where several cover the same text |
//! | attribute `md` | an object: `wrap` (column at which lines were broken), `setext` and `close` (heading), `fence` (code; empty: indented), `rule` (divider), `marker`, `loose`, `check` (list item), `gap` (blank lines before the block, where not one) |

mod check;
mod inline_read;
mod inline_write;
mod layout;
mod read;
mod source;
mod write;

use comrak::Options;

use crate::document::{Attrs, Block, Document, attr, kind, line_breaks};

/// Sources longer than this are kept as one raw block.
const SOURCE_BYTES_MAX: usize = 8 << 20;

/// Reads a Markdown page (CommonMark, with GFM's tables, task lists and strikethrough, footnotes and front matter).
///
/// Any string is a page. Line ends become `\n`, a byte order mark goes. The blocks take their ids, and multi-block
/// quotations the names of their groups, from `ids`.
#[must_use]
pub fn from_markdown(source: &str, ids: &mut dyn FnMut() -> String) -> Document {
    let source = source::normalize(source);
    let blocks = if source.len() > SOURCE_BYTES_MAX {
        vec![raw_block(source::trim_end(&source), "markdown")]
    } else {
        check::read_checked(&source)
    };
    let mut document = Document { blocks, ..Document::default() };
    check::name_groups(&mut document.blocks, ids);
    document.assign_ids(ids);
    document
}

/// Writes a page as Markdown, ending in a newline unless it is empty.
///
/// Ghosts are left out. What Markdown cannot say is dropped, never the text: comments and other unknown marks,
/// attributes, the indent of blocks outside lists; a block of an unknown type is written as a paragraph.
#[must_use]
pub fn to_markdown(document: &Document) -> String {
    let blocks: Vec<&Block> = document.visible().collect();
    write::Writer::new(&blocks).page(&blocks)
}

fn options() -> Options<'static> {
    let mut options = Options::default();
    options.extension.strikethrough = true;
    options.extension.table = true;
    options.extension.tasklist = true;
    options.extension.footnotes = true;
    options.extension.front_matter_delimiter = Some("---".to_owned());
    options.parse.leave_footnote_definitions = true;
    options.parse.escaped_char_spans = true;
    options
}

fn raw_block(source: &str, lang: &str) -> Block {
    Block::new(kind::RAW).with(attr::LANG, lang).text(&line_breaks(source))
}

/// The value of a spelling hint on a block.
fn hint<'a>(attrs: &'a Attrs, name: &str) -> Option<&'a serde_json::Value> {
    attrs.get(attr::MD)?.get(name)
}

fn hint_str<'a>(attrs: &'a Attrs, name: &str) -> Option<&'a str> {
    hint(attrs, name)?.as_str()
}

fn set_hint(attrs: &mut Attrs, name: &str, value: impl Into<serde_json::Value>) {
    let hints = attrs.entry(attr::MD.to_owned()).or_insert_with(|| serde_json::json!({}));
    if let Some(hints) = hints.as_object_mut() {
        hints.insert(name.to_owned(), value.into());
    }
}
