//! Rich texts in documents.

use crate::{Doc, Error, unpack};
use loro::{LoroDoc, LoroValue};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value as Json, json};
use std::fs;
use std::path::PathBuf;
use tombolo_core::PeerId;
use tombolo_richtext::{Block, Document, Expand, Run, expand_of, mark};

fn write(doc: &mut Doc, document: &Document) -> Option<Vec<u8>> {
    doc.edit(|edit| edit.set_richtext(document)).unwrap().1
}

fn with(peer: u64, base: &[u8]) -> Doc {
    let mut doc = Doc::new(PeerId(peer));
    doc.import(base).unwrap();
    doc
}

fn block(id: &str, kind: &str, text: &str) -> Block {
    Block { id: Some(id.to_owned()), ..Block::new(kind).text(text) }
}

fn document(blocks: Vec<Block>) -> Document {
    Document { blocks, ..Document::default() }
}

/// Each block's type, if it is no paragraph, and text.
fn lines(doc: &Doc) -> Vec<String> {
    let blocks = doc.richtext().unwrap().blocks;
    let line = |block: &Block| match block.kind.as_str() {
        "paragraph" => block.plain_text(),
        kind => format!("{kind} {}", block.plain_text()),
    };
    blocks.iter().filter(|block| !block.is_hidden()).map(line).collect()
}

fn raw(doc: &mut Doc, f: impl FnOnce(&LoroDoc)) -> Vec<u8> {
    let edit = doc.edit(|edit| {
        f(edit.loro);
        Ok(())
    });
    edit.unwrap().1.unwrap()
}

/// What an editor does on Enter: a marker of its own before the rest.
fn split(doc: &LoroDoc, at: usize, id: &str) {
    let text = doc.get_text("text");
    text.insert(at, "\n").unwrap();
    text.mark(at..at + 1, "b", LoroValue::from(json!({"id": id}))).unwrap();
}

/// Several peers edit the same base at once; all must end with these lines, in whatever order they meet.
#[track_caller]
fn concurrent(base: &Document, edits: &[&dyn Fn(&LoroDoc)], expected: &[&str]) {
    let mut first = Doc::new(PeerId(1));
    let base = write(&mut first, base);
    let mut docs: Vec<Doc> = Vec::new();
    let mut updates = Vec::new();
    for (index, edit) in edits.iter().enumerate() {
        let mut doc = Doc::new(PeerId(10 + index as u64));
        base.iter().for_each(|base| drop(doc.import(base).unwrap()));
        updates.push(raw(&mut doc, |doc| edit(doc)));
        docs.push(doc);
    }
    for (index, doc) in docs.iter_mut().enumerate() {
        let count = updates.len();
        (1..count).for_each(|step| drop(doc.import(&updates[(index + step) % count]).unwrap()));
        assert_eq!(lines(doc), expected);
    }
    let documents: Vec<Document> = docs.iter().map(|doc| doc.richtext().unwrap()).collect();
    assert!(documents.iter().all(|document| *document == documents[0]));
}

#[test]
fn c_both_split_the_same_word() {
    let base = document(vec![block("a", "paragraph", "helloworld")]);
    concurrent(&base, &[&|doc| split(doc, 6, "x"), &|doc| split(doc, 6, "y")], &["hello", "", "world"]);
}

#[test]
fn d_a_split_and_typing_in_its_tail() {
    let base = document(vec![block("a", "paragraph", "helloworld")]);
    concurrent(
        &base,
        &[&|doc| split(doc, 6, "x"), &|doc| doc.get_text("text").insert(9, "!!!").unwrap()],
        &["hello", "wor!!!ld"],
    );
}

#[test]
fn e_both_type_into_an_empty_field() {
    let typed = |doc: &LoroDoc, id: &str, text: &str| {
        split(doc, 0, id);
        doc.get_text("text").insert(1, text).unwrap();
    };
    concurrent(
        &Document::default(),
        &[&|doc| typed(doc, "x", "from A"), &|doc| typed(doc, "y", "from B")],
        &["from A", "from B"],
    );
}

