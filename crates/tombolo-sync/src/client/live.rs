//! The client's session while it is live.

use super::{ClientAction, Core, End, Outbox};
use crate::timing::{Keepalive, Silence};
use std::collections::{BTreeSet, VecDeque};
use tombolo_core::{Code, CommitId, Epoch, Millis, Rejection, Seq, SpaceId, Status};
use tombolo_protocol::{
    ClientCodec, CloseCode, Log, LogItem, PING, Pause, Rejected, ServerFrame, SpaceIndex, WelcomeSpace,
};

/// How many commits may be on their way to the server, and how many bytes of them (or one larger commit).
const WINDOW_COMMITS: usize = 64;
const WINDOW_BYTES: usize = 1024 * 1024;
/// How much of the log one transaction takes (or one larger entry).
const APPLY_ITEMS: usize = 1024;
const APPLY_BYTES: usize = 1024 * 1024;
/// How much of the log may wait for the disk before the socket is left unread.
const QUEUE_ITEMS: usize = 8 * 1024;
const QUEUE_BYTES: usize = 4 * 1024 * 1024;
/// Beside their bytes, commits and entries cost this much.
const ITEM_BYTES: usize = 128;
/// After a network change the server has this long to show that it is there.
const DOUBT_MS: Millis = 5_000;
/// A session that lived this long was a success even if nothing happened in it.
const SUCCESS_MS: Millis = 60_000;
/// The server asks for a pause, but not for any.
const PAUSE_MIN_MS: u32 = 100;
const PAUSE_MAX_MS: u32 = 15 * 60_000;

#[derive(Debug)]
pub(super) struct Live {
    pub(super) codec: ClientCodec,
    pub(super) keepalive: Keepalive,
    space: SpaceId,
    index: SpaceIndex,
    epoch: Epoch,
    since: Millis,
    applied_something: bool,
    /// The server's log as far as its head is known.
    head: Seq,
    /// The last entry that came.
    received: Seq,
    /// The last entry that is durable here.
    cursor: Seq,
    /// What came and is not being applied yet.
    queue: VecDeque<LogItem>,
    queue_bytes: usize,
    /// Commits that came and are not durable here, so that the outbox may still show them.
    arrived: BTreeSet<CommitId>,
    /// Those that became durable while the outbox was being read, which may have read them before.
    arrived_while_reading: BTreeSet<CommitId>,
    /// What the transaction under way takes.
    applying: Vec<CommitId>,
    generation: u32,
    in_flight: VecDeque<(CommitId, usize)>,
    in_flight_bytes: usize,
    /// Where in the local log to read on.
    read_after: Seq,
    /// Whether there may be more to read.
    more: bool,
    /// The outbox changed while it was being read.
    changed: bool,
    /// The read under way began before the outbox was written again.
    stale: bool,
    halt: Halt,
}

/// Why nothing is pushed.
#[derive(Debug)]
enum Halt {
    No,
    /// Waits until everything that came before the refusal is durable.
    Rejecting {
        rejection: Rejection,
        barrier: Seq,
    },
    Storing,
    Paused {
        until: Millis,
        status: Status,
    },
}

impl Live {
    pub(super) fn new(codec: ClientCodec, space: &WelcomeSpace, cursor: Seq, now: Millis) -> Self {
        Self {
            codec,
            keepalive: Keepalive::new(now),
            space: space.space,
            index: space.index,
            epoch: space.epoch,
            since: now,
            applied_something: false,
            head: space.head,
            received: cursor,
            cursor,
            queue: VecDeque::new(),
            queue_bytes: 0,
            arrived: BTreeSet::new(),
            arrived_while_reading: BTreeSet::new(),
            applying: Vec::new(),
            generation: 1,
            in_flight: VecDeque::new(),
            in_flight_bytes: 0,
            read_after: Seq(0),
            more: true,
            changed: false,
            stale: false,
            halt: Halt::No,
        }
    }

    pub(super) fn deadline(&self) -> Millis {
        match self.halt {
            Halt::Paused { until, .. } => until.min(self.keepalive.deadline()),
            _ => self.keepalive.deadline(),
        }
    }

    pub(super) fn wants_input(&self) -> bool {
        self.queue.len() < QUEUE_ITEMS && self.queue_bytes < QUEUE_BYTES
    }

    pub(super) fn got_something_done(&self, now: Millis) -> bool {
        self.applied_something || now - self.since >= SUCCESS_MS
    }

