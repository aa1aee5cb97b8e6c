//! What goes wrong.

use crate::check::Checker;
use crate::world::{Event, Place, World};
use tombolo_core::{Millis, Random as _, Result};
use tombolo_sync::ClientInput;

/// The tables that a fault may hit, beside those of the entities.
const TABLES: [&str; 9] = ["log", "part", "doc", "space", "base", "dirty", "draft", "retired", "actor"];

impl World {
    pub(crate) fn chaos(&mut self) {
        let Some(every) = self.faults.chaos_every_ms else { return };
        self.after(2 * every, Event::Chaos);
        let at = self.index(self.replicas.len());
        match self.below(16) {
            0..=2 => {
                if let Some(link) = self.replicas[at].link {
                    self.seen.cuts += 1;
                    self.note(format_args!("session {link}: cut"));
                    self.cut(link);
                }
            }
            3 => {
                let link = self.replicas[at].link.and_then(|link| self.network.links.get_mut(&link));
                if let Some(link) = link.filter(|link| !link.cut) {
                    link.half_open = true;
                    link.up.packets.clear();
                    link.down.packets.clear();
                    self.seen.half_open += 1;
                    self.note(format_args!("replica {at}: its connection goes silent"));
                }
            }
            4..=5 => self.crash(at),
            6 => self.crash_in_a_transaction(at),
            7..=8 => self.server_down(),
            9 => self.tell_replica(at, ClientInput::NetworkChanged),
            10 => {
                let until = self.now + 200 + Millis::try_from(self.below(8_000)).unwrap_or(0);
                self.network.partitioned.insert(at, until);
                self.seen.partitions += 1;
                self.note(format_args!("replica {at}: cut off until {until}"));
            }
            11..=14 => self.break_disk(at),
            _ if self.faults.skewed_clocks => {
                self.seen.clock_jumps += 1;
                self.skew_clock(at);
                if self.happens(300) {
                    let skew = [0, 60_000, -60_000, 3_600_000][self.index(4)];
                    self.server.node.clock.set_skew(skew);
                    self.note(format_args!("server: clock is off by {skew} ms"));
                }
            }
            _ => {}
        }
    }

    /// Ends a replica's process and starts it again.
    pub(crate) fn crash(&mut self, at: usize) {
        if let Err(error) = self.restart(at) {
            self.violate(Checker::Defect, format!("replica {at} does not start again: {error}"));
        }
    }

    pub(crate) fn restart(&mut self, at: usize) -> Result<()> {
        self.seen.restarts += 1;
        self.note(format_args!("replica {at}: restarts"));
        self.disconnect(at, false);
        let (seed, machine_seed) = (self.random.u64(), self.random.u64());
        let keeps_editor = self.happens(500);
        let replica = &mut self.replicas[at];
        replica.life += 1;
        replica.node.restart(seed)?;
        replica.machine = crate::drive::machine(&replica.node, machine_seed);
        replica.status = None;
        if !keeps_editor {
            replica.editor = None;
        }
        let input = self.start_input(at)?;
        self.tell_replica(at, input);
        Ok(())
    }

    /// The process ends while a group is open: nothing of it was acknowledged, so nothing of it may be seen.
    fn crash_in_a_transaction(&mut self, at: usize) {
        self.seen.torn += 1;
        let calls = self.random_calls(Place::Replica(at));
        let engine = self.replicas[at].node.engine_mut();
        if engine.begin().is_ok() {
            for call in calls {
                let operation = tombolo_core::Operation::from_json(&call.name, &call.args);
                // Whether it succeeds is of no interest: nobody will hear of it.
                drop(operation.and_then(|operation| engine.execute(&operation)));
            }
        }
        self.crash(at);
    }

    pub(crate) fn server_down(&mut self) {
        if self.server.hub.take().is_none() {
            return;
        }
        self.seen.server_restarts += 1;
        self.note(format_args!("server: down"));
        self.server.life += 1;
        self.lose_server_ends();
        self.after(4_000, Event::ServerUp);
    }

    pub(crate) fn server_up(&mut self) {
        if self.server.hub.is_some() {
            return;
        }
        self.note(format_args!("server: up"));
        self.server.doomed = false;
        let seed = self.random.u64();
        let started = self.server.node.restart(seed).and_then(|()| self.start_hub());
        if let Err(error) = started {
            self.violate(Checker::Defect, format!("the server does not start again: {error}"));
        }
    }

    /// Makes a table of a replica or of the server fail, at once or after a few changes.
    fn break_disk(&mut self, at: usize) {
        let place = if self.happens(400) { Place::Server } else { Place::Replica(at) };
        let tables = TABLES.len() + self.manifest.entities.len();
        let table = match self.index(tables) {
            n if n < TABLES.len() => TABLES[n].to_owned(),
            n => format!("row_{}", self.manifest.entities[n - TABLES.len()].name),
        };
        let (after, how) = (self.below(6), ["ABORT", "ABORT", "FAIL", "ROLLBACK"][self.index(4)]);
        let mut sql = format!("CREATE TEMP TABLE fault (n INTEGER); INSERT INTO fault VALUES ({after});");
        for (n, what) in ["INSERT", "UPDATE", "DELETE"].iter().enumerate() {
            sql.push_str(&format!(
                "CREATE TEMP TRIGGER fault_{n} BEFORE {what} ON main.\"{table}\" BEGIN \
                 SELECT RAISE({how}, 'the disk failed') WHERE (SELECT n FROM fault) <= 0; \
                 UPDATE fault SET n = n - 1; END;"
            ));
        }
        self.repair(place);
        if self.node(place).engine().backend().execute_batch(&sql).is_ok() {
            self.seen.disk_faults += 1;
            self.note(format_args!("{place:?}: {table} fails ({how}) after {after} changes"));
            self.after(4_000, Event::Repair { place });
        }
    }

    pub(crate) fn repair(&mut self, place: Place) {
        let sql = "DROP TRIGGER IF EXISTS temp.fault_0; DROP TRIGGER IF EXISTS temp.fault_1; \
                   DROP TRIGGER IF EXISTS temp.fault_2; DROP TABLE IF EXISTS temp.fault;";
        if let Err(error) = self.node(place).engine().backend().execute_batch(sql) {
            self.violate(Checker::Defect, format!("{place:?}: the disk cannot be repaired: {error}"));
        }
    }

    pub(crate) fn maintain(&mut self, place: Place) {
        self.after(600, Event::Maintain { place });
        let engine = self.node(place).engine_mut();
        let folds = engine.has_maintenance();
        let done = engine.maintain().and_then(|()| engine.catch_up_now());
        match done {
            Ok(()) => self.seen.folds += u64::from(folds),
            Err(error) => self.judge_error(place, &error),
        }
    }
}
