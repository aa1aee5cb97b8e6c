//! The server's sessions.
//!
//! | session | input | what happens | next |
//! |---|---|---|---|
//! | – | `Opened` | | greeting |
//! | greeting | hello | `Authenticate` | authenticating |
//! | greeting | anything else, or nothing for 10 s | `Close` | – |
//! | authenticating | `Authenticated` | welcome, and then the log from the client's cursor | live |
//! | authenticating | `Authenticated` with an error | refused, `Close` | – |
//! | live | push | queued → `Judge` → `Judged`, one batch at a time; ignored if its generation is refused | live |
//! | live | `Judged` with a refusal | forgets what was pushed after it; tells the client once it was sent all that was accepted before | live |
//! | live | `Committed` | a frame from the shared tail; acknowledgements to the session that pushed it | live |
//! | live | `Sent`, `LogRead` | goes on from its cursor: from the tail if it reaches so far, else `ReadLog` | live |
//! | any | `Closed` | | – |
//! | any | malformed bytes, silence for 45 s, no reading for 45 s, too many pings | `Close` | – |
//!
//! A session is a place in the log. What is committed is encoded once; a session that reads slowly costs a place, not
//! a copy. The driver holds at most 1 MiB for a session, and gets more as it reports `Sent`.

mod api;
mod session;
mod tail;

pub use api::*;

use crate::timing::{Silence, close_reason};
use session::{AUTHENTICATE_MS, Live, Notice, Session, State};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use tail::SpaceLog;
use tombolo_core::{Code, CommitId, Error, LogEntry, Millis, Rejection, Seq, SpaceId, Status, Verdict};
use tombolo_protocol::{
    ClientFrame, CloseCode, Hello, PING, PONG, PROTOCOLS, Pause, Push, Refused, Rejected, SpaceIndex,
    Welcome, WelcomeSpace,
};

/// What one read of the log from disk gives.
const PAGE_BYTES: usize = 256 * 1024;
const PAGE_ENTRIES: usize = 4096;
/// How long the outbox waits where the judge does not say.
const RATE_PAUSE_MS: u32 = 1_000;
const QUOTA_PAUSE_MS: u32 = 60_000;

/// A server's sessions and the shared tail of its log.
///
/// Needs no randomness. See the [crate's example](crate) for how to drive it.
#[derive(Debug)]
pub struct Hub {
    config: HubConfig,
    spaces: Vec<SpaceLog>,
    sessions: BTreeMap<SessionId, Session>,
    timers: BTreeSet<(Millis, SessionId)>,
    actions: VecDeque<HubAction>,
}

/// Why a session is closed, and whether its client is told in a frame as well.
struct End {
    close: CloseCode,
    reason: String,
    refused: Option<Refused>,
}

impl End {
    fn new(close: CloseCode, reason: impl Into<String>) -> Self {
        Self { close, reason: reason.into(), refused: None }
    }

    /// What exactly is wrong is the server's own affair.
    fn trouble() -> Self {
        Self::new(CloseCode::INTERNAL, "the server has a problem; try again later")
    }

    fn refused(error: Error) -> Self {
        let close = CloseCode::of(error.code);
        let refused = Refused { code: error.code, message: error.message.clone() };
        Self { close, reason: error.message, refused: Some(refused) }
    }
}

impl Hub {
    /// A hub without sessions.
    #[must_use]
    pub fn new(config: HubConfig) -> Self {
        let spaces = (0..).zip(&config.spaces).map(|(index, space)| SpaceLog::new(space, index)).collect();
        Self { config, spaces, sessions: BTreeMap::new(), timers: BTreeSet::new(), actions: VecDeque::new() }
    }

    /// Tells the machine what happened. `now` is a monotonic clock in milliseconds.
    ///
    /// What concerns a session that is closed is ignored.
    pub fn handle(&mut self, input: HubInput, now: Millis) {
        match input {
            HubInput::Opened { session } => {
                let opened = Session::new(now);
                self.timers.insert((opened.timer, session));
                self.sessions.insert(session, opened);
            }
            HubInput::Closed { session } => self.forget(session),
            HubInput::Committed { space, entries, from } => self.committed(space, entries, from, now),
            HubInput::Timer => self.timer(now),
            HubInput::Received { session, bytes } => {
                self.with(session, now, |hub| hub.received(session, &bytes, now))
            }
            HubInput::ReceivedText { session } => {
                self.with(session, now, |_| Err(End::new(CloseCode::TEXT, "all messages are binary")))
            }
            HubInput::Authenticated { session, result } => {
                self.with(session, now, |hub| hub.authenticated(session, result, now));
            }
            HubInput::Judged { session, space, generation, result, retry_after_ms } => {
                self.with(session, now, |hub| {
                    let verdicts = result.map_err(|_| End::trouble())?;
                    hub.judged(session, space, generation, verdicts, retry_after_ms, now)
                });
            }
            HubInput::LogRead { session, result, .. } => {
                self.with(session, now, |hub| hub.log_read(session, result));
            }
            HubInput::Sent { session, bytes } => self.with(session, now, |hub| {
                if let Some(session) = hub.sessions.get_mut(&session) {
                    session.sent(bytes, now);
                }
                Ok(())
            }),
            HubInput::Refuse { session, error } => self.with(session, now, |_| Err(End::refused(error))),
        }
    }