    /// Whether the server's log is here up to its head, as far as that is known.
    pub(super) fn is_caught_up(&self) -> bool {
        self.cursor >= self.head && self.cursor == self.received
    }

    /// The pause that the server asked for.
    pub(super) fn pause(&self) -> Option<(Millis, Code)> {
        match self.halt {
            Halt::Paused { until, status: Status::QuotaExceeded } => Some((until, Code::QuotaExceeded)),
            Halt::Paused { until, .. } => Some((until, Code::RateLimited)),
            _ => None,
        }
    }

    pub(super) fn outbox_changed(&mut self, core: &Core) {
        self.more = true;
        self.changed = core.busy.read;
    }

    pub(super) fn doubt(&mut self, core: &mut Core, now: Millis) {
        self.keepalive.doubt(now, DOUBT_MS);
        core.actions.push_back(ClientAction::Send(PING.to_vec()));
    }

    pub(super) fn timer(&mut self, core: &mut Core, now: Millis) -> Result<(), End> {
        if let Halt::Paused { until, .. } = self.halt
            && now >= until
        {
            self.push_again(core.busy.read);
        }
        if !self.wants_input() {
            // Nobody reads, so silence proves nothing.
            self.keepalive.heard(now);
        }
        match self.keepalive.check(now) {
            Silence::Short => Ok(()),
            Silence::Ping => {
                core.actions.push_back(ClientAction::Send(PING.to_vec()));
                Ok(())
            }
            Silence::Dead => {
                Err(End::new(CloseCode::SILENT, Code::ServerUnreachable, "the server does not answer"))
            }
        }
    }

    pub(super) fn frame(&mut self, core: &mut Core, frame: ServerFrame, now: Millis) -> Result<(), End> {
        match frame {
            ServerFrame::Log(log) => self.log(log),
            ServerFrame::Rejected(rejected) => {
                self.rejected(rejected, core.busy.read);
                Ok(())
            }
            ServerFrame::Pause(pause) => {
                self.paused(pause, now);
                Ok(())
            }
            _ => Err(End::new(CloseCode::PROTOCOL, Code::InvalidData, "a frame out of order")),
        }
    }

    fn log(&mut self, log: Log) -> Result<(), End> {
        if log.space != self.index {
            return Err(End::new(CloseCode::PROTOCOL, Code::InvalidData, "the log of another space"));
        }
        for item in log.items {
            if item.seq() != self.received.next() {
                let message = format!("the log has a gap between {} and {}", self.received, item.seq());
                return Err(End::new(CloseCode::PROTOCOL, Code::InvalidData, message));
            }
            self.received = item.seq();
            self.head = self.head.max(self.received);
            self.arrived.insert(item.id());
            self.acknowledge(item.id());
            self.queue_bytes += item.len_bytes() + ITEM_BYTES;
            self.queue.push_back(item);
        }
        Ok(())
    }

    fn acknowledge(&mut self, id: CommitId) {
        if let Some(place) = self.in_flight.iter().position(|(pushed, _)| *pushed == id)
            && let Some((_, bytes)) = self.in_flight.remove(place)
        {
            self.in_flight_bytes -= bytes;
        }
    }

    fn rejected(&mut self, rejected: Rejected, reading: bool) {
        // Another generation's refusal was answered already.
        if rejected.space == self.index
            && rejected.generation == self.generation
            && matches!(self.halt, Halt::No)
        {
            self.halt = Halt::Rejecting { rejection: rejected.rejection, barrier: self.received };
            self.stale = reading;
        }
    }

    fn paused(&mut self, pause: Pause, now: Millis) {
        if pause.space == self.index && pause.generation == self.generation && matches!(self.halt, Halt::No) {
            let pause_ms = pause.retry_after_ms.clamp(PAUSE_MIN_MS, PAUSE_MAX_MS);
            self.halt = Halt::Paused { until: now + Millis::from(pause_ms), status: pause.status };
        }
    }

    /// Goes back to the head of the outbox, in a new generation: the server ignored everything of the last one.
    fn push_again(&mut self, reading: bool) {
        self.halt = Halt::No;
        self.generation += 1;
        self.in_flight.clear();
        self.in_flight_bytes = 0;
        self.read_after = Seq(0);
        self.more = true;
        self.stale = reading;
    }

