//! The model: a document is a list of blocks, a block's text a list of runs.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The schema version this crate writes, and the one meant where a document does not say.
pub const SCHEMA: u32 = 1;

/// U+2028, a line break inside a block. In code and raw blocks it stands for a newline.
pub const LINE_BREAK: char = '\u{2028}';

/// U+FFFC, the place of an inline embed; its run carries the mark [`mark::EMBED`].
pub const EMBED: char = '\u{FFFC}';

/// A block's attributes by name. Never holds null: unset means absent.
pub type Attrs = BTreeMap<String, Value>;

/// A run's marks by key. Never holds null: off means absent.
pub type Marks = BTreeMap<String, Value>;

/// The block types this version knows. Any other string is a type of a newer version or another app.
pub mod kind {
    /// Text; the type of a block that names none.
    pub const PARAGRAPH: &str = "paragraph";
    /// A heading; attribute `level`, 1 to 6.
    pub const HEADING: &str = "heading";
    /// An item of a list; attributes `kind` (`bullet`, `ordered`, `task`), `checked`, `start`.
    pub const LIST_ITEM: &str = "list_item";
    /// Code; attribute `lang` (the whole info string of a Markdown fence).
    pub const CODE_BLOCK: &str = "code_block";
    /// A quotation of one paragraph. Longer ones are blocks of any type with the attribute `in`.
    pub const QUOTE: &str = "quote";
    /// A rule across the page; its text is normally empty.
    pub const DIVIDER: &str = "divider";
    /// An image; attributes `src`, `title`, `w`; its text is the caption, in Markdown the alternative text.
    pub const IMAGE: &str = "image";
    /// Source that this version does not model, kept verbatim as text; attribute `lang`.
    pub const RAW: &str = "raw";
}

/// The attributes this version reads. Any other is kept as it is.
pub mod attr {
    /// Integer, absent = 0. A block belongs to the nearest block before it that is indented less.
    pub const INDENT: &str = "indent";
    /// List of group ids, outermost first; neighbours with an equal id stand in one box (a quotation).
    pub const IN: &str = "in";
    /// True on a deleted block whose marker stays: hidden while it has no text.
    pub const GHOST: &str = "x";
    /// Heading level, 1 to 6.
    pub const LEVEL: &str = "level";
    /// List item: `bullet` (absent), `ordered` or `task`.
    pub const KIND: &str = "kind";
    /// Task: whether it is done.
    pub const CHECKED: &str = "checked";
    /// The number of an ordered list's first item where it is not 1.
    pub const START: &str = "start";
    /// Code block: info string. Raw block: `markdown`, `html` or `yaml` (front matter).
    pub const LANG: &str = "lang";
    /// Image source, as written.
    pub const SRC: &str = "src";
    /// Image title.
    pub const TITLE: &str = "title";
    /// An object of spelling hints (how the Markdown source wrote this block); see the Markdown reader.
    pub const MD: &str = "md";
}

/// The marks this version reads. Any other is kept as it is.
pub mod mark {
    /// Strong emphasis: true, or the delimiter that the Markdown source used (`"__"`).
    pub const BOLD: &str = "bold";
    /// Emphasis: true, or the delimiter that the Markdown source used (`"_"`).
    pub const ITALIC: &str = "italic";
    /// Underlined text: true.
    pub const UNDERLINE: &str = "underline";
    /// Struck text: true, or the delimiter that the Markdown source used (`"~"`).
    pub const STRIKE: &str = "strike";
    /// Highlighted text: true or a colour name.
    pub const HIGHLIGHT: &str = "highlight";
    /// Code: true.
    pub const CODE: &str = "code";
    /// A link: its destination, a string.
    pub const LINK: &str = "link";
    /// How the Markdown source wrote the link after its text: `(url "title")`, `[label]`, `[]` or empty.
    pub const LINK_MD: &str = "link_md";
    /// An inline embed: any JSON; set on [`EMBED`](super::EMBED) characters only.
    pub const EMBED: &str = "embed";
    /// True: the text is Markdown source, to be written verbatim. A string: the source that read as this text.
    pub const MD: &str = "md";
}

