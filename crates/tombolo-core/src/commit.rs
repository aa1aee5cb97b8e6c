use crate::{ActorId, Code, CommitId, Millis, RowId, Seq};
use serde::{Deserialize, Serialize};

/// Names one CRDT document: a row's own, or that of one of its rich-text fields.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DocRef {
    /// The entity's name.
    pub entity: String,
    /// The row.
    pub row: RowId,
    /// The rich-text field, or none for the row's own document.
    pub field: Option<String>,
}

impl std::fmt::Display for DocRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.entity, self.row)?;
        match &self.field {
            Some(field) => write!(f, "/{field}"),
            None => Ok(()),
        }
    }
}

/// What one commit does to one document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The document.
    pub doc: DocRef,
    /// A Loro update, never a snapshot.
    #[serde(with = "serde_bytes")]
    pub bytes: Vec<u8>,
}

/// Everything that one transaction wrote: the unit of atomicity, of acknowledgement and of the log, on every peer.
///
/// The space it belongs to is said where it travels or is stored, not in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// Its name on every peer, for ever.
    pub id: CommitId,
    /// Who wrote it.
    pub actor: ActorId,
    /// The version of the manifest that it was written under.
    pub manifest_version: u32,
    /// The author's clock when it was written.
    pub time: Millis,
    /// A label such as a session, an import or an agent.
    pub origin: Option<String>,
    /// The commit that this one was written again from, after another had been refused.
    pub replaces: Option<CommitId>,
    /// What it does, at most one part a document.
    pub parts: Vec<Part>,
}

impl Commit {
    /// The bytes of its parts.
    #[must_use]
    pub fn len_bytes(&self) -> usize {
        self.parts.iter().map(|part| part.bytes.len()).sum()
    }
}

/// A commit in a server's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntry {
    /// Its place in the space's log, gap-free.
    pub seq: Seq,
    /// The server's clock when it was accepted.
    pub received: Millis,
    /// The commit.
    pub commit: Commit,
}

/// Why a server refuses a commit, or asks to wait with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// A policy forbids it.
    Denied,
    /// It breaks a constraint or cannot be applied.
    Invalid,
    /// It exceeds a size limit.
    TooLarge,
    /// Too much at once: the outbox pauses, in order.
    RateLimited,
    /// No room left: the outbox pauses, in order.
    QuotaExceeded,
    /// Held for confirmation on the device that made it.
    Held,
    /// Its operations differ from those known under the same ids.
    Forked,
    /// It needs operations of a refused commit.
    DependsOnRejected,
    /// Its peer id was retired by an earlier refusal.
    PeerRetired,
}

impl Status {
    /// Whether the commit stays in the outbox and is sent again later.
    #[must_use]
    pub fn pauses(self) -> bool {
        matches!(self, Status::RateLimited | Status::QuotaExceeded)
    }
}

/// A server's refusal of one commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// The refused commit.
    pub commit: CommitId,
    /// The kind of refusal.
    pub status: Status,
    /// The reason, as a code to branch on.
    pub code: Code,
    /// The reason, as a sentence for its author.
    pub message: String,
}

/// What a server answers about one commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// It is durable on the server at this place of the log.
    Accepted {
        /// Its place in the space's log.
        seq: Seq,
        /// The server's clock when it was accepted.
        received: Millis,
    },
    /// It is refused, and so is, unread, everything that was sent after it.
    Rejected(Rejection),
}
