//! Two documents that write under one peer id, as after a restored backup.

use crate::{Doc, Span, spans};
use tombolo_core::{PeerId, Value};

fn typed(doc: &mut Doc, text: &str) -> Vec<u8> {
    doc.edit(|edit| edit.set_text("t", Some(text))).unwrap().1.unwrap()
}

#[test]
fn a_peer_id_used_twice_is_seen() {
    let mut mine = Doc::new(PeerId(7));
    let base = typed(&mut mine, "base ");
    let mut backup = Doc::new(PeerId(7));
    backup.import(&base).unwrap();
    let (a, b) = (typed(&mut mine, "base AAAA"), typed(&mut backup, "base BBBB"));
    assert_eq!(mine.version().unwrap(), backup.version().unwrap());
    assert!(mine.has_equal(&a).unwrap());
    assert!(!mine.has_equal(&b).unwrap());
    assert!(mine.overlaps(&spans(&b).unwrap()).unwrap());
    // Loro itself sees nothing: the import is taken as known.
    assert_eq!(mine.import(&b).unwrap().update, None);
    assert_eq!(mine.text("t").unwrap(), "base AAAA");
}

#[test]
fn a_fork_of_another_length_is_seen_too() {
    let mut mine = Doc::new(PeerId(7));
    let mut backup = Doc::new(PeerId(7));
    let short = typed(&mut mine, "ab");
    let long = typed(&mut backup, "abc");
    assert!(!mine.has_equal(&long).unwrap(), "the last character is unknown");
    assert!(mine.overlaps(&spans(&long).unwrap()).unwrap());
    assert!(backup.has_equal(&short).unwrap(), "a beginning of what is known");
}

#[test]
fn a_fork_in_a_key_or_a_mark_is_seen() {
    let edit = |value: i64| {
        let mut doc = Doc::new(PeerId(7));
        (doc.edit(|edit| edit.set("n", &Value::Int(value))).unwrap().1.unwrap(), doc)
    };
    let ((one, doc), (two, _)) = (edit(1), edit(2));
    assert!(doc.has_equal(&one).unwrap() && !doc.has_equal(&two).unwrap());
    let mark = |key: &str| {
        let mut doc = Doc::new(PeerId(7));
        let edit = doc.edit(|edit| {
            let text = edit.loro.get_text("text");
            text.insert(0, "abc").unwrap();
            text.mark(0..2, key, true).unwrap();
            Ok(())
        });
        (edit.unwrap().1.unwrap(), doc)
    };
    let ((bold, doc), (italic, _)) = (mark("bold"), mark("italic"));
    assert!(doc.has_equal(&bold).unwrap() && !doc.has_equal(&italic).unwrap());
}

#[test]
fn a_true_duplicate_is_equal_however_its_operations_were_joined() {
    let mut author = Doc::new(PeerId(7));
    let updates: Vec<Vec<u8>> =
        ["t", "te", "tea", "tea!", "tea"].iter().map(|text| typed(&mut author, text)).collect();
    let mut stepwise = Doc::new(PeerId(8));
    updates.iter().for_each(|update| {
        stepwise.import(update).unwrap();
    });
    let whole = author.update_since(&Doc::new(PeerId(1)).version().unwrap()).unwrap().unwrap();
    let mut at_once = Doc::new(PeerId(9));
    at_once.import(&whole).unwrap();
    let reopened = stepwise.copy(PeerId(10)).unwrap();
    for doc in [&author, &stepwise, &at_once, &reopened] {
        assert!(updates.iter().chain([&whole]).all(|update| doc.has_equal(update).unwrap()));
    }
}

#[test]
fn an_unknown_update_neither_overlaps_nor_is_equal() {
    let mut author = Doc::new(PeerId(7));
    let first = typed(&mut author, "one");
    let second = typed(&mut author, "one two");
    let mut reader = Doc::new(PeerId(8));
    reader.import(&first).unwrap();
    let spans = spans(&second).unwrap();
    assert_eq!(spans, [Span { peer: PeerId(7), start: 3, end: 7 }]);
    assert!(!reader.overlaps(&spans).unwrap());
    assert!(!reader.has_equal(&second).unwrap());
    // What builds on something missing is refused before it touches the document.
    let mut empty = Doc::new(PeerId(9));
    assert_eq!(empty.import(&second).unwrap_err(), crate::Error::MissingDependencies);
    assert!(!empty.is_broken());
}

#[test]
fn a_broken_document_says_so() {
    let mut doc = Doc::new(PeerId(1));
    let failed: Result<((), _), _> = doc.edit(|_| Err(crate::Error::Edit { reason: "halfway".into() }));
    assert!(failed.is_err() && doc.is_broken());
    assert_eq!(doc.text("t"), Err(crate::Error::Broken));
    assert_eq!(doc.snapshot(), Err(crate::Error::Broken));
    assert_eq!(doc.has_equal(b"").unwrap_err().code(), tombolo_core::Code::CrdtDecodeFailed);
}
