//! The drivers: what the machines ask for, done on engines and connections.

use crate::check::Checker;
use crate::config::Sabotage;
use crate::node::Node;
use crate::world::{Event, Place, World};
use std::collections::BTreeSet;
use tombolo_core::{Code, Commit, CommitId, Error, Millis, Rejection, Result, Seq, SpaceId, Status, Verdict};
use tombolo_sqlite::Sqlite;
use tombolo_store::backend::{Backend as _, Read as _};
use tombolo_store::{Draft, Engine, Incoming};
use tombolo_sync::{
    Applied, Binding, Client, ClientAction, ClientConfig, ClientInput, Grant, Hub, HubAction, HubConfig,
    HubInput, HubSpace, LogItem, LogPage, Outbox, Role, SessionId,
};

/// How long a disk takes, at most.
const DISK_MS: u64 = 30;

pub(crate) fn machine(node: &Node, seed: u64) -> Client {
    let manifest = node.engine().manifest();
    let config = ClientConfig {
        actor: node.engine().actor(),
        manifest_version: manifest.version,
        manifest_hash: manifest.hash().to_owned(),
    };
    Client::new(config, seed)
}

impl World {
    pub(crate) fn start_input(&self, at: usize) -> Result<ClientInput> {
        let space = self.replicas[at].node.engine().space()?;
        let server = space.server.as_deref().map(str::parse).transpose()?;
        let binding = match (server, space.id, space.epoch) {
            (Some(server), Some(id), Some(epoch)) => {
                Some(Binding { server, space: id, epoch, cursor: space.cursor })
            }
            _ => None,
        };
        Ok(ClientInput::Start { token: "token".to_owned(), binding, counts: self.counts(at)? })
    }

    pub(crate) fn start_hub(&mut self) -> Result<()> {
        let (space, epoch) = self.space()?;
        let head = self.server.node.engine().space()?.cursor;
        self.server.told = head;
        self.server.told_until = self.now;
        let spaces = vec![HubSpace { space, epoch, head }];
        let manifest_version = self.manifest.version;
        self.server.hub = Some(Hub::new(HubConfig { server: self.server.id, manifest_version, spaces }));
        Ok(())
    }

    pub(crate) fn tell_replica(&mut self, at: usize, input: ClientInput) {
        self.replicas[at].machine.handle(input, self.now);
        while let Some(action) = self.replicas[at].machine.poll() {
            match action {
                ClientAction::Connect => self.connect(at),
                ClientAction::Disconnect { reason, .. } => {
                    self.note(format_args!("replica {at}: disconnects: {reason}"));
                    self.disconnect(at, false);
                }
                ClientAction::Send(bytes) => self.send_up(at, bytes),
                ClientAction::Report(status) => {
                    self.note(format_args!(
                        "replica {at}: {:?} {:?} {:?}",
                        status.state, status.code, status.message
                    ));
                    self.replicas[at].status = Some(status);
                }
                action => {
                    let life = self.replicas[at].life;
                    self.after(DISK_MS, Event::ReplicaDisk { at, life, action });
                }
            }
        }
    }

    pub(crate) fn tell_hub(&mut self, input: HubInput) {
        let Some(hub) = &mut self.server.hub else { return };
        hub.handle(input, self.now);
        let actions: Vec<_> = std::iter::from_fn(|| hub.poll()).collect();
        for action in actions {
            match action {
                HubAction::Send { session, bytes } => self.send_down(session.0, &bytes),
                HubAction::Close { session, code, reason } => self.close(session.0, code, reason),
                action => {
                    let life = self.server.life;
                    self.after(DISK_MS, Event::ServerDisk { life, action });
                }
            }
        }
    }