/// A page body.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// The version of the format, [`SCHEMA`] where absent.
    #[serde(default = "current_schema")]
    pub schema: u32,
    /// The blocks in reading order, ghosts included.
    #[serde(default)]
    pub blocks: Vec<Block>,
}

/// A block: its type, its attributes and its text. Every type may hold text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Block {
    /// Random and lasting, 8 characters of base32 where this project makes it. None: written by somebody who gives none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The type, `t` in JSON and in the CRDT; see [`kind`].
    #[serde(rename = "t", default = "paragraph", skip_serializing_if = "is_paragraph")]
    pub kind: String,
    /// All attributes but `id` and `t`, known or not; see [`attr`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attrs: Attrs,
    /// The text. In normal form no run is empty and neighbours differ in their marks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<Run>,
}

/// A stretch of text with one set of marks. Holds no newline: breaks are [`LINE_BREAK`].
///
/// Each [`EMBED`] character in a run with the mark [`mark::EMBED`] is one inline embed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// The characters.
    pub text: String,
    /// The marks on all of them; see [`mark`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub marks: Marks,
}

fn current_schema() -> u32 {
    SCHEMA
}

fn paragraph() -> String {
    kind::PARAGRAPH.to_owned()
}

fn is_paragraph(kind: &String) -> bool {
    kind == kind::PARAGRAPH
}

impl Default for Document {
    fn default() -> Self {
        Self { schema: SCHEMA, blocks: Vec::new() }
    }
}

impl Default for Block {
    fn default() -> Self {
        Self { id: None, kind: paragraph(), attrs: Attrs::new(), runs: Vec::new() }
    }
}

impl Document {
    /// The document in its JSON form: `{"schema":1,"blocks":[{"id","t","attrs":{},"runs":[{"text","marks":{}}]}]}`,
    /// where `t` is left out for paragraphs, and `attrs`, `runs` and `marks` where empty.
    #[must_use]
    pub fn to_json(&self) -> Value {
        serde_json::to_value(self).unwrap_or(Value::Null)
    }

    /// Reads the JSON form and brings it to normal form (newlines in texts become line breaks, nulls vanish, equal
    /// neighbours are one run).
    ///
    /// # Errors
    /// [`InvalidDocument`] where the shape is another; unknown types, attributes and marks are no error.
    pub fn from_json(json: &Value) -> Result<Self, InvalidDocument> {
        if !json.is_object() {
            // serde would take a list for the members in order.
            return Err(<serde_json::Error as serde::de::Error>::custom("expected an object").into());
        }
        let mut document = Self::deserialize(json)?;
        document.normalize();
        Ok(document)
    }

    /// Brings every block to normal form: attributes and marks without nulls, runs neither empty nor equal to a
    /// neighbour, newlines as [`LINE_BREAK`].
    pub fn normalize(&mut self) {
        for block in &mut self.blocks {
            block.attrs.retain(|_, value| !value.is_null());
            let runs = std::mem::take(&mut block.runs);
            for mut run in runs {
                run.marks.retain(|_, value| !value.is_null());
                if run.text.contains(['\n', '\r']) {
                    run.text = line_breaks(&run.text);
                }
                block.push(&run.text, &run.marks);
            }
        }
    }

    /// Gives an id to every block that has none.
    pub fn assign_ids(&mut self, ids: &mut dyn FnMut() -> String) {
        for block in self.blocks.iter_mut().filter(|block| block.id.is_none()) {
            block.id = Some(ids());
        }
    }

    /// The blocks a reader sees: all but ghosts without text.
    pub fn visible(&self) -> impl Iterator<Item = &Block> {
        self.blocks.iter().filter(|block| !block.is_hidden())
    }

    /// The text for SQL and search: visible blocks joined by newlines, line breaks as newlines, embeds as the string
    /// `text` of their JSON (or themselves if a string), or nothing.
    #[must_use]
    pub fn plain_text(&self) -> String {
        let mut out = String::new();
        for (index, block) in self.visible().enumerate() {
            if index > 0 {
                out.push('\n');
            }
            block.push_plain_text(&mut out);
        }
        out
    }

