//! Commits from elsewhere: a server's log on a device, a client's push on a server.

use super::project::Touched;
use super::{Engine, SPACE, Stamp};
use crate::backend::{Backend, LogRow, LogState, SpaceRow};
use std::collections::BTreeSet;
use tombolo_core::{
    Code, Commit, CommitId, DocRef, Epoch, Error, Millis, Part, Rejection, Result, Seq, SpaceId, Status,
    Verdict, limit,
};

/// One place of a server's log on its way into a replica.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming {
    /// A commit that this replica may not have.
    Entry(tombolo_core::LogEntry),
    /// A commit of this replica's own that the server has accepted.
    Own {
        /// Its place in the server's log.
        seq: Seq,
        /// The server's clock on receipt.
        received: Millis,
        /// The commit.
        commit: CommitId,
    },
}

impl Incoming {
    fn seq(&self) -> Seq {
        match self {
            Incoming::Entry(entry) => entry.seq,
            Incoming::Own { seq, .. } => *seq,
        }
    }
}

/// What a server makes of a pushed commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The commit.
    pub commit: CommitId,
    /// The answer to its author.
    pub verdict: Verdict,
    /// It was not in the log before: others have to be told.
    pub new: bool,
}

impl<B: Backend> Engine<B> {
    /// Binds the folder's space to the one that a server offers; the whole log is then its outbox.
    ///
    /// # Errors
    /// `CONFLICT` if the folder is bound to another server or space: one folder serves one account on one server.
    pub fn bind(&mut self, server: &str, id: SpaceId, epoch: Epoch) -> Result<()> {
        let space = self.space()?;
        match space.id {
            Some(bound) if bound != id || space.server.as_deref() != Some(server) => Err(Error::new(
                Code::Conflict,
                "this data folder belongs to another server; choose another folder for this one",
            )
            .with("bound_to", space.server.unwrap_or_default())
            .with("offered", server)),
            Some(_) if space.epoch != Some(epoch) => Err(Error::new(
                Code::Conflict,
                "the server's data was restored from a backup, which this version cannot follow; nothing was changed",
            )),
            Some(_) => Ok(()),
            None => self.nested(|engine| {
                let server = Some(server.to_owned());
                engine.backend.put_space(&SpaceRow { id: Some(id), server, epoch: Some(epoch), ..space })
            }),
        }
    }

    /// Applies the next places of the server's log, in one transaction with the cursor.
    ///
    /// # Errors
    /// `CONFLICT` for a gap or another epoch; `CRDT_APPLY_FAILED` and others if an entry does not apply. Nothing is
    /// then left of any of them.
    pub fn apply(&mut self, epoch: Epoch, entries: &[Incoming]) -> Result<Seq> {
        self.nested(|engine| {
            let mut space = engine.space()?;
            if space.epoch != Some(epoch) {
                return Err(Error::new(
                    Code::Conflict,
                    "the entries are of another life of the server's log",
                ));
            }
            for entry in entries {
                if entry.seq() <= space.cursor {
                    continue;
                }
                if entry.seq() != space.cursor.next() {
                    return Err(Error::new(
                        Code::Conflict,
                        format!("the server's log jumps from {} to {}", space.cursor, entry.seq()),
                    ));
                }
                space.cursor = entry.seq();
                engine.apply_one(entry)?;
            }
            engine.backend.put_space(&space)?;
            Ok(space.cursor)
        })
    }

    fn apply_one(&mut self, entry: &Incoming) -> Result<()> {
        match entry {
            Incoming::Own { seq, received, commit } => match self.backend.log_row(*commit)? {
                Some(row) => self.acknowledge(&row, *seq, *received),
                None => Err(Error::new(Code::Conflict, format!("commit {commit} is not of this folder"))),
            },
            Incoming::Entry(entry) => match self.backend.log_row(entry.commit.id)? {
                Some(row) => self.acknowledge(&row, entry.seq, entry.received),
                None => {
                    let row = self.accepted_row(&entry.commit, entry.seq, entry.received);
                    self.import_commit(&entry.commit, row, Trust::Server)
                }
            },
        }
    }

