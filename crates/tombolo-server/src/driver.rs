//! The loop that carries out what the hub asks for.

use crate::accounts::Accounts;
use crate::connection::{Event, Order, Session};
use crate::server::AfterCommit;
use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tombolo_core::{
    ActorId, Code, Commit, CommitId, Error, LogEntry, Millis, Rejection, Result, SpaceId, Status, Verdict,
};
use tombolo_sqlite::Sqlite;
use tombolo_store::{Engine, Submitter};
use tombolo_sync::{CloseCode, Hub, HubAction, HubInput, LogPage, SessionId};

pub(crate) struct Driver {
    pub(crate) hub: Hub,
    pub(crate) manifest: (u32, String),
    pub(crate) submitter: Submitter<Sqlite>,
    pub(crate) accounts: Arc<Mutex<Accounts>>,
    pub(crate) events: mpsc::Receiver<(SessionId, Event)>,
    /// Unbounded, because each session has one request of each kind outstanding.
    pub(crate) answers: mpsc::UnboundedSender<HubInput>,
    pub(crate) answered: mpsc::UnboundedReceiver<HubInput>,
    pub(crate) after_commit: Option<AfterCommit>,
    pub(crate) sessions: HashMap<SessionId, Held>,
}

/// A session's connection, and whether it waits to be allowed to read.
pub(crate) struct Held {
    session: Session,
    waits: bool,
}

impl Driver {
    /// Drives the hub until it is told to stop; then every session is told to come back later.
    pub(crate) async fn run(mut self, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        let start = Instant::now();
        loop {
            let deadline = self.hub.deadline();
            let timer = async {
                match deadline.and_then(|at| u64::try_from(at).ok()) {
                    Some(at) => tokio::time::sleep_until(start + std::time::Duration::from_millis(at)).await,
                    None => std::future::pending().await,
                }
            };
            let input = tokio::select! {
                Some(input) = self.answered.recv() => input,
                Some((session, event)) = self.events.recv() => self.input(session, event),
                () = timer => HubInput::Timer,
                () = &mut stop => break,
            };
            let concerned = concerned(&input);
            self.hub.handle(input, Millis::try_from(start.elapsed().as_millis()).unwrap_or(Millis::MAX));
            while let Some(action) = self.hub.poll() {
                self.act(action);
            }
            if let Some(session) = concerned {
                self.grant(session);
            }
        }
        for held in self.sessions.into_values() {
            let order = Order::Close(CloseCode::AWAY, "the server is stopping".to_owned());
            held.session.orders.send(order).unwrap_or_default();
        }
    }

    fn input(&mut self, session: SessionId, event: Event) -> HubInput {
        match event {
            Event::Opened(opened) => {
                self.sessions.insert(session, Held { session: opened, waits: false });
                HubInput::Opened { session }
            }
            Event::Received(bytes) => {
                self.waits(session);
                HubInput::Received { session, bytes: bytes.into() }
            }
            Event::ReceivedText => {
                self.waits(session);
                HubInput::ReceivedText { session }
            }
            Event::Sent(bytes) => HubInput::Sent { session, bytes },
            Event::Closed => {
                self.sessions.remove(&session);
                HubInput::Closed { session }
            }
        }
    }

    fn waits(&mut self, session: SessionId) {
        if let Some(held) = self.sessions.get_mut(&session) {
            held.waits = true;
        }
    }

    /// Lets a connection read on as soon as the hub wants more of it.
    fn grant(&mut self, session: SessionId) {
        if let Some(held) = self.sessions.get_mut(&session).filter(|held| held.waits)
            && self.hub.wants_input(session)
        {
            held.waits = false;
            held.session.grant.notify_one();
        }
    }

    fn act(&mut self, action: HubAction) {
        match action {
            HubAction::Send { session, bytes } => self.order(session, Order::Send(bytes)),
            HubAction::Close { session, code, reason } => {
                self.order(session, Order::Close(code, reason));
                self.sessions.remove(&session);
            }
            HubAction::Authenticate { session, token, actor, manifest_version, manifest_hash } => {
                let (accounts, answers) = (Arc::clone(&self.accounts), self.answers.clone());
                let fits = self.fits(manifest_version, &manifest_hash);
                tokio::task::spawn_blocking(move || {
                    let signed_in =
                        || accounts.lock().unwrap_or_else(PoisonError::into_inner).sign_in(&token, actor);
                    let result = signed_in().and_then(|grant| fits.map(|()| grant));
                    answer(&answers, HubInput::Authenticated { session, result });
                });
            }
            HubAction::Judge { session, actor, space, generation, commits, .. } => {
                self.judge(session, actor, space, generation, commits);
            }
            HubAction::ReadLog { session, space, after, max_bytes, max_entries } => {
                let (submitter, answers) = (self.submitter.clone(), self.answers.clone());
                tokio::task::spawn_blocking(move || {
                    let page = submitter.log_after(after, max_bytes, max_entries);
                    let result = page.map(|entries| LogPage { entries });
                    answer(&answers, HubInput::LogRead { session, space, result });
                });
            }
        }
    }

