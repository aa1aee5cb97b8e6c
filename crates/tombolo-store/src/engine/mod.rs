//! The engine: the one commit path.
//!
//! Everything that writes goes through here, on one thread: local operations ([`Engine::execute`]), a server's log
//! ([`Engine::apply`]), a client's push ([`Engine::judge`]) and a server's refusal ([`Engine::reject`]). Each is one
//! nested transaction; [`Engine::begin`] and [`Engine::commit`] group several into one that the disk syncs once.
//!
//! If a nested transaction fails, every document it touched is dropped from the cache and read again from disk.

mod feed;
mod local;
mod maintain;
mod place;
mod project;
mod reject;
mod remote;
mod values;

pub use reject::Draft;
pub use remote::{Incoming, Judgement};
pub(crate) use remote::{log_after, outbox};

use crate::backend::{Backend, LogRow, LogState, SpaceRow};
use crate::docs::{Docs, Open};
use crate::{DocKey, SpaceKey};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use tombolo_core::{
    ActorId, Clock, Code, CommitId, DocRef, Epoch, Error, Manifest, Millis, PeerId, Random, Receipt, Result,
    Seq, SpaceId, WriteState, limit,
};
use tombolo_crdt::{Doc, Version};

/// The key of a folder's space.
pub(crate) const SPACE: SpaceKey = SpaceKey(1);

/// What an engine is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A device's replica: its commits wait for a server.
    Replica,
    /// A server: its commits are accepted as they are written, and it keeps every byte of its log.
    Server,
}

/// What an engine is made with.
pub struct Settings {
    /// What it stores.
    pub manifest: Arc<Manifest>,
    /// What it is part of.
    pub role: Role,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Random bytes.
    pub random: Box<dyn Random>,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings").field("role", &self.role).finish_non_exhaustive()
    }
}

/// What a group of transactions did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Committed {
    /// The head of the log.
    pub head: Seq,
    /// The entities whose rows may read differently now.
    pub entities: BTreeSet<String>,
    /// Drafts were added or removed.
    pub drafts: bool,
    /// Commits entered or left the outbox.
    pub outbox: bool,
    /// The documents that may have changed.
    pub documents: BTreeSet<DocRef>,
    /// Those among them that operations were taken out of.
    pub rebuilt: BTreeSet<DocRef>,
}

/// All the meaning of the store, for one thread at a time.
pub struct Engine<B> {
    backend: B,
    manifest: Arc<Manifest>,
    role: Role,
    clock: Arc<dyn Clock>,
    random: Box<dyn Random>,
    actor: ActorId,
    head: Seq,
    /// A server's last place in its space's log.
    accepted: Seq,
    docs: Docs,
    /// The documents whose texts have to be projected.
    dirty: BTreeMap<DocKey, Waiting>,
    foldable: BTreeSet<DocRef>,
    group: Group,
    txn: Txn,
}

/// The open group of transactions.
#[derive(Debug, Default)]
struct Group {
    touched: BTreeSet<DocRef>,
    committed: Committed,
    head_before: Seq,
    /// Why the database ended the whole transaction by itself, as it does when a disk is full.
    lost: Option<Error>,
}

/// The open nested transaction.
#[derive(Debug, Default)]
struct Txn {
    /// In the order in which they were first written.
    parts: Vec<Written>,
    /// Where in `parts` a document is.
    part_of: HashMap<DocRef, usize>,
    touched: BTreeSet<DocRef>,
    head_before: Seq,
    accepted_before: Seq,
}

/// What a transaction wrote to a document.
#[derive(Debug)]
struct Written {
    doc: DocRef,
    before: Version,
    /// The update, if it was written once.
    single: Option<Vec<u8>>,
}

/// A document whose texts have to be projected.
#[derive(Debug)]
struct Waiting {
    doc: DocRef,
    /// The time of its last commit, if that is known without asking the log.
    last: Option<Millis>,
}

fn waiting(backend: &impl crate::backend::Read) -> Result<BTreeMap<DocKey, Waiting>> {
    Ok(backend.dirty()?.into_iter().map(|(key, doc)| (key, Waiting { doc, last: None })).collect())
}

/// When and by whom a change was made.
#[derive(Debug, Clone, Copy)]
struct Stamp {
    time: Millis,
    actor: ActorId,
}

