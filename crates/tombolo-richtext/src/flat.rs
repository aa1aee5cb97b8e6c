//! The flat form: one text in which a marker character starts each block, as the CRDT holds it.
//!
//! The marker is U+000A with the mark `b`, the block's id, type and *initial* attributes; it is set once, with the
//! insertion. Later changes stand beside the text, in a map by `<id>/<attribute>`.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::Value;

use crate::document::{Attrs, Block, Document, Marks, SCHEMA, kind, mark};

/// The mark on a marker that holds the block's id, type and initial attributes.
const MARKER: &str = "b";

/// A document as one text with marks.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Flat {
    /// For each block a newline and then its text.
    pub text: String,
    /// The inline marks, in order of their start; no range holds a marker.
    pub marks: Vec<FlatMark>,
    /// One for each newline in `text`, in order.
    pub markers: Vec<Marker>,
}

/// A mark on a range of the text.
#[derive(Debug, Clone, PartialEq)]
pub struct FlatMark {
    /// In Unicode scalar values.
    pub range: Range<usize>,
    /// The mark's key.
    pub key: String,
    /// The mark's value, never null.
    pub value: Value,
}

/// A block's marker.
#[derive(Debug, Clone, PartialEq)]
pub struct Marker {
    /// The newline's place in the text, in Unicode scalar values.
    pub pos: usize,
    /// The value of the mark `b`: `id` and `t` (absent: none, paragraph) and the initial attributes.
    pub attrs: Attrs,
}

/// What happens to a mark when text is inserted at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expand {
    /// Text inserted directly after the range is marked too.
    After,
    /// The range stays.
    None,
}

/// How a mark expands. Every peer must use the same answer when it sets a mark: it is frozen into the operation.
#[must_use]
pub fn expand_of(key: &str) -> Expand {
    match key {
        mark::BOLD | mark::ITALIC | mark::UNDERLINE | mark::STRIKE | mark::HIGHLIGHT => Expand::After,
        _ => Expand::None,
    }
}

/// Lays the document out as one text. Blocks without an id get markers without one: call
/// [`Document::assign_ids`] first where the text is to be written.
#[must_use]
pub fn flatten(document: &Document) -> Flat {
    let mut flat = Flat::default();
    let mut pos = 0;
    for block in &document.blocks {
        flat.text.push('\n');
        flat.markers.push(Marker { pos, attrs: marker_attrs(block) });
        pos += 1;
        let first = flat.marks.len();
        for run in &block.runs {
            let start = pos;
            // A newline here would be a marker.
            flat.text.extend(run.text.chars().map(|c| if c == '\n' { crate::LINE_BREAK } else { c }));
            pos += run.text.chars().count();
            for (key, value) in run.marks.iter().filter(|(_, value)| !value.is_null()) {
                push_mark(&mut flat.marks, first, start..pos, key, value);
            }
        }
        flat.marks[first..].sort_by_key(|mark| mark.range.start);
    }
    flat
}

fn marker_attrs(block: &Block) -> Attrs {
    let mut attrs = block.attrs.clone();
    attrs.retain(|_, value| !value.is_null());
    attrs.remove("id");
    attrs.remove("t");
    if let Some(id) = &block.id {
        attrs.insert("id".to_owned(), Value::from(id.as_str()));
    }
    if block.kind != kind::PARAGRAPH {
        attrs.insert("t".to_owned(), Value::from(block.kind.as_str()));
    }
    attrs
}

/// Adds a range, or lengthens the block's range (those from index `first` on) that ends where it starts and says the
/// same: fewer ranges are what keeps a CRDT text fast.
fn push_mark(marks: &mut Vec<FlatMark>, first: usize, range: Range<usize>, key: &str, value: &Value) {
    let open = marks[first..].iter_mut().rev().find(|mark| mark.key == key);
    match open {
        Some(last) if last.range.end == range.start && last.value == *value => last.range.end = range.end,
        _ if range.is_empty() => {}
        _ => marks.push(FlatMark { range, key: key.to_owned(), value: value.clone() }),
    }
}

/// Reads the flat form back: `segments` are stretches of the text with their marks, in order, `overrides` the later
/// attribute changes by `<id>/<attribute>` (null unsets).
///
/// Reading never fails, because a merge of valid edits must read as something everywhere:
/// text before the first marker is a paragraph without an id, a newline without a readable `b` starts a paragraph, a
/// `b` elsewhere means nothing, blocks with one id share the changes made under it, and an empty text has no blocks.
pub fn parse_flat<'a>(
    segments: impl IntoIterator<Item = (&'a str, &'a Marks)>,
    overrides: &BTreeMap<String, Value>,
) -> Document {
    let mut blocks: Vec<Block> = Vec::new();
    for (text, marks) in segments {
        let mut inline = marks.clone();
        inline.retain(|key, value| key != MARKER && !value.is_null());
        for (index, part) in text.split('\n').enumerate() {
            if index > 0 {
                blocks.push(block_of(marks.get(MARKER), overrides));
            }
            if part.is_empty() {
                continue;
            }
            if blocks.is_empty() {
                blocks.push(Block::default());
            }
            if let Some(block) = blocks.last_mut() {
                block.push(part, &inline);
            }
        }
    }
    Document { schema: SCHEMA, blocks }
}

