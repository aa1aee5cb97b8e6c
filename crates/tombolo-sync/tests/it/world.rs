//! Time, sockets and faults.

use crate::replica::Replica;
use crate::server::{Server, space};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use tombolo_core::{
    ActorId, Code, Commit, CommitId, DocRef, Error, Millis, Part, Random, RowId, SeededRandom, Verdict,
};
use tombolo_sync::{
    Applied, ClientAction, ClientInput, Grant, HubAction, HubInput, LogPage, Role, SessionId, SyncState,
};

/// In how many of 1,000 cases something goes wrong.
#[derive(Clone, Copy)]
pub(crate) struct Faults {
    pub(crate) chaos_every_ms: Option<u64>,
    pub(crate) disk: u64,
    pub(crate) pause: u64,
    /// A disk that takes up to 2 s.
    pub(crate) slow: u64,
}

impl Faults {
    pub(crate) const NONE: Self = Self { chaos_every_ms: None, disk: 0, pause: 0, slow: 0 };
    pub(crate) const ALL: Self = Self { chaos_every_ms: Some(3_000), disk: 10, pause: 3, slow: 20 };
}

/// What happened, to prove that a test tests something.
#[derive(Debug, Default, Clone)]
pub(crate) struct Seen {
    pub(crate) accepted: u64,
    pub(crate) rejections: u64,
    pub(crate) pauses: u64,
    pub(crate) own: u64,
    pub(crate) full: u64,
    pub(crate) fragments: u64,
    pub(crate) connects: u64,
    pub(crate) cuts: u64,
    pub(crate) half_open: u64,
    pub(crate) restarts: u64,
    pub(crate) server_restarts: u64,
    pub(crate) disk_errors: u64,
    pub(crate) page_reads: u64,
    pub(crate) pushed_again: u64,
    pub(crate) most_in_driver: usize,
}

impl Seen {
    pub(crate) fn add(&mut self, other: &Self) {
        let Self { accepted, rejections, pauses, own, full, fragments, cuts, half_open, .. } = other;
        self.accepted += accepted;
        self.rejections += rejections;
        self.pauses += pauses;
        self.own += own;
        self.full += full;
        self.fragments += fragments;
        self.cuts += cuts;
        self.half_open += half_open;
        self.connects += other.connects;
        self.restarts += other.restarts;
        self.server_restarts += other.server_restarts;
        self.disk_errors += other.disk_errors;
        self.page_reads += other.page_reads;
        self.pushed_again += other.pushed_again;
        self.most_in_driver = self.most_in_driver.max(other.most_in_driver);
    }
}

struct Link {
    replica: usize,
    up: VecDeque<Vec<u8>>,
    down: VecDeque<Arc<[u8]>>,
    /// When the last message of each direction arrives: they keep their order.
    up_until: Millis,
    down_until: Millis,
    /// Nothing arrives any more, and nobody is told.
    half_open: bool,
    in_driver: usize,
}

enum Event {
    Replica { at: usize, life: u64, input: ClientInput },
    Hub { life: u64, input: HubInput },
    Open { at: usize, life: u64, attempt: u64 },
    Up { link: u64 },
    Down { link: u64 },
    ReplicaDisk { at: usize, life: u64, action: ClientAction },
    ServerDisk { life: u64, action: HubAction },
    Write { at: usize },
    Chaos,
    ServerUp,
}

pub(crate) struct World {
    pub(crate) now: Millis,
    pub(crate) random: SeededRandom,
    pub(crate) server: Server,
    pub(crate) replicas: Vec<Replica>,
    pub(crate) seen: Seen,
    pub(crate) writing: bool,
    pub(crate) large_commits: bool,
    faults: Faults,
    rates: Vec<usize>,
    links: BTreeMap<u64, Link>,
    next_link: u64,
    events: BTreeMap<(Millis, u64), Event>,
    next_event: u64,
}

impl World {
    pub(crate) fn new(seed: u64, replicas: usize, faults: Faults) -> Self {
        let mut world = Self {
            now: 0,
            random: SeededRandom::new(seed),
            server: Server::new(),
            replicas: Vec::new(),
            seen: Seen::default(),
            writing: true,
            large_commits: false,
            faults,
            rates: vec![8 * 1024 * 1024; replicas],
            links: BTreeMap::new(),
            next_link: 1,
            events: BTreeMap::new(),
            next_event: 0,
        };
        for at in 0..replicas {
            let seed = world.random.u64();
            world.replicas.push(Replica::new(ActorId::mint(&mut world.random), seed));
            let input = world.replicas[at].start();
            world.after(50, Event::Replica { at, life: 0, input });
            world.after(500, Event::Write { at });
        }
        if faults.chaos_every_ms.is_some() {
            world.after(2_000, Event::Chaos);
        }
        world
    }

