//! The store on its threads: one writes, any may read.

use crate::backend::{Backend, Read};
use crate::engine::{Committed, Engine};
use crate::feed::{Feed, Followed, Following};
use crate::live::{self, Difference, Subscription, Why};
use crate::reads::{self, Answer};
use crate::writer::{Job, Writer, lock, stopped};
use serde_json::Value as Json;
use std::collections::HashMap;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use tombolo_core::{Code, DocRef, Error, Manifest, Operation, Result, RowId};

/// Connections that read.
const READERS: usize = 4;
/// The name under which a change of the drafts is noted among those of entities.
const DRAFTS: &str = "$drafts";

/// The DataStore: what every edge calls.
pub trait DataStore: Send + Sync {
    /// What is stored.
    fn manifest(&self) -> &Manifest;

    /// Runs an operation. A write is durable when this returns. Blocks the thread.
    ///
    /// # Errors
    /// Those of the contract.
    fn execute(&self, operation: Operation) -> Result<Answer>;

    /// Runs an operation and calls back with the answer: a write's on the store's thread, which must not be held up; a
    /// read's on this one, before this returns.
    fn submit(&self, operation: Operation, done: Box<dyn FnOnce(Result<Answer>) + Send>);

    /// Makes a read live.
    ///
    /// # Errors
    /// Those of the read; `NOT_SUPPORTED` for an operation that gives no rows.
    fn subscribe(&self, operation: Operation) -> Result<Box<dyn Subscription>>;

    /// Follows a document: a row's, or that of one of its formatted texts.
    ///
    /// # Errors
    /// `ENTITY_NOT_FOUND`, `FIELD_NOT_FOUND`; `INVALID_DATA` for a field without a document of its own.
    fn follow(&self, doc: &DocRef) -> Result<Box<dyn Feed>>;

    /// Calls back after each commit, on a thread of the store, which must not be held up. A hint: the log is the truth.
    fn watch(&self, listener: Box<dyn Fn(&Committed) + Send + Sync>);
}

/// Called after each commit.
type Listener = Box<dyn Fn(&Committed) + Send + Sync>;
/// A store on its threads. Dropping it finishes what is queued.
pub struct Store<B: Backend> {
    submitter: Submitter<B>,
    thread: Option<JoinHandle<()>>,
}

/// A handle that submits jobs to the writer and reads; cheap to clone. Once its [`Store`] is dropped, jobs fail.
pub struct Submitter<B: Backend> {
    writer: Arc<Writer<B>>,
    shared: Arc<Shared<B::Reader>>,
}

impl<B: Backend> Clone for Submitter<B> {
    fn clone(&self) -> Self {
        Self { writer: Arc::clone(&self.writer), shared: Arc::clone(&self.shared) }
    }
}

impl<B: Backend> std::fmt::Debug for Submitter<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Submitter")
    }
}

impl<B: Backend> std::fmt::Debug for Store<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store")
    }
}

struct Shared<R> {
    manifest: Arc<Manifest>,
    readers: Mutex<Vec<R>>,
    returned: Condvar,
    /// For each entity, the number of the last group that touched it.
    touched: Mutex<Touched>,
    followed: Arc<Followed>,
    listeners: Mutex<Vec<Listener>>,
}

#[derive(Default)]
struct Touched {
    groups: u64,
    entities: HashMap<String, u64>,
}

impl<R> Shared<R> {
    /// Makes live reads stale.
    fn note(&self, committed: &Committed) {
        let mut touched = lock(&self.touched);
        touched.groups += 1;
        let group = touched.groups;
        for entity in &committed.entities {
            touched.entities.insert(entity.clone(), group);
        }
        if committed.drafts {
            touched.entities.insert(DRAFTS.to_owned(), group);
        }
        drop(touched);
        self.followed.note(committed);
    }

    fn tell(&self, committed: &Committed) {
        for listener in lock(&self.listeners).iter() {
            listener(committed);
        }
    }
}

