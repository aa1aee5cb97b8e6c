//! Merged texts.

use crate::{Doc, Scalar};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tombolo_core::{PeerId, Value};

fn set(doc: &mut Doc, text: Option<&str>) -> Option<Vec<u8>> {
    doc.edit(|edit| edit.set_text("t", text)).unwrap().1
}

/// Sets one text, then another; gives how many operations the second took.
#[track_caller]
fn turns(before: &str, after: &str) -> usize {
    let mut doc = Doc::new(PeerId(1));
    set(&mut doc, Some(before));
    let ops = doc.len_ops().unwrap();
    set(&mut doc, Some(after));
    assert_eq!(doc.text("t").unwrap(), after);
    assert_eq!(doc.text_len("t").unwrap(), after.chars().count());
    doc.len_ops().unwrap() - ops
}

#[test]
fn characters_of_several_scalars_stay_whole() {
    let pieces = [
        "",
        "a",
        "é",
        "e\u{301}",
        "👩‍👩‍👧‍👦",
        "👍🏽",
        "🇩🇪🇫🇷",
        "नमस्ते",
        "\u{202e}abc",
        "𝒳𝒴",
        "\r\n",
        "\0",
        "\u{feff}",
        "a\u{300}\u{301}b",
    ];
    for before in pieces {
        for after in pieces {
            turns(before, after);
            turns(&format!("{before}{after}"), &format!("{after}x{before}"));
        }
    }
}

#[test]
fn only_what_differs_is_written() {
    assert_eq!(turns("green tea", "green tea"), 0);
    assert_eq!(turns("green tea", "green black tea"), 6);
    assert_eq!(turns("green black tea", "green tea"), 6);
    assert_eq!(turns("aaaa", "aaaaa"), 1);
    assert_eq!(turns("👩‍👩‍👧", "👩‍👩‍👦"), 2);
}

#[test]
fn large_texts_are_replaced_in_time() {
    let mut random = StdRng::seed_from_u64(1);
    let mut letters = |count: usize| (0..count).map(|_| random.random_range('a'..='z')).collect::<String>();
    let (one, two) = (letters(200_000), letters(200_000));
    turns(&one, &two);
    let mut middle = one.clone();
    middle.replace_range(100_000..100_010, "!");
    assert_eq!(turns(&one, &middle), 11);
}

#[test]
fn random_edits_of_both_sides_end_equal() {
    let mut random = StdRng::seed_from_u64(0x7465_7874);
    for _ in 0..400 {
        let mut text = |length: usize| -> String {
            (0..random.random_range(0..=length))
                .map(|_| "ab é👍\n".chars().nth(random.random_range(0..6)).unwrap())
                .collect()
        };
        let (before, after, elsewhere) = (text(12), text(12), text(4));
        turns(&before, &after);
        // A colleague writes behind a fixed end that neither side touches.
        let mut mine = Doc::new(PeerId(1));
        let base = set(&mut mine, Some(&format!("{before}|end"))).unwrap();
        let mut theirs = Doc::new(PeerId(2));
        theirs.import(&base).unwrap();
        let my_update = set(&mut mine, Some(&format!("{after}|end")));
        let their_update = set(&mut theirs, Some(&format!("{before}|end{elsewhere}")));
        my_update.iter().for_each(|update| drop(theirs.import(update).unwrap()));
        their_update.iter().for_each(|update| drop(mine.import(update).unwrap()));
        assert_eq!(mine.text("t").unwrap(), format!("{after}|end{elsewhere}"));
        assert_eq!(theirs.text("t").unwrap(), mine.text("t").unwrap());
    }
}

#[test]
fn empty_differs_from_none() {
    let mut doc = Doc::new(PeerId(1));
    assert!(!doc.row().unwrap().has_empty_text("t"));
    assert_eq!(set(&mut doc, None), None, "nothing to clear, nothing to write");
    set(&mut doc, Some("")).unwrap();
    assert!(doc.row().unwrap().has_empty_text("t"));
    assert_eq!(set(&mut doc, Some("")), None, "an equal text is not written again");
    set(&mut doc, Some("x")).unwrap();
    assert!(!doc.row().unwrap().has_empty_text("t"));
    set(&mut doc, None).unwrap();
    assert_eq!((doc.text("t").unwrap().as_str(), doc.row().unwrap().has_empty_text("t")), ("", false));
    set(&mut doc, Some("")).unwrap();
    assert!(doc.row().unwrap().has_empty_text("t"));
    set(&mut doc, None).unwrap();
    assert!(!doc.row().unwrap().has_empty_text("t"));
}

#[test]
fn reading_a_text_writes_nothing() {
    let doc = Doc::new(PeerId(1));
    assert_eq!(doc.text("never").unwrap(), "");
    assert_eq!(
        doc.guard(|loro| Ok(loro.get_deep_value())).unwrap(),
        loro::LoroValue::Map(Default::default())
    );
    assert_eq!(doc.update_since(&Doc::new(PeerId(2)).version().unwrap()).unwrap(), None);
}

#[test]
fn scalars_and_texts_of_one_name_do_not_meet() {
    let mut doc = Doc::new(PeerId(1));
    doc.edit(|edit| {
        edit.set("t", &Value::Int(1))?;
        edit.set_text("t", Some("text"))
    })
    .unwrap();
    assert_eq!(doc.row().unwrap().values["t"], Scalar::Int(1));
    assert_eq!(doc.text("t").unwrap(), "text");
}

#[test]
fn keystrokes_are_spliced_by_unicode_scalars() {
    let mut doc = Doc::new(PeerId(1));
    set(&mut doc, Some("𝒳 é"));
    let mut splice = |at, deleted, inserted| {
        let update = doc.edit(|edit| edit.splice_text("t", at, deleted, inserted)).map(|(_, update)| update);
        (update, doc.text("t"))
    };
    assert_eq!(splice(1, 0, "👍🏽").1.unwrap(), "𝒳👍🏽 é");
    assert_eq!(splice(2, 2, "").1.unwrap(), "𝒳👍é");
    assert_eq!(splice(3, 0, "!").1.unwrap(), "𝒳👍é!");
    assert_eq!(splice(0, 3, "e").1.unwrap(), "e!");
    assert_eq!(splice(2, 0, "").0.unwrap(), None, "nothing was typed");
    assert!(splice(2, 1, "").0.is_err(), "there is nothing to delete");
}

#[test]
fn a_position_past_the_end_is_refused() {
    let mut doc = Doc::new(PeerId(1));
    assert!(doc.edit(|edit| edit.splice_text("t", 1, 0, "a")).is_err());
    assert!(doc.is_broken(), "the caller opens it again");
}
