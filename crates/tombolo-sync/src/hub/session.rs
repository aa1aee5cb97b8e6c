//! One connection as the hub sees it.

use super::tail::Place;
use super::{Grant, HubAction, SessionId};
use crate::timing::{DEAD_AFTER_MS, Keepalive};
use std::collections::VecDeque;
use std::sync::Arc;
use tombolo_core::{ActorId, Commit, CommitId, LogEntry, Millis, Seq, SpaceId};
use tombolo_protocol::{Acknowledged, Hello, Pause, Push, Rejected, ServerCodec, limit};

/// Until when a session has to say hello, and then to be authenticated.
pub(super) const HELLO_MS: Millis = 10_000;
pub(super) const AUTHENTICATE_MS: Millis = 30_000;
/// Pings and pongs that a session may send at once, and how often it gets another.
const CHATTER: u32 = 16;
const CHATTER_MS: Millis = 1_000;
/// With one more message this is what may be with the driver: 1 MiB.
const SENDING_BYTES: usize = 1024 * 1024 - limit::FRAME_BYTES;
/// How many pushed commits, and bytes of them, may wait for the judge before the socket is left unread.
const PUSHED_COMMITS: usize = 256;
const PUSHED_BYTES: usize = 1024 * 1024;
/// What one judgement takes (or one larger commit).
const JUDGE_COMMITS: usize = 256;
const JUDGE_BYTES: usize = 1024 * 1024;

#[derive(Debug)]
pub(super) struct Session {
    pub(super) codec: ServerCodec,
    pub(super) state: State,
    pub(super) keepalive: Keepalive,
    /// When the hub looks at this session next.
    pub(super) timer: Millis,
    /// What goes out when the driver has room.
    outgoing: VecDeque<Arc<[u8]>>,
    /// Bytes that the driver has and has not written.
    sending: usize,
    /// When the driver last wrote something, or began to have something to write.
    progressed: Millis,
    chatter: u32,
    chatter_since: Millis,
}

#[derive(Debug)]
pub(super) enum State {
    Greeting { until: Millis },
    Authenticating { until: Millis, hello: Hello },
    Live(Box<Live>),
}

#[derive(Debug)]
pub(super) struct Live {
    pub(super) actor: ActorId,
    pub(super) grant: Grant,
    /// Which of the hub's spaces it follows; none if the client has to find out that it cannot.
    pub(super) follows: Option<usize>,
    pub(super) place: Place,
    /// A page of the log is being read for it.
    pub(super) reading: bool,
    /// The generation of the latest push.
    generation: u32,
    /// Pushes of this generation and older ones are ignored.
    refused: u32,
    /// What the client is told once it has been sent everything up to a place.
    pub(super) notice: Option<(Seq, Notice)>,
    pushed: VecDeque<(u64, Commit)>,
    pushed_bytes: usize,
    /// What is being judged, by ordinal.
    pub(super) judging: Option<Vec<(u64, CommitId)>>,
    /// Pushes that the log may show as this session's own, by ordinal.
    awaiting: VecDeque<(u64, CommitId)>,
    /// The last place of the log that a push of this session got.
    pub(super) accepted: Seq,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Notice {
    Rejected(Rejected),
    Pause(Pause),
}

impl Session {
    pub(super) fn new(now: Millis) -> Self {
        Self {
            codec: ServerCodec::new(),
            state: State::Greeting { until: now + HELLO_MS },
            keepalive: Keepalive::new(now),
            timer: now + HELLO_MS,
            outgoing: VecDeque::new(),
            sending: 0,
            progressed: now,
            chatter: CHATTER,
            chatter_since: now,
        }
    }

    pub(super) fn wants_input(&self) -> bool {
        match &self.state {
            State::Greeting { .. } => true,
            State::Authenticating { .. } => false,
            State::Live(live) => live.pushed.len() < PUSHED_COMMITS && live.pushed_bytes < PUSHED_BYTES,
        }
    }

    pub(super) fn deadline(&self) -> Millis {
        let deadline = match &self.state {
            State::Greeting { until } | State::Authenticating { until, .. } => *until,
            State::Live(_) => self.keepalive.deadline(),
        };
        if self.sending > 0 { deadline.min(self.progressed + DEAD_AFTER_MS) } else { deadline }
    }

    /// Whether the other side has not read anything for too long.
    pub(super) fn is_stuck(&self, now: Millis) -> bool {
        self.sending > 0 && now >= self.progressed + DEAD_AFTER_MS
    }