    /// Marks a commit of this replica as accepted.
    fn acknowledge(&mut self, row: &LogRow, server_seq: Seq, received: Millis) -> Result<()> {
        self.backend.accept(row.seq, server_seq, received)?;
        self.group.committed.outbox |= row.state == LogState::Pending;
        let parts = self.backend.parts(row.seq)?;
        for (doc, _) in &parts {
            if let Some(open) = self.docs.peek(doc) {
                open.pending = open.pending.saturating_sub(usize::from(row.state == LogState::Pending));
                if open.pending == 0 && super::maintain::is_worth_folding(open) {
                    self.foldable.insert(doc.clone());
                }
            }
        }
        if received >= row.time {
            return Ok(());
        }
        // The author's clock was ahead: the times of its rows were provisional.
        let rows: BTreeSet<DocRef> =
            parts.into_iter().map(|(doc, _)| DocRef { field: None, ..doc }).collect();
        rows.iter().try_for_each(|row| self.settle_times(row))
    }

    /// Derives a row's times and author from the commits of its documents.
    pub(super) fn settle_times(&mut self, row: &DocRef) -> Result<()> {
        let manifest = std::sync::Arc::clone(&self.manifest);
        let entity = manifest.entity(&row.entity)?;
        let texts =
            entity.fields.iter().filter(|field| field.is_richtext()).map(|field| Some(field.name.clone()));
        let (mut first, mut last) = (None, None);
        for field in std::iter::once(None).chain(texts) {
            let Some(key) = self.backend.doc_key(&DocRef { field, ..row.clone() })? else { continue };
            // What waits to be projected has a provisional time.
            if let Some(waiting) = self.dirty.get_mut(&key) {
                waiting.last = None;
            }
            if let Some((at, by, latest)) = self.backend.doc_times(key)? {
                // The row's own document comes first, here and in time: the texts are of a row that is there.
                first = first.or(Some((at, by)));
                last = last.max(Some(latest));
            }
        }
        let change = crate::backend::RowChange { created: first, updated_at: last, ..Default::default() };
        self.group.committed.entities.insert(row.entity.clone());
        self.backend.update_row(entity, row.row, &change)
    }

    fn accepted_row(&self, commit: &Commit, server_seq: Seq, received: Millis) -> LogRow {
        LogRow {
            seq: self.head.next(),
            id: commit.id,
            state: LogState::Accepted,
            server_seq: Some(server_seq),
            actor: commit.actor,
            manifest_version: commit.manifest_version,
            time: commit.time,
            received: Some(received),
            origin: commit.origin.clone(),
            replaces: commit.replaces,
        }
    }

    /// Imports a commit's parts, projects them and appends the commit to the log.
    fn import_commit(&mut self, commit: &Commit, row: LogRow, trust: Trust) -> Result<()> {
        let stamp = Stamp { time: commit.time.min(row.received.unwrap_or(commit.time)), actor: commit.actor };
        let manifest = std::sync::Arc::clone(&self.manifest);
        let mut updates = Vec::with_capacity(commit.parts.len());
        let mut made_elsewhere = Vec::new();
        for part in &commit.parts {
            let entity = match (manifest.entity(&part.doc.entity), trust) {
                (Ok(entity), _) => entity,
                (Err(error), Trust::Client) => return Err(error),
                // An entity of a newer manifest: its commits come again with the manifest.
                (Err(_), Trust::Server) => continue,
            };
            if entity.local {
                return Err(Error::new(Code::InvalidData, format!("{} is local to a device", entity.name)));
            }
            if part.doc.field.is_none() && self.waits_whole(&part.doc)? {
                made_elsewhere.push(part.doc.clone());
            }
            updates.push((part.doc.clone(), self.import_part(entity, part, trust, stamp)?));
        }
        self.append(row, &updates)?;
        made_elsewhere.iter().try_for_each(|row| self.settle_times(row))
    }

    /// Whether the row is here only because this replica made it, and the server has not accepted that: another
    /// device may have made it before.
    fn waits_whole(&mut self, row: &DocRef) -> Result<bool> {
        let Some(open) = self.open_doc(row)? else { return Ok(false) };
        let has_base = open.doc.len_bytes() > open.part_bytes;
        let waits = open.pending > 0 && open.pending == open.parts && !has_base;
        self.docs.put(row.clone(), open);
        Ok(waits)
    }

