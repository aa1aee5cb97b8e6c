//! The checkers: apart from the workload, they know only what was acknowledged and what the disks hold.

use crate::drive::{drafted, pending};
use crate::facts::{Facts, check_projection};
use crate::model::Typist;
use crate::trace::Seen;
use crate::world::{Place, World};
use std::collections::{BTreeMap, BTreeSet};
use tombolo_core::{CommitId, Error, Result, Seq};
use tombolo_store::backend::{LogState, Read as _};

/// Which promise was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checker {
    /// A write that was acknowledged is neither on the server nor in its author's outbox or drafts.
    Lost,
    /// A log has a gap, a commit twice, or another commit than the server's at its place.
    Log,
    /// After everything was healed, something is still on its way.
    Liveness,
    /// Two nodes have different rows or documents.
    Convergence,
    /// A row does not show its document.
    Projection,
    /// A character that was typed once is not there once, or one is there that was taken away or never acknowledged.
    Characters,
    /// The server refused a commit for something that its author did not write.
    Refusal,
    /// A part reports a defect of its own.
    Defect,
}

/// A broken promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which promise.
    pub checker: Checker,
    /// What was found.
    pub what: String,
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}: {}", self.checker, self.what)
    }
}

impl std::error::Error for Violation {}

impl From<Error> for Violation {
    fn from(error: Error) -> Self {
        violation(Checker::Defect, format!("a checker cannot read: {error}"))
    }
}

type Checked<T = ()> = std::result::Result<T, Violation>;

pub(crate) fn violation(checker: Checker, what: String) -> Violation {
    Violation { checker, what }
}

fn ensure(holds: bool, checker: Checker, what: impl FnOnce() -> String) -> Checked {
    match holds {
        true => Ok(()),
        false => Err(violation(checker, what())),
    }
}

impl World {
    /// Heals the world, lets it settle, and holds it against every promise.
    ///
    /// # Errors
    /// The first promise that is broken.
    pub fn check(&mut self) -> Checked<Seen> {
        self.heal();
        let settled = self.settle()?;
        // What is lost is lost, whatever else was seen on the way.
        self.check_lost()?;
        self.check_logs()?;
        if let Some(violation) = self.violation.take() {
            return Err(violation);
        }
        ensure(settled, Checker::Liveness, || self.describe())?;
        let server = self.facts(Place::Server)?;
        for at in 0..self.replicas.len() {
            let replica = self.facts(Place::Replica(at))?;
            if let Some(difference) = server.difference(&replica) {
                return Err(violation(Checker::Convergence, format!("replica {at}: {difference}")));
            }
        }
        // The others are equal to it.
        check_projection(&self.manifest, &server)?;
        self.check_characters(&server)?;
        Ok(self.seen.clone())
    }

    fn facts(&mut self, place: Place) -> Result<Facts> {
        let manifest = std::sync::Arc::clone(&self.manifest);
        let engine = self.node(place).engine_mut();
        engine.catch_up_now()?;
        engine.backend().integrity_check()?;
        Facts::read(engine.backend(), &manifest)
    }

    /// The server's log: place by place, gap-free.
    fn server_log(&self) -> Checked<BTreeMap<CommitId, Seq>> {
        let engine = self.server.node.engine();
        let rows = engine.backend().accepted(tombolo_store::SpaceKey(1), Seq(0), usize::MAX >> 1)?;
        let mut log = BTreeMap::new();
        for (place, row) in (1..).zip(rows) {
            ensure(row.server_seq == Some(Seq(place)), Checker::Log, || {
                format!("the server's log has {:?} at {place}", row.server_seq)
            })?;
            ensure(log.insert(row.id, Seq(place)).is_none(), Checker::Log, || {
                format!("the server's log has {} twice", row.id)
            })?;
        }
        let head = engine.space()?.cursor;
        ensure(head.0 == log.len() as u64, Checker::Log, || format!("the server's head is {head}"))?;
        Ok(log)
    }