#[test]
fn f_a_join_and_typing() {
    let base = document(vec![block("a", "paragraph", "one"), block("b", "paragraph", "two")]);
    concurrent(
        &base,
        &[&|doc| doc.get_text("text").delete(4, 1).unwrap(), &|doc| {
            doc.get_text("text").insert(8, "!").unwrap()
        }],
        &["onetwo!"],
    );
}

#[test]
fn g_a_heading_typing_and_a_split() {
    let base = document(vec![block("a", "paragraph", "hello world")]);
    concurrent(
        &base,
        &[
            &|doc| {
                doc.get_map("blocks").insert("a/t", "heading").unwrap();
                doc.get_map("blocks").insert("a/level", 1).unwrap();
            },
            &|doc| doc.get_text("text").insert(9, "!").unwrap(),
            &|doc| split(doc, 7, "x"),
        ],
        &["heading hello ", "wo!rld"],
    );
}

#[test]
fn marks_grow_as_the_format_says() {
    let styles = [mark::BOLD, mark::ITALIC, mark::UNDERLINE, mark::STRIKE, mark::HIGHLIGHT, mark::CODE];
    for key in styles.into_iter().chain([mark::LINK, mark::EMBED, "comment:1", "unknown", "b"]) {
        let mut doc = Doc::new(PeerId(1));
        raw(&mut doc, |doc| {
            let text = doc.get_text("text");
            text.insert(0, "ab").unwrap();
            text.mark(0..1, key, true).unwrap();
            text.insert(1, "x").unwrap();
        });
        let delta = doc.guard(|loro| Ok(loro.get_text("text").to_delta())).unwrap();
        let loro::TextDelta::Insert { insert, .. } = &delta[0] else { panic!("{delta:?}") };
        let grown = insert.len() == 2;
        assert_eq!(grown, expand_of(key) == Expand::After, "{key}");
    }
}

#[test]
fn unknown_blocks_attributes_and_marks_stay() {
    let strange = json!({"schema": 3, "blocks": [
        {"id": "a", "t": "hologram", "attrs": {"depth": 3, "deep": {"a": [1, null, {"b": 2.5}]}}, "runs": [
            {"text": "light", "marks": {"glow": {"colour": "red"}, "comment:1": true, "comment:2": "x"}},
            {"text": " and "},
            {"text": "\u{fffc}", "marks": {"embed": {"text": "Ann", "to": "id"}}}]},
        {"id": "b", "attrs": {"x": true}},
        {"id": "c", "runs": [{"text": "👩‍👩‍👧 e\u{301}\u{2028}line"}]},
    ]});
    let strange = Document::from_json(&strange).unwrap();
    let mut doc = Doc::new(PeerId(1));
    let update = write(&mut doc, &strange).unwrap();
    let other = with(2, &update);
    assert_eq!(other.richtext().unwrap(), strange);
    assert_eq!(other.copy(PeerId(3)).unwrap().richtext().unwrap(), strange);
    assert_eq!(other.richtext_plain().unwrap(), "light and Ann\n👩‍👩‍👧 e\u{301}\nline");
    assert_eq!(write(&mut doc, &strange), None, "an equal document is not written again");
}

