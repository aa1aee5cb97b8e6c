//! A server's refusal: the commit is taken out of its documents and becomes a draft, with all that builds on it;
//! what came later is written again.
//!
//! Everything happens in one transaction. First the set of commits to take out is settled, across all documents;
//! then each document that one of them touched is built anew from what the server has; then the later commits are
//! appended again in their order, those that changed under a new id that names the old one.

use super::project::Touched;
use super::{Engine, Stamp, remote};
use crate::backend::{Backend, DraftRow, LogRow, LogState};
use crate::docs::Open;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use tombolo_core::{Code, Commit, CommitId, DocRef, Error, Part, PeerId, Rejection, Result, RowId, Seq};
use tombolo_crdt::{Doc, Pending, Rewritten, rewrite};

/// A draft's commits with their complete bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// The commits from the refused one to the last that was taken out, in order, with their parts for the documents
    /// that the draft touches. Those that were kept are here, too: later ones cannot be read without them.
    pub commits: Vec<DraftCommit>,
}

/// A commit in a draft.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DraftCommit {
    /// It was taken out.
    pub taken_out: bool,
    /// The commit.
    pub commit: Commit,
}

/// The outbox from the refused commit on.
struct Suffix {
    rows: Vec<LogRow>,
    commits: Vec<Commit>,
}

/// Documents built anew, and what became of the commits' parts in them: `parts[k][doc]`.
struct Rebuilt {
    docs: BTreeMap<DocRef, Doc>,
    parts: Vec<BTreeMap<DocRef, Rewritten>>,
}

impl<B: Backend> Engine<B> {
    /// Takes a refused commit out. A commit that is not waiting any more is left alone.
    ///
    /// # Errors
    /// `STORAGE_FAILED`, `STORAGE_FULL`: nothing has changed.
    pub fn reject(&mut self, rejection: &Rejection) -> Result<()> {
        self.nested(|engine| {
            let Some(row) = engine.backend.log_row(rejection.commit)? else { return Ok(()) };
            if row.state != LogState::Pending {
                return Ok(());
            }
            let suffix = engine.suffix(&row)?;
            let (out, rebuilt) = engine.settle_out(&suffix)?;
            engine.keep_draft(rejection, &suffix, &out)?;
            engine.replace(&suffix, &out, rebuilt)
        })
    }

    fn suffix(&self, first: &LogRow) -> Result<Suffix> {
        let before = Seq(first.seq.0 - 1);
        let rows = self.backend.pending(before, usize::MAX)?;
        let commits = rows.iter().map(|row| remote::commit(&self.backend, row)).collect::<Result<_>>()?;
        Ok(Suffix { rows, commits })
    }

    /// Settles which commits are taken out: the refused one, those on rows that it made, and those whose differences
    /// name something that is gone.
    fn settle_out(&mut self, suffix: &Suffix) -> Result<(BTreeSet<usize>, Rebuilt)> {
        let mut out = BTreeSet::from([0]);
        loop {
            self.add_rows_made(suffix, &mut out)?;
            let rebuilt = self.rebuild(suffix, &out)?;
            let depending: Vec<usize> = (0..suffix.commits.len())
                .filter(|k| {
                    !out.contains(k) && rebuilt.parts[*k].values().any(|part| *part == Rewritten::Depends)
                })
                .collect();
            if depending.is_empty() {
                return Ok((out, rebuilt));
            }
            out.extend(depending);
        }
    }

    /// Adds every commit on a row that a taken-out commit made.
    fn add_rows_made(&mut self, suffix: &Suffix, out: &mut BTreeSet<usize>) -> Result<()> {
        let mut makers: BTreeMap<(String, RowId), usize> = BTreeMap::new();
        for (k, commit) in suffix.commits.iter().enumerate() {
            for part in &commit.parts {
                let row = (part.doc.entity.clone(), part.doc.row);
                let doc = DocRef { field: None, ..part.doc.clone() };
                if !makers.contains_key(&row)
                    && part.doc.field.is_none()
                    && !self.is_acknowledged(&doc, suffix)?
                {
                    makers.insert(row, k);
                }
            }
        }
        for (k, commit) in suffix.commits.iter().enumerate() {
            let orphaned = commit.parts.iter().any(|part| {
                makers.get(&(part.doc.entity.clone(), part.doc.row)).is_some_and(|maker| out.contains(maker))
            });
            if orphaned {
                out.insert(k);
            }
        }
        Ok(())
    }

