mod by_hand;
mod fuzz;
mod oracle;
mod world;

use crate::{Doc, Pending, Rewrite, Rewritten, rewrite};
use loro::{LoroDoc, ToJson};
use tombolo_core::PeerId;

/// One commit: its update, and whether it is refused.
#[derive(Debug, Clone)]
struct Commit {
    update: Vec<u8>,
    refused: bool,
}

/// Edits a document past [`crate::Edit`]; gives the update.
fn edited(doc: &mut Doc, f: impl FnOnce(&LoroDoc)) -> Vec<u8> {
    let edit = doc.edit(|edit| {
        f(edit.loro);
        Ok(())
    });
    edit.unwrap().1.expect("something was written")
}

fn opened(peer: u64, updates: &[Vec<u8>]) -> Doc {
    Doc::open(PeerId(peer), None, updates.iter().map(Vec::as_slice)).unwrap()
}

fn rewritten(acknowledged: &Doc, commits: &[Commit], peer: u64) -> Rewrite {
    let pending: Vec<Pending<'_>> =
        commits.iter().map(|commit| Pending { update: &commit.update, dropped: commit.refused }).collect();
    rewrite(acknowledged, &pending, PeerId(peer)).unwrap()
}

/// What the server has once it took what is left of the commits.
fn served(acknowledged: &Doc, commits: &[Commit], rewrite: &Rewrite) -> Doc {
    let mut server = acknowledged.copy(PeerId(2)).unwrap();
    for (commit, outcome) in commits.iter().zip(&rewrite.commits) {
        match outcome {
            Rewritten::Unchanged => assert!(server.import(&commit.update).unwrap().update.is_some()),
            Rewritten::Written(Some(update)) => assert!(server.import(update).unwrap().update.is_some()),
            Rewritten::Written(None) | Rewritten::Dropped | Rewritten::Depends => {}
        }
    }
    server
}

/// The document's value as JSON; its texts without their marks.
fn value(doc: &Doc) -> serde_json::Value {
    doc.guard(|loro| Ok(loro.get_deep_value().to_json_value())).unwrap()
}