    fn import_part(
        &mut self,
        entity: &tombolo_core::Entity,
        part: &Part,
        trust: Trust,
        stamp: Stamp,
    ) -> Result<Vec<u8>> {
        let doc = &part.doc;
        self.check_target(entity, doc)?;
        let mut open = self.open_or_make(doc)?;
        if trust == Trust::Client {
            self.check_identity(doc, &open, &part.bytes)?;
        }
        let imported = open.doc.import(&part.bytes)?;
        let touched = match open.stored {
            true => Touched::of(&imported.key_writes, &imported.roots),
            false => Touched::all(),
        };
        if trust == Trust::Client && doc.field.is_none() {
            self.check_row(entity, doc.row, &open, &touched, || Ok(part.bytes.clone()))?;
        }
        self.project(entity, doc, &mut open, &touched, stamp)?;
        self.docs.put(doc.clone(), open);
        Ok(part.bytes.clone())
    }

    /// Refuses operations under ids that are taken by others or retired.
    fn check_identity(&self, doc: &DocRef, open: &crate::docs::Open, bytes: &[u8]) -> Result<()> {
        let spans = tombolo_crdt::spans(bytes)?;
        if open.stored {
            let retired = self.backend.retired(open.key)?;
            let dead = |span: &tombolo_crdt::Span| {
                retired.iter().any(|(peer, from)| *peer == span.peer && span.end > *from)
            };
            if spans.iter().any(dead) {
                return Err(refuse(Status::PeerRetired, "it builds on a commit that was refused", doc));
            }
        }
        if open.doc.overlaps(&spans)? && !open.doc.has_equal(bytes)? {
            return Err(refuse(Status::Forked, "other operations are known under its ids", doc));
        }
        Ok(())
    }

    /// Judges a pushed commit on a server: accepted into the log, or refused whole.
    ///
    /// # Errors
    /// `STORAGE_FAILED`, `STORAGE_FULL`: then nothing was judged.
    pub fn judge(&mut self, commit: &Commit) -> Result<Judgement> {
        if let Some(row) = self.backend.log_row(commit.id)? {
            let (Some(seq), Some(received)) = (row.server_seq, row.received) else {
                return Err(Error::new(Code::Internal, "a server's commit has no place in its log"));
            };
            return Ok(Judgement {
                commit: commit.id,
                verdict: Verdict::Accepted { seq, received },
                new: false,
            });
        }
        let (seq, received) = (self.accepted.next(), self.clock.now());
        let judged = self.nested(|engine| {
            check_commit(commit)?;
            let row = engine.accepted_row(commit, seq, received);
            engine.import_commit(commit, row, Trust::Client)
        });
        let error = match judged {
            Ok(()) => {
                let verdict = Verdict::Accepted { seq, received };
                return Ok(Judgement { commit: commit.id, verdict, new: true });
            }
            Err(error) => error,
        };
        if matches!(
            error.code,
            Code::StorageFailed | Code::StorageFull | Code::FolderReadOnly | Code::Internal
        ) {
            return Err(error);
        }
        self.retire(commit)?;
        let rejection =
            Rejection { commit: commit.id, status: status(&error), code: error.code, message: error.message };
        Ok(Judgement { commit: commit.id, verdict: Verdict::Rejected(rejection), new: false })
    }

    /// Notes that the operations of a refused commit, and all that follow them, never come.
    fn retire(&mut self, commit: &Commit) -> Result<()> {
        self.nested(|engine| {
            for part in &commit.parts {
                let (Some(key), Ok(spans)) =
                    (engine.backend.doc_key(&part.doc)?, tombolo_crdt::spans(&part.bytes))
                else {
                    continue;
                };
                let known = match engine.open_doc(&part.doc)? {
                    Some(open) => {
                        let known = open.doc.overlaps(&spans).unwrap_or(true);
                        engine.docs.put(part.doc.clone(), open);
                        known
                    }
                    None => true,
                };
                // Ids that are taken by accepted operations stay good for these.
                if !known {
                    for span in spans {
                        engine.backend.retire(key, span.peer, span.start)?;
                    }
                }
            }
            Ok(())
        })
    }