    /// What to do next. Call until there is none after each [`handle`](Self::handle).
    pub fn poll(&mut self) -> Option<HubAction> {
        self.actions.pop_front()
    }

    /// When to hand in [`HubInput::Timer`], on the clock of `handle`.
    #[must_use]
    pub fn deadline(&self) -> Option<Millis> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// Whether the session's socket should be read. While it is false, the network holds what the client sends.
    #[must_use]
    pub fn wants_input(&self, session: SessionId) -> bool {
        self.sessions.get(&session).is_some_and(Session::wants_input)
    }

    /// How many sessions are open.
    #[must_use]
    pub fn session_count(&self) -> usize {
        self.sessions.len()
    }

    /// Does something for a session that is there, then whatever has become possible for it, or ends it.
    fn with(&mut self, session: SessionId, now: Millis, act: impl FnOnce(&mut Self) -> Result<(), End>) {
        if !self.sessions.contains_key(&session) {
            return;
        }
        match act(self) {
            Ok(()) => self.proceed(session, now),
            Err(end) => self.end(session, end),
        }
    }

    fn end(&mut self, session: SessionId, end: End) {
        if let Some(ended) = self.sessions.get(&session)
            && let Some(refused) = &end.refused
        {
            let bytes = ended.codec.refused(refused).into();
            self.actions.push_back(HubAction::Send { session, bytes });
        }
        self.actions.push_back(HubAction::Close {
            session,
            code: end.close,
            reason: close_reason(&end.reason),
        });
        self.forget(session);
    }

    fn forget(&mut self, session: SessionId) {
        if let Some(forgotten) = self.sessions.remove(&session) {
            self.timers.remove(&(forgotten.timer, session));
        }
    }

    fn received(&mut self, id: SessionId, bytes: &[u8], now: Millis) -> Result<(), End> {
        let Some(session) = self.sessions.get_mut(&id) else {
            return Ok(());
        };
        session.keepalive.heard(now);
        let frame = match session.codec.decode(bytes) {
            Ok(Some(frame)) => frame,
            Ok(None) => return Ok(()),
            Err(error) => return Err(End::new(error.close_code(), error.to_string())),
        };
        let is_live = matches!(session.state, State::Live(_));
        match frame {
            ClientFrame::Hello(hello) if !is_live => self.hello(id, hello, now),
            ClientFrame::Push(push) if is_live => self.push(id, push),
            ClientFrame::Ping | ClientFrame::Pong if is_live && !session.may_chat(now) => {
                Err(End::new(CloseCode::FLOOD, "too many pings"))
            }
            ClientFrame::Ping if is_live => {
                session.queue(Arc::new(PONG));
                Ok(())
            }
            ClientFrame::Pong if is_live => Ok(()),
            _ => Err(End::new(CloseCode::PROTOCOL, "a frame out of order")),
        }
    }

    fn hello(&mut self, id: SessionId, hello: Hello, now: Millis) -> Result<(), End> {
        if !hello.protocols.iter().any(|version| PROTOCOLS.contains(version)) {
            let message = "the server speaks another version of the protocol";
            return Err(End::refused(Error::new(Code::ProtocolUnsupported, message)));
        }
        if hello.manifest_version > self.config.manifest_version {
            let message = format!("the server has version {} of the manifest", self.config.manifest_version);
            return Err(End::refused(Error::new(Code::ManifestTooNew, message)));
        }
        self.actions.push_back(HubAction::Authenticate {
            session: id,
            token: hello.token.clone(),
            actor: hello.actor,
            manifest_version: hello.manifest_version,
            manifest_hash: hello.manifest_hash.clone(),
        });
        if let Some(session) = self.sessions.get_mut(&id) {
            session.state = State::Authenticating { until: now + AUTHENTICATE_MS, hello };
        }
        Ok(())
    }