impl<B: Backend> std::fmt::Debug for Engine<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("role", &self.role).field("head", &self.head).finish_non_exhaustive()
    }
}

impl<B: Backend> Engine<B> {
    /// Opens the engine on a database; on a new one it mints the actor and the space.
    ///
    /// # Errors
    /// `STORAGE_FAILED`, `STORAGE_FULL`, `FOLDER_READ_ONLY`; `MANIFEST_TOO_NEW` if a newer manifest wrote the data.
    pub fn open(mut backend: B, settings: Settings) -> Result<Self> {
        let Settings { manifest, role, clock, mut random } = settings;
        backend.begin()?;
        let actor = match Self::prepare(&mut backend, &manifest, role, random.as_mut()) {
            Ok(actor) => actor,
            Err(error) => {
                backend.rollback()?;
                return Err(error);
            }
        };
        backend.commit()?;
        let head = backend.head()?;
        let accepted = backend.spaces()?.first().map_or(Seq(0), |space| space.cursor);
        let dirty = waiting(&backend)?;
        let mut engine = Self {
            backend,
            manifest,
            role,
            clock,
            random,
            actor,
            head,
            accepted,
            docs: Docs::new(),
            dirty,
            foldable: BTreeSet::new(),
            group: Group::default(),
            txn: Txn::default(),
        };
        engine.catch_up_now()?;
        Ok(engine)
    }

    fn prepare(backend: &mut B, manifest: &Manifest, role: Role, random: &mut dyn Random) -> Result<ActorId> {
        let version = manifest.version.to_le_bytes();
        let stored =
            backend.meta("manifest_version")?.and_then(|bytes| bytes.try_into().ok()).map(u32::from_le_bytes);
        if stored.is_some_and(|stored| stored > manifest.version) {
            return Err(Error::new(
                Code::ManifestTooNew,
                format!(
                    "the data folder was written with version {} of the manifest; this is version {}",
                    stored.unwrap_or_default(),
                    manifest.version
                ),
            ));
        }
        backend.put_meta("manifest_version", &version)?;
        backend.put_meta("manifest", manifest.source().to_string().as_bytes())?;
        if backend.spaces()?.is_empty() {
            let (id, epoch) = match role {
                Role::Replica => (None, None),
                Role::Server => (Some(SpaceId::mint(random)), Some(Epoch::mint(random))),
            };
            backend.put_space(&SpaceRow { key: SPACE, id, server: None, epoch, cursor: Seq(0) })?;
        }
        if let Some(bytes) = backend.meta("actor")?.and_then(|bytes| bytes.try_into().ok()) {
            return Ok(ActorId::from_bytes(bytes));
        }
        let actor = ActorId::mint(random);
        backend.put_meta("actor", actor.as_bytes())?;
        Ok(actor)
    }

    /// Reads from the database, the open transaction included.
    pub fn backend(&self) -> &B {
        &self.backend
    }

    /// The database, for faults in tests.
    pub fn backend_mut(&mut self) -> &mut B {
        &mut self.backend
    }

    /// The actor that was minted with the data folder.
    pub fn actor(&self) -> ActorId {
        self.actor
    }

    /// What is stored.
    pub fn manifest(&self) -> &Arc<Manifest> {
        &self.manifest
    }

    /// The folder's space.
    ///
    /// # Errors
    /// `STORAGE_FAILED`.
    pub fn space(&self) -> Result<SpaceRow> {
        let space = self.backend.spaces()?.into_iter().next();
        space.ok_or_else(|| Error::new(Code::Internal, "the data folder has no space"))
    }

    /// Opens a group of transactions.
    ///
    /// # Errors
    /// `STORAGE_FAILED`.
    pub fn begin(&mut self) -> Result<()> {
        self.group = Group { head_before: self.head, ..Group::default() };
        self.backend.begin()
    }

    /// Makes the group durable. On failure none of it happened.
    ///
    /// # Errors
    /// `STORAGE_FAILED`, `STORAGE_FULL`.
    pub fn commit(&mut self) -> Result<Committed> {
        let lost = self.group.lost.take();
        if let Err(error) = lost.map_or_else(|| self.backend.commit(), Err) {
            self.rollback()?;
            return Err(error);
        }
        let group = std::mem::take(&mut self.group);
        Ok(Committed { head: self.head, documents: group.touched, ..group.committed })
    }

