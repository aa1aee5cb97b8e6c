//! The loop that carries out what the client machine asks for.

use crate::connection::Connection;
use crate::local::Notes;
use crate::{Fate, News, Server};
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::time::Instant;
use tombolo_core::{ActorId, CommitId, Error, Millis, Rejection, Result, Seq};
use tombolo_sqlite::Sqlite;
use tombolo_store::backend::{LogRow, LogState, Read as _, SpaceRow};
use tombolo_store::{Engine, Incoming, Submitter};
use tombolo_sync::{
    Applied, Binding, Client, ClientAction, ClientInput, CloseCode, Counts, LogItem, Outbox, SyncState,
    SyncStatus,
};

/// Answers of the store that may wait for the driver: the machine has one request of each kind outstanding.
pub(crate) const ANSWERS: usize = 16;

/// What the replica's owner wants.
#[derive(Debug)]
pub(crate) enum Command {
    SetServer(Option<Server>),
    NetworkChanged,
    Close,
}

pub(crate) struct Driver {
    pub(crate) machine: Client,
    pub(crate) actor: ActorId,
    pub(crate) submitter: Submitter<Sqlite>,
    pub(crate) notes: Arc<Notes>,
    pub(crate) commands: mpsc::Receiver<Command>,
    pub(crate) status: watch::Sender<SyncStatus>,
    pub(crate) news: broadcast::Sender<News>,
    pub(crate) answers: mpsc::Sender<ClientInput>,
    pub(crate) answered: mpsc::Receiver<ClientInput>,
    pub(crate) server: Option<Server>,
}

impl Driver {
    /// Drives the machine until the replica is closed or dropped.
    pub(crate) async fn run(mut self) {
        let start = Instant::now();
        let mut now = Millis::default();
        let mut connection = None;
        let mut reported = self.status.borrow().clone();
        let mut counting = false;
        let mut next = self.start().await;
        loop {
            self.machine.handle(next, now);
            while let Some(action) = self.machine.poll() {
                self.act(action, &mut connection, &mut reported);
            }
            next = loop {
                self.publish(&reported);
                let deadline = self.machine.deadline().map(|at| start + millis(at));
                tokio::select! {
                    command = self.commands.recv() => break match command {
                        Some(Command::SetServer(server)) => {
                            self.server = server;
                            if self.server.is_some() { self.start().await } else { ClientInput::Stop }
                        }
                        Some(Command::NetworkChanged) => ClientInput::NetworkChanged,
                        Some(Command::Close) | None => {
                            let leaves = |connection: Connection| {
                                connection.close(CloseCode::AWAY, "the device is closing".to_owned());
                            };
                            return connection.map_or((), leaves);
                        }
                    },
                    Some(input) = self.answered.recv() => {
                        counting &= !matches!(input, ClientInput::CommitsWaiting(_));
                        break input;
                    }
                    () = self.notes.changed(), if !counting => {
                        counting = true;
                        self.count();
                    }
                    input = next_of(&mut connection, self.machine.wants_input()) => {
                        if matches!(input, ClientInput::Closed { .. }) {
                            connection = None;
                        }
                        break input;
                    }
                    () = until(deadline) => break ClientInput::Timer,
                }
            };
            now = Millis::try_from(start.elapsed().as_millis()).unwrap_or(Millis::MAX);
        }
    }

    /// The input to begin with.
    async fn start(&self) -> ClientInput {
        let (submitter, notes) = (self.submitter.clone(), Arc::clone(&self.notes));
        let read = tokio::task::spawn_blocking(move || {
            let counts = count(&submitter, &notes, true);
            let spaces = submitter.read_log(|reader| reader.spaces()).unwrap_or_default();
            (spaces.first().and_then(binding), counts)
        });
        let (binding, counts) = read.await.unwrap_or_default();
        match &self.server {
            None => ClientInput::CommitsWaiting(counts),
            Some(server) => ClientInput::Start { token: server.token.expose().to_owned(), binding, counts },
        }
    }

    fn act(&mut self, action: ClientAction, connection: &mut Option<Connection>, reported: &mut SyncStatus) {
        match action {
            ClientAction::Connect => *connection = self.server.as_ref().map(Connection::open),
            ClientAction::Disconnect { code, reason } => {
                if let Some(connection) = connection.take() {
                    connection.close(code, reason);
                }
            }
            ClientAction::Send(bytes) => {
                if let Some(connection) = connection {
                    connection.send(bytes);
                }
            }
            ClientAction::Report(status) => *reported = status,
            ClientAction::Bind(binding) => self.store(
                move |engine| engine.bind(&binding.server.to_string(), binding.space, binding.epoch),
                move |result| ClientInput::Bound { space: binding.space, result },
            ),
            ClientAction::ReadOutbox { space, after, max_commits, max_bytes } => {
                let (submitter, answers) = (self.submitter.clone(), self.answers.clone());
                tokio::task::spawn_blocking(move || {
                    let result = submitter.outbox(after, max_bytes, max_commits);
                    // Whether there is more is found out by reading on; the last read gives nothing.
                    let result = result.map(|commits| Outbox { more: !commits.is_empty(), commits });
                    answer(&answers, ClientInput::OutboxRead { space, result });
                });
            }
            ClientAction::Apply { space, epoch, items } => {
                let (actor, notes, news) = (self.actor, Arc::clone(&self.notes), self.news.clone());
                self.store(
                    move |engine| apply(engine, actor, epoch, items),
                    move |result| {
                        let result = result.map(|(cursor, waiting, accepted)| {
                            notes.set_waiting(waiting);
                            publish(&news, accepted);
                            Applied { cursor, counts: notes.counts() }
                        });
                        ClientInput::Applied { space, result }
                    },
                );
            }
            ClientAction::StoreRejection { space, rejection } => {
                let (notes, news) = (Arc::clone(&self.notes), self.news.clone());
                self.store(
                    move |engine| reject(engine, &rejection),
                    move |result| {
                        let result = result.map(|(counts, fates)| {
                            notes.set_waiting(counts.waiting);
                            notes.set_drafts(counts.drafts);
                            publish(&news, fates);
                            counts
                        });
                        ClientInput::RejectionStored { space, result }
                    },
                );
            }
        }
    }