impl<B: Backend + Send + 'static> Store<B> {
    /// Puts an engine on a thread of its own.
    ///
    /// # Errors
    /// `STORAGE_FAILED` if no reading connection can be opened.
    pub fn start(engine: Engine<B>) -> Result<Self> {
        let readers = (0..READERS).map(|_| engine.backend().reader()).collect::<Result<Vec<_>>>()?;
        let shared = Arc::new(Shared {
            manifest: Arc::clone(engine.manifest()),
            readers: Mutex::new(readers),
            returned: Condvar::new(),
            touched: Mutex::default(),
            followed: Arc::default(),
            listeners: Mutex::default(),
        });
        let (noting, telling) = (Arc::clone(&shared), Arc::clone(&shared));
        let note = Box::new(move |committed: &Committed| noting.note(committed));
        let told = Box::new(move |committed: &Committed| telling.tell(committed));
        let writer = Arc::new(Writer::new(engine, note, told));
        let serving = Arc::clone(&writer);
        let thread = std::thread::Builder::new().name("tombolo-writer".into()).spawn(move || serving.serve());
        let thread =
            thread.map_err(|e| Error::new(Code::Internal, format!("no thread can be started: {e}")))?;
        Ok(Self { submitter: Submitter { writer, shared }, thread: Some(thread) })
    }

    /// A handle that submits jobs.
    #[must_use]
    pub fn submitter(&self) -> Submitter<B> {
        self.submitter.clone()
    }
}

impl<B: Backend> Drop for Store<B> {
    fn drop(&mut self) {
        self.submitter.writer.stop();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the writer's thread panicked");
        }
    }
}

/// A job that says what came of it once its group is durable or has failed.
fn job<B: Backend, T: Send + 'static>(
    job: impl FnOnce(&mut Engine<B>) -> Result<T> + Send + 'static,
    done: impl FnOnce(Result<T>) + Send + 'static,
) -> Job<B> {
    Box::new(move |engine| {
        let result = engine.and_then(job);
        Box::new(move |durable| done(durable.and(result)))
    })
}

