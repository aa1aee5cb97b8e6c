//! Every page of a real book goes in and comes back.

use std::collections::BTreeMap;
use std::path::PathBuf;

use tombolo_richtext::{Document, flatten, from_markdown, kind, to_markdown};

use crate::counter;

/// The book's Markdown files by name; none where the inputs are not at hand.
pub(crate) fn book() -> Option<BTreeMap<String, String>> {
    let Some(inputs) = std::env::var_os("TOMBOLO_INPUTS") else {
        println!("skipped: TOMBOLO_INPUTS is not set");
        return None;
    };
    let folder = PathBuf::from(inputs).join("vault");
    let files = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let pages = files.filter(|path| path.extension().is_some_and(|ext| ext == "md"));
    let read = |path: PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        (name, std::fs::read_to_string(&path).unwrap())
    };
    Some(pages.map(read).collect())
}

/// A page without white space, list markers made one.
fn bare(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let line = line.trim_start();
        let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
        let digits = first.trim_end_matches(['.', ')']);
        let ordered = digits.len() + 1 == first.len() && digits.parse::<u32>().is_ok();
        match first {
            "-" | "*" | "+" => out.push('-'),
            _ if ordered => out.push('1'),
            _ => out.push_str(first),
        }
        out.extend(rest.chars().filter(|c| !c.is_whitespace()));
    }
    out
}

#[derive(Default)]
struct Measure {
    exact: usize,
    bytes: usize,
    raw_bytes: usize,
    /// The most mark ranges in one page's flat form.
    marks_max: usize,
    kinds: BTreeMap<String, usize>,
    raw: BTreeMap<String, usize>,
}

impl Measure {
    fn add(&mut self, source: &str, document: &Document, written: &str) {
        self.bytes += source.len();
        self.marks_max = self.marks_max.max(flatten(document).marks.len());
        self.exact += usize::from(source == written);
        for block in &document.blocks {
            *self.kinds.entry(block.kind.clone()).or_default() += 1;
            if block.kind == kind::RAW {
                self.raw_bytes += block.plain_text().len();
                let lang = block.attrs["lang"].as_str().unwrap().to_owned();
                *self.raw.entry(lang).or_default() += 1;
            }
        }
    }
}

#[test]
fn every_page_of_the_book_returns() {
    let Some(book) = book() else { return };
    let mut measure = Measure::default();
    let mut lost = Vec::new();
    for (name, source) in &book {
        let document = from_markdown(source, &mut counter());
        let written = to_markdown(&document);
        measure.add(source, &document, &written);
        if bare(source) != bare(&written) {
            lost.push(format!("{name}: the text differs"));
        }
        if !from_markdown(&written, &mut counter()).same_content(&document) {
            lost.push(format!("{name}: the export reads otherwise"));
        }
    }
    println!("{} files, {} exact to the byte, {} bytes", book.len(), measure.exact, measure.bytes);
    println!("blocks {:?}", measure.kinds);
    println!(
        "raw {:?}, {} bytes; at most {} mark ranges a page",
        measure.raw, measure.raw_bytes, measure.marks_max
    );
    assert!(book.len() >= 112, "the book has {} files", book.len());
    assert!(measure.exact >= 110, "the others may differ in white space, but not more of them");
    assert_eq!(lost, Vec::<String>::new());
}
