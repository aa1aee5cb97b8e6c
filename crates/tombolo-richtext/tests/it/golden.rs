//! Pages with their documents written down: a change in what a page means must be seen.
//!
//! `TOMBOLO_BLESS=1` writes the documents anew.

use std::path::{Path, PathBuf};

use tombolo_richtext::{Document, from_markdown, to_markdown};

use crate::counter;

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn check(name: &str) {
    let source = std::fs::read_to_string(golden(&format!("{name}.md"))).unwrap();
    let document = from_markdown(&source, &mut counter());
    let json = serde_json::to_string_pretty(&document.to_json()).unwrap() + "\n";
    let plain = document.plain_text() + "\n";
    for (ending, made) in [("json", &json), ("txt", &plain)] {
        let path = golden(&format!("{name}.{ending}"));
        if std::env::var_os("TOMBOLO_BLESS").is_some() {
            std::fs::write(&path, made).unwrap();
        }
        let kept = std::fs::read_to_string(&path).unwrap();
        assert_eq!(*made, kept, "{}", path.display());
    }
    assert_eq!(to_markdown(&document), source);
    let kept = Document::from_json(&serde_json::from_str(&json).unwrap()).unwrap();
    assert_eq!(kept, document);
}

#[test]
fn a_page_with_everything() {
    check("kitchen");
}

#[test]
fn lists() {
    check("lists");
}

#[test]
fn quotations() {
    check("quotes");
}

#[test]
fn odd_spellings() {
    check("odd");
}