impl<B: Backend + Send + 'static> Submitter<B> {
    /// Runs a job in the next group, and calls back once that is durable or has failed, in the order of the groups and
    /// never two at once. A job that fails must have left nothing, as all methods of the engine do.
    pub fn submit<T: Send + 'static>(
        &self,
        f: impl FnOnce(&mut Engine<B>) -> Result<T> + Send + 'static,
        done: impl FnOnce(Result<T>) + Send + 'static,
    ) {
        self.writer.submit(job(f, done));
    }

    /// Runs a job in the next group and waits until it is durable. Blocks the thread.
    ///
    /// # Errors
    /// Those of the job, or of the group.
    pub fn run<T: Send + 'static>(
        &self,
        f: impl FnOnce(&mut Engine<B>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (sender, receiver) = sync_channel(1);
        self.writer.run(job(f, move |result| {
            // The receiver waits until this is sent.
            sender.send(result).unwrap_or_default();
        }));
        receiver.recv().unwrap_or_else(|_| Err(stopped()))
    }

    /// Reads on one of the reading connections, after every write that was acknowledged. Blocks the thread.
    ///
    /// # Errors
    /// Those of the read.
    pub fn read<T>(&self, f: impl FnOnce(&B::Reader) -> Result<T>) -> Result<T> {
        self.read_shown(|_, _| true, f)
    }

    /// As [`Submitter::read`], for a read that shows only some projections.
    fn read_shown<T>(
        &self,
        shows: impl Fn(&str, Option<&str>) -> bool,
        f: impl FnOnce(&B::Reader) -> Result<T>,
    ) -> Result<T> {
        if self.writer.is_behind(shows) {
            self.run(Engine::catch_up)?;
        }
        self.read_log(f)
    }

    /// Reads what needs no projection, such as the log, the outbox and documents: otherwise as [`Submitter::read`].
    ///
    /// # Errors
    /// Those of the read.
    pub fn read_log<T>(&self, f: impl FnOnce(&B::Reader) -> Result<T>) -> Result<T> {
        let mut readers = lock(&self.shared.readers);
        let reader = loop {
            match readers.pop() {
                Some(reader) => break reader,
                None => readers = self.shared.returned.wait(readers).unwrap_or_else(PoisonError::into_inner),
            }
        };
        drop(readers);
        let result = f(&reader);
        lock(&self.shared.readers).push(reader);
        self.shared.returned.notify_one();
        result
    }

    /// The next commits of the outbox after a place: see [`Engine::outbox`].
    ///
    /// # Errors
    /// `STORAGE_FAILED`.
    pub fn outbox(
        &self,
        after: tombolo_core::Seq,
        max_bytes: usize,
        max_commits: usize,
    ) -> Result<Vec<(tombolo_core::Seq, tombolo_core::Commit)>> {
        self.snapshot(|reader| crate::engine::outbox(reader, after, max_bytes, max_commits))
    }

    /// The accepted commits after a place in the server's log: see [`Engine::log_after`].
    ///
    /// # Errors
    /// `STORAGE_FAILED`.
    pub fn log_after(
        &self,
        after: tombolo_core::Seq,
        max_bytes: usize,
        max_commits: usize,
    ) -> Result<Vec<tombolo_core::LogEntry>> {
        self.snapshot(|reader| crate::engine::log_after(reader, after, max_bytes, max_commits))
    }

    fn snapshot<T>(&self, f: impl FnOnce(&B::Reader) -> Result<T>) -> Result<T> {
        self.read_log(|reader| {
            reader.begin_read()?;
            let result = f(reader);
            reader.end_read()?;
            result
        })
    }

    fn answer(&self, operation: &Operation) -> Result<Answer> {
        let manifest = &self.shared.manifest;
        match operation {
            Operation::CrdtSnapshot { entity, id, field } => {
                let entity = manifest.entity(entity)?;
                if let Some(field) = field {
                    entity.field(field)?;
                }
                let doc = DocRef { entity: entity.name.clone(), row: *id, field: field.clone() };
                let opened = self.snapshot(|reader| reads::open_doc(reader, &doc))?;
                let bytes = opened.map(|opened| opened.snapshot()).transpose()?;
                Ok(Answer::Bytes(bytes))
            }
            read => {
                let shows = |entity: &str, field: Option<&str>| reads::shows(read, entity, field);
                self.read_shown(shows, |reader| reads::answer(reader, manifest, read))
            }
        }
    }
}

impl<B: Backend + Send + 'static> DataStore for Submitter<B> {
    fn manifest(&self) -> &Manifest {
        &self.shared.manifest
    }

    fn execute(&self, operation: Operation) -> Result<Answer> {
        match operation.writes() {
            true => self.run(move |engine| engine.execute(&operation)),
            false => self.answer(&operation),
        }
    }

    fn submit(&self, operation: Operation, done: Box<dyn FnOnce(Result<Answer>) + Send>) {
        match operation.writes() {
            true => Submitter::submit(self, move |engine| engine.execute(&operation), done),
            false => done(self.answer(&operation)),
        }
    }

    fn subscribe(&self, operation: Operation) -> Result<Box<dyn Subscription>> {
        let topic = match (&operation, reads::entity_of(&operation)) {
            (Operation::Drafts, _) => DRAFTS.to_owned(),
            (_, Some(entity)) => self.shared.manifest.entity(entity)?.name.clone(),
            _ => return Err(Error::new(Code::NotSupported, "only reads of rows can be subscribed to")),
        };
        let subscription =
            Live { store: self.clone(), operation, topic, rows: Vec::new(), revision: 0, read_at: None };
        // A read that fails is refused now.
        subscription
            .store
            .read(|reader| reads::rows(reader, &self.shared.manifest, &subscription.operation))?;
        Ok(Box::new(subscription))
    }

    fn follow(&self, doc: &DocRef) -> Result<Box<dyn Feed>> {
        let entity = self.shared.manifest.entity(&doc.entity)?;
        if let Some(field) = &doc.field
            && !entity.field(field)?.is_richtext()
        {
            let message = format!("{field} has no document of its own; follow the row's");
            return Err(Error::new(Code::InvalidData, message).with("field", field.as_str()));
        }
        Ok(Box::new(Following::new(self.clone(), &self.shared.followed, doc.clone())))
    }

    fn watch(&self, listener: Box<dyn Fn(&Committed) + Send + Sync>) {
        lock(&self.shared.listeners).push(listener);
    }
}