    /// Whether both say the same, block ids and the names of groups aside.
    #[must_use]
    pub fn same_content(&self, other: &Self) -> bool {
        self.schema == other.schema
            && self.blocks.len() == other.blocks.len()
            && same_blocks(&self.blocks, &other.blocks)
    }
}

/// Compares blocks of equal number, ids aside and group ids up to renaming.
pub(crate) fn same_blocks(left: &[Block], right: &[Block]) -> bool {
    let mut there: HashMap<&str, &str> = HashMap::new();
    let mut back: HashMap<&str, &str> = HashMap::new();
    left.len() == right.len()
        && left.iter().zip(right).all(|(a, b)| {
            let groups = a.groups().len() == b.groups().len()
                && a.groups()
                    .iter()
                    .zip(b.groups())
                    .all(|(x, y)| *there.entry(x).or_insert(y) == y && *back.entry(y).or_insert(x) == *x);
            let attrs = |block: &'_ Block| {
                block
                    .attrs
                    .iter()
                    .filter(|(key, _)| *key != attr::IN)
                    .map(|(k, v)| (k.clone(), v.clone()))
                    .collect::<Vec<_>>()
            };
            groups && a.kind == b.kind && a.runs == b.runs && attrs(a) == attrs(b)
        })
}

/// A block's id from random bits, of which it takes forty: eight characters of base 32.
#[must_use]
pub fn block_id(bits: u64) -> String {
    const DIGITS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    (0..8).map(|n| char::from(DIGITS[usize::try_from(bits >> (5 * n) & 31).unwrap_or(0)])).collect()
}

/// A JSON value that is not a document.
#[derive(Debug, thiserror::Error)]
#[error("not a rich-text document: {source}")]
pub struct InvalidDocument {
    #[from]
    source: serde_json::Error,
}

impl InvalidDocument {
    /// The stable error code, `INVALID_DATA`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        "INVALID_DATA"
    }
}

impl Block {
    /// An empty block of the given type.
    #[must_use]
    pub fn new(kind: &str) -> Self {
        Self { kind: kind.to_owned(), ..Self::default() }
    }

    /// The same block with an attribute set.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.attrs.insert(name.to_owned(), value.into());
        self
    }

    /// The same block with text appended that carries no marks.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        self.push(text, &Marks::new());
        self
    }

    /// Appends text with marks, joining it to the last run where the marks are equal. The mark of an embed stays on
    /// [`EMBED`] characters only.
    pub fn push(&mut self, text: &str, marks: &Marks) {
        if marks.contains_key(mark::EMBED) && text.chars().any(|c| c != EMBED) {
            let mut bare = marks.clone();
            bare.remove(mark::EMBED);
            let mut buffer = [0; 4];
            for c in text.chars() {
                self.push_run(c.encode_utf8(&mut buffer), if c == EMBED { marks } else { &bare });
            }
        } else {
            self.push_run(text, marks);
        }
    }

    fn push_run(&mut self, text: &str, marks: &Marks) {
        match self.runs.last_mut() {
            _ if text.is_empty() => {}
            Some(last) if last.marks == *marks => last.text.push_str(text),
            _ => self.runs.push(Run { text: text.to_owned(), marks: marks.clone() }),
        }
    }

    /// The nesting depth that the attribute `indent` asks for, 0 where it is absent or no whole number.
    #[must_use]
    pub fn indent(&self) -> usize {
        self.attrs
            .get(attr::INDENT)
            .and_then(Value::as_u64)
            .and_then(|n| usize::try_from(n).ok())
            .unwrap_or(0)
    }

    /// The ids of the boxes around this block, outermost first.
    #[must_use]
    pub fn groups(&self) -> Vec<&str> {
        let list = self.attrs.get(attr::IN).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// Whether readers leave this block out: a ghost without text.
    #[must_use]
    pub fn is_hidden(&self) -> bool {
        self.runs.is_empty() && self.attrs.get(attr::GHOST) == Some(&Value::Bool(true))
    }

    /// The block's text as plain text (line breaks as newlines).
    #[must_use]
    pub fn plain_text(&self) -> String {
        let mut out = String::new();
        self.push_plain_text(&mut out);
        out
    }

    fn push_plain_text(&self, out: &mut String) {
        for run in &self.runs {
            for c in run.text.chars() {
                match (c, run.marks.get(mark::EMBED)) {
                    (LINE_BREAK, _) => out.push('\n'),
                    (EMBED, Some(embed)) => out.push_str(embed_text(embed)),
                    (c, _) => out.push(c),
                }
            }
        }
    }

    pub(crate) fn str_attr(&self, name: &str) -> &str {
        self.attrs.get(name).and_then(Value::as_str).unwrap_or("")
    }
}