    /// Whether something of the document is on the server, or waits before the refused commit.
    fn is_acknowledged(&self, doc: &DocRef, suffix: &Suffix) -> Result<bool> {
        let Some(key) = self.backend.doc_key(doc)? else { return Ok(false) };
        let stored = self.backend.load_doc(key)?;
        let refused = |seq: Seq| suffix.rows.iter().any(|row| row.seq == seq);
        Ok(stored.base.is_some() || stored.parts.iter().any(|part| !refused(part.seq)))
    }

    fn rebuild(&mut self, suffix: &Suffix, out: &BTreeSet<usize>) -> Result<Rebuilt> {
        let affected: BTreeSet<&DocRef> =
            out.iter().flat_map(|k| suffix.commits[*k].parts.iter().map(|part| &part.doc)).collect();
        let mut rebuilt =
            Rebuilt { docs: BTreeMap::new(), parts: vec![BTreeMap::new(); suffix.commits.len()] };
        for doc in affected {
            let Some(key) = self.backend.doc_key(doc)? else { continue };
            let stored = self.backend.load_doc(key)?;
            let waits = |seq: Seq| suffix.rows.iter().any(|row| row.seq == seq);
            let kept = stored.parts.iter().filter(|part| !waits(part.seq)).map(|part| part.bytes.as_slice());
            let acknowledged = Doc::open(PeerId::mint(self.random.as_mut()), stored.base.as_deref(), kept)?;
            let mut at = Vec::new();
            let mut pending = Vec::new();
            for (k, commit) in suffix.commits.iter().enumerate() {
                if let Some(part) = commit.parts.iter().find(|part| part.doc == *doc) {
                    at.push(k);
                    pending.push(Pending { update: &part.bytes, dropped: out.contains(&k) });
                }
            }
            let rewritten = rewrite(&acknowledged, &pending, PeerId::mint(self.random.as_mut()))?;
            for (k, part) in at.into_iter().zip(rewritten.commits) {
                rebuilt.parts[k].insert(doc.clone(), part);
            }
            rebuilt.docs.insert(doc.clone(), rewritten.doc);
        }
        Ok(rebuilt)
    }

    fn keep_draft(&mut self, rejection: &Rejection, suffix: &Suffix, out: &BTreeSet<usize>) -> Result<()> {
        let touched: BTreeSet<&DocRef> =
            out.iter().flat_map(|k| suffix.commits[*k].parts.iter().map(|part| &part.doc)).collect();
        let last = out.last().copied().unwrap_or(0);
        let commits = suffix.commits[..=last].iter().enumerate().filter_map(|(k, commit)| {
            let parts: Vec<Part> =
                commit.parts.iter().filter(|part| touched.contains(&part.doc)).cloned().collect();
            let commit = Commit { parts, ..commit.clone() };
            (!commit.parts.is_empty()).then(|| DraftCommit { taken_out: out.contains(&k), commit })
        });
        let draft = Draft { commits: commits.collect() };
        let bytes = postcard::to_allocvec(&draft)
            .map_err(|error| Error::new(Code::Internal, format!("the draft cannot be encoded: {error}")))?;
        let first = suffix.commits[0].parts.first();
        let doc = first.map(|part| part.doc.clone());
        let doc = doc.ok_or_else(|| Error::new(Code::Internal, "a refused commit has no parts"))?;
        self.group.committed.drafts = true;
        self.backend.put_draft(&DraftRow {
            id: rejection.commit,
            doc,
            status: rejection.status,
            code: rejection.code,
            reason: rejection.message.clone(),
            created_at: self.clock.now(),
            commits: bytes,
        })
    }

    /// Writes the outcome: the outbox, the documents, the rows.
    fn replace(&mut self, suffix: &Suffix, out: &BTreeSet<usize>, mut rebuilt: Rebuilt) -> Result<()> {
        for row in &suffix.rows {
            self.backend.remove_log(row.seq)?;
        }
        let affected: Vec<DocRef> = rebuilt.docs.keys().cloned().collect();
        for doc in &affected {
            self.docs.forget(doc);
            // Whether it was open or not: what it wrote under its peer id is taken back, and may not be written over.
            if let Some(key) = self.backend.doc_key(doc)? {
                self.docs.forget_peer(key);
            }
            self.txn.touched.insert(doc.clone());
            self.group.committed.rebuilt.insert(doc.clone());
        }
        for (k, commit) in suffix.commits.iter().enumerate().filter(|(k, _)| !out.contains(k)) {
            self.append_again(&suffix.rows[k], commit, &mut rebuilt.parts[k])?;
        }
        let mut gone = Vec::new();
        let mut rows: BTreeSet<DocRef> = BTreeSet::new();
        for (doc, new) in rebuilt.docs {
            let empty = new.len_ops()? == 0;
            match (empty, doc.field.is_none()) {
                (true, true) => gone.push(doc),
                (true, false) => {
                    self.empty_text(&doc)?;
                    rows.insert(DocRef { field: None, ..doc });
                }
                (false, _) => {
                    self.show_again(&doc, new)?;
                    rows.insert(DocRef { field: None, ..doc });
                }
            }
        }
        for doc in &gone {
            self.remove(doc)?;
            rows.remove(doc);
        }
        rows.iter().try_for_each(|row| self.settle_times(row))?;
        self.group.committed.outbox = true;
        Ok(())
    }