#[test]
fn equal_blocks_stay_and_a_changed_one_changes_in_place() {
    let mut blocks = vec![block("a", "heading", "Plan").with("level", 1)];
    blocks.push(block("b", "list_item", "tea").with("kind", "task"));
    blocks.push(block("c", "paragraph", "the end"));
    let mut doc = Doc::new(PeerId(1));
    let base = write(&mut doc, &document(blocks.clone())).unwrap();
    let mut other = with(2, &base);
    let theirs = raw(&mut other, |doc| doc.get_text("text").insert(9, "!").unwrap());
    blocks[1] = blocks[1].clone().with("checked", true);
    blocks[1].runs = vec![Run::plain("green "), Run::plain("tea").with("bold", true)];
    let mine = write(&mut doc, &document(blocks)).unwrap();
    doc.import(&theirs).unwrap();
    other.import(&mine).unwrap();
    assert_eq!(lines(&doc), ["heading Plan", "list_item green tea!", "the end"]);
    assert_eq!(doc.richtext().unwrap(), other.richtext().unwrap());
    let checked = &doc.richtext().unwrap().blocks[1].attrs["checked"];
    assert_eq!(checked, &json!(true));
    // The marker is the one that was set first: the later attribute stands in the map.
    let later = doc.guard(|loro| Ok(loro.get_map("blocks").get("b/checked").is_some())).unwrap();
    assert!(later);
}

#[test]
fn a_replaced_block_keeps_nothing_of_its_forebear() {
    let mut doc = Doc::new(PeerId(1));
    write(&mut doc, &document(vec![block("a", "paragraph", "one"), block("b", "paragraph", "two")]));
    raw(&mut doc, |doc| {
        doc.get_map("blocks").insert("a/t", "heading").unwrap();
        doc.get_map("blocks").insert("a/level", 3).unwrap();
        let text = doc.get_text("text");
        text.mark(0..8, "bold", true).unwrap();
        text.mark(2..6, "link", "x").unwrap();
    });
    let new = document(vec![
        block("c", "paragraph", "zero"),
        block("a", "paragraph", "one").with("level", 4),
        block("b", "paragraph", "two"),
    ]);
    write(&mut doc, &new);
    assert_eq!(doc.richtext().unwrap(), new);
}

#[test]
fn text_of_foreign_writers_is_read_and_replaced() {
    let mut doc = Doc::new(PeerId(1));
    raw(&mut doc, |doc| doc.get_text("text").insert(0, "plain\nlines\n").unwrap());
    assert_eq!(lines(&doc), ["plain", "lines", ""]);
    let mut read = doc.richtext().unwrap();
    assert!(read.blocks.iter().all(|block| block.id.is_none()));
    read.blocks.insert(0, block("a", "heading", "first"));
    write(&mut doc, &read);
    assert_eq!(doc.richtext().unwrap(), read);
    read.blocks.remove(0);
    read.blocks.push(block("z", "divider", ""));
    write(&mut doc, &read);
    assert_eq!(doc.richtext().unwrap(), read);
    write(&mut doc, &Document::default());
    assert_eq!(doc.richtext().unwrap(), Document::default());
}

#[test]
fn values_that_are_nested_too_deeply_are_refused() {
    let deep = (0..100).fold(Json::Null, |inner, _| json!([inner]));
    let mut doc = Doc::new(PeerId(1));
    let error = doc.edit(|edit| edit.set_richtext(&document(vec![block("a", "x", "").with("deep", deep)])));
    assert!(matches!(error, Err(Error::Edit { .. })));
}

fn value(random: &mut StdRng) -> Json {
    match random.random_range(0..4) {
        0 => json!(true),
        1 => json!(i64::MAX - random.random_range(0..3)),
        2 => json!(["x", "y", ""][random.random_range(0..3)]),
        _ => json!({"a": [1, null, "x", 0.5]}),
    }
}

fn runs(random: &mut StdRng) -> Vec<Run> {
    let run = |random: &mut StdRng| {
        let text = ["tea", " ", "é👍", "a\u{2028}b", "\u{fffc}", "e\u{301}", ""][random.random_range(0..7)];
        let mut run = Run::plain(text);
        for _ in 0..random.random_range(0..3) {
            let keys = ["bold", "italic", "code", "link", "comment:1", "comment:2", "embed", "strange"];
            run = run.with(keys[random.random_range(0..8)], value(random));
        }
        run
    };
    (0..random.random_range(0..4)).map(|_| run(random)).collect()
}

