//! Markdown both ways.
use crate::document::Document;
/// Reads Markdown.
pub fn from_markdown(source: &str, ids: &mut dyn FnMut() -> String) -> Document {
    let mut document = Document {
        blocks: vec![crate::Block::new(crate::kind::RAW).text(source)],
        ..Document::default()
    };
    document.assign_ids(ids);
    document
}
/// Writes Markdown.
pub fn to_markdown(document: &Document) -> String {
    document.plain_text()
}