    fn append_again(
        &mut self,
        old: &LogRow,
        commit: &Commit,
        parts: &mut BTreeMap<DocRef, Rewritten>,
    ) -> Result<()> {
        let mut changed = false;
        let mut updates = Vec::new();
        for part in &commit.parts {
            let update = match parts.remove(&part.doc) {
                None | Some(Rewritten::Unchanged) => Some(part.bytes.clone()),
                Some(Rewritten::Written(update)) => {
                    changed = true;
                    update
                }
                Some(Rewritten::Dropped | Rewritten::Depends) => {
                    return Err(Error::new(Code::Internal, "a kept commit has a part that was taken out"));
                }
            };
            updates.extend(update.map(|update| (part.doc.clone(), update)));
        }
        if updates.is_empty() {
            return Ok(());
        }
        let (id, replaces) = match changed {
            true => (CommitId::mint(self.random.as_mut()), Some(old.id)),
            false => (old.id, old.replaces),
        };
        self.append(LogRow { seq: self.head.next(), id, replaces, ..old.clone() }, &updates)
    }

    /// Projects a document that was built anew.
    fn show_again(&mut self, doc: &DocRef, new: Doc) -> Result<()> {
        let manifest = std::sync::Arc::clone(&self.manifest);
        let entity = manifest.entity(&doc.entity)?;
        let key = self.backend.doc_key(doc)?;
        let key = key.ok_or_else(|| Error::new(Code::Internal, format!("{doc} is not stored")))?;
        let stored = self.backend.load_doc(key)?;
        let mut open = Open {
            doc: new,
            key,
            parts: stored.parts.len(),
            part_bytes: stored.parts.iter().map(|part| part.bytes.len()).sum(),
            pending: stored.parts.iter().filter(|part| part.state == LogState::Pending).count(),
            stored: true,
        };
        let stamp = Stamp { time: self.clock.now(), actor: self.actor };
        self.project(entity, doc, &mut open, &Touched::all(), stamp)?;
        self.group.committed.entities.insert(doc.entity.clone());
        // It is read again from disk when it is needed: the peer id of the rewriting is not used on.
        Ok(())
    }

    fn empty_text(&mut self, doc: &DocRef) -> Result<()> {
        let manifest = std::sync::Arc::clone(&self.manifest);
        let entity = manifest.entity(&doc.entity)?;
        if let Some(key) = self.backend.doc_key(doc)? {
            self.backend.remove_doc(key)?;
            self.dirty.remove(&key);
        }
        let n = entity.fields.iter().position(|field| Some(&field.name) == doc.field.as_ref());
        let change = crate::backend::RowChange {
            values: n.map(|n| (n, tombolo_core::Value::Null)).into_iter().collect(),
            ..Default::default()
        };
        self.backend.update_row(entity, doc.row, &change)
    }

    /// Removes a row that only the taken-out commits had made.
    fn remove(&mut self, row: &DocRef) -> Result<()> {
        let manifest = std::sync::Arc::clone(&self.manifest);
        let entity = manifest.entity(&row.entity)?;
        let texts =
            entity.fields.iter().filter(|field| field.is_richtext()).map(|field| Some(field.name.clone()));
        for field in std::iter::once(None).chain(texts) {
            let doc = DocRef { field, ..row.clone() };
            if let Some(key) = self.backend.doc_key(&doc)? {
                self.docs.forget(&doc);
                self.txn.touched.insert(doc);
                self.backend.remove_doc(key)?;
                self.dirty.remove(&key);
            }
        }
        self.backend.remove_row(entity, row.row)?;
        self.group.committed.entities.insert(row.entity.clone());
        self.uproot(entity, row.row)
    }
}