    pub(crate) fn replica_disk(&mut self, at: usize, action: ClientAction) {
        let torn = self.happens(self.faults.torn);
        if torn && self.happens(500) {
            // The process ends before the transaction.
            self.seen.torn += 1;
            return self.crash(at);
        }
        let input = match action {
            ClientAction::Bind(binding) => {
                let server = binding.server.to_string();
                let bound =
                    self.replicas[at].node.group(|engine| engine.bind(&server, binding.space, binding.epoch));
                ClientInput::Bound { space: binding.space, result: bound }
            }
            ClientAction::ReadOutbox { space, after, max_commits, max_bytes } => {
                ClientInput::OutboxRead { space, result: self.outbox(at, after, max_commits, max_bytes) }
            }
            ClientAction::Apply { space, epoch, items } => {
                let result = self.apply(at, epoch, items);
                ClientInput::Applied { space, result }
            }
            ClientAction::StoreRejection { space, rejection } => {
                let result = self.store_rejection(at, &rejection).and_then(|()| self.counts(at));
                ClientInput::RejectionStored { space, result }
            }
            other => return self.violate(Checker::Defect, format!("no request for a disk: {other:?}")),
        };
        self.judge_input(at, &input);
        if torn {
            // The process ends before the machine hears of the transaction.
            self.seen.torn += 1;
            return self.crash(at);
        }
        let life = self.replicas[at].life;
        self.after(DISK_MS, Event::ToReplica { at, life, input });
    }

    fn judge_input(&mut self, at: usize, input: &ClientInput) {
        let error = match input {
            ClientInput::Bound { result, .. } => result.as_ref().err(),
            ClientInput::OutboxRead { result, .. } => result.as_ref().err(),
            ClientInput::Applied { result, .. } => result.as_ref().err(),
            ClientInput::RejectionStored { result, .. } => result.as_ref().err(),
            _ => None,
        };
        if let Some(error) = error {
            self.note(format_args!("replica {at}: a transaction failed: {error}"));
            self.judge_error(Place::Replica(at), &error.clone());
        }
    }

    fn outbox(&self, at: usize, after: Seq, max_commits: usize, max_bytes: usize) -> Result<Outbox> {
        let engine = self.replicas[at].node.engine();
        let commits = engine.outbox(after, max_bytes, max_commits)?;
        let last = commits.last().map_or(after, |(seq, _)| *seq);
        Ok(Outbox { more: !engine.backend().pending(last, 1)?.is_empty(), commits })
    }

    fn apply(&mut self, at: usize, epoch: tombolo_core::Epoch, items: Vec<LogItem>) -> Result<Applied> {
        let (first, last) = (items.first().map(LogItem::seq), items.last().map(LogItem::seq));
        let skips = self.config.sabotage == Some(Sabotage::SkipsAnEntry) && self.happens(100);
        let skip = items.iter().position(|item| skips && matches!(item, LogItem::Full(_)));
        let entries: Vec<Incoming> = items.into_iter().map(incoming).collect();
        let cursor = self.replicas[at].node.group(|engine| {
            let Some(skip) = skip else { return engine.apply(epoch, &entries) };
            engine.apply(epoch, &entries[..skip])?;
            let space = engine.space()?;
            let cursor = space.cursor.next();
            engine.backend_mut().put_space(&tombolo_store::backend::SpaceRow { cursor, ..space })?;
            engine.apply(epoch, &entries[skip + 1..])
        })?;
        self.note(format_args!("replica {at}: applied {first:?} to {last:?}"));
        if self.config.sabotage == Some(Sabotage::WritesPastTheDocument) {
            self.write_past_the_document(at)?;
        }
        Ok(Applied { cursor, counts: self.counts(at)? })
    }

    /// The sabotage of the same name: every number in the first table goes up by one.
    fn write_past_the_document(&mut self, at: usize) -> Result<()> {
        let manifest = std::sync::Arc::clone(&self.manifest);
        let number = manifest.entities.iter().find_map(|entity| {
            let field = entity.fields.iter().find(|field| field.kind == tombolo_core::FieldType::Int)?;
            Some((&entity.name, &field.name))
        });
        let Some((entity, field)) = number else { return Ok(()) };
        let sql = format!("UPDATE \"row_{entity}\" SET \"f_{field}\" = \"f_{field}\" + 1");
        self.replicas[at].node.engine().backend().execute_batch(&sql)
    }