impl<B: Backend + Send + 'static> DataStore for Store<B> {
    fn manifest(&self) -> &Manifest {
        self.submitter.manifest()
    }

    fn execute(&self, operation: Operation) -> Result<Answer> {
        self.submitter.execute(operation)
    }

    fn submit(&self, operation: Operation, done: Box<dyn FnOnce(Result<Answer>) + Send>) {
        DataStore::submit(&self.submitter, operation, done);
    }

    fn subscribe(&self, operation: Operation) -> Result<Box<dyn Subscription>> {
        self.submitter.subscribe(operation)
    }

    fn follow(&self, doc: &DocRef) -> Result<Box<dyn Feed>> {
        self.submitter.follow(doc)
    }

    fn watch(&self, listener: Box<dyn Fn(&Committed) + Send + Sync>) {
        self.submitter.watch(listener);
    }
}

struct Live<B: Backend> {
    store: Submitter<B>,
    operation: Operation,
    topic: String,
    rows: Vec<Json>,
    revision: u64,
    /// The group whose state was read last.
    read_at: Option<u64>,
}

impl<B: Backend> Live<B> {
    fn touched_at(&self) -> u64 {
        lock(&self.store.shared.touched).entities.get(&self.topic).copied().unwrap_or(0)
    }
}

impl<B: Backend + Send + 'static> Subscription for Live<B> {
    fn is_stale(&self) -> bool {
        self.read_at.is_none_or(|read_at| read_at < self.touched_at())
            || self.store.writer.is_behind(|entity, field| reads::shows(&self.operation, entity, field))
    }

    fn next(&mut self) -> Result<Option<Difference>> {
        if !self.is_stale() {
            return Ok(None);
        }
        let first = self.read_at.is_none();
        let manifest = Arc::clone(&self.store.shared.manifest);
        // A group that commits while this reads makes the subscription stale again, so nothing is missed.
        let touched_at = self.touched_at();
        let shows = |entity: &str, field: Option<&str>| reads::shows(&self.operation, entity, field);
        let new = self.store.read_shown(shows, |reader| reads::rows(reader, &manifest, &self.operation))?;
        let why = |id: &str| {
            if matches!(self.operation, Operation::Drafts) {
                return Ok(Why::Deleted);
            }
            let id: RowId = id.parse()?;
            let deleted =
                self.store.read_log(|reader| reads::is_deleted(reader, &manifest, &self.operation, id))?;
            Ok(match (&self.operation, deleted) {
                (_, true) => Why::Deleted,
                (Operation::List { .. } | Operation::ListAfter { .. }, _) => Why::OutsideTheWindow,
                _ => Why::NoLongerMatches,
            })
        };
        let difference = live::difference(&self.rows, &new, self.revision + 1, why)?;
        self.read_at = Some(touched_at);
        self.rows = new;
        let empty = || Difference {
            revision: 1,
            added: Vec::new(),
            changed: Vec::new(),
            removed: Vec::new(),
            moved: Vec::new(),
        };
        let difference = difference.or_else(|| first.then(empty));
        self.revision += u64::from(difference.is_some());
        Ok(difference)
    }
}