impl Run {
    /// A run without marks.
    #[must_use]
    pub fn plain(text: &str) -> Self {
        Self { text: text.to_owned(), marks: Marks::new() }
    }

    /// The same run with a mark set.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.marks.insert(key.to_owned(), value.into());
        self
    }
}

/// What an embed reads as: itself where it is a string, else its member `text`, else nothing.
pub(crate) fn embed_text(embed: &Value) -> &str {
    embed.as_str().or_else(|| embed.get("text").and_then(Value::as_str)).unwrap_or("")
}

/// Turns every kind of newline into [`LINE_BREAK`].
pub(crate) fn line_breaks(text: &str) -> String {
    text.replace("\r\n", "\n").replace(['\n', '\r'], "\u{2028}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn plain_text_shows_what_a_reader_sees() {
        let embed = Run::plain("\u{FFFC}\u{FFFC}").with(mark::EMBED, json!({"page": "p", "text": "Home"}));
        let mut block = Block::default().text("see ");
        block.push(&embed.text, &embed.marks);
        block.push("\u{FFFC}", &[(mark::EMBED.to_owned(), json!({"page": "p"}))].into());
        let ghost = Block::default().with(attr::GHOST, true);
        let document = Document {
            blocks: vec![
                block,
                ghost.clone(),
                ghost.text("typed meanwhile"),
                Block::default(),
                Block::new(kind::CODE_BLOCK).text("a\u{2028}b"),
            ],
            ..Document::default()
        };
        assert_eq!(document.plain_text(), "see HomeHome\ntyped meanwhile\n\na\nb");
    }

    #[test]
    fn json_is_brought_to_normal_form() {
        let json = json!({"blocks": [{"attrs": {"a": null, "b": 1}, "runs": [
            {"text": "x\r\n"}, {"text": ""}, {"text": "y", "marks": {"bold": null}}, {"text": "z", "marks": {"embed": 1}}
        ]}]});
        let wanted = json!({"schema": 1, "blocks": [{"attrs": {"b": 1}, "runs": [{"text": "x\u{2028}yz"}]}]});
        assert_eq!(Document::from_json(&json).unwrap().to_json(), wanted);
    }

    #[test]
    fn other_json_is_refused() {
        for json in [
            json!(null),
            json!([]),
            json!({"blocks": 1}),
            json!({"blocks": [{"text": "lost"}]}),
            json!({"x": 1}),
        ] {
            assert_eq!(Document::from_json(&json).unwrap_err().code(), "INVALID_DATA", "{json}");
        }
    }

    #[test]
    fn groups_are_compared_by_shape() {
        let page = |groups: [&str; 3]| Document {
            blocks: groups.iter().map(|group| Block::default().with(attr::IN, vec![*group])).collect(),
            ..Document::default()
        };
        assert!(page(["a", "a", "b"]).same_content(&page(["x", "x", "y"])));
        assert!(!page(["a", "a", "b"]).same_content(&page(["x", "y", "y"])));
        assert!(!page(["a", "b", "a"]).same_content(&page(["x", "y", "z"])));
    }

    #[test]
    fn block_ids_are_eight_characters_of_forty_bits() {
        assert_eq!(block_id(0), "aaaaaaaa");
        assert_eq!(block_id(31 << 35), "aaaaaaa7");
        assert_eq!(block_id(1 << 40), block_id(0));
    }
}
