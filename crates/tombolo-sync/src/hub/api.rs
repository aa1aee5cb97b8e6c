use std::sync::Arc;
use tombolo_core::{ActorId, Commit, CommitId, Epoch, Error, LogEntry, Seq, ServerId, SpaceId, Verdict};
use tombolo_protocol::{CloseCode, Role};

/// Names one connection. Never used twice in the life of a hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(pub u64);

/// A space that a hub serves, as the store has it when the hub is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HubSpace {
    /// The space.
    pub space: SpaceId,
    /// Which life of its log.
    pub epoch: Epoch,
    /// The last entry of its log.
    pub head: Seq,
}

/// What a hub is told once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubConfig {
    /// The server.
    pub server: ServerId,
    /// The version of the server's manifest; clients with a newer one are refused with `MANIFEST_TOO_NEW`.
    pub manifest_version: u32,
    /// The one space. (A list, because a server will serve several.)
    pub spaces: Vec<HubSpace>,
}

/// What a token proves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// What the account may do.
    pub role: Role,
    /// The account.
    pub account: Arc<str>,
}

/// A page of a space's log, read from disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPage {
    /// The entries above the place that was asked for, gap-free; at least one if there is one.
    pub entries: Vec<LogEntry>,
}

/// What a hub is told as it happens.
#[derive(Debug, Clone, PartialEq)]
pub enum HubInput {
    /// A socket has been accepted.
    Opened {
        /// A fresh id for it.
        session: SessionId,
    },
    /// A binary message.
    Received {
        /// From whom.
        session: SessionId,
        /// The message.
        bytes: Vec<u8>,
    },
    /// The socket is gone, whoever closed it.
    Closed {
        /// Which.
        session: SessionId,
    },
    /// The answer to [`HubAction::Authenticate`].
    Authenticated {
        /// For whom.
        session: SessionId,
        /// What the token proves, or the reason for the refusal.
        result: Result<Grant, Error>,
    },
    /// The answer to [`HubAction::Judge`]: a verdict for each commit in order, up to and including the first
    /// refusal, whose successors stay unread. An error or too few verdicts without a refusal end the session
    /// with [`CloseCode::INTERNAL`], and its client tries again.
    Judged {
        /// For whom.
        session: SessionId,
        /// The space.
        space: SpaceId,
        /// The generation of the batch.
        generation: u32,
        /// The verdicts. `Accepted` only for what is durable.
        result: Result<Vec<(CommitId, Verdict)>, Error>,
        /// How long to wait after a refusal that pauses, if the judge knows.
        retry_after_ms: Option<u32>,
    },
    /// The answer to [`HubAction::ReadLog`].
    LogRead {
        /// For whom.
        session: SessionId,
        /// The space.
        space: SpaceId,
        /// The page.
        result: Result<LogPage, Error>,
    },
    /// Entries became durable in a space's log: each exactly once, in order, whatever wrote them.
    Committed {
        /// The space.
        space: SpaceId,
        /// The entries, gap-free from the last ones on.
        entries: Vec<LogEntry>,
        /// The session whose push they are.
        from: Option<SessionId>,
    },
    /// So many bytes of what [`HubAction::Send`] handed over were written to the socket.
    Sent {
        /// Which.
        session: SessionId,
        /// Bytes of messages.
        bytes: usize,
    },
    /// A text message came: the session is closed.
    ReceivedText {
        /// From whom.
        session: SessionId,
    },
    /// A session loses its right to go on, for example when its token ends: it is told why and closed.
    Refuse {
        /// Which.
        session: SessionId,
        /// Why.
        error: Error,
    },
    /// The deadline has come. Saying so too early or twice does no harm.
    Timer,
}

/// What a hub asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum HubAction {
    /// Find out who this is; answer with `Authenticated`.
    Authenticate {
        /// For whom.
        session: SessionId,
        /// The proof of who signs in.
        token: String,
        /// The data folder that wants to write.
        actor: ActorId,
        /// The version of the client's manifest, not above the server's.
        manifest_version: u32,
        /// The hash of the client's manifest.
        manifest_hash: String,
    },
    /// Judge commits in order and make the accepted ones durable; answer with `Committed` and `Judged`, in either
    /// order. A commit that is in the log already is accepted with the place it has. One batch a session is
    /// outstanding at a time, and it is finished even if the session closes meanwhile.
    Judge {
        /// For whom.
        session: SessionId,
        /// The data folder that writes.
        actor: ActorId,
        /// The account.
        account: Arc<str>,
        /// What it may do.
        role: Role,
        /// The space.
        space: SpaceId,
        /// The generation of the batch.
        generation: u32,
        /// The commits.
        commits: Vec<Commit>,
    },
    /// Read a page of the log above `after`; answer with `LogRead`.
    ReadLog {
        /// For whom.
        session: SessionId,
        /// The space.
        space: SpaceId,
        /// The last entry that the session has.
        after: Seq,
        /// Stop before the entry that would exceed so many bytes of parts; the first one comes whatever its size.
        max_bytes: usize,
        /// The most entries wanted.
        max_entries: usize,
    },
    /// Send one binary message; many sessions share its bytes. Answer with `Sent` as it is written.
    Send {
        /// To whom.
        session: SessionId,
        /// The message.
        bytes: Arc<[u8]>,
    },
    /// Send what was handed over, then close. Nothing of the session is reported any more but `Closed`.
    Close {
        /// Which.
        session: SessionId,
        /// The number for the close frame.
        code: CloseCode,
        /// Why, as a sentence that fits a close frame.
        reason: String,
    },
}
