use serde::{Deserialize, Serialize};
use std::fmt;
use tombolo_core::{
    ActorId, Code, Commit, CommitId, Epoch, LogEntry, Millis, Rejection, Seq, ServerId, SpaceId, Status,
};

/// A space's place in the [`Welcome`]; every later frame names the space by it.
pub type SpaceIndex = u32;

/// What a session may do in a space.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads.
    Viewer,
    /// Reads and comments.
    Commenter,
    /// Reads and writes.
    Editor,
    /// Reads, writes and governs.
    Owner,
}

impl Role {
    /// Whether it may push commits.
    #[must_use]
    pub fn may_push(self) -> bool {
        matches!(self, Role::Editor | Role::Owner)
    }
}

/// Up to where a replica has a server's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Which life of the log.
    pub epoch: Epoch,
    /// The last entry that is durable on the replica; 0 for none.
    pub seq: Seq,
}

/// One space of a [`Hello`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HelloSpace {
    /// The space; none while it is not bound to a server's yet.
    pub space: Option<SpaceId>,
    /// Where to go on; none to start at the beginning.
    pub cursor: Option<Cursor>,
}

/// The first frame of a session, from the client.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The versions of the protocol that the client speaks, best first.
    pub protocols: Vec<u16>,
    /// The version of the client's manifest.
    pub manifest_version: u32,
    /// The hash of the client's manifest.
    pub manifest_hash: String,
    /// The proof of who signs in.
    pub token: String,
    /// The data folder that writes.
    pub actor: ActorId,
    /// The spaces wanted.
    pub spaces: Vec<HelloSpace>,
}

impl fmt::Debug for Hello {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hello")
            .field("protocols", &self.protocols)
            .field("manifest_version", &self.manifest_version)
            .field("actor", &self.actor)
            .field("spaces", &self.spaces)
            .finish_non_exhaustive()
    }
}

/// Commits of a client's outbox, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Push {
    /// The space.
    pub space: SpaceIndex,
    /// Starts at 1 in each session and grows with each refusal or pause.
    pub generation: u32,
    /// The place of the first commit among all that this session pushed to this space, from 1.
    pub ordinal: u64,
    /// The commits.
    pub commits: Vec<Commit>,
}

/// What a client sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientFrame {
    /// Opens the session.
    Hello(Hello),
    /// Commits to judge.
    Push(Push),
    /// Asks for a [`ClientFrame::Pong`] of the other side.
    Ping,
    /// Answers a ping.
    Pong,
}

/// One space of a [`Welcome`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WelcomeSpace {
    /// What later frames call it.
    pub index: SpaceIndex,
    /// The space.
    pub space: SpaceId,
    /// Which life of its log.
    pub epoch: Epoch,
    /// The last entry of its log.
    pub head: Seq,
    /// What this session may do in it.
    pub role: Role,
}

/// The server's answer to an accepted [`Hello`]; the log follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// The version of the protocol that both sides speak from here on.
    pub protocol: u16,
    /// The server.
    pub server: ServerId,
    /// The spaces that this session may see.
    pub spaces: Vec<WelcomeSpace>,
}

/// The server's answer to a [`Hello`] that it does not accept, or the end of a session that it did accept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// The reason, as a code to branch on.
    pub code: Code,
    /// The reason, as a sentence.
    pub message: String,
}

/// One item of a [`Log`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogItem {
    /// An entry with its commit.
    Full(LogEntry),
    /// An entry whose commit this very session pushed.
    Own {
        /// Its place in the space's log.
        seq: Seq,
        /// The server's clock when it was accepted.
        received: Millis,
        /// The commit.
        id: CommitId,
    },
}

impl LogItem {
    /// Its place in the space's log.
    #[must_use]
    pub fn seq(&self) -> Seq {
        match self {
            LogItem::Full(entry) => entry.seq,
            LogItem::Own { seq, .. } => *seq,
        }
    }

    /// The commit's id.
    #[must_use]
    pub fn id(&self) -> CommitId {
        match self {
            LogItem::Full(entry) => entry.commit.id,
            LogItem::Own { id, .. } => *id,
        }
    }

    /// The server's clock when it was accepted.
    #[must_use]
    pub fn received(&self) -> Millis {
        match self {
            LogItem::Full(entry) => entry.received,
            LogItem::Own { received, .. } => *received,
        }
    }

    /// The bytes of its parts, 0 for an own one.
    #[must_use]
    pub fn len_bytes(&self) -> usize {
        match self {
            LogItem::Full(entry) => entry.commit.len_bytes(),
            LogItem::Own { .. } => 0,
        }
    }
}

/// The next entries of a space's log: gap-free, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// The space.
    pub space: SpaceIndex,
    /// The entries.
    pub items: Vec<LogItem>,
}

/// A commit is refused; everything else of this generation is ignored, unread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejected {
    /// The space.
    pub space: SpaceIndex,
    /// The generation of the push that held the commit.
    pub generation: u32,
    /// The refusal.
    pub rejection: Rejection,
}

/// The outbox waits, in order; everything else of this generation is ignored, unread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// The space.
    pub space: SpaceIndex,
    /// The generation of the push that has to wait.
    pub generation: u32,
    /// Why.
    pub status: Status,
    /// How long, in milliseconds.
    pub retry_after_ms: u32,
}

/// What a server sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerFrame {
    /// The session is live.
    Welcome(Welcome),
    /// There is no session.
    Refused(Refused),
    /// The next entries of the log.
    Log(Log),
    /// A commit is refused.
    Rejected(Rejected),
    /// The outbox waits.
    Pause(Pause),
    /// Asks for a pong.
    Ping,
    /// Answers a ping.
    Pong,
}