fn block_of(marker: Option<&Value>, overrides: &BTreeMap<String, Value>) -> Block {
    let mut attrs: Attrs = match marker {
        Some(Value::Object(map)) => map.iter().map(|(key, value)| (key.clone(), value.clone())).collect(),
        _ => Attrs::new(),
    };
    let id = match attrs.remove("id") {
        Some(Value::String(id)) => Some(id),
        _ => None,
    };
    if let Some(id) = &id {
        let prefix = format!("{id}/");
        let changes = overrides
            .range(prefix.clone()..)
            .map_while(|(key, value)| Some((key.strip_prefix(&prefix)?, value)));
        for (name, value) in changes.filter(|(name, _)| *name != "id") {
            attrs.insert(name.to_owned(), value.clone());
        }
    }
    let kind = match attrs.remove("t") {
        Some(Value::String(kind)) => kind,
        _ => kind::PARAGRAPH.to_owned(),
    };
    attrs.retain(|_, value| !value.is_null());
    Block { id, kind, attrs, runs: Vec::new() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Reads segments of text and marks, each given as a JSON object.
    fn read(segments: &[(&str, Value)], overrides: Value) -> Document {
        let segments: Vec<(&str, Marks)> = segments
            .iter()
            .map(|(text, marks)| (*text, serde_json::from_value(marks.clone()).unwrap()))
            .collect();
        let overrides = serde_json::from_value(overrides).unwrap();
        parse_flat(segments.iter().map(|(text, marks)| (*text, marks)), &overrides)
    }

    fn check(segments: &[(&str, Value)], overrides: Value, blocks: Value) {
        let document = read(segments, overrides);
        assert_eq!(document.to_json()["blocks"], blocks);
    }

    #[test]
    fn text_before_the_first_marker_is_a_paragraph() {
        check(&[], json!({}), json!([]));
        check(&[("", json!({}))], json!({}), json!([]));
        let marker = json!({"b": {"id": "i", "t": "heading", "level": 2}});
        let wanted = json!([
            {"runs": [{"text": "lead"}]},
            {"id": "i", "t": "heading", "attrs": {"level": 2}, "runs": [{"text": "x"}]}
        ]);
        check(&[("lead", json!({})), ("\n", marker), ("x", json!({}))], json!({}), wanted);
    }

    #[test]
    fn newlines_without_a_readable_marker_are_paragraphs() {
        check(&[("\n\nline", json!({}))], json!({}), json!([{}, {"runs": [{"text": "line"}]}]));
        check(&[("\n", json!({"b": 7}))], json!({}), json!([{}]));
        check(&[("\n", json!({"b": {"id": 1, "t": 2, "w": null}}))], json!({}), json!([{}]));
    }

    #[test]
    fn marks_of_markers_and_markers_of_text_mean_nothing() {
        let marker = json!({"b": {"id": "i"}, "bold": true});
        let text = json!({"b": {"id": "j", "t": "heading"}, "italic": true, "code": null});
        let wanted = json!([{"id": "i", "runs": [{"text": "x", "marks": {"italic": true}}]}]);
        check(&[("\n", marker), ("x", text)], json!({}), wanted);
    }

    #[test]
    fn later_changes_count_and_null_unsets() {
        let marker = json!({"b": {"id": "i", "t": "heading", "level": 2, "tone": "a"}});
        let changes = json!({"i/level": 3, "i/tone": null, "i/t": "callout", "i/new": [1], "i/id": "k", "ix/level": 9, "h/level": 8});
        let wanted = json!([{"id": "i", "t": "callout", "attrs": {"level": 3, "new": [1]}}]);
        check(&[("\n", marker)], changes, wanted);
        let marker = json!({"b": {"id": "i", "t": "heading"}});
        check(&[("\n", marker)], json!({"i/t": null}), json!([{"id": "i"}]));
    }

    #[test]
    fn twins_share_their_changes() {
        let marker = json!({"b": {"id": "i"}});
        let wanted = json!([{"id": "i", "attrs": {"x": true}}, {"id": "i", "attrs": {"x": true}, "runs": [{"text": "a"}]}]);
        check(&[("\n\n", marker), ("a", json!({}))], json!({"i/x": true}), wanted);
        let document = read(&[("\n\na", json!({"b": {"id": "i"}}))], json!({"i/x": true}));
        assert_eq!(document.visible().count(), 1);
        assert_eq!(document.plain_text(), "a");
    }

    #[test]
    fn one_mark_over_several_runs_is_one_range() {
        let mut block = Block { id: Some("i".to_owned()), ..Block::default() };
        let marks =
            |keys: &[&str]| keys.iter().map(|key| ((*key).to_owned(), json!(true))).collect::<Marks>();
        block.push("é", &marks(&["bold"]));
        block.push("👩", &marks(&["bold", "code"]));
        block.push("z", &marks(&["bold"]));
        let document = Document { blocks: vec![block.clone(), block], ..Document::default() };
        let flat = flatten(&document);
        assert_eq!(flat.text, "\né👩z\né👩z");
        let ranges: Vec<(&str, Range<usize>)> =
            flat.marks.iter().map(|mark| (mark.key.as_str(), mark.range.clone())).collect();
        assert_eq!(ranges, [("bold", 1..4), ("code", 2..3), ("bold", 5..8), ("code", 6..7)]);
        assert_eq!(flat.markers[1], Marker { pos: 4, attrs: [("id".to_owned(), json!("i"))].into() });
    }

    #[test]
    fn only_what_is_typed_on_expands() {
        let after = ["bold", "italic", "underline", "strike", "highlight"];
        assert!(after.iter().all(|key| expand_of(key) == Expand::After));
        assert!(
            ["code", "link", "comment:1", "embed", "b", "md", "other"]
                .iter()
                .all(|key| expand_of(key) == Expand::None)
        );
    }
}