    pub(crate) fn heal(&mut self) {
        self.faults = Faults::NONE;
        self.writing = false;
        self.rates.fill(8 * 1024 * 1024);
    }

    /// Gives a replica's downlink so many bytes a second.
    pub(crate) fn slow_down(&mut self, at: usize, rate: usize) {
        self.rates[at] = rate;
    }

    pub(crate) fn run_until(&mut self, until: Millis) {
        while self.step(until) {}
        self.now = until;
    }

    pub(crate) fn run_until_settled(&mut self, until: Millis) -> bool {
        loop {
            if self.is_settled() {
                return true;
            }
            if !self.step(until) {
                return self.is_settled();
            }
        }
    }

    fn is_settled(&self) -> bool {
        self.replicas.iter().all(|replica| {
            replica.outbox.is_empty()
                && replica.log.len() == self.server.log.len()
                && replica.status.as_ref().is_some_and(|status| status.state == SyncState::Saved)
        })
    }

    pub(crate) fn check_settled(&self) {
        let log: Vec<CommitId> = self.server.log.iter().map(|entry| entry.commit.id).collect();
        let distinct: std::collections::BTreeSet<_> = log.iter().collect();
        assert_eq!(distinct.len(), log.len(), "each commit once");
        for replica in &self.replicas {
            assert_eq!(replica.log, log);
            for gone in replica.drafts.iter().chain(&replica.rewritten) {
                assert!(!distinct.contains(gone), "a commit behind a refused one was accepted");
            }
            let own = self.server.log.iter().filter(|entry| entry.commit.actor == replica.actor);
            let own: Vec<CommitId> = own.map(|entry| entry.commit.id).collect();
            assert_eq!(own, replica.acknowledged, "in the order in which they were written");
        }
    }

    pub(crate) fn describe(&self) -> String {
        let replicas = self.replicas.iter().map(|replica| {
            format!(
                "{} waiting, {} of the log, {:?}",
                replica.outbox.len(),
                replica.log.len(),
                replica.status
            )
        });
        format!("now {}, log {}: {:?}", self.now, self.server.log.len(), replicas.collect::<Vec<_>>())
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.random.u64() % bound
    }

    fn happens(&mut self, in_1000: u64) -> bool {
        self.below(1000) < in_1000
    }

    fn after(&mut self, max_ms: u64, event: Event) {
        let delay = self.below(max_ms + 1) as Millis;
        self.at(self.now + delay, event);
    }

    fn after_disk(&mut self, event: Event) {
        let max_ms = self.disk_ms();
        self.after(max_ms, event);
    }

    fn disk_ms(&mut self) -> u64 {
        if self.happens(self.faults.slow) { 2_000 } else { 30 }
    }

    fn at(&mut self, time: Millis, event: Event) {
        self.next_event += 1;
        self.events.insert((time, self.next_event), event);
    }

    /// Handles what comes next, unless it comes later than that.
    fn step(&mut self, until: Millis) -> bool {
        let event = self.events.keys().next().map(|(time, _)| *time);
        let replicas = self.replicas.iter().filter_map(|replica| replica.machine.deadline());
        let hub = self.server.hub.as_ref().and_then(|hub| hub.deadline());
        let deadline = replicas.chain(hub).min();
        let Some(next) = event.into_iter().chain(deadline).min().filter(|next| *next <= until) else {
            return false;
        };
        self.now = self.now.max(next);
        if event == Some(next) {
            if let Some((_, event)) = self.events.pop_first() {
                self.handle(event);
            }
        } else {
            self.timers();
        }
        true
    }