    fn order(&self, session: SessionId, order: Order) {
        if let Some(held) = self.sessions.get(&session) {
            // A connection that has ended says so itself.
            held.session.orders.send(order).unwrap_or_default();
        }
    }

    /// Two manifests under one version would refuse each other's commits one by one.
    fn fits(&self, version: u32, hash: &str) -> Result<()> {
        let (own_version, own_hash) = &self.manifest;
        if version != *own_version || hash.is_empty() || hash == own_hash {
            return Ok(());
        }
        let message = format!(
            "version {version} of the server's manifest is another one than this folder's; \
             open both with the same manifest, or give the changed one a new version"
        );
        Err(Error::new(Code::Conflict, message))
    }

    /// Judges a batch in the next group of the writer's. If its queue is full, this waits for the disk.
    fn judge(
        &self,
        session: SessionId,
        actor: ActorId,
        space: SpaceId,
        generation: u32,
        commits: Vec<Commit>,
    ) {
        let (answers, after_commit) = (self.answers.clone(), self.after_commit.clone());
        self.submitter.submit(
            move |engine| Ok(judge_batch(engine, actor, commits)),
            move |judged| {
                let result = judged.and_then(|Judged { entries, verdicts, error }| {
                    if let Some(after_commit) = after_commit.filter(|_| !entries.is_empty()) {
                        after_commit(entries.len());
                    }
                    if !entries.is_empty() {
                        // Groups call back in the log's order, on one thread.
                        answer(&answers, HubInput::Committed { space, entries, from: Some(session) });
                    }
                    match error.filter(|_| verdicts.is_empty()) {
                        Some(error) => Err(error),
                        None => Ok(verdicts),
                    }
                });
                if let Err(error) = &result {
                    tracing::error!(%error, "a batch could not be judged");
                }
                answer(
                    &answers,
                    HubInput::Judged { session, space, generation, result, retry_after_ms: None },
                );
            },
        );
    }
}

fn answer(answers: &mpsc::UnboundedSender<HubInput>, input: HubInput) {
    // A driver that has ended needs no answers.
    answers.send(input).unwrap_or_default();
}

/// The session whose wish to read an input may change.
fn concerned(input: &HubInput) -> Option<SessionId> {
    match input {
        HubInput::Received { session, .. }
        | HubInput::Authenticated { session, .. }
        | HubInput::Judged { session, .. } => Some(*session),
        _ => None,
    }
}

/// What became of a batch. On an error in the middle, what came before it stands.
struct Judged {
    entries: Vec<LogEntry>,
    verdicts: Vec<(CommitId, Verdict)>,
    error: Option<Error>,
}

fn judge_batch(engine: &mut Engine<Sqlite>, actor: ActorId, commits: Vec<Commit>) -> Judged {
    let mut judged = Judged { entries: Vec::new(), verdicts: Vec::new(), error: None };
    for commit in commits {
        if commit.actor != actor {
            let rejection = Rejection {
                commit: commit.id,
                status: Status::Denied,
                code: Code::PolicyDenied,
                message: "it was written by another device".to_owned(),
            };
            judged.verdicts.push((commit.id, Verdict::Rejected(rejection)));
            return judged;
        }
        let judgement = match engine.judge(&commit) {
            Ok(judgement) => judgement,
            Err(error) => {
                judged.error = Some(error);
                return judged;
            }
        };
        let refused = matches!(judgement.verdict, Verdict::Rejected(_));
        if let (Verdict::Accepted { seq, received }, true) = (&judgement.verdict, judgement.new) {
            judged.entries.push(LogEntry { seq: *seq, received: *received, commit });
        }
        judged.verdicts.push((judgement.commit, judgement.verdict));
        if refused {
            return judged;
        }
    }
    judged
}
