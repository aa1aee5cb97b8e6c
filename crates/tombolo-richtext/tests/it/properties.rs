//! What holds for every document and every string.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};
use tombolo_richtext::{
    Attrs, Block, Document, LINE_BREAK, Marks, Run, attr, flatten, from_markdown, kind, mark, parse_flat,
    to_markdown,
};

use crate::{config, counter};

/// Pieces of Markdown syntax and text, to be strung together.
fn markdown() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => "[a-c]{1,3}",
        3 => Just(" ".to_owned()),
        2 => Just("\n".to_owned()),
        2 => Just("\n\n".to_owned()),
        4 => "[-*+_`~#>|=\\[\\]()<>!&;:.\\\\]{1,3}",
        2 => prop::sample::select(vec![
            "- ", "* ", "1. ", "2) ", "> ", "# ", "## ", "    ", "\t", "```\n", "~~~ x\n", "---\n", "***\n", "[x] ", "  \n",
            "\\\n", "[a](b)", "![a](b)", "[a]: b\n", "[a][b]", "<b>", "</b>", "<!-- c -->", "<div>\n", "&amp;", "&#35;",
            "**a**", "_a_", "~~a~~", "`a`", "<http://a.b>", "a|b\n-|-\n", "[^1]", "[^1]: a\n", "\u{2028}", "é", "👩‍👩‍👧", "\u{FEFF}",
            "\0", "\r\n", "<u>", "</u>", "\u{a0}", "http://a.b", "\u{FFFC}",
        ]).prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!(true)),
        Just(json!(i64::MAX)),
        "[a-z]{0,4}".prop_map(Value::from),
        Just(json!({"a": [1, null, "x"]})),
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z ]{1,8}", "\\PC{1,6}", Just("a\u{2028}b".to_owned()), Just("👩‍👩‍👧é".to_owned())]
}

fn run() -> impl Strategy<Value = Run> {
    let key = prop::sample::select(vec!["bold", "italic", "code", "link", "comment:1", "embed", "strange"]);
    let marks = prop::collection::btree_map(key.prop_map(str::to_owned), value(), 0..3);
    (text(), marks).prop_map(|(text, marks)| Run { text, marks })
}

fn block() -> impl Strategy<Value = Block> {
    let kind = prop::sample::select(vec![
        "paragraph",
        "heading",
        "list_item",
        "code_block",
        "callout",
        "image",
        "raw",
    ]);
    let name = prop::sample::select(vec!["indent", "level", "kind", "x", "strange", "src", "md", "in"]);
    let attrs = prop::collection::btree_map(name.prop_map(str::to_owned), value(), 0..3);
    (kind, attrs, prop::collection::vec(run(), 0..4)).prop_map(|(kind, attrs, runs)| Block {
        id: None,
        kind: kind.to_owned(),
        attrs,
        runs,
    })
}

fn document() -> impl Strategy<Value = Document> {
    prop::collection::vec(block(), 0..8).prop_map(|blocks| {
        let mut document = Document { blocks, ..Document::default() };
        document.assign_ids(&mut counter());
        document.normalize();
        document
    })
}

/// The segments that a CRDT text would give: cut wherever the marks change.
fn segments(document: &Document) -> Vec<(String, Marks)> {
    let flat = flatten(document);
    let marks_at = |pos: usize| -> Marks {
        let marker = flat.markers.iter().find(|marker| marker.pos == pos);
        let marker =
            marker.map(|marker| ("b".to_owned(), Value::Object(marker.attrs.clone().into_iter().collect())));
        let inline = flat.marks.iter().filter(|mark| mark.range.contains(&pos));
        inline.map(|mark| (mark.key.clone(), mark.value.clone())).chain(marker).collect()
    };
    let mut out: Vec<(String, Marks)> = Vec::new();
    for (pos, c) in flat.text.chars().enumerate() {
        let marks = marks_at(pos);
        match out.last_mut() {
            Some((text, last)) if *last == marks => text.push(c),
            _ => out.push((c.to_string(), marks)),
        }
    }
    out
}

fn read(segments: &[(String, Marks)], overrides: &BTreeMap<String, Value>) -> Document {
    parse_flat(segments.iter().map(|(text, marks)| (text.as_str(), marks)), overrides)
}

/// A document that Markdown can say.
fn sayable() -> impl Strategy<Value = Document> {
    let mark = prop::sample::select(vec!["bold", "italic", "code", "strike"]);
    let word = prop_oneof!["[a-z]{1,5}", "[a-z*_\\[\\]<&`#~\\\\!]{1,5}", "[0-9]{1,3}[.)]"];
    let run = (word, prop::option::of(mark)).prop_map(|(text, mark)| {
        let marks = mark.map(|mark| (mark.to_owned(), json!(true)));
        Run { text, marks: marks.into_iter().collect() }
    });
    let runs = prop::collection::vec(run, 1..5).prop_map(|runs| {
        // Emphasis against a letter is not always sayable: words stand apart.
        let mut block = Block::default();
        for (index, run) in runs.iter().enumerate() {
            if index > 0 {
                block.push(" ", &Marks::new());
            }
            block.push(&run.text, &run.marks);
        }
        block.runs
    });
    let shape = prop_oneof![
        Just(Block::default()),
        (1..=6_u64).prop_map(|level| Block::new(kind::HEADING).with(attr::LEVEL, level)),
        (0..3_u64, prop::sample::select(vec!["bullet", "ordered"]))
            .prop_map(|(indent, kind)| item(indent).with(attr::KIND, kind)),
        (0..3_u64, any::<bool>())
            .prop_map(|(indent, done)| item(indent).with(attr::KIND, "task").with(attr::CHECKED, done)),
        Just(Block::new(kind::QUOTE)),
    ];
    let block = (shape, runs).prop_map(|(shape, runs)| Block { runs, ..shape });
    prop::collection::vec(block, 1..6).prop_map(|blocks| Document { blocks, ..Document::default() })
}