    fn check_lost(&self) -> Checked {
        let server = self.server_log()?;
        let mut elsewhere = BTreeSet::new();
        for replica in &self.replicas {
            let engine = replica.node.engine();
            elsewhere.extend(pending(engine)?);
            elsewhere.extend(drafted(engine)?);
        }
        for id in self.model.acked.keys() {
            let name = self.model.name(*id);
            let known = server.contains_key(&name)
                || elsewhere.contains(&name)
                || self.model.discarded.contains(&name)
                || self.is_local(name)?;
            let empty = self.model.void.contains(&name) && self.model.acked[id].typed.is_empty();
            ensure(known || empty, Checker::Lost, || {
                format!("commit {id}, which is called {name} now, was acknowledged and is nowhere")
            })?;
        }
        Ok(())
    }

    fn is_local(&self, id: CommitId) -> Result<bool> {
        let replicas = self.replicas.iter().map(|replica| &replica.node);
        for node in replicas.chain([&self.server.node]) {
            let row = node.engine().backend().log_row(id)?;
            if row.is_some_and(|row| row.state == LogState::Local) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What a replica has of the server's log is a prefix of it.
    fn check_logs(&self) -> Checked {
        let server = self.server_log()?;
        for (at, replica) in self.replicas.iter().enumerate() {
            let engine = replica.node.engine();
            let cursor = engine.space()?.cursor;
            let rows = engine.backend().accepted(tombolo_store::SpaceKey(1), Seq(0), usize::MAX >> 1)?;
            for (place, row) in (1..).zip(&rows) {
                ensure(row.server_seq == Some(Seq(place)), Checker::Log, || {
                    format!("replica {at} has {:?} of the server's log at {place}", row.server_seq)
                })?;
                ensure(server.contains_key(&row.id), Checker::Lost, || {
                    format!("replica {at} was told that {} is on the server, and it is not", row.id)
                })?;
                ensure(server.get(&row.id) == Some(&Seq(place)), Checker::Log, || {
                    format!("replica {at} has {} at {place} of the server's log", row.id)
                })?;
            }
            ensure(cursor.0 == rows.len() as u64, Checker::Log, || {
                format!("replica {at} has its cursor at {cursor} and {} entries", rows.len())
            })?;
        }
        Ok(())
    }

    /// Each character that was typed is there once, unless a commit that took it away, or not the one that typed it,
    /// reached the server; and no other is there.
    fn check_characters(&self, facts: &Facts) -> Checked {
        let server = self.server_log()?;
        let mut there: BTreeMap<char, u32> = BTreeMap::new();
        for char in facts.texts().flat_map(Typist::of) {
            *there.entry(char).or_default() += 1;
        }
        let arrived = |id: &CommitId| server.contains_key(&self.model.name(*id));
        let acked = self.model.acked.iter().filter(|(id, _)| arrived(id));
        let removed: BTreeSet<char> =
            acked.clone().flat_map(|(_, effect)| effect.removed.iter().copied()).collect();
        for (id, effect) in acked {
            for char in &effect.typed {
                let expected = u32::from(!removed.contains(char));
                let found = there.remove(char).unwrap_or(0);
                ensure(found == expected, Checker::Characters, || {
                    format!("{char} of commit {id} is there {found} times, not {expected}")
                })?;
            }
        }
        match there.keys().next() {
            None => Ok(()),
            Some(char) => Err(violation(
                Checker::Characters,
                format!("{char} is there, and no commit that arrived typed it"),
            )),
        }
    }

    fn describe(&self) -> String {
        let mut lines = vec![format!("not settled at {}", self.now)];
        for (at, replica) in self.replicas.iter().enumerate() {
            let engine = replica.node.engine();
            lines.push(format!(
                "replica {at}: {:?} waiting, cursor {:?}, {:?}",
                engine.backend().pending_count(),
                engine.space().map(|space| space.cursor),
                replica.status
            ));
        }
        lines.join("; ")
    }
}
