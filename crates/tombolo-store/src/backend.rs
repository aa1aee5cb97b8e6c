//! The small interface that a database fills. It stores; it knows no meaning.

use crate::{DocKey, SpaceKey};
use tombolo_core::{
    ActorId, Code, CommitId, DocRef, Entity, Epoch, Fields, Filter, Millis, PeerId, Result, RowId, Seq,
    SpaceId, Status, Value,
};

/// A row as the database holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its id.
    pub id: RowId,
    /// When it was written first: the earlier of the author's clock and the server's receipt.
    pub created_at: Millis,
    /// When it was written last.
    pub updated_at: Millis,
    /// Who wrote it first.
    pub created_by: ActorId,
    /// When the row itself was put into the trash.
    pub deleted_at: Option<Millis>,
    /// The row or one of its ancestors is in the trash.
    pub trashed: bool,
    /// The declared fields, in the manifest's order. A tree field holds the effective parent.
    pub values: Vec<Value>,
    /// The place in the tree, for an entity with a tree.
    pub place: StoredPlace,
}

/// A row's place in its tree as it was written, with the operation that wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPlace {
    /// The parent as written; the effective one may differ.
    pub parent: Option<RowId>,
    /// The order among siblings.
    pub order: String,
    /// The write's Lamport time.
    pub lamport: u32,
    /// The write's peer.
    pub peer: PeerId,
}

impl Default for StoredPlace {
    fn default() -> Self {
        Self { parent: None, order: String::new(), lamport: 0, peer: PeerId(0) }
    }
}

/// Changes of a row; what is none stays.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RowChange {
    /// New values, by the field's position in the manifest.
    pub values: Vec<(usize, Value)>,
    /// A write at this time: the time of the last write is the latest of all.
    pub written_at: Option<Millis>,
    /// The time of the last write, derived anew.
    pub updated_at: Option<Millis>,
    /// A new time of the first write, with its author.
    pub created: Option<(Millis, ActorId)>,
    /// In or out of the trash.
    pub deleted_at: Option<Option<Millis>>,
    /// A new derived state of being in the trash.
    pub trashed: Option<bool>,
    /// A new place.
    pub place: Option<StoredPlace>,
}

/// Which rows to read, in which order.
#[derive(Debug, Clone, Default)]
pub struct Select {
    /// What must hold, and the order; without one, by id.
    pub filter: Filter,
    /// Rows in the trash are wanted, too.
    pub trashed: bool,
    /// Only rows after this id (in the order of ids).
    pub after: Option<RowId>,
    /// The most rows.
    pub limit: Option<usize>,
    /// The fields that are wanted; the values of others are null.
    pub fields: Fields,
}

/// Whether a commit still has to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogState {
    /// Not acknowledged: in the outbox.
    Pending,
    /// Acknowledged by the server, or accepted on it.
    Accepted,
    /// Of device-local entities: never sent.
    Local,
}

/// A commit's row in the log, without its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRow {
    /// Its place in this log.
    pub seq: Seq,
    /// The commit's id.
    pub id: CommitId,
    /// Whether it still has to be sent.
    pub state: LogState,
    /// Its place in the server's log, once accepted.
    pub server_seq: Option<Seq>,
    /// Who wrote it.
    pub actor: ActorId,
    /// The version of the manifest it was written under.
    pub manifest_version: u32,
    /// The author's clock.
    pub time: Millis,
    /// The server's clock on receipt, once accepted.
    pub received: Option<Millis>,
    /// The label of its origin.
    pub origin: Option<String>,
    /// The commit that it was written again from.
    pub replaces: Option<CommitId>,
}

/// One commit's update of one document, with the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPart {
    /// The place of its commit in this log.
    pub seq: Seq,
    /// Whether its commit still has to be sent.
    pub state: LogState,
    /// The update.
    pub bytes: Vec<u8>,
}

/// A document as it is stored.
#[derive(Debug, Clone, Default)]
pub struct StoredDoc {
    /// A snapshot of accepted commits.
    pub base: Option<Vec<u8>>,
    /// The updates after it, in the log's order.
    pub parts: Vec<StoredPart>,
}

/// A space and how far this replica has its server's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpaceRow {
    /// Its small key in this database.
    pub key: SpaceKey,
    /// Its name on every peer; none until a server has offered one.
    pub id: Option<SpaceId>,
    /// The server that the folder is bound to.
    pub server: Option<String>,
    /// Which life of the server's log the cursor belongs to.
    pub epoch: Option<Epoch>,
    /// Everything up to here has been applied.
    pub cursor: Seq,
}

/// A refused commit that was taken out of its documents, kept for its author.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftRow {
    /// The refused commit.
    pub id: CommitId,
    /// The first document that it wrote.
    pub doc: DocRef,
    /// The kind of refusal.
    pub status: Status,
    /// The reason, as a code.
    pub code: Code,
    /// The reason, in words.
    pub reason: String,
    /// When it became a draft.
    pub created_at: Millis,
    /// Its commits with their complete bytes, encoded.
    pub commits: Vec<u8>,
}

