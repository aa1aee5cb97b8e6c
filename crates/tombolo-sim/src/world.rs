//! Time, and what happens next.

use crate::check::Violation;
use crate::config::{Config, Faults};
use crate::editor::Editor;
use crate::model::{Acked, Call, Model, Typist};
use crate::network::{Network, Way};
use crate::node::Node;
use crate::trace::{Seen, Trace};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tombolo_core::{
    Epoch, Error, Manifest, Millis, Operation, Random, Result, SeededRandom, Seq, ServerId, SpaceId,
};
use tombolo_store::Role;
use tombolo_store::backend::Read as _;
use tombolo_sync::{
    Client, ClientAction, ClientInput, Counts, Hub, HubAction, HubInput, SyncState, SyncStatus,
};

/// Ten years.
const DECADE_MS: Millis = 10 * 365 * 86_400_000;
/// After everything is healed, retries are at most 30 s away and the rest is work.
pub(crate) const SETTLE_MS: Millis = 35_000;
/// More steps than this at one point in time are a loop.
const STEPS_MAX: u32 = 200_000;

/// Who holds data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    Server,
    Replica(usize),
}

/// A replica's disk, which survives restarts, and its machine, which does not.
pub(crate) struct Replica {
    pub(crate) node: Node,
    pub(crate) machine: Client,
    /// Grows with each restart; what was meant for an earlier life is dropped.
    pub(crate) life: u64,
    /// Which attempt to connect is current.
    pub(crate) attempt: u64,
    pub(crate) link: Option<u64>,
    pub(crate) status: Option<SyncStatus>,
    pub(crate) editor: Option<Editor>,
}

/// The server's disk and its machine.
pub(crate) struct Server {
    pub(crate) node: Node,
    /// None while it is down.
    pub(crate) hub: Option<Hub>,
    pub(crate) life: u64,
    pub(crate) id: ServerId,
    /// The last entry of the log that the hub was or will be told of.
    pub(crate) told: Seq,
    /// When that is: such news keep their order.
    pub(crate) told_until: Millis,
    /// Nothing more reaches its disk before its power fails.
    pub(crate) doomed: bool,
}

pub(crate) enum Event {
    ToReplica { at: usize, life: u64, input: ClientInput },
    ToHub { life: u64, input: HubInput },
    Open { at: usize, life: u64, attempt: u64 },
    Deliver { link: u64, way: Way },
    ReplicaDisk { at: usize, life: u64, action: ClientAction },
    ServerDisk { life: u64, action: HubAction },
    Work { place: Place },
    Maintain { place: Place },
    Repair { place: Place },
    Chaos,
    ServerDown,
    ServerUp,
}

/// Replicas, a server, their network, disks and clocks, all from one seed.
///
/// Time is virtual: it moves only in [`World::run`] and [`World::check`].
pub struct World {
    pub(crate) now: Millis,
    time: Arc<AtomicI64>,
    pub(crate) random: SeededRandom,
    pub(crate) config: Config,
    pub(crate) manifest: Arc<Manifest>,
    pub(crate) faults: Faults,
    pub(crate) working: bool,
    pub(crate) server: Server,
    pub(crate) replicas: Vec<Replica>,
    pub(crate) network: Network,
    pub(crate) model: Model,
    pub(crate) typist: Typist,
    pub(crate) trace: Trace,
    pub(crate) seen: Seen,
    /// The first thing that must not happen and did.
    pub(crate) violation: Option<Violation>,
    events: BTreeMap<(Millis, u64), Event>,
    next_event: u64,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World").field("now", &self.now).field("seen", &self.seen).finish_non_exhaustive()
    }
}

impl World {
    /// A calm world of two replicas that write nothing by themselves.
    ///
    /// # Errors
    /// `STORAGE_FAILED`.
    pub fn new(seed: u64, manifest: &Manifest) -> Result<Self> {
        Self::with(seed, manifest, Config::default())
    }