    /// The next commits of the outbox after a place, at most this many bytes of parts but always one.
    ///
    /// # Errors
    /// `STORAGE_FAILED`.
    pub fn outbox(&self, after: Seq, max_bytes: usize, max_commits: usize) -> Result<Vec<(Seq, Commit)>> {
        outbox(&self.backend, after, max_bytes, max_commits)
    }

    /// The accepted commits after a place in the server's log, at most this many bytes of parts but always one.
    ///
    /// # Errors
    /// `STORAGE_FAILED`.
    pub fn log_after(
        &self,
        after: Seq,
        max_bytes: usize,
        max_commits: usize,
    ) -> Result<Vec<tombolo_core::LogEntry>> {
        log_after(&self.backend, after, max_bytes, max_commits)
    }
}

/// Where a commit comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trust {
    /// Judged already: constraints are not judged again, or replicas would differ.
    Server,
    /// To be judged.
    Client,
}

fn check_commit(commit: &Commit) -> Result<()> {
    let bytes = commit.len_bytes();
    let large = commit.parts.iter().any(|part| part.bytes.len() > limit::UPDATE_BYTES);
    if bytes > limit::COMMIT_BYTES || commit.parts.len() > limit::COMMIT_PARTS || large {
        return Err(Error::new(Code::TooLarge, format!("a commit of {bytes} bytes is too large")));
    }
    let docs: BTreeSet<&DocRef> = commit.parts.iter().map(|part| &part.doc).collect();
    let origin = commit.origin.as_ref().map_or(0, String::len);
    if commit.parts.is_empty() || docs.len() != commit.parts.len() || origin > limit::ORIGIN_BYTES {
        return Err(Error::new(
            Code::InvalidData,
            "a commit has one part for each document, and at least one",
        ));
    }
    Ok(())
}

fn refuse(status: Status, message: &str, doc: &DocRef) -> Error {
    Error::new(Code::CrdtApplyFailed, message)
        .with("status", serde_json::to_value(status).unwrap_or_default())
        .with("document", doc.to_string())
}

/// The kind of refusal that an error means.
fn status(error: &Error) -> Status {
    if let Some(status) = error.details.get("status").and_then(|s| serde_json::from_value(s.clone()).ok()) {
        return status;
    }
    match error.code {
        Code::TooLarge => Status::TooLarge,
        Code::PolicyDenied => Status::Denied,
        _ => Status::Invalid,
    }
}

pub(crate) fn outbox(
    reader: &impl crate::backend::Read,
    after: Seq,
    max_bytes: usize,
    max_commits: usize,
) -> Result<Vec<(Seq, Commit)>> {
    let rows = reader.pending(after, max_commits)?;
    let mut commits = Vec::with_capacity(rows.len());
    let mut bytes = 0;
    for row in rows {
        let commit = commit(reader, &row)?;
        bytes += commit.len_bytes();
        if bytes > max_bytes && !commits.is_empty() {
            break;
        }
        commits.push((row.seq, commit));
    }
    Ok(commits)
}

pub(crate) fn log_after(
    reader: &impl crate::backend::Read,
    after: Seq,
    max_bytes: usize,
    max_commits: usize,
) -> Result<Vec<tombolo_core::LogEntry>> {
    let rows = reader.accepted(SPACE, after, max_commits)?;
    let mut entries = Vec::with_capacity(rows.len());
    let mut bytes = 0;
    for row in rows {
        let commit = commit(reader, &row)?;
        bytes += commit.len_bytes();
        if bytes > max_bytes && !entries.is_empty() {
            break;
        }
        let (seq, received) = (row.server_seq.unwrap_or_default(), row.received.unwrap_or(row.time));
        entries.push(tombolo_core::LogEntry { seq, received, commit });
    }
    Ok(entries)
}

/// A commit as it travels.
pub(super) fn commit(reader: &impl crate::backend::Read, row: &LogRow) -> Result<Commit> {
    let parts = reader.parts(row.seq)?;
    Ok(Commit {
        id: row.id,
        actor: row.actor,
        manifest_version: row.manifest_version,
        time: row.time,
        origin: row.origin.clone(),
        replaces: row.replaces,
        parts: parts.into_iter().map(|(doc, bytes)| Part { doc, bytes }).collect(),
    })
}