    pub(super) fn rejection_stored(&mut self) {
        if matches!(self.halt, Halt::Storing) {
            let reading = self.stale;
            self.push_again(reading);
        }
    }

    pub(super) fn applied(&mut self, core: &Core, cursor: Seq) -> Result<(), End> {
        self.cursor = cursor;
        self.applied_something = true;
        for id in self.applying.drain(..) {
            self.arrived.remove(&id);
            if core.busy.read {
                self.arrived_while_reading.insert(id);
            }
        }
        let expected = self.queue.front().map_or(self.received.next(), LogItem::seq);
        if cursor.next() == expected {
            return Ok(());
        }
        let message = format!("the cursor is at {cursor}, but the next entry is {expected}");
        Err(End::new(CloseCode::AWAY, Code::Internal, message))
    }

    pub(super) fn outbox_read(&mut self, core: &mut Core, outbox: Outbox) {
        let arrived_meanwhile = std::mem::take(&mut self.arrived_while_reading);
        let changed = std::mem::take(&mut self.changed);
        if std::mem::take(&mut self.stale) {
            return;
        }
        self.more = changed || (outbox.more && !outbox.commits.is_empty());
        let mut commits = Vec::new();
        for (seq, commit) in outbox.commits {
            self.read_after = self.read_after.max(seq);
            if self.arrived.contains(&commit.id) || arrived_meanwhile.contains(&commit.id) {
                continue;
            }
            let bytes = commit.len_bytes() + ITEM_BYTES;
            self.in_flight.push_back((commit.id, bytes));
            self.in_flight_bytes += bytes;
            commits.push(commit);
        }
        // A halt that came meanwhile throws these away again when it ends.
        if matches!(self.halt, Halt::No) {
            let messages = self.codec.push(self.index, self.generation, &commits);
            core.actions.extend(messages.into_iter().map(ClientAction::Send));
        }
    }

    /// Does what has become possible.
    pub(super) fn proceed(&mut self, core: &mut Core) {
        if core.busy.bind.is_none() {
            self.apply(core);
            self.store_rejection(core);
            self.read_outbox(core);
        }
    }

    fn apply(&mut self, core: &mut Core) {
        // While a read of the outbox hangs, what it may have seen is remembered, within a bound.
        let remembers_too_much = self.arrived_while_reading.len() >= QUEUE_ITEMS;
        if core.busy.apply || core.busy.reject || self.queue.is_empty() || remembers_too_much {
            return;
        }
        let last = match self.halt {
            Halt::Rejecting { barrier, .. } => barrier,
            _ => Seq(u64::MAX),
        };
        let (mut items, mut bytes) = (Vec::new(), 0);
        while let Some(item) = self.queue.front() {
            let cost = item.len_bytes() + ITEM_BYTES;
            let full = items.len() == APPLY_ITEMS || bytes + cost > APPLY_BYTES;
            if item.seq() > last || (full && !items.is_empty()) {
                break;
            }
            bytes += cost;
            items.extend(self.queue.pop_front());
        }
        self.queue_bytes -= bytes;
        if !items.is_empty() {
            self.applying = items.iter().map(LogItem::id).collect();
            core.busy.apply = true;
            core.actions.push_back(ClientAction::Apply { space: self.space, epoch: self.epoch, items });
        }
    }

    fn store_rejection(&mut self, core: &mut Core) {
        if core.busy.apply
            || !matches!(&self.halt, Halt::Rejecting { barrier, .. } if self.cursor >= *barrier)
        {
            return;
        }
        if let Halt::Rejecting { rejection, .. } = std::mem::replace(&mut self.halt, Halt::Storing) {
            core.busy.reject = true;
            core.actions.push_back(ClientAction::StoreRejection { space: self.space, rejection });
        }
    }

    fn read_outbox(&mut self, core: &mut Core) {
        // Half the window has to be free, so that a large outbox is not read commit by commit.
        let room = self.in_flight.len() <= WINDOW_COMMITS / 2 && self.in_flight_bytes <= WINDOW_BYTES / 2;
        if !self.more || !room || core.busy.read || !matches!(self.halt, Halt::No) {
            return;
        }
        core.busy.read = true;
        core.actions.push_back(ClientAction::ReadOutbox {
            space: self.space,
            after: self.read_after,
            max_commits: WINDOW_COMMITS - self.in_flight.len(),
            max_bytes: WINDOW_BYTES - self.in_flight_bytes,
        });
    }
}
