//! The store of a folder, with an eye on the disk.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;
use tombolo_core::{Code, DocRef, Error, Manifest, Operation, Result};
use tombolo_sqlite::{Folder, Sqlite};
use tombolo_store::{Answer, Committed, DataStore, Feed, Store, Subscription};
use tombolo_sync::Counts;

/// What the store's threads tell the driver: hints, and counts as they were last read.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    changed: Notify,
    drafts_changed: AtomicBool,
    waiting: AtomicU64,
    drafts: AtomicU64,
    /// Why the disk did not take the last write.
    trouble: Mutex<Option<Error>>,
}

impl Notes {
    /// Waits until something may have changed.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    pub(crate) fn take_drafts_changed(&self) -> bool {
        self.drafts_changed.swap(false, Ordering::AcqRel)
    }

    pub(crate) fn counts(&self) -> Counts {
        Counts { waiting: self.waiting.load(Ordering::Acquire), drafts: self.drafts.load(Ordering::Acquire) }
    }

    pub(crate) fn set_waiting(&self, waiting: u64) {
        self.waiting.store(waiting, Ordering::Release);
    }

    pub(crate) fn set_drafts(&self, drafts: u64) {
        self.drafts.store(drafts, Ordering::Release);
    }

    pub(crate) fn trouble(&self) -> Option<Error> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_trouble(&self, trouble: Option<Error>) {
        let mut held = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if *held != trouble {
            *held = trouble;
            self.changed.notify_one();
        }
    }

    fn committed(&self, committed: &Committed) {
        // A group in which every write failed commits, too, but proves nothing.
        if !committed.entities.is_empty() || committed.outbox {
            self.set_trouble(None);
        }
        if committed.drafts {
            self.drafts_changed.store(true, Ordering::Release);
        }
        if committed.outbox || committed.drafts {
            self.changed.notify_one();
        }
    }

    fn answered<T>(&self, result: &Result<T>) {
        if let Err(error) = result
            && matches!(error.code, Code::StorageFull | Code::StorageFailed | Code::FolderReadOnly)
        {
            self.set_trouble(Some(error.clone()));
        }
    }
}

/// The store of a folder that this process owns. The fields are dropped in order: the folder is let go when the last
/// write is on disk.
#[derive(Debug)]
pub(crate) struct LocalStore {
    store: Store<Sqlite>,
    notes: Arc<Notes>,
    _folder: Folder,
}

impl LocalStore {
    pub(crate) fn new(store: Store<Sqlite>, notes: Arc<Notes>, folder: Folder) -> Self {
        let watching = Arc::clone(&notes);
        store.watch(Box::new(move |committed| watching.committed(committed)));
        Self { store, notes, _folder: folder }
    }
}

impl DataStore for LocalStore {
    fn manifest(&self) -> &Manifest {
        self.store.manifest()
    }

    fn execute(&self, operation: Operation) -> Result<Answer> {
        let result = self.store.execute(operation);
        self.notes.answered(&result);
        result
    }

    fn submit(&self, operation: Operation, done: Box<dyn FnOnce(Result<Answer>) + Send>) {
        let notes = Arc::clone(&self.notes);
        self.store.submit(
            operation,
            Box::new(move |result| {
                notes.answered(&result);
                done(result);
            }),
        );
    }

    fn subscribe(&self, operation: Operation) -> Result<Box<dyn Subscription>> {
        self.store.subscribe(operation)
    }

    fn follow(&self, doc: &DocRef) -> Result<Box<dyn Feed>> {
        self.store.follow(doc)
    }

    fn watch(&self, listener: Box<dyn Fn(&Committed) + Send + Sync>) {
        self.store.watch(listener);
    }
}
