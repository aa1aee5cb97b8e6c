use serde::Serialize;
use tombolo_core::{ActorId, Code, Commit, Epoch, Error, Rejection, Seq, ServerId, SpaceId};
use tombolo_protocol::{CloseCode, LogItem};

/// What a client machine is told once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientConfig {
    /// The data folder that writes.
    pub actor: ActorId,
    /// The version of the manifest that the folder is opened with.
    pub manifest_version: u32,
    /// The hash of that manifest.
    pub manifest_hash: String,
}

/// Which space of which server the local space belongs to, and how far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding {
    /// The server.
    pub server: ServerId,
    /// The space.
    pub space: SpaceId,
    /// Which life of the server's log.
    pub epoch: Epoch,
    /// The last entry of the server's log that is durable here.
    pub cursor: Seq,
}

/// How much of the local work is not done, counted by the store.
///
/// They are counted when an input is handed in, not when the transaction that it tells of ended: a hint may have
/// overtaken its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Commits in the outbox.
    pub waiting: u64,
    /// Drafts of refused commits that are still open.
    pub drafts: u64,
}

/// A piece of the outbox.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outbox {
    /// Commits that the server has not acknowledged, in order, each with its place in the local log.
    pub commits: Vec<(Seq, Commit)>,
    /// Whether there are more behind these.
    pub more: bool,
}

/// What is true after entries of the server's log became durable here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Applied {
    /// The last entry that is durable here.
    pub cursor: Seq,
    /// What is left to do.
    pub counts: Counts,
}

/// What a client machine is told as it happens.
#[derive(Debug, Clone, PartialEq)]
pub enum ClientInput {
    /// There is a server to talk to, or a new token for it: begins, or begins again, whatever went before.
    Start {
        /// The proof of who signs in.
        token: String,
        /// The binding as the store has it; none before the first welcome.
        binding: Option<Binding>,
        /// What is left to do.
        counts: Counts,
    },
    /// There is no server any more.
    Stop,
    /// The socket that [`ClientAction::Connect`] asked for is open.
    Opened,
    /// The socket could not be opened, or was closed by the other side or the network.
    Closed {
        /// The number in the close frame, if there was one.
        code: Option<CloseCode>,
        /// What happened, as a sentence.
        reason: String,
    },
    /// A binary message.
    Received(Vec<u8>),
    /// A hint that the outbox has changed.
    CommitsWaiting(Counts),
    /// The answer to [`ClientAction::Bind`]. `CONFLICT` if the folder is bound to something else.
    Bound {
        /// The space.
        space: SpaceId,
        /// Whether it is durable.
        result: Result<(), Error>,
    },
    /// The answer to [`ClientAction::ReadOutbox`].
    OutboxRead {
        /// The space.
        space: SpaceId,
        /// The commits.
        result: Result<Outbox, Error>,
    },
    /// The answer to [`ClientAction::Apply`].
    Applied {
        /// The space.
        space: SpaceId,
        /// Whether all the items and the cursor are durable, in one transaction. On an error nothing was written.
        result: Result<Applied, Error>,
    },
    /// The answer to [`ClientAction::StoreRejection`].
    RejectionStored {
        /// The space.
        space: SpaceId,
        /// Whether the draft and the rewritten outbox are durable, in one transaction.
        result: Result<Counts, Error>,
    },
    /// The deadline has come. Saying so too early or twice does no harm.
    Timer,
    /// The network has changed, or somebody wants to try now: connects at once, and doubts a connection there is.
    /// A pause that the server asked for goes on.
    NetworkChanged,
}

/// What a client machine asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum ClientAction {
    /// Open a socket; answer with `Opened` or `Closed`.
    Connect,
    /// Drop the socket, or the attempt to open one. Nothing of it is reported any more.
    Disconnect {
        /// The number for the close frame.
        code: CloseCode,
        /// Why, as a sentence that fits a close frame.
        reason: String,
    },
    /// Send one binary message.
    Send(Vec<u8>),
    /// Bind the local space in one row change; answer with `Bound`.
    Bind(Binding),
    /// Read commits of the outbox whose place in the local log is above `after`; answer with `OutboxRead`.
    ReadOutbox {
        /// The space.
        space: SpaceId,
        /// The place in the local log to start above.
        after: Seq,
        /// The most commits wanted.
        max_commits: usize,
        /// Stop before the commit that would exceed so many bytes of parts; the first one comes whatever its size.
        max_bytes: usize,
    },
    /// Write the items in order, acknowledge the commits of ours among them, and move the cursor to the last one,
    /// all in one transaction; answer with `Applied`. An item whose commit is known already only acknowledges it.
    Apply {
        /// The space.
        space: SpaceId,
        /// Which life of the server's log.
        epoch: Epoch,
        /// The items, gap-free from the cursor on.
        items: Vec<LogItem>,
    },
    /// Turn the refused commit and whatever depends on it into a draft and write the rest of the outbox again,
    /// in one transaction; answer with `RejectionStored`. Everything accepted before it has been applied.
    StoreRejection {
        /// The space.
        space: SpaceId,
        /// The refusal.
        rejection: Rejection,
    },
    /// The status has changed.
    Report(SyncStatus),
}

/// The sync state in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SyncState {
    /// No server is configured: everything is on this device only.
    Local,
    /// No connection; the next attempt is `retry_in_ms` away.
    Offline,
    /// Connecting or greeting.
    Connecting,
    /// Connected, and something is still on its way, in either direction.
    Sending,
    /// The outbox is empty and the server's log is here up to its head.
    Saved,
    /// The server refuses the session, or refused commits wait for their author.
    Refused,
    /// This device's disk does not take what has to be written.
    NotSaved,
}

/// The sync state for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SyncStatus {
    /// The state.
    pub state: SyncState,
    /// Commits in the outbox.
    pub waiting: u64,
    /// Drafts of refused commits that are still open.
    pub drafts: u64,
    /// Until the next attempt, at the time of the report.
    pub retry_in_ms: Option<u64>,
    /// The reason for `refused`, `not_saved` or `offline`, where there is one.
    pub code: Option<Code>,
    /// The same as a sentence.
    pub message: Option<String>,
}