    /// A world of that kind.
    ///
    /// # Errors
    /// `STORAGE_FAILED`.
    pub fn with(seed: u64, manifest: &Manifest, config: Config) -> Result<Self> {
        let mut random = SeededRandom::new(seed);
        let time = Arc::new(AtomicI64::new(0));
        let manifest = Arc::new(manifest.clone());
        let mut node = |role| Node::new(&manifest, role, config.storage, &time, random.u64());
        let server = Server {
            node: node(Role::Server)?,
            hub: None,
            life: 0,
            id: ServerId::from_bytes([9; 16]),
            told: Seq(0),
            told_until: 0,
            doomed: false,
        };
        let nodes = (0..config.replicas).map(|_| node(Role::Replica)).collect::<Result<Vec<_>>>()?;
        let mut replicas = Vec::with_capacity(nodes.len());
        for node in nodes {
            let machine = crate::drive::machine(&node, random.u64());
            let (life, attempt, link, status, editor) = (0, 0, None, None, None);
            replicas.push(Replica { node, machine, life, attempt, link, status, editor });
        }
        let mut world = Self {
            now: 0,
            time,
            random,
            config,
            manifest,
            faults: config.faults,
            working: config.write_every_ms.is_some(),
            server,
            replicas,
            network: Network::default(),
            model: Model::default(),
            typist: Typist::new(),
            trace: Trace::default(),
            seen: Seen::default(),
            violation: None,
            events: BTreeMap::new(),
            next_event: 0,
        };
        world.begin()?;
        Ok(world)
    }

    fn begin(&mut self) -> Result<()> {
        self.start_hub()?;
        self.after(300, Event::Maintain { place: Place::Server });
        self.after(5_000, Event::Work { place: Place::Server });
        for at in 0..self.replicas.len() {
            let input = self.start_input(at)?;
            self.after(2_000, Event::ToReplica { at, life: 0, input });
            self.after(1_000, Event::Work { place: Place::Replica(at) });
            self.after(300, Event::Maintain { place: Place::Replica(at) });
            if self.faults.skewed_clocks {
                self.skew_clock(at);
            }
        }
        self.after(1_000, Event::Chaos);
        Ok(())
    }

    /// Lets virtual time pass.
    pub fn run(&mut self, ms: u64) {
        let until = self.now + Millis::try_from(ms).unwrap_or(Millis::MAX / 2);
        while self.step(until) {}
        self.pass(until);
    }

    /// Holds back everything between a replica and the server until [`World::heal`].
    ///
    /// # Panics
    /// If there is no such replica.
    pub fn partition(&mut self, replica: usize) {
        assert!(replica < self.replicas.len(), "there is no replica {replica}");
        self.network.partitioned.insert(replica, Millis::MAX);
        self.seen.partitions += 1;
    }

    /// Ends every fault and the random writes. What is broken stays so until somebody finds out.
    pub fn heal(&mut self) {
        if self.faults.bad_frames > 0 {
            // Nothing tells of a frame that was lost with none behind it; the next connection sends it again.
            for link in self.network.links.keys().copied().collect::<Vec<_>>() {
                self.cut(link);
            }
        }
        self.faults = Faults::NONE;
        self.working = false;
        self.network.partitioned.clear();
        for link in self.network.links.values_mut().filter(|link| link.half_open) {
            link.half_open = false;
            link.stale = true;
        }
        self.repair(Place::Server);
        for at in 0..self.replicas.len() {
            self.repair(Place::Replica(at));
        }
        if self.server.hub.is_none() {
            self.at(self.now, Event::ServerUp);
        }
        self.note(format_args!("healed"));
    }

