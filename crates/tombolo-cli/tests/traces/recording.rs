//! What was typed.

use flate2::read::GzDecoder;
use serde::Deserialize;
use std::fs::File;
use std::path::PathBuf;
use tombolo_crdt::{Doc, Edit};

/// The field that is typed into.
pub(crate) const FIELD: &str = "text";

/// A recording of one or several people who typed into one text.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Recording {
    pub(crate) end_content: String,
    pub(crate) txns: Vec<Transaction>,
}

/// Keystrokes that were made in a row by one person, who saw the merge of the parents.
#[derive(Deserialize)]
pub(crate) struct Transaction {
    /// Places of earlier transactions in the recording; one person's recording has none.
    #[serde(default)]
    pub(crate) parents: Vec<usize>,
    #[serde(default)]
    pub(crate) agent: usize,
    pub(crate) patches: Vec<Patch>,
}

/// A position, how much is deleted there, and what is inserted, in Unicode scalars.
#[derive(Deserialize)]
pub(crate) struct Patch(usize, usize, String);

impl Recording {
    /// None where the inputs are not at hand, which is said.
    pub(crate) fn read(name: &str) -> Option<Self> {
        let Some(inputs) = std::env::var_os("TOMBOLO_INPUTS") else {
            eprintln!("skipped: TOMBOLO_INPUTS is not set");
            return None;
        };
        let file = File::open(PathBuf::from(inputs).join("traces").join(format!("{name}.json.gz"))).unwrap();
        let text = std::io::read_to_string(GzDecoder::new(file)).unwrap();
        Some(serde_json::from_str(&text).unwrap())
    }

    /// Panics unless the text is the one that the recording ends in, without printing either.
    #[track_caller]
    pub(crate) fn check(&self, what: &str, text: &str) {
        let wanted = &self.end_content;
        let differs = text.chars().zip(wanted.chars()).position(|(one, other)| one != other);
        assert!(
            text == wanted,
            "{what} has {} bytes, not {}, and the first different character is {differs:?}",
            text.len(),
            wanted.len()
        );
    }
}

/// Types something; gives the update.
pub(crate) fn typed(editor: &mut Doc, patches: &[Patch]) -> Vec<u8> {
    let splice = |edit: &mut Edit<'_>| {
        patches
            .iter()
            .try_for_each(|Patch(at, deleted, inserted)| edit.splice_text(FIELD, *at, *deleted, inserted))
    };
    editor.edit(splice).unwrap().1.expect("something was typed")
}
