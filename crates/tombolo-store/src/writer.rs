//! The one way to write: a queue in front of the engine, whose groups whoever comes first carries out.
//!
//! A caller that blocks and finds the engine free runs the next group itself; a switch to another thread and back costs
//! as much as the write. Everybody else leaves the job in the queue: whoever has the engine takes it into the next
//! group, or the writer's thread does. That thread also does what is done when nobody waits.

use crate::backend::Backend;
use crate::engine::{Committed, Engine};
use std::collections::{BTreeSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tombolo_core::{Code, Error, Result};

/// How many writes may wait; more block their callers.
const QUEUE: usize = 1_024;
/// The most writes that one sync of the disk makes durable.
const GROUP: usize = 256;
/// Projections that wait are caught up when this long nobody wrote, …
const CATCH_UP_AFTER: Duration = Duration::from_millis(50);
/// … or after this many groups.
const CATCH_UP_GROUPS: u32 = 32;

/// A job within a group; it gives what to do once the group is durable. Without a group it is told why there is none.
pub(crate) type Job<B> = Box<dyn FnOnce(Result<&mut Engine<B>>) -> Done + Send>;
pub(crate) type Done = Box<dyn FnOnce(Result<()>) + Send>;
/// Called after each group that committed, before its jobs are told.
type Note = Box<dyn Fn(&Committed) + Send + Sync>;

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn stopped() -> Error {
    Error::new(Code::Internal, "the store has stopped")
}

/// The queue and the engine behind it. Lock the engine first, the queue second.
pub(crate) struct Writer<B: Backend> {
    queue: Mutex<Queue<B>>,
    /// Somebody has something for the writer's thread.
    work: Condvar,
    /// A place in the queue has become free.
    room: Condvar,
    /// None once the store has stopped.
    engine: Mutex<Option<Running<B>>>,
    /// The writer's thread is about to use the engine: callers leave it to that thread, so that it gets its turn.
    reserved: AtomicBool,
    /// Some projections wait.
    dirty: AtomicBool,
    /// Of which entities and fields they are; no field is a row's own document.
    waiting: Mutex<BTreeSet<(String, Option<String>)>>,
    /// Groups so far.
    groups: AtomicU64,
    note: Note,
    told: Note,
}

struct Queue<B: Backend> {
    jobs: VecDeque<Job<B>>,
    /// There is something to fold.
    maintenance: bool,
    /// Finish what is queued, then end, whoever still holds a handle.
    stopping: bool,
    /// It has ended.
    closed: bool,
}

struct Running<B: Backend> {
    engine: Engine<B>,
    groups_since_catch_up: u32,
}

impl<B: Backend> Writer<B> {
    /// `note` is called after each group that committed, before its jobs are told; `told` after they were.
    pub(crate) fn new(engine: Engine<B>, note: Note, told: Note) -> Self {
        let queue = Queue {
            jobs: VecDeque::new(),
            maintenance: engine.has_maintenance(),
            stopping: false,
            closed: false,
        };
        Self {
            queue: Mutex::new(queue),
            work: Condvar::new(),
            room: Condvar::new(),
            reserved: AtomicBool::new(false),
            dirty: AtomicBool::new(engine.has_dirty()),
            waiting: Mutex::new(engine.dirty_fields()),
            groups: AtomicU64::new(0),
            engine: Mutex::new(Some(Running { engine, groups_since_catch_up: 0 })),
            note,
            told,
        }
    }

    /// Whether projections wait to be caught up that concern somebody: of an entity's fields, or its rows' own documents.
    pub(crate) fn is_behind(&self, concerns: impl Fn(&str, Option<&str>) -> bool) -> bool {
        self.is_dirty()
            && lock(&self.waiting).iter().any(|(entity, field)| concerns(entity, field.as_deref()))
    }

    fn is_dirty(&self) -> bool {
        self.dirty.load(Ordering::Acquire)
    }

    /// Leaves a job for the next group. Waits while the queue is full.
    pub(crate) fn submit(&self, job: Job<B>) {
        self.push(job);
        self.work.notify_one();
    }

    /// Puts a job into the next group and runs that here if nobody else does. The job may be told later, by whoever
    /// runs it.
    pub(crate) fn run(&self, job: Job<B>) {
        self.push(job);
        let free = match self.reserved.load(Ordering::Acquire) {
            true => None,
            false => self.engine.try_lock().ok(),
        };
        if let Some(mut engine) = free {
            self.group(&mut engine);
        }
        // What is left, and what came while the engine was not free, is the thread's.
        if !lock(&self.queue).jobs.is_empty() {
            self.work.notify_one();
        }
    }

    /// Finishes what is queued and ends [`Writer::serve`].
    pub(crate) fn stop(&self) {
        lock(&self.queue).stopping = true;
        self.room.notify_all();
        self.work.notify_one();
    }

    fn push(&self, job: Job<B>) {
        let full = |queue: &mut Queue<B>| queue.jobs.len() >= QUEUE && !queue.stopping;
        let waited = self.room.wait_while(lock(&self.queue), full);
        let mut queue = waited.unwrap_or_else(PoisonError::into_inner);
        if queue.stopping {
            drop(queue);
            job(Err(stopped()))(Ok(()));
            return;
        }
        queue.jobs.push_back(job);
    }

    fn pop(&self) -> Option<Job<B>> {
        let job = lock(&self.queue).jobs.pop_front()?;
        self.room.notify_one();
        Some(job)
    }

    /// The writer's thread.
    pub(crate) fn serve(&self) {
        let mut queue = lock(&self.queue);
        while !queue.closed {
            if !queue.jobs.is_empty() || queue.maintenance || queue.stopping {
                self.reserved.store(true, Ordering::Release);
                drop(queue);
                self.turn();
                self.reserved.store(false, Ordering::Release);
                queue = lock(&self.queue);
            } else if self.is_dirty() {
                let groups = self.groups.load(Ordering::Acquire);
                let waited = self.work.wait_timeout(queue, CATCH_UP_AFTER);
                let (waiting, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
                queue = waiting;
                if timeout.timed_out() && groups == self.groups.load(Ordering::Acquire) {
                    drop(queue);
                    self.with_engine(|writer, running| writer.catch_up(running));
                    queue = lock(&self.queue);
                }
            } else {
                queue = self.work.wait(queue).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    /// One turn of the writer's thread at the engine: what is queued, or else some folding, or else the end.
    fn turn(&self) {
        let mut engine = lock(&self.engine);
        let (jobs, maintenance, stopping) = {
            let queue = lock(&self.queue);
            (!queue.jobs.is_empty(), queue.maintenance, queue.stopping)
        };
        if jobs {
            self.group(&mut engine);
        } else if stopping {
            self.close(&mut engine);
        } else if maintenance {
            self.guarded(&mut engine, |writer, running| {
                if let Err(error) = running.engine.maintain() {
                    tracing::warn!(%error, "a document could not be folded");
                }
                lock(&writer.queue).maintenance = running.engine.has_maintenance();
            });
        }
    }

    fn with_engine(&self, f: impl FnOnce(&Self, &mut Running<B>)) {
        self.guarded(&mut lock(&self.engine), f);
    }

    /// Runs one group of what is queued.
    fn group(&self, engine: &mut Option<Running<B>>) {
        self.guarded(engine, |writer, running| {
            if running.engine.has_dirty() && running.groups_since_catch_up >= CATCH_UP_GROUPS {
                writer.catch_up(running);
            }
            let Some(first) = writer.pop() else { return };
            writer.commit(running, first, |writer| writer.pop());
        });
    }

    /// An engine in which something has panicked is given up: nobody knows what it holds. The disk does.
    fn guarded(&self, engine: &mut Option<Running<B>>, f: impl FnOnce(&Self, &mut Running<B>)) {
        let Some(running) = engine.as_mut() else { return };
        if catch_unwind(AssertUnwindSafe(|| f(self, running))).is_err() {
            tracing::error!("a write panicked; the store stops");
            self.close(engine);
        }
    }

    fn close(&self, engine: &mut Option<Running<B>>) {
        *engine = None;
        let mut queue = lock(&self.queue);
        queue.stopping = true;
        queue.closed = true;
        let late: Vec<_> = queue.jobs.drain(..).collect();
        drop(queue);
        self.room.notify_all();
        self.work.notify_all();
        for job in late {
            job(Err(stopped()))(Ok(()));
        }
    }

    fn catch_up(&self, running: &mut Running<B>) {
        let job: Job<B> = Box::new(|engine| {
            if let Err(error) = engine.and_then(Engine::catch_up) {
                tracing::warn!(%error, "projections could not be caught up");
            }
            Box::new(|_| {})
        });
        self.commit(running, job, |_| None);
        running.groups_since_catch_up = 0;
    }

    /// Runs jobs as one transaction of the database. What queues while the disk syncs is the next group.
    fn commit(&self, running: &mut Running<B>, first: Job<B>, more: impl Fn(&Self) -> Option<Job<B>>) {
        let engine = &mut running.engine;
        let mut done: Vec<Done> = Vec::new();
        let begun = engine.begin();
        let mut next = Some(first);
        while let Some(job) = next.take() {
            done.push(job(begun.clone().map(|()| &mut *engine)));
            if done.len() < GROUP {
                next = more(self);
            }
        }
        let committed = begun.and_then(|()| engine.commit());
        running.groups_since_catch_up += 1;
        self.groups.fetch_add(1, Ordering::AcqRel);
        self.tell_thread(engine);
        if let Ok(committed) = &committed {
            (self.note)(committed);
        }
        for done in done {
            done(committed.as_ref().map(|_| ()).map_err(Clone::clone));
        }
        if let Ok(committed) = &committed {
            (self.told)(committed);
        }
    }

    /// Wakes the writer's thread if there is something new for when nobody waits.
    fn tell_thread(&self, engine: &Engine<B>) {
        if engine.has_dirty() || self.is_dirty() {
            *lock(&self.waiting) = engine.dirty_fields();
        }
        let was_dirty = self.dirty.swap(engine.has_dirty(), Ordering::AcqRel);
        let mut queue = lock(&self.queue);
        let was_due = std::mem::replace(&mut queue.maintenance, engine.has_maintenance());
        if (engine.has_dirty() && !was_dirty) || (engine.has_maintenance() && !was_due) {
            self.work.notify_one();
        }
    }
}