fn random_block(random: &mut StdRng, next: &mut u32) -> Block {
    *next += 1;
    let kinds = ["paragraph", "heading", "list_item", "callout", "hologram"];
    let mut block = Block::new(kinds[random.random_range(0..5)]);
    block.id = Some(format!("id{next:04}"));
    for _ in 0..random.random_range(0..3) {
        let names = ["indent", "level", "kind", "x", "strange", "in"];
        block.attrs.insert(names[random.random_range(0..6)].to_owned(), value(random));
    }
    block.runs = runs(random);
    block
}

/// Changes some of a document: edits, moves, deletes and adds blocks.
fn changed(document: &Document, random: &mut StdRng, next: &mut u32) -> Document {
    let mut new = document.clone();
    for _ in 0..random.random_range(1..4) {
        let count = new.blocks.len();
        match random.random_range(0..7) {
            0 => new.blocks.insert(random.random_range(0..=count), random_block(random, next)),
            1 if count > 0 => drop(new.blocks.remove(random.random_range(0..count))),
            2 if count > 1 => new.blocks.swap(0, count - 1),
            3 if count > 0 => new.blocks[random.random_range(0..count)].kind = "heading".to_owned(),
            4 if count > 0 => {
                let value = value(random);
                let block = &mut new.blocks[random.random_range(0..count)];
                block.attrs.insert("level".to_owned(), value);
                block.attrs.remove("strange");
            }
            _ if count > 0 => {
                let mut added = runs(random);
                let block = &mut new.blocks[random.random_range(0..count)];
                added.truncate(1);
                block.runs.splice(0..0, added);
            }
            _ => {}
        }
    }
    new.normalize();
    new
}

#[test]
fn random_documents_read_as_they_were_written() {
    let mut random = StdRng::seed_from_u64(0x7269_6368);
    let mut next = 0;
    for round in 0..150 {
        let blocks = (0..random.random_range(0..6)).map(|_| random_block(&mut random, &mut next)).collect();
        let mut now = document(blocks);
        now.normalize();
        let mut doc = Doc::new(PeerId(1));
        let mut reader = Doc::new(PeerId(2));
        for step in 0..4 {
            let update = write(&mut doc, &now);
            update.iter().for_each(|update| drop(reader.import(update).unwrap()));
            assert_eq!(doc.richtext().unwrap(), now, "round {round}, step {step}");
            assert_eq!(reader.richtext().unwrap(), now, "round {round}, step {step}");
            now = changed(&now, &mut random, &mut next);
        }
        assert_eq!(doc.copy(PeerId(3)).unwrap().richtext().unwrap(), doc.richtext().unwrap());
    }
}

#[test]
fn concurrent_documents_converge_and_read() {
    let mut random = StdRng::seed_from_u64(0x636f_6e76);
    let mut next = 0;
    for _ in 0..60 {
        let blocks = (0..4).map(|_| random_block(&mut random, &mut next)).collect();
        let mut base = document(blocks);
        base.normalize();
        let mut docs = vec![Doc::new(PeerId(1))];
        let update = write(&mut docs[0], &base).unwrap();
        docs.extend([2, 3].map(|peer| with(peer, &update)));
        for _ in 0..3 {
            let mut updates = Vec::new();
            for doc in &mut docs {
                let wanted = changed(&doc.richtext().unwrap(), &mut random, &mut next);
                updates.extend(write(doc, &wanted));
            }
            for (index, doc) in docs.iter_mut().enumerate() {
                let count = updates.len();
                for step in 0..count {
                    doc.import(&updates[(index + step) % count]).unwrap();
                }
            }
            let read: Vec<Document> = docs.iter().map(|doc| doc.richtext().unwrap()).collect();
            assert!(read.iter().all(|document| *document == read[0]));
            let mut normal = read[0].clone();
            normal.normalize();
            assert_eq!(normal, read[0]);
        }
    }
}

fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

/// Documents written once: what later versions must go on reading. Each is a list of updates, each with its length in
/// four bytes before it, and the document as JSON.
const GOLDEN: [&str; 3] = ["page", "edited", "foreign"];

#[test]
fn golden_documents_are_read() {
    for name in GOLDEN {
        let bytes = fs::read(golden(&format!("{name}.updates"))).unwrap();
        let json: Json = serde_json::from_slice(&fs::read(golden(&format!("{name}.json"))).unwrap()).unwrap();
        let mut rest = &bytes[..];
        let mut doc = Doc::new(PeerId(99));
        while let Some((length, after)) = rest.split_first_chunk::<4>() {
            let (update, after) = after.split_at(u32::from_le_bytes(*length) as usize);
            let imported = doc.import(update).unwrap().update;
            assert_eq!(imported.as_deref().map(unpack).as_deref(), Some(update), "{name}");
            rest = after;
        }
        assert_eq!(doc.richtext().unwrap().to_json(), json, "{name}");
        doc.prove().unwrap();
    }
}

/// Writes the golden documents. To be run by hand, once for each new kind of content, under a new name.
#[test]
#[ignore = "writes the files that are read above"]
fn golden_documents_are_written() {
    let markdown = "# Plan\n\nBuy *good* **tea** and [bread](https://example.org)\n\n- [ ] green\n- [x] black\n\n\
        1. one\n2. two\n\n> quoted\n\n```rust\nfn main() {}\n```\n\n---\n\n![a cup](cup.png)\n";
    let mut next = 0;
    let mut ids = || {
        next += 1;
        format!("block{next:03}")
    };
    let page = tombolo_richtext::from_markdown(markdown, &mut ids);
    let mut doc = Doc::new(PeerId(1));
    let first = write(&mut doc, &page).unwrap();
    save("page", &[&first], &doc);

    let mut edited = page;
    edited.blocks[0].kind = "callout".to_owned();
    edited.blocks[2] = edited.blocks[2].clone().with("checked", true).with("indent", 1);
    edited.blocks[3].push(" tea 👍🏽", &Default::default());
    edited.blocks.remove(5);
    let second = write(&mut doc, &edited).unwrap();
    let mut other = with(2, &first);
    let third = raw(&mut other, |doc| {
        split(doc, 3, "split001");
        doc.get_map("blocks").insert("block001/level", 2).unwrap();
        doc.get_map("blocks").insert("block002/x", true).unwrap();
    });
    doc.import(&third).unwrap();
    save("edited", &[&first, &second, &third], &doc);

    let mut foreign = Doc::new(PeerId(3));
    let update = raw(&mut foreign, |doc| {
        let text = doc.get_text("text");
        text.insert(0, "no marker\nnor id\n\u{fffc} end").unwrap();
        text.mark(9..10, "b", true).unwrap();
        text.mark(0..2, "glow", LoroValue::from(json!({"colour": "red"}))).unwrap();
        text.mark(17..18, "embed", LoroValue::from(json!({"text": "Ann"}))).unwrap();
        doc.get_map("meta").insert("schema", 7).unwrap();
    });
    save("foreign", &[&update], &foreign);
}

fn save(name: &str, updates: &[&Vec<u8>], doc: &Doc) {
    let mut bytes = Vec::new();
    for update in updates {
        bytes.extend(u32::try_from(update.len()).unwrap().to_le_bytes());
        bytes.extend_from_slice(update);
    }
    fs::create_dir_all(golden("")).unwrap();
    fs::write(golden(&format!("{name}.updates")), bytes).unwrap();
    let json = serde_json::to_string_pretty(&doc.richtext().unwrap().to_json()).unwrap();
    fs::write(golden(&format!("{name}.json")), json + "\n").unwrap();
}