fn item(indent: u64) -> Block {
    let block = Block::new(kind::LIST_ITEM);
    if indent == 0 { block } else { block.with(attr::INDENT, indent) }
}

/// What of a document must survive Markdown: types and texts. A block's text may be spelled by a run that keeps
/// source, so runs are compared by what they read as.
fn gist(document: &Document) -> Vec<(String, String, Vec<Run>)> {
    let keys = |run: &Run| run.marks.keys().filter(|key| *key != mark::MD).cloned().collect::<Vec<_>>();
    let level = |block: &Block| {
        format!(
            "{:?}{:?}{:?}",
            block.attrs.get(attr::LEVEL),
            block.attrs.get(attr::KIND),
            block.attrs.get(attr::CHECKED)
        )
    };
    let runs = |block: &Block| {
        let mut plain = Block::default();
        for run in &block.runs {
            plain.push(&run.text, &keys(run).into_iter().map(|key| (key, json!(true))).collect());
        }
        plain.runs
    };
    document.blocks.iter().map(|block| (block.kind.clone(), level(block), runs(block))).collect()
}

fn squash(text: &str) -> String {
    let text = text.replace('\0', "\u{FFFD}");
    let kept =
        text.chars().filter(|c| !c.is_whitespace() && !"-*+>\u{FEFF}".contains(*c) && !c.is_ascii_digit());
    kept.collect()
}

proptest! {
    #![proptest_config(config(256))]

    #[test]
    fn json_gives_the_document_back(document in document()) {
        let json = serde_json::to_string(&document.to_json()).unwrap();
        let again = Document::from_json(&serde_json::from_str(&json).unwrap()).unwrap();
        prop_assert_eq!(again, document);
    }

    #[test]
    fn the_flat_form_gives_the_document_back(document in document()) {
        let again = read(&segments(&document), &BTreeMap::new());
        prop_assert_eq!(again, document);
    }

    #[test]
    fn overrides_count_over_initial_attributes(document in document(), name in "[a-h]", value in value(), unset: bool) {
        let mut wanted = document.clone();
        let mut overrides = BTreeMap::new();
        for block in &mut wanted.blocks {
            let key = format!("{}/{name}", block.id.clone().unwrap());
            overrides.insert(key, if unset { Value::Null } else { value.clone() });
            if unset { block.attrs.remove(&name); } else { block.attrs.insert(name.clone(), value.clone()); }
        }
        prop_assert_eq!(read(&segments(&document), &overrides), wanted);
    }

    #[test]
    fn no_document_upsets_a_writer(document in document()) {
        let text = document.plain_text();
        prop_assert!(!text.contains(LINE_BREAK));
        let written = to_markdown(&document);
        let again = from_markdown(&written, &mut counter());
        prop_assert_eq!(squash(&to_markdown(&again)), squash(&written));
    }

    #[test]
    fn any_attributes_parse(marks in prop::collection::btree_map("[bx]", value(), 0..2), text in "[\nab\u{FFFC}]{0,6}") {
        let document = read(&[(text, marks as Attrs)], &BTreeMap::new());
        prop_assert!(document.blocks.iter().flat_map(|block| &block.runs).all(|run| !run.text.is_empty()));
    }
}

proptest! {
    #![proptest_config(config(1500))]

    #[test]
    fn a_page_returns_whatever_it_says(source in markdown()) {
        let document = from_markdown(&source, &mut counter());
        let written = to_markdown(&document);
        prop_assert_eq!(squash(&written), squash(&source), "{:?} became {:?}", source, written);
        let again = from_markdown(&written, &mut counter());
        prop_assert!(again.same_content(&document), "{source:?}\nbecame {written:?}\n{:#?}\n{:#?}", document.blocks, again.blocks);
    }

    #[test]
    fn any_string_is_a_page(source in "\\PC*|(?s).{0,40}") {
        let document = from_markdown(&source, &mut counter());
        let again = from_markdown(&to_markdown(&document), &mut counter());
        prop_assert!(again.same_content(&document));
    }

    #[test]
    fn what_markdown_can_say_it_says(document in sayable()) {
        let written = to_markdown(&document);
        let again = from_markdown(&written, &mut counter());
        prop_assert_eq!(gist(&again), gist(&document), "{}", written);
    }
}