    fn store_rejection(&mut self, at: usize, rejection: &Rejection) -> Result<()> {
        let node = &mut self.replicas[at].node;
        let before = pending(node.engine())?;
        if self.config.sabotage == Some(Sabotage::ForgetsTheRefused) {
            let row = node.engine().backend().log_row(rejection.commit)?;
            return node.group(|engine| row.map_or(Ok(()), |row| engine.backend_mut().remove_log(row.seq)));
        }
        node.group(|engine| engine.reject(rejection))?;
        let after = pending(node.engine())?;
        let rewritten: Vec<(CommitId, CommitId)> = node
            .engine()
            .backend()
            .pending(Seq(0), usize::MAX)?
            .into_iter()
            .filter_map(|row| Some((row.replaces?, row.id)))
            .collect();
        let out = drafted(node.engine())?;
        self.note(format_args!(
            "replica {at}: stored the refusal of {}: {}",
            rejection.commit, rejection.message
        ));
        self.seen.rejections += u64::from(before.contains(&rejection.commit));
        for (old, new) in rewritten {
            if self.model.rewritten.insert(old, new).is_none() {
                self.seen.rewritten += 1;
                self.note(format_args!("replica {at}: wrote {old} again as {new}"));
            }
        }
        for id in before.difference(&after) {
            let kept = self.model.rewritten.contains_key(id) || out.contains(id);
            if !kept && *id != rejection.commit {
                self.note(format_args!("replica {at}: nothing is left of {id}"));
                self.model.void.insert(*id);
            }
        }
        Ok(())
    }

    pub(crate) fn server_disk(&mut self, action: HubAction) {
        let life = self.server.life;
        match action {
            HubAction::Authenticate { session, .. } => {
                let grant = Grant { role: Role::Editor, account: "ann".into() };
                let input = HubInput::Authenticated { session, result: Ok(grant) };
                self.after(DISK_MS, Event::ToHub { life, input });
            }
            HubAction::ReadLog { session, space, after, max_bytes, max_entries } => {
                let entries = self.server.node.engine().log_after(after, max_bytes, max_entries);
                let input =
                    HubInput::LogRead { session, space, result: entries.map(|entries| LogPage { entries }) };
                self.after(DISK_MS, Event::ToHub { life, input });
            }
            HubAction::Judge { session, space, generation, commits, .. } => {
                self.judge(session, space, generation, &commits);
            }
            other => self.violate(Checker::Defect, format!("no request for a disk: {other:?}")),
        }
    }

    fn judge(&mut self, session: SessionId, space: SpaceId, generation: u32, commits: &[Commit]) {
        let torn = self.happens(self.faults.torn);
        if torn && self.happens(500) {
            self.seen.torn += 1;
            return self.server_down();
        }
        if self.config.sabotage == Some(Sabotage::AcknowledgesTooEarly) && self.happens(100) {
            return self.acknowledge_too_early(session, space, generation, commits);
        }
        let pauses = self.happens(self.faults.pauses);
        let judged = self.server.node.group(|engine| Ok(judge_all(engine, commits, pauses)));
        let life = self.server.life;
        let result = judged.and_then(|(verdicts, error)| match error {
            // What was judged before the fault is durable: the session ends, and the rest is pushed again.
            Some(error) if verdicts.is_empty() => Err(error),
            _ => Ok(verdicts),
        });
        match &result {
            Ok(verdicts) => self.note_verdicts(session, verdicts),
            Err(error) => {
                self.note(format_args!("session {}: the judge failed: {error}", session.0));
                self.judge_error(Place::Server, error);
            }
        }
        self.tell_committed(Some(session));
        if torn {
            self.seen.torn += 1;
            return self.server_down();
        }
        let input = HubInput::Judged { session, space, generation, result, retry_after_ms: Some(300) };
        self.after(DISK_MS, Event::ToHub { life, input });
    }

    fn note_verdicts(&mut self, session: SessionId, verdicts: &[(CommitId, Verdict)]) {
        for (id, verdict) in verdicts {
            match verdict {
                Verdict::Accepted { seq, .. } if *seq <= self.server.told => self.seen.pushed_again += 1,
                Verdict::Accepted { seq, .. } => {
                    self.seen.accepted += 1;
                    self.note(format_args!("session {}: {id} is accepted as {seq}", session.0));
                }
                Verdict::Rejected(rejection) if rejection.status.pauses() => self.seen.pauses += 1,
                Verdict::Rejected(rejection) => {
                    let text = format!("{:?} {} {}", rejection.status, rejection.code, rejection.message);
                    self.note(format_args!("session {}: {id} is refused: {text}", session.0));
                    self.judge_refusal(rejection, &text);
                }
            }
        }
    }