/// Reads, from one consistent state of the database.
pub trait Read {
    /// The row, in the trash or not.
    fn row(&self, entity: &Entity, id: RowId) -> Result<Option<Row>>;
    /// The rows that a selection names.
    fn select(&self, entity: &Entity, select: &Select) -> Result<Vec<Row>>;
    /// The children of a row, or the roots, by order and id; those in the trash as well.
    fn children(&self, entity: &Entity, parent: Option<RowId>) -> Result<Vec<Row>>;
    /// The rows whose written parent is this one but whose effective parent is another.
    fn detached_children(&self, entity: &Entity, parent: RowId) -> Result<Vec<RowId>>;
    /// The last place in this log.
    fn head(&self) -> Result<Seq>;
    /// The commit's row in the log.
    fn log_row(&self, id: CommitId) -> Result<Option<LogRow>>;
    /// Unacknowledged commits after a place, in order, at most `limit`.
    fn pending(&self, after: Seq, limit: usize) -> Result<Vec<LogRow>>;
    /// How many commits are unacknowledged.
    fn pending_count(&self) -> Result<u64>;
    /// Accepted commits after a place in the server's log, in that order, at most `limit`.
    fn accepted(&self, space: SpaceKey, after: Seq, limit: usize) -> Result<Vec<LogRow>>;
    /// The documents and updates of a commit, in the order in which they were written.
    fn parts(&self, seq: Seq) -> Result<Vec<(DocRef, Vec<u8>)>>;
    /// The key of a document.
    fn doc_key(&self, doc: &DocRef) -> Result<Option<DocKey>>;
    /// A document's stored bytes.
    fn load_doc(&self, doc: DocKey) -> Result<StoredDoc>;
    /// The first commit of a document as `(time, author)`, and the latest time. The first is the one that the server
    /// accepted first, or else that was written here first.
    fn doc_times(&self, doc: DocKey) -> Result<Option<(Millis, ActorId, Millis)>>;
    /// The documents with a projection to catch up.
    fn dirty(&self) -> Result<Vec<(DocKey, DocRef)>>;
    /// The spaces of this folder.
    fn spaces(&self) -> Result<Vec<SpaceRow>>;
    /// The drafts, oldest first.
    fn drafts(&self) -> Result<Vec<DraftRow>>;
    /// A small value by name.
    fn meta(&self, key: &str) -> Result<Option<Vec<u8>>>;
    /// Whether any peer id of this document was retired, and from which operation on.
    fn retired(&self, doc: DocKey) -> Result<Vec<(PeerId, i32)>>;
    /// What was answered under an idempotency key: the digest of the arguments and the answer.
    fn answered(&self, key: &str) -> Result<Option<(Vec<u8>, String)>>;
    /// Begins a read of one consistent state.
    fn begin_read(&self) -> Result<()>;
    /// Ends it.
    fn end_read(&self) -> Result<()>;
}

/// Writes, inside the transaction that [`Backend::begin`] opened.
pub trait Backend: Read {
    /// What reads on other threads use.
    type Reader: Read + Send + 'static;
    /// Opens another read-only connection.
    fn reader(&self) -> Result<Self::Reader>;
    /// Opens the transaction.
    fn begin(&mut self) -> Result<()>;
    /// Makes it durable.
    fn commit(&mut self) -> Result<()>;
    /// Undoes it.
    fn rollback(&mut self) -> Result<()>;
    /// Opens a nested transaction.
    fn savepoint(&mut self) -> Result<()>;
    /// Keeps the innermost nested transaction.
    fn release(&mut self) -> Result<()>;
    /// Undoes the innermost nested transaction.
    fn rollback_to(&mut self) -> Result<()>;
    /// Adds a row.
    fn insert_row(&mut self, entity: &Entity, space: SpaceKey, row: &Row) -> Result<()>;
    /// Changes a row.
    fn update_row(&mut self, entity: &Entity, id: RowId, change: &RowChange) -> Result<()>;
    /// Removes a row: only when the commit that made it is taken out.
    fn remove_row(&mut self, entity: &Entity, id: RowId) -> Result<()>;
    /// Adds a document.
    fn insert_doc(&mut self, doc: &DocRef, space: SpaceKey) -> Result<DocKey>;
    /// Removes a document with its bytes: only when the commit that made it is taken out.
    fn remove_doc(&mut self, doc: DocKey) -> Result<()>;
    /// Replaces a document's base by a snapshot that covers all its updates. With `forget`, their bytes go.
    fn fold_doc(&mut self, doc: DocKey, base: &[u8], forget: bool) -> Result<()>;
    /// Adds a commit at the end of the log.
    fn append_log(&mut self, space: SpaceKey, row: &LogRow) -> Result<()>;
    /// Adds a commit's update of a document.
    fn append_part(&mut self, seq: Seq, doc: DocKey, bytes: &[u8]) -> Result<()>;
    /// Marks a commit as accepted.
    fn accept(&mut self, seq: Seq, server_seq: Seq, received: Millis) -> Result<()>;
    /// Removes a commit and its updates from the log: only when it is taken out or written again.
    fn remove_log(&mut self, seq: Seq) -> Result<()>;
    /// Notes or clears that a document's projection has to be caught up.
    fn set_dirty(&mut self, doc: DocKey, dirty: bool) -> Result<()>;
    /// Adds a space or replaces its row.
    fn put_space(&mut self, space: &SpaceRow) -> Result<()>;
    /// Adds a draft or replaces it.
    fn put_draft(&mut self, draft: &DraftRow) -> Result<()>;
    /// Removes a draft; says whether it was there.
    fn remove_draft(&mut self, id: CommitId) -> Result<bool>;
    /// Sets a small value.
    fn put_meta(&mut self, key: &str, value: &[u8]) -> Result<()>;
    /// Notes that a peer id may not be used from this operation on.
    fn retire(&mut self, doc: DocKey, peer: PeerId, from: i32) -> Result<()>;
    /// Keeps an answer under an idempotency key, and forgets those before a time.
    fn put_answer(
        &mut self,
        key: &str,
        digest: &[u8],
        answer: &str,
        at: Millis,
        forget_before: Millis,
    ) -> Result<()>;
}