    /// Takes note of a frame that nothing else limits; false if there are too many.
    pub(super) fn may_chat(&mut self, now: Millis) -> bool {
        let earned = u32::try_from((now - self.chatter_since) / CHATTER_MS).unwrap_or(0);
        if earned > 0 {
            self.chatter = self.chatter.saturating_add(earned).min(CHATTER);
            self.chatter_since = now;
        }
        self.chatter = self.chatter.saturating_sub(1);
        self.chatter > 0
    }

    pub(super) fn queue(&mut self, message: Arc<[u8]>) {
        self.outgoing.push_back(message);
    }

    /// Whether the session can take more of the log.
    pub(super) fn has_room(&self) -> bool {
        self.outgoing.is_empty() && self.sending < SENDING_BYTES
    }

    pub(super) fn sent(&mut self, bytes: usize, now: Millis) {
        self.sending = self.sending.saturating_sub(bytes);
        self.progressed = now;
    }

    /// Hands over what the driver has room for.
    pub(super) fn flush(&mut self, session: SessionId, actions: &mut VecDeque<HubAction>, now: Millis) {
        while self.sending < SENDING_BYTES
            && let Some(bytes) = self.outgoing.pop_front()
        {
            if self.sending == 0 {
                self.progressed = now;
            }
            self.sending += bytes.len();
            actions.push_back(HubAction::Send { session, bytes });
        }
    }
}

impl Live {
    pub(super) fn new(actor: ActorId, grant: Grant, follows: Option<usize>, cursor: Seq) -> Self {
        Self {
            actor,
            grant,
            follows,
            place: Place { cursor, fresh_from: None },
            reading: false,
            generation: 0,
            refused: 0,
            notice: None,
            pushed: VecDeque::new(),
            pushed_bytes: 0,
            judging: None,
            awaiting: VecDeque::new(),
            accepted: Seq(0),
        }
    }

    /// Takes a push unless its generation is refused. False if the generation is neither the last one nor, after a
    /// refusal, a later one.
    pub(super) fn push(&mut self, push: Push) -> bool {
        let may_grow = self.refused >= self.generation;
        if push.generation < self.generation || (push.generation > self.generation && !may_grow) {
            return false;
        }
        self.generation = push.generation;
        if push.generation > self.refused {
            for (ordinal, commit) in (push.ordinal..).zip(push.commits) {
                self.pushed_bytes += commit.len_bytes();
                self.pushed.push_back((ordinal, commit));
            }
        }
        true
    }

    /// Whether pushes of this generation are ignored.
    pub(super) fn refuses(&self, generation: u32) -> bool {
        generation <= self.refused
    }

    /// The next batch for the judge, if it is free and there is one.
    pub(super) fn judge(&mut self, session: SessionId, space: SpaceId) -> Option<HubAction> {
        if self.judging.is_some() || self.pushed.is_empty() {
            return None;
        }
        let (mut commits, mut batch, mut bytes) = (Vec::new(), Vec::new(), 0);
        while let Some((ordinal, commit)) = self.pushed.front() {
            let cost = commit.len_bytes();
            if !commits.is_empty() && (commits.len() == JUDGE_COMMITS || bytes + cost > JUDGE_BYTES) {
                break;
            }
            bytes += cost;
            batch.push((*ordinal, commit.id));
            commits.extend(self.pushed.pop_front().map(|(_, commit)| commit));
        }
        self.pushed_bytes -= bytes;
        self.awaiting.extend(&batch);
        self.judging = Some(batch);
        Some(HubAction::Judge {
            session,
            actor: self.actor,
            account: self.grant.account.clone(),
            role: self.grant.role,
            space,
            generation: self.generation,
            commits,
        })
    }

    /// Forgets a commit that the log showed before.
    pub(super) fn known(&mut self, ordinal: u64) {
        self.awaiting.retain(|(awaiting, _)| *awaiting != ordinal);
    }

    /// From this ordinal on, nothing of the generation is read. The client is told in its turn.
    pub(super) fn refuse(&mut self, generation: u32, ordinal: u64, notice: Notice) {
        self.refused = generation;
        self.pushed.clear();
        self.pushed_bytes = 0;
        self.awaiting.retain(|(awaiting, _)| *awaiting < ordinal);
        self.notice = Some((self.accepted, notice));
    }

    /// The acknowledgements for entries that this session pushed, if all of them are.
    pub(super) fn acknowledge(&mut self, entries: &[LogEntry]) -> Option<Vec<Acknowledged>> {
        let mut acks = Vec::with_capacity(entries.len());
        let mut awaiting = self.awaiting.iter();
        for entry in entries {
            let (ordinal, _) = *awaiting.find(|(_, id)| *id == entry.commit.id)?;
            acks.push(Acknowledged { ordinal, seq: entry.seq, received: entry.received });
        }
        let left = awaiting.len();
        self.awaiting.drain(..self.awaiting.len() - left);
        Some(acks)
    }
}