    fn authenticated(&mut self, id: SessionId, result: Result<Grant, Error>, now: Millis) -> Result<(), End> {
        let grant = result.map_err(End::refused)?;
        let Some(session) = self.sessions.get_mut(&id) else {
            return Ok(());
        };
        let State::Authenticating { hello, .. } = &session.state else {
            return Ok(());
        };
        let protocol = hello.protocols.iter().find(|version| PROTOCOLS.contains(version));
        let spaces = self.spaces.iter().map(|log| WelcomeSpace {
            index: log.index,
            space: log.space,
            epoch: log.epoch,
            head: log.durable,
            role: grant.role,
        });
        let welcome = Welcome {
            protocol: protocol.copied().unwrap_or(PROTOCOLS[0]),
            server: self.config.server,
            spaces: spaces.collect(),
        };
        let followed = follow(&self.spaces, hello);
        let (follows, cursor) = followed.map_or((None, Seq(0)), |(space, cursor)| (Some(space), cursor));
        let live = Live::new(hello.actor, grant, follows, cursor);
        let message = session.codec.welcome(&welcome);
        session.queue(message.into());
        session.keepalive.heard(now);
        session.state = State::Live(Box::new(live));
        Ok(())
    }

    fn push(&mut self, id: SessionId, push: Push) -> Result<(), End> {
        let Some(Session { state: State::Live(live), .. }) = self.sessions.get_mut(&id) else {
            return Ok(());
        };
        let followed = live.follows.and_then(|space| self.spaces.get(space));
        let first = push.commits.first().map(|commit| commit.id);
        let (space, generation, ordinal) = (push.space, push.generation, push.ordinal);
        let Some(commit) = first.filter(|_| followed.is_some_and(|log| log.index == space)) else {
            return Err(End::new(
                CloseCode::PROTOCOL,
                "a push of nothing, or to a space that is not followed",
            ));
        };
        if !live.push(push) {
            return Err(End::new(CloseCode::PROTOCOL, "a push of an unexpected generation"));
        }
        if !live.grant.role.may_push() && !live.refuses(generation) {
            let message = "your role in this workspace is to read".to_owned();
            let rejection = Rejection { commit, status: Status::Denied, code: Code::PolicyDenied, message };
            live.refuse(generation, ordinal, Notice::Rejected(Rejected { space, generation, rejection }));
        }
        Ok(())
    }

    fn judged(
        &mut self,
        id: SessionId,
        space: SpaceId,
        generation: u32,
        verdicts: Vec<(CommitId, Verdict)>,
        retry_after_ms: Option<u32>,
        now: Millis,
    ) -> Result<(), End> {
        let Some(session) = self.sessions.get_mut(&id) else {
            return Ok(());
        };
        let State::Live(live) = &mut session.state else {
            return Ok(());
        };
        let Some((log, batch)) = self.spaces.iter().find(|log| log.space == space).zip(live.judging.take())
        else {
            return Ok(());
        };
        // The socket may have been left unread meanwhile.
        session.keepalive.heard(now);
        let mut refused = false;
        let mut judged = 0;
        for ((ordinal, asked), (commit, verdict)) in batch.iter().zip(verdicts) {
            if *asked != commit {
                break;
            }
            judged += 1;
            match verdict {
                Verdict::Accepted { seq, .. } => {
                    live.accepted = live.accepted.max(seq);
                    if seq <= log.head {
                        live.known(*ordinal);
                    }
                }
                Verdict::Rejected(rejection) => {
                    let notice = notice(log.index, generation, rejection, retry_after_ms);
                    live.refuse(generation, *ordinal, notice);
                    refused = true;
                    break;
                }
            }
        }
        if refused || judged == batch.len() {
            return Ok(());
        }
        Err(End::trouble())
    }

    fn log_read(&mut self, id: SessionId, result: Result<LogPage, Error>) -> Result<(), End> {
        let Some(session) = self.sessions.get_mut(&id) else {
            return Ok(());
        };
        let State::Live(live) = &mut session.state else {
            return Ok(());
        };
        live.reading = false;
        let page = result.map_err(|_| End::trouble())?;
        let Some(log) = live.follows.and_then(|space| self.spaces.get_mut(space)) else {
            return Ok(());
        };
        let Some(messages) = log.page(&page.entries, &mut live.place) else {
            return Err(End::trouble());
        };
        for message in messages {
            session.queue(message);
        }
        Ok(())
    }

    fn committed(&mut self, space: SpaceId, entries: Vec<LogEntry>, from: Option<SessionId>, now: Millis) {
        let Some(at) = self.spaces.iter().position(|log| log.space == space) else {
            return;
        };
        let Self { spaces, sessions, .. } = self;
        let mut owner = from.and_then(|id| Some((id, sessions.get_mut(&id)?)));
        spaces[at].commit(entries, |entries| match &mut owner {
            Some((id, Session { state: State::Live(live), .. })) => Some((*id, live.acknowledge(entries)?)),
            _ => None,
        });
        let Self { spaces, sessions, actions, .. } = self;
        for (id, session) in sessions {
            proceed(*id, session, spaces, actions, now);
        }
    }

