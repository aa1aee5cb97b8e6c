//! What was acknowledged to the callers of the replicas: what the checkers hold the world against.

use std::collections::{BTreeMap, BTreeSet};
use tombolo_core::CommitId;

/// An acknowledged write.
#[derive(Debug, Clone, Default)]
pub(crate) struct Acked {
    /// Characters that were typed by it and by nothing else, ever.
    pub(crate) typed: Vec<char>,
    /// Characters that it took away.
    pub(crate) removed: Vec<char>,
}

/// Everything that was acknowledged, and what is known to have become of it.
#[derive(Debug, Default)]
pub(crate) struct Model {
    pub(crate) acked: BTreeMap<CommitId, Acked>,
    /// Commits that were written again, with their new names.
    pub(crate) rewritten: BTreeMap<CommitId, CommitId>,
    /// Commits of which a refusal of another left nothing to write.
    pub(crate) void: BTreeSet<CommitId>,
    /// Commits that the server refused.
    pub(crate) refused: BTreeSet<CommitId>,
    /// Commits in drafts that their author threw away.
    pub(crate) discarded: BTreeSet<CommitId>,
}

impl Model {
    /// The last name of a commit.
    pub(crate) fn name(&self, mut id: CommitId) -> CommitId {
        while let Some(next) = self.rewritten.get(&id) {
            id = *next;
        }
        id
    }
}

/// What a workload says about a write before it is acknowledged.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) name: String,
    pub(crate) args: serde_json::Value,
    pub(crate) effect: Acked,
}

/// Characters that occur once in a world: ideographs, which no format gives a meaning.
#[derive(Debug)]
pub(crate) struct Typist {
    next: u32,
}

impl Typist {
    const FIRST: u32 = 0x4e00;
    /// Behind the first block of ideographs comes one of twice its size.
    const GAP: std::ops::Range<u32> = 0x9f00..0x2_0000;

    pub(crate) fn new() -> Self {
        Self { next: Self::FIRST }
    }

    pub(crate) fn char(&mut self) -> char {
        let char = char::from_u32(self.next).expect("a world types fewer characters than there are");
        self.next += 1;
        if self.next == Self::GAP.start {
            self.next = Self::GAP.end;
        }
        char
    }

    /// The characters of a text that were typed here.
    pub(crate) fn of(text: &str) -> impl Iterator<Item = char> {
        text.chars().filter(|char| u32::from(*char) >= Self::FIRST)
    }
}