    /// Undoes the group.
    ///
    /// # Errors
    /// `STORAGE_FAILED`: then the engine must be opened anew.
    pub fn rollback(&mut self) -> Result<()> {
        let group = std::mem::take(&mut self.group);
        for doc in &group.touched {
            self.docs.forget(doc);
        }
        self.backend.rollback()?;
        self.head = group.head_before;
        self.accepted = self.space()?.cursor;
        self.dirty = waiting(&self.backend)?;
        Ok(())
    }

    /// Runs one nested transaction of the open group: all or nothing.
    fn nested<T>(&mut self, f: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if let Some(lost) = &self.group.lost {
            return Err(lost.clone());
        }
        self.txn = Txn { head_before: self.head, accepted_before: self.accepted, ..Txn::default() };
        self.backend.savepoint()?;
        let result = f(self).and_then(|value| self.backend.release().map(|()| value));
        let txn = std::mem::take(&mut self.txn);
        match &result {
            Ok(_) => self.group.touched.extend(txn.touched),
            Err(error) => {
                for doc in &txn.touched {
                    self.docs.forget(doc);
                }
                self.head = txn.head_before;
                self.accepted = txn.accepted_before;
                match self.backend.rollback_to().and_then(|()| waiting(&self.backend)) {
                    Ok(dirty) => self.dirty = dirty,
                    Err(_) => self.group.lost = Some(error.clone()),
                }
            }
        }
        self.docs.trim();
        result
    }

    /// Takes a document out of the cache, or opens it from disk. None if there is no such document.
    fn open_doc(&mut self, doc: &DocRef) -> Result<Option<Open>> {
        self.txn.touched.insert(doc.clone());
        if let Some(open) = self.docs.take(doc) {
            return Ok(Some(open));
        }
        let Some(key) = self.backend.doc_key(doc)? else { return Ok(None) };
        let stored = self.backend.load_doc(key)?;
        let random = self.random.as_mut();
        let peer = self.docs.peer(key, || PeerId::mint(random));
        let updates = stored.parts.iter().map(|part| part.bytes.as_slice());
        let opened = Doc::open(peer, stored.base.as_deref(), updates).map_err(|error| {
            Error::new(Code::StorageFailed, format!("the document {doc} is damaged: {error}"))
        })?;
        Ok(Some(Open {
            doc: opened,
            key,
            parts: stored.parts.len(),
            part_bytes: stored.parts.iter().map(|part| part.bytes.len()).sum(),
            pending: stored.parts.iter().filter(|part| part.state == LogState::Pending).count(),
            stored: true,
        }))
    }

    /// Opens a document, or makes it.
    fn open_or_make(&mut self, doc: &DocRef) -> Result<Open> {
        match self.open_doc(doc)? {
            Some(open) => Ok(open),
            None => self.make_doc(doc),
        }
    }

    fn make_doc(&mut self, doc: &DocRef) -> Result<Open> {
        self.txn.touched.insert(doc.clone());
        let key = self.backend.insert_doc(doc, SPACE)?;
        let peer = PeerId::mint(self.random.as_mut());
        self.docs.note_peer(key, peer);
        Ok(Open { doc: Doc::new(peer), key, parts: 0, part_bytes: 0, pending: 0, stored: false })
    }