    fn proceed(&mut self, id: SessionId, now: Millis) {
        if let Some(session) = self.sessions.get_mut(&id) {
            proceed(id, session, &mut self.spaces, &mut self.actions, now);
        }
    }

    fn timer(&mut self, now: Millis) {
        while let Some((_, id)) = self.timers.first().copied().filter(|(at, _)| *at <= now) {
            self.timers.pop_first();
            let Some(session) = self.sessions.get_mut(&id) else {
                continue;
            };
            match look(session, now) {
                Ok(()) => {
                    // Later than now, so that this loop ends.
                    session.timer = session.deadline().max(now + 1);
                    self.timers.insert((session.timer, id));
                    self.proceed(id, now);
                }
                Err(end) => self.end(id, end),
            }
        }
    }
}

/// Which space a session follows and from where, if the server has what the client thinks it has.
fn follow(spaces: &[SpaceLog], hello: &Hello) -> Option<(usize, Seq)> {
    let wanted = hello.spaces.first()?;
    let at = match wanted.space {
        None => 0,
        Some(space) => spaces.iter().position(|log| log.space == space)?,
    };
    let log = spaces.get(at)?;
    match wanted.cursor {
        None => Some((at, Seq(0))),
        Some(cursor) if cursor.epoch == log.epoch && cursor.seq <= log.durable => Some((at, cursor.seq)),
        Some(_) => None,
    }
}

fn notice(space: SpaceIndex, generation: u32, rejection: Rejection, retry_after_ms: Option<u32>) -> Notice {
    let status = rejection.status;
    if !status.pauses() {
        return Notice::Rejected(Rejected { space, generation, rejection });
    }
    let usual = if status == Status::QuotaExceeded { QUOTA_PAUSE_MS } else { RATE_PAUSE_MS };
    Notice::Pause(Pause { space, generation, status, retry_after_ms: retry_after_ms.unwrap_or(usual) })
}

/// Whether a session may go on.
fn look(session: &mut Session, now: Millis) -> Result<(), End> {
    match &session.state {
        State::Greeting { until } if now >= *until => {
            return Err(End::new(CloseCode::SILENT, "no hello came"));
        }
        State::Authenticating { until, .. } if now >= *until => {
            return Err(End::trouble());
        }
        State::Live(_) => {}
        _ => return Ok(()),
    }
    if session.is_stuck(now) {
        return Err(End::new(CloseCode::SLOW, "nothing is being read"));
    }
    if !session.wants_input() {
        // Nobody reads, so silence proves nothing.
        session.keepalive.heard(now);
    }
    match session.keepalive.check(now) {
        Silence::Short => Ok(()),
        Silence::Ping => {
            session.queue(Arc::new(PING));
            Ok(())
        }
        Silence::Dead => Err(End::new(CloseCode::SILENT, "the client does not answer")),
    }
}

/// Does what has become possible for a session.
fn proceed(
    id: SessionId,
    session: &mut Session,
    spaces: &mut [SpaceLog],
    actions: &mut VecDeque<HubAction>,
    now: Millis,
) {
    session.flush(id, actions, now);
    loop {
        let room = session.has_room();
        let State::Live(live) = &mut session.state else {
            return;
        };
        let Some(log) = live.follows.and_then(|space| spaces.get_mut(space)) else {
            return;
        };
        if let Some(judge) = live.judge(id, log.space) {
            actions.push_back(judge);
        }
        if let Some((after, _)) = &live.notice
            && *after <= live.place.cursor
            && let Some((_, notice)) = live.notice.take()
        {
            let message = match &notice {
                Notice::Rejected(rejected) => session.codec.rejected(rejected),
                Notice::Pause(pause) => session.codec.pause(pause),
            };
            session.queue(message.into());
            session.flush(id, actions, now);
            continue;
        }
        if !room || live.reading || live.place.cursor >= log.head {
            return;
        }
        match log.next(id, &mut live.place) {
            Some(messages) => messages.into_iter().for_each(|message| session.queue(message)),
            None => {
                live.reading = true;
                actions.push_back(HubAction::ReadLog {
                    session: id,
                    space: log.space,
                    after: live.place.cursor,
                    max_bytes: PAGE_BYTES,
                    max_entries: PAGE_ENTRIES,
                });
            }
        }
        session.flush(id, actions, now);
    }
}

#[cfg(test)]
mod tests;