    /// Only what an author wrote may be refused: a value that is taken or too long, and again what was refused before
    /// and has not been taken back yet.
    fn judge_refusal(&mut self, rejection: &Rejection, text: &str) {
        let again = !self.model.refused.insert(rejection.commit);
        let of_its_author = matches!(rejection.code, Code::UniqueViolation | Code::InvalidData);
        if !again && !of_its_author {
            self.violate(Checker::Refusal, format!("{} was refused: {text}", rejection.commit));
        }
    }

    /// Tells the hub of everything that became durable since the last time.
    pub(crate) fn tell_committed(&mut self, from: Option<SessionId>) {
        let Ok(entries) =
            self.server.node.engine().log_after(self.server.told, usize::MAX >> 1, usize::MAX >> 1)
        else {
            return;
        };
        let (Some(last), Ok((space, _))) = (entries.last(), self.space()) else { return };
        self.server.told = last.seq;
        let delay = Millis::try_from(self.below(DISK_MS)).unwrap_or(0);
        self.server.told_until = self.server.told_until.max(self.now + delay);
        let (life, time) = (self.server.life, self.server.told_until);
        self.at(time, Event::ToHub { life, input: HubInput::Committed { space, entries, from } });
    }

    /// The sabotage of the same name.
    fn acknowledge_too_early(
        &mut self,
        session: SessionId,
        space: SpaceId,
        generation: u32,
        commits: &[Commit],
    ) {
        let told = self.server.told;
        let engine = self.server.node.engine_mut();
        let judged = engine.begin().and_then(|()| {
            let (verdicts, _) = judge_all(engine, commits, false);
            let entries = engine.log_after(told, usize::MAX >> 1, usize::MAX >> 1)?;
            engine.rollback()?;
            Ok((verdicts, entries))
        });
        let Ok((verdicts, entries)) = judged else { return };
        self.note(format_args!("session {}: the server acknowledges what it will lose", session.0));
        self.tell_hub(HubInput::Committed { space, entries, from: Some(session) });
        self.tell_hub(HubInput::Judged {
            session,
            space,
            generation,
            result: Ok(verdicts),
            retry_after_ms: None,
        });
        self.server.doomed = true;
        self.at(self.now + 500, Event::ServerDown);
    }
}

fn incoming(item: LogItem) -> Incoming {
    match item {
        LogItem::Full(entry) => Incoming::Entry(entry),
        LogItem::Own { seq, received, id } => Incoming::Own { seq, received, commit: id },
    }
}

/// Judges commits up to the first refusal or the first fault.
fn judge_all(
    engine: &mut Engine<Sqlite>,
    commits: &[Commit],
    pauses: bool,
) -> (Vec<(CommitId, Verdict)>, Option<Error>) {
    let mut verdicts = Vec::with_capacity(commits.len());
    for (n, commit) in commits.iter().enumerate() {
        if pauses && n == commits.len() / 2 {
            let (code, message) = (Code::RateLimited, "too much at once".to_owned());
            let rejection = Rejection { commit: commit.id, status: Status::RateLimited, code, message };
            verdicts.push((commit.id, Verdict::Rejected(rejection)));
            break;
        }
        match engine.judge(commit) {
            Ok(judgement) => {
                let refused = matches!(judgement.verdict, Verdict::Rejected(_));
                verdicts.push((commit.id, judgement.verdict));
                if refused {
                    break;
                }
            }
            Err(error) => return (verdicts, Some(error)),
        }
    }
    (verdicts, None)
}

pub(crate) fn pending(engine: &Engine<Sqlite>) -> Result<BTreeSet<CommitId>> {
    Ok(engine.backend().pending(Seq(0), usize::MAX)?.into_iter().map(|row| row.id).collect())
}

/// The commits that lie in drafts.
pub(crate) fn drafted(engine: &Engine<Sqlite>) -> Result<BTreeSet<CommitId>> {
    let mut ids = BTreeSet::new();
    for draft in engine.backend().drafts()? {
        let draft: Draft = postcard::from_bytes(&draft.commits)
            .map_err(|error| Error::new(Code::Internal, format!("a draft cannot be read: {error}")))?;
        ids.extend(
            draft.commits.into_iter().filter(|commit| commit.taken_out).map(|commit| commit.commit.id),
        );
    }
    Ok(ids)
}