    /// One of the replicas.
    ///
    /// # Panics
    /// If there is no such replica.
    pub fn replica(&mut self, replica: usize) -> Device<'_> {
        assert!(replica < self.replicas.len(), "there is no replica {replica}");
        Device { world: self, place: Place::Replica(replica) }
    }

    /// The server, for what its own callers do.
    pub fn server(&mut self) -> Device<'_> {
        Device { world: self, place: Place::Server }
    }

    /// What has happened so far, counted.
    pub fn seen(&self) -> &Seen {
        &self.seen
    }

    /// The last of what has happened, a line each with its virtual time; how many lines says `TOMBOLO_SIM_TRACE`.
    pub fn trace(&self) -> String {
        let lines = std::env::var("TOMBOLO_SIM_TRACE").ok().and_then(|lines| lines.parse().ok());
        self.trace.tail(lines.unwrap_or(60))
    }

    pub(crate) fn note(&mut self, line: std::fmt::Arguments<'_>) {
        self.trace.note(self.now, line);
    }

    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.random.u64() % n.max(1)
    }

    pub(crate) fn index(&mut self, n: usize) -> usize {
        usize::try_from(self.below(n as u64)).unwrap_or(0)
    }

    pub(crate) fn happens(&mut self, of_1000: u64) -> bool {
        of_1000 > 0 && self.below(1_000) < of_1000
    }

    pub(crate) fn at(&mut self, time: Millis, event: Event) {
        self.next_event += 1;
        self.events.insert((time.max(self.now), self.next_event), event);
    }

    /// At some time within so many milliseconds.
    pub(crate) fn after(&mut self, max_ms: u64, event: Event) {
        let delay = 1 + Millis::try_from(self.below(max_ms)).unwrap_or(0);
        self.at(self.now + delay, event);
    }

    pub(crate) fn node(&mut self, place: Place) -> &mut Node {
        match place {
            Place::Server => &mut self.server.node,
            Place::Replica(at) => &mut self.replicas[at].node,
        }
    }

    pub(crate) fn skew_clock(&mut self, at: usize) {
        let skew = match self.below(8) {
            0 => DECADE_MS,
            1 => -DECADE_MS,
            2 => 3_600_000,
            3 => -3_600_000,
            4 => 1_500,
            5 => -1_500,
            _ => 0,
        };
        self.replicas[at].node.clock.set_skew(skew);
        self.note(format_args!("replica {at}: clock is off by {skew} ms"));
    }

    fn pass(&mut self, until: Millis) {
        self.now = self.now.max(until);
        self.time.store(self.now, Ordering::Relaxed);
    }

    /// Does the next thing that happens until then; false if there is none.
    pub(crate) fn step(&mut self, until: Millis) -> bool {
        let hub = self.server.hub.as_ref().and_then(Hub::deadline);
        let replicas = self.replicas.iter().enumerate();
        let timers = replicas.filter_map(|(at, replica)| Some((replica.machine.deadline()?, Some(at))));
        let timer = timers.chain(hub.map(|deadline| (deadline, None))).min();
        let event = self.events.first_key_value().map(|(key, _)| *key);
        match (event, timer) {
            (Some((time, _)), _) if time <= until && timer.is_none_or(|(timer, _)| time <= timer) => {
                self.pass(time);
                if let Some((_, event)) = self.events.pop_first() {
                    self.happen(event);
                }
            }
            (_, Some((time, who))) if time <= until => {
                self.pass(time);
                match who {
                    Some(at) => self.tell_replica(at, ClientInput::Timer),
                    None => self.tell_hub(HubInput::Timer),
                }
            }
            _ => return false,
        }
        true
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::ToReplica { at, life, input } if self.replicas[at].life == life => {
                self.tell_replica(at, input);
            }
            Event::ToHub { life, input } if self.server.life == life => self.tell_hub(input),
            Event::Open { at, life, attempt } => self.open(at, life, attempt),
            Event::Deliver { link, way } => self.deliver(link, way),
            Event::ReplicaDisk { at, life, action } if self.replicas[at].life == life => {
                self.replica_disk(at, action);
            }
            Event::ServerDisk { life, action } if self.server.life == life && !self.server.doomed => {
                self.server_disk(action);
            }
            Event::Work { place } => self.work(place),
            Event::Maintain { place } => self.maintain(place),
            Event::Repair { place } => self.repair(place),
            Event::Chaos => self.chaos(),
            Event::ServerDown => self.server_down(),
            Event::ServerUp => self.server_up(),
            _ => {}
        }
    }

    /// Lets time pass until everything is everywhere; false if that takes too long.
    pub(crate) fn settle(&mut self) -> Result<bool> {
        let until = self.now + SETTLE_MS;
        let since = self.now;
        let mut steps = 0;
        loop {
            if self.is_settled()? {
                self.seen.settling_ms += u64::try_from(self.now - since).unwrap_or(0);
                return Ok(true);
            }
            steps += 1;
            if !self.step(until) || steps > STEPS_MAX {
                return self.is_settled();
            }
        }
    }

    fn is_settled(&self) -> Result<bool> {
        if self.server.hub.is_none() {
            return Ok(false);
        }
        let head = self.server.node.engine().space()?.cursor;
        for replica in &self.replicas {
            let done = |state| matches!(state, SyncState::Saved | SyncState::Refused);
            if !replica.status.as_ref().is_some_and(|status| done(status.state) && status.waiting == 0) {
                return Ok(false);
            }
            let engine = replica.node.engine();
            if engine.space()?.cursor != head || engine.backend().pending_count()? > 0 {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(crate) fn counts(&self, at: usize) -> Result<Counts> {
        let backend = self.replicas[at].node.engine().backend();
        Ok(Counts { waiting: backend.pending_count()?, drafts: backend.drafts()?.len() as u64 })
    }

    /// The server's space and which life of its log.
    pub(crate) fn space(&self) -> Result<(SpaceId, Epoch)> {
        let space = self.server.node.engine().space()?;
        Ok((
            space.id.unwrap_or(SpaceId::from_bytes([0; 16])),
            space.epoch.unwrap_or(Epoch::from_bytes([0; 16])),
        ))
    }

    /// Runs writes in one group, notes what was acknowledged, and tells who has to send it.
    pub(crate) fn perform(&mut self, place: Place, calls: Vec<Call>) -> Vec<Result<Json>> {
        let operations: Vec<_> =
            calls.iter().map(|call| Operation::from_json(&call.name, &call.args)).collect();
        let group = self.node(place).group(|engine| {
            let run = |operation: Result<Operation>| engine.execute(&operation?);
            Ok(operations.into_iter().map(run).collect::<Vec<_>>())
        });
        let answers: Vec<Result<Json>> = match group {
            Ok(answers) => answers.into_iter().map(|answer| answer.map(|a| a.into_json())).collect(),
            Err(error) => vec![Err(error); calls.len()],
        };
        for (call, answer) in calls.into_iter().zip(&answers) {
            self.note_call(place, call, answer);
        }
        match place {
            Place::Server => self.tell_committed(None),
            Place::Replica(at) => self.hint(at),
        }
        answers
    }

    fn note_call(&mut self, place: Place, call: Call, answer: &Result<Json>) {
        let Call { name, args, effect } = call;
        match answer {
            Ok(answer) => {
                let commit = answer["receipt"]["commit"].as_str().and_then(|id| id.parse().ok());
                self.note(format_args!("{place:?}: {name} {args} is {commit:?}"));
                if let Some(commit) = commit {
                    self.seen.acked += 1;
                    self.seen.typed += effect.typed.len() as u64;
                    // A transaction that wrote twice into one commit is one call.
                    self.model.acked.insert(commit, effect);
                }
            }
            Err(error) => {
                self.note(format_args!("{place:?}: {name} {args} failed: {error}"));
                self.seen.refused_locally += 1;
                self.judge_error(place, error);
            }
        }
    }

    /// An operation that failed for a reason that no caller and no disk gave it.
    pub(crate) fn judge_error(&mut self, place: Place, error: &Error) {
        use tombolo_core::Code;
        match error.code {
            Code::StorageFailed | Code::StorageFull => self.seen.disk_errors += 1,
            Code::Internal => {
                self.violate(crate::Checker::Defect, format!("{place:?} has a defect: {error}"));
            }
            _ => {}
        }
    }

    pub(crate) fn violate(&mut self, checker: crate::Checker, what: String) {
        self.note(format_args!("VIOLATION {checker:?}: {what}"));
        self.violation.get_or_insert(Violation { checker, what });
    }

    fn hint(&mut self, at: usize) {
        if let Ok(counts) = self.counts(at) {
            let life = self.replicas[at].life;
            self.after(20, Event::ToReplica { at, life, input: ClientInput::CommitsWaiting(counts) });
        }
    }
}

/// A replica, or the server, as its callers see it.
#[derive(Debug)]
pub struct Device<'w> {
    world: &'w mut World,
    place: Place,
}

impl Device<'_> {
    /// Calls an operation of the DataStore contract, as every edge offers it. A write that succeeds is
    /// acknowledged: from here on the checkers look for it.
    ///
    /// # Errors
    /// Those of the contract.
    pub fn call(&mut self, name: &str, args: Json) -> Result<Json> {
        let operation = Operation::from_json(name, &args)?;
        if operation.writes() {
            let call = Call { name: name.to_owned(), args, effect: Acked::default() };
            return self.world.perform(self.place, vec![call]).remove(0);
        }
        let engine = self.world.node(self.place).engine_mut();
        engine.catch_up_now()?;
        tombolo_store::read(engine.backend(), engine.manifest(), &operation).map(|answer| answer.into_json())
    }

    /// Ends the process and starts it again on what its disk has.
    ///
    /// # Errors
    /// `STORAGE_FAILED`.
    pub fn restart(&mut self) -> Result<()> {
        match self.place {
            Place::Server => {
                self.world.server_down();
                self.world.server_up();
                Ok(())
            }
            Place::Replica(at) => self.world.restart(at),
        }
    }
}