    fn timers(&mut self) {
        for at in 0..self.replicas.len() {
            if self.replicas[at].machine.deadline().is_some_and(|deadline| deadline <= self.now) {
                self.tell_replica(at, ClientInput::Timer);
            }
        }
        if self.server.hub.as_ref().is_some_and(|hub| hub.deadline().is_some_and(|at| at <= self.now)) {
            self.tell_hub(HubInput::Timer);
        }
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Replica { at, life, mut input } if self.replicas[at].life == life => {
                let now = self.replicas[at].counts();
                if let ClientInput::Start { counts, .. }
                | ClientInput::Applied { result: Ok(Applied { counts, .. }), .. }
                | ClientInput::RejectionStored { result: Ok(counts), .. } = &mut input
                {
                    *counts = now;
                }
                self.tell_replica(at, input);
            }
            Event::Hub { life, input } if self.server.life == life => self.tell_hub(input),
            Event::Open { at, life, attempt } => self.open(at, life, attempt),
            Event::Up { link } => self.up(link),
            Event::Down { link } => self.down(link),
            Event::ReplicaDisk { at, life, action } if self.replicas[at].life == life => {
                self.replica_disk(at, action);
            }
            Event::ServerDisk { life, action } if self.server.life == life => self.server_disk(action),
            Event::Write { at } if self.writing => {
                self.write(at);
                self.after(if self.large_commits { 1_000 } else { 2_000 }, Event::Write { at });
            }
            Event::Chaos => self.chaos(),
            Event::ServerUp if self.server.hub.is_none() => self.server.up(),
            _ => {}
        }
    }

    fn tell_replica(&mut self, at: usize, input: ClientInput) {
        self.replicas[at].machine.handle(input, self.now);
        while let Some(action) = self.replicas[at].machine.poll() {
            let life = self.replicas[at].life;
            match action {
                ClientAction::Connect => {
                    self.seen.connects += 1;
                    self.replicas[at].attempt += 1;
                    let attempt = self.replicas[at].attempt;
                    self.after(100, Event::Open { at, life, attempt });
                }
                ClientAction::Disconnect { .. } => {
                    self.replicas[at].attempt += 1;
                    if let Some(link) = self.replicas[at].link.take() {
                        self.close_link(link, false, true);
                    }
                }
                ClientAction::Send(bytes) => self.send_up(at, bytes),
                ClientAction::Report(status) => {
                    if status.state == SyncState::Saved {
                        assert!(self.replicas[at].outbox.is_empty(), "saved with a full outbox");
                    }
                    self.replicas[at].status = Some(status);
                }
                action => self.after_disk(Event::ReplicaDisk { at, life, action }),
            }
        }
    }

    fn tell_hub(&mut self, input: HubInput) {
        let Some(hub) = &mut self.server.hub else {
            return;
        };
        hub.handle(input, self.now);
        let actions: Vec<_> = std::iter::from_fn(|| hub.poll()).collect();
        for action in actions {
            match action {
                HubAction::Send { session, bytes } => self.send_down(session.0, bytes),
                HubAction::Close { session, .. } => self.close_link(session.0, true, false),
                action => {
                    let life = self.server.life;
                    self.after_disk(Event::ServerDisk { life, action });
                }
            }
        }
    }

    fn open(&mut self, at: usize, life: u64, attempt: u64) {
        if self.replicas[at].life != life || self.replicas[at].attempt != attempt {
            return;
        }
        if self.server.hub.is_none() {
            let reason = "connection refused".to_owned();
            self.tell_replica(at, ClientInput::Closed { code: None, reason });
            return;
        }
        let link = self.next_link;
        self.next_link += 1;
        self.replicas[at].link = Some(link);
        let (up_until, down_until) = (self.now, self.now);
        self.links.insert(
            link,
            Link {
                replica: at,
                up: VecDeque::new(),
                down: VecDeque::new(),
                up_until,
                down_until,
                half_open: false,
                in_driver: 0,
            },
        );
        self.tell_hub(HubInput::Opened { session: SessionId(link) });
        self.tell_replica(at, ClientInput::Opened);
    }

    fn send_up(&mut self, at: usize, bytes: Vec<u8>) {
        let delay = self.below(30) as Millis;
        // Between a cut and the news of it, messages go nowhere.
        let Some(id) = self.replicas[at].link else {
            return;
        };
        self.seen.fragments += u64::from(bytes[0] == 10);
        if let Some(link) = self.links.get_mut(&id) {
            link.up_until = link.up_until.max(self.now + delay);
            link.up.push_back(bytes);
            let time = link.up_until;
            self.at(time, Event::Up { link: id });
        }
    }

    fn send_down(&mut self, id: u64, bytes: Arc<[u8]>) {
        let delay = self.below(30) as Millis;
        if let Some(link) = self.links.get_mut(&id) {
            let rate = self.rates[link.replica];
            let transfer = (bytes.len() * 1000 / rate) as Millis;
            link.down_until = (link.down_until + transfer).max(self.now + delay);
            link.in_driver += bytes.len();
            self.seen.most_in_driver = self.seen.most_in_driver.max(link.in_driver);
            link.down.push_back(bytes);
            let time = link.down_until;
            self.at(time, Event::Down { link: id });
        }
    }

    fn up(&mut self, id: u64) {
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        if link.half_open {
            return;
        }
        let session = SessionId(id);
        if !self.server.hub.as_ref().is_some_and(|hub| hub.wants_input(session)) {
            self.at(self.now + 5, Event::Up { link: id });
            return;
        }
        if let Some(bytes) = link.up.pop_front() {
            self.tell_hub(HubInput::Received { session, bytes });
        }
    }

    fn down(&mut self, id: u64) {
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        let at = link.replica;
        if link.half_open {
            return;
        }
        if self.replicas[at].link == Some(id) && !self.replicas[at].machine.wants_input() {
            self.at(self.now + 5, Event::Down { link: id });
            return;
        }
        if let Some(bytes) = link.down.pop_front() {
            link.in_driver -= bytes.len();
            self.tell_hub(HubInput::Sent { session: SessionId(id), bytes: bytes.len() });
            if self.replicas[at].link == Some(id) {
                self.tell_replica(at, ClientInput::Received(bytes.to_vec()));
            }
        }
    }

    /// Drops what is on its way and tells who does not know yet.
    fn close_link(&mut self, id: u64, tell_replica: bool, tell_hub: bool) {
        let Some(link) = self.links.remove(&id) else {
            return;
        };
        if link.half_open {
            return;
        }
        let at = link.replica;
        if tell_replica && self.replicas[at].link == Some(id) {
            self.replicas[at].link = None;
            let life = self.replicas[at].life;
            let input = ClientInput::Closed { code: None, reason: "cut".to_owned() };
            // At once: a driver reports the end of a connection before it opens the next.
            self.at(self.now, Event::Replica { at, life, input });
        }
        if tell_hub {
            let life = self.server.life;
            self.after(50, Event::Hub { life, input: HubInput::Closed { session: SessionId(id) } });
        }
    }

    fn replica_disk(&mut self, at: usize, action: ClientAction) {
        let failed = self.happens(self.faults.disk);
        let error = Error::new(Code::StorageFailed, "the disk failed");
        let replica = &mut self.replicas[at];
        self.seen.disk_errors += u64::from(failed);
        let input = match action {
            ClientAction::Bind(binding) => {
                let result = if failed { Err(error) } else { replica.bind(binding) };
                ClientInput::Bound { space: binding.space, result }
            }
            ClientAction::ReadOutbox { space, after, max_commits, max_bytes } => {
                let outbox = replica.read_outbox(after, max_commits, max_bytes);
                let result = if failed { Err(error) } else { Ok(outbox) };
                ClientInput::OutboxRead { space, result }
            }
            ClientAction::Apply { space, items, .. } => {
                for item in items.iter().filter(|_| !failed) {
                    match item {
                        tombolo_sync::LogItem::Own { .. } => self.seen.own += 1,
                        tombolo_sync::LogItem::Full(_) => self.seen.full += 1,
                    }
                }
                let result = if failed { Err(error) } else { Ok(replica.apply(&items, &self.server.log)) };
                ClientInput::Applied { space, result }
            }
            ClientAction::StoreRejection { space, rejection } => {
                let result = if failed {
                    Err(error)
                } else {
                    self.seen.rejections += 1;
                    Ok(replica.store_rejection(&rejection, &mut self.random))
                };
                ClientInput::RejectionStored { space, result }
            }
            other => panic!("not for the disk: {other:?}"),
        };
        let life = self.replicas[at].life;
        self.after_disk(Event::Replica { at, life, input });
    }

    fn server_disk(&mut self, action: HubAction) {
        let life = self.server.life;
        let failed = self.happens(self.faults.disk);
        self.seen.disk_errors += u64::from(failed);
        let error = Error::new(Code::StorageFailed, "the disk failed");
        match action {
            HubAction::Authenticate { session, .. } => {
                let grant = Grant { role: Role::Editor, account: "ann".into() };
                self.after(
                    30,
                    Event::Hub { life, input: HubInput::Authenticated { session, result: Ok(grant) } },
                );
            }
            HubAction::ReadLog { session, space, after, max_bytes, max_entries } => {
                self.seen.page_reads += 1;
                let entries = self.server.page(after, max_bytes, max_entries);
                let result = if failed { Err(error) } else { Ok(LogPage { entries }) };
                self.after(30, Event::Hub { life, input: HubInput::LogRead { session, space, result } });
            }
            HubAction::Judge { session, generation, commits, space, .. } => {
                if failed {
                    let input = HubInput::Judged {
                        session,
                        space,
                        generation,
                        result: Err(error),
                        retry_after_ms: None,
                    };
                    return self.after(30, Event::Hub { life, input });
                }
                self.judge(session, generation, commits);
            }
            other => panic!("not for the disk: {other:?}"),
        }
    }

    fn judge(&mut self, session: SessionId, generation: u32, commits: Vec<Commit>) {
        let life = self.server.life;
        let pause = self.faults.pause;
        let random = &mut self.random;
        let mut pauses = 0;
        let judgement = self.server.judge(commits, self.now, || {
            let now = random.u64() % 1000 < pause;
            pauses += u64::from(now);
            now
        });
        self.seen.pauses += pauses;
        self.seen.accepted += judgement.committed.len() as u64;
        let accepted = judgement.verdicts.iter().filter(|(_, v)| matches!(v, Verdict::Accepted { .. }));
        self.seen.pushed_again += (accepted.count() - judgement.committed.len()) as u64;
        if !judgement.committed.is_empty() {
            let max_ms = self.disk_ms();
            let delay = self.below(max_ms) as Millis;
            self.server.told_until = self.server.told_until.max(self.now + delay);
            let input =
                HubInput::Committed { space: space(), entries: judgement.committed, from: Some(session) };
            self.at(self.server.told_until, Event::Hub { life, input });
        }
        let result = Ok(judgement.verdicts);
        let input =
            HubInput::Judged { session, space: space(), generation, result, retry_after_ms: Some(300) };
        self.after_disk(Event::Hub { life, input });
    }

    fn chaos(&mut self) {
        let Some(every) = self.faults.chaos_every_ms else {
            return;
        };
        self.after(every, Event::Chaos);
        let at = self.below(self.replicas.len() as u64) as usize;
        match self.below(10) {
            0..=3 => {
                if let Some(link) = self.replicas[at].link {
                    self.seen.cuts += 1;
                    self.close_link(link, true, true);
                }
            }
            4 => {
                if let Some(link) = self.replicas[at].link.and_then(|link| self.links.get_mut(&link)) {
                    self.seen.half_open += 1;
                    link.half_open = true;
                }
            }
            5..=6 => {
                self.seen.restarts += 1;
                if let Some(link) = self.replicas[at].link {
                    self.close_link(link, false, true);
                }
                let seed = self.random.u64();
                self.replicas[at].restart(seed);
                let input = self.replicas[at].start();
                self.tell_replica(at, input);
            }
            7 => {
                self.seen.server_restarts += 1;
                self.server.down();
                for link in self.links.keys().copied().collect::<Vec<_>>() {
                    self.close_link(link, true, false);
                }
                self.after(3_000, Event::ServerUp);
            }
            8 => self.tell_replica(at, ClientInput::NetworkChanged),
            _ => {
                let rate = [16 * 1024, 256 * 1024, 8 * 1024 * 1024][self.below(3) as usize];
                self.slow_down(at, rate);
            }
        }
    }

    fn write(&mut self, at: usize) {
        let large = self.large_commits || self.happens(10);
        let burst = if large { 1 } else { 1 + self.below(6) };
        for _ in 0..burst {
            let commit = self.commit(at, if large { 300_000 } else { 200 });
            self.put(at, commit);
        }
    }

    pub(crate) fn write_small(&mut self, at: usize) {
        let mut commit = self.commit(at, 100);
        commit.parts[0].bytes[0] = b'.';
        self.put(at, commit);
    }

    pub(crate) fn write_large(&mut self, at: usize) {
        let mut commit = self.commit(at, 1);
        commit.parts[0].bytes = vec![b'.'; 1_000_000];
        self.random.fill(&mut commit.parts[0].bytes[1..]);
        self.put(at, commit);
    }

    fn put(&mut self, at: usize, commit: Commit) {
        self.replicas[at].write(commit);
        let input = ClientInput::CommitsWaiting(self.replicas[at].counts());
        self.tell_replica(at, input);
    }

    fn commit(&mut self, at: usize, max_bytes: u64) -> Commit {
        let bad = !self.large_commits && self.happens(30);
        let count = if self.happens(50) { 12 } else { 1 + self.below(2) };
        let parts = (0..count).map(|_| {
            let row = RowId::from_bytes([self.below(20) as u8; 16]);
            let field = (self.below(2) == 0).then(|| "body".to_owned());
            let mut bytes = vec![0; 1 + self.below(max_bytes) as usize];
            self.random.fill(&mut bytes);
            bytes[0] = if bad { b'!' } else { b'.' };
            Part { doc: DocRef { entity: "Page".to_owned(), row, field }, bytes }
        });
        let parts = parts.collect();
        Commit {
            id: CommitId::mint(&mut self.random),
            actor: self.replicas[at].actor,
            manifest_version: 1 + self.below(2) as u32,
            time: 1_795_512_600_000 + self.now - self.below(100) as Millis,
            origin: (self.below(4) == 0).then(|| "import".to_owned()),
            replaces: None,
            parts,
        }
    }
}