    /// Edits a document in place, as part of the open transaction. Says whether that wrote anything.
    fn edit_doc(
        &mut self,
        doc: &DocRef,
        open: &mut Open,
        f: impl FnOnce(&mut tombolo_crdt::Edit<'_>) -> tombolo_crdt::Result<()>,
    ) -> Result<bool> {
        let before = open.doc.version()?;
        let ((), update) = open.doc.edit(f)?;
        let wrote = update.is_some();
        if let Some(update) = update {
            self.note_written(doc, before, update);
        }
        Ok(wrote)
    }

    fn note_written(&mut self, doc: &DocRef, before: Version, update: Vec<u8>) {
        match self.txn.part_of.get(doc) {
            Some(n) => self.txn.parts[*n].single = None,
            None => {
                self.txn.part_of.insert(doc.clone(), self.txn.parts.len());
                self.txn.parts.push(Written { doc: doc.clone(), before, single: Some(update) });
            }
        }
    }

    /// Appends what the transaction wrote to the log: one commit, and another for device-local entities.
    fn log_written(&mut self, now: Millis, origin: Option<&str>) -> Result<Receipt> {
        let parts = std::mem::take(&mut self.txn.parts);
        self.txn.part_of.clear();
        let (local, shared): (Vec<Written>, Vec<Written>) =
            parts.into_iter().partition(|part| self.is_local(&part.doc));
        let state = match self.role {
            Role::Replica => LogState::Pending,
            Role::Server => LogState::Accepted,
        };
        let of_local = self.log_parts(local, LogState::Local, now, origin)?;
        let commit = self.log_parts(shared, state, now, origin)?.or(of_local);
        let state = match self.role {
            Role::Replica => WriteState::Local,
            Role::Server => WriteState::Server,
        };
        Ok(Receipt { commit, seq: self.head, state })
    }

    fn is_local(&self, doc: &DocRef) -> bool {
        self.manifest.entity(&doc.entity).is_ok_and(|entity| entity.local)
    }

    fn log_parts(
        &mut self,
        parts: Vec<Written>,
        state: LogState,
        now: Millis,
        origin: Option<&str>,
    ) -> Result<Option<CommitId>> {
        if parts.is_empty() {
            return Ok(None);
        }
        let mut updates = Vec::with_capacity(parts.len());
        for part in parts {
            let update = match part.single {
                Some(update) => Some(update),
                None => match self.docs.peek(&part.doc) {
                    Some(open) => open.doc.update_since(&part.before)?,
                    None => return Err(Error::new(Code::Internal, format!("{} is not open", part.doc))),
                },
            };
            if let Some(update) = update {
                updates.push((part.doc, update));
            }
        }
        check_size(&updates)?;
        let id = CommitId::mint(self.random.as_mut());
        let accepted = state == LogState::Accepted;
        let server_seq = accepted.then(|| self.accepted.next());
        let row = LogRow {
            seq: self.head.next(),
            id,
            state,
            server_seq,
            actor: self.actor,
            manifest_version: self.manifest.version,
            time: now,
            received: accepted.then_some(now),
            origin: origin.map(str::to_owned),
            replaces: None,
        };
        self.append(row, &updates)?;
        Ok(Some(id))
    }

    /// Appends a commit to the log: the only place where the head moves forward.
    fn append(&mut self, row: LogRow, updates: &[(DocRef, Vec<u8>)]) -> Result<()> {
        self.backend.append_log(SPACE, &row)?;
        self.head = row.seq;
        for (doc, update) in updates {
            let key = match self.docs.peek(doc) {
                Some(open) => {
                    open.parts += 1;
                    open.part_bytes += update.len();
                    open.pending += usize::from(row.state == LogState::Pending);
                    if open.pending == 0 && maintain::is_worth_folding(open) {
                        self.foldable.insert(doc.clone());
                    }
                    Some(open.key)
                }
                None => self.backend.doc_key(doc)?,
            };
            let key = key.ok_or_else(|| Error::new(Code::Internal, format!("{doc} is not stored")))?;
            self.backend.append_part(row.seq, key, update)?;
            self.group.committed.entities.insert(doc.entity.clone());
        }
        if let (Role::Server, Some(server_seq)) = (self.role, row.server_seq) {
            self.accepted = server_seq;
            let space = self.space()?;
            self.backend.put_space(&SpaceRow { cursor: server_seq, ..space })?;
        }
        self.group.committed.outbox |= row.state == LogState::Pending;
        Ok(())
    }
}

/// Sizes are judged before a write is acknowledged, never after.
fn check_size(updates: &[(DocRef, Vec<u8>)]) -> Result<()> {
    if let Some((doc, update)) = updates.iter().find(|(_, update)| update.len() > limit::UPDATE_BYTES) {
        return Err(tombolo_core::too_large_update(update.len()).with("document", doc.to_string()));
    }
    for (_, update) in updates {
        // What others would refuse is refused here, while its author can still do otherwise.
        tombolo_crdt::spans(update)?;
    }
    let bytes: usize = updates.iter().map(|(_, update)| update.len()).sum();
    if bytes > limit::COMMIT_BYTES || updates.len() > limit::COMMIT_PARTS {
        return Err(Error::new(
            Code::TooLarge,
            format!(
                "a transaction has {bytes} bytes in {} documents; at most {} in {} are allowed",
                updates.len(),
                limit::COMMIT_BYTES,
                limit::COMMIT_PARTS
            ),
        ));
    }
    Ok(())
}