    /// Runs a job of the store. If its queue is full, this waits for the disk, as every writer does.
    fn store<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Engine<Sqlite>) -> Result<T> + Send + 'static,
        input: impl FnOnce(Result<T>) -> ClientInput + Send + 'static,
    ) {
        let answers = self.answers.clone();
        self.submitter.submit(job, move |result| answer(&answers, input(result)));
    }

    fn count(&self) {
        let (submitter, notes) = (self.submitter.clone(), Arc::clone(&self.notes));
        let answers = self.answers.clone();
        tokio::task::spawn_blocking(move || {
            let drafts = notes.take_drafts_changed();
            answer(&answers, ClientInput::CommitsWaiting(count(&submitter, &notes, drafts)));
        });
    }

    /// Tells what the machine reported, unless the disk has something worse to say.
    fn publish(&self, reported: &SyncStatus) {
        let status = match self.notes.trouble() {
            None => reported.clone(),
            Some(Error { code, message, .. }) => SyncStatus {
                state: SyncState::NotSaved,
                code: Some(code),
                message: Some(message),
                ..reported.clone()
            },
        };
        self.status.send_if_modified(|told| {
            let changed = *told != status;
            *told = status;
            changed
        });
    }
}

fn millis(at: Millis) -> std::time::Duration {
    std::time::Duration::from_millis(u64::try_from(at).unwrap_or(0))
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

async fn next_of(connection: &mut Option<Connection>, wants_input: bool) -> ClientInput {
    match connection {
        Some(connection) => connection.next(wants_input).await,
        None => std::future::pending().await,
    }
}

fn answer(answers: &mpsc::Sender<ClientInput>, input: ClientInput) {
    // A driver that has ended needs no answers.
    answers.try_send(input).unwrap_or_default();
}

fn publish(news: &broadcast::Sender<News>, fates: Vec<News>) {
    for fate in fates {
        // Nobody may be listening.
        news.send(fate).unwrap_or_default();
    }
}

/// Counts anew; what cannot be read stays as it was.
fn count(submitter: &Submitter<Sqlite>, notes: &Notes, drafts: bool) -> Counts {
    let read = submitter.read_log(|reader| {
        notes.set_waiting(reader.pending_count()?);
        if drafts {
            notes.set_drafts(reader.drafts()?.len() as u64);
        }
        Ok(())
    });
    if let Err(error) = read {
        tracing::warn!(%error, "the outbox could not be counted");
    }
    notes.counts()
}

fn binding(space: &SpaceRow) -> Option<Binding> {
    let server = space.server.as_ref()?.parse().ok()?;
    Some(Binding { server, space: space.id?, epoch: space.epoch?, cursor: space.cursor })
}

/// Applies entries; gives the cursor, how many commits wait, and which of ours were accepted.
fn apply(
    engine: &mut Engine<Sqlite>,
    actor: ActorId,
    epoch: tombolo_core::Epoch,
    items: Vec<LogItem>,
) -> Result<(Seq, u64, Vec<News>)> {
    let mut accepted = Vec::new();
    for item in &items {
        let ours = match item {
            LogItem::Own { .. } => true,
            LogItem::Full(entry) => entry.commit.actor == actor,
        };
        if !ours {
            continue;
        }
        let row = engine.backend().log_row(item.id())?.filter(|row| row.state == LogState::Pending);
        accepted.extend(row.map(|row| news(&row, Fate::Accepted { server_seq: item.seq() })));
    }
    let entries: Vec<Incoming> = items
        .into_iter()
        .map(|item| match item {
            LogItem::Full(entry) => Incoming::Entry(entry),
            LogItem::Own { seq, received, id } => Incoming::Own { seq, received, commit: id },
        })
        .collect();
    let cursor = engine.apply(epoch, &entries)?;
    Ok((cursor, engine.backend().pending_count()?, accepted))
}

/// Takes a refused commit out; gives what is left to do, what was refused with it, and what was written again.
fn reject(engine: &mut Engine<Sqlite>, rejection: &Rejection) -> Result<(Counts, Vec<News>)> {
    let before = engine.backend().pending(Seq(0), usize::MAX)?;
    engine.reject(rejection)?;
    let after = engine.backend().pending(Seq(0), usize::MAX)?;
    let kept: BTreeSet<CommitId> =
        after.iter().flat_map(|row| [Some(row.id), row.replaces]).flatten().collect();
    let known: BTreeSet<CommitId> = before.iter().map(|row| row.id).collect();
    let refused = before
        .iter()
        .filter(|row| !kept.contains(&row.id))
        .map(|row| news(row, Fate::Refused { code: rejection.code, message: rejection.message.clone() }));
    let rewritten = after
        .iter()
        .filter(|row| !known.contains(&row.id))
        .filter_map(|row| Some(news(row, Fate::Rewritten { replaces: row.replaces? })));
    let fates = refused.chain(rewritten).collect();
    let drafts = engine.backend().drafts()?.len() as u64;
    Ok((Counts { waiting: after.len() as u64, drafts }, fates))
}

fn news(row: &LogRow, fate: Fate) -> News {
    News { commit: row.id, seq: row.seq, fate }
}
