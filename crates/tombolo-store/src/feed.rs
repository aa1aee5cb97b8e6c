//! Following one document: its bytes, and then what was added.
//!
//! A feed is pulled, like a live query: a commit only marks it as stale, and whoever reads it gets one update with
//! everything that came since. The update is made from the open document, so it costs what has changed and not what
//! there is.

use crate::backend::Backend;
use crate::engine::Committed;
use crate::store::Submitter;
use crate::writer::lock;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tombolo_core::{DocRef, PeerId, Result};
use tombolo_crdt::Version;

/// What whoever follows a document is told. The bytes are Loro's own, for its `import`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// All of the document. Comes first, and again whenever operations were taken out: what the follower has made of
    /// earlier pieces is to be thrown away.
    Snapshot {
        /// A peer id that nobody has used, under which the follower may write until the next snapshot.
        peer: PeerId,
        /// The document.
        bytes: Vec<u8>,
    },
    /// What was added since the piece before, the operations under the follower's own peer id left out.
    Update {
        /// The update.
        bytes: Vec<u8>,
    },
}

/// A document that is followed. Dropping it ends that.
pub trait Feed: Send {
    /// Whether a commit may have changed the document since it was read last.
    fn is_stale(&self) -> bool;

    /// What the document has become since the last piece; none if that is nothing. Blocks the thread.
    ///
    /// # Errors
    /// `ROW_NOT_FOUND` when the row is not there, or was taken out; `STORAGE_FAILED`, `STORAGE_FULL`, after which the
    /// feed can be read again.
    fn next(&mut self) -> Result<Option<Piece>>;
}

/// What a follower has.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    /// Under which it writes.
    pub(crate) peer: PeerId,
    pub(crate) version: Version,
}

/// The documents that somebody follows, each with marks of what happened to it. It holds as many as there are feeds.
#[derive(Debug, Default)]
pub(crate) struct Followed {
    docs: Mutex<HashMap<DocRef, Entry>>,
}

#[derive(Debug, Default)]
struct Entry {
    feeds: usize,
    marks: Arc<Marks>,
}

/// Both only grow.
#[derive(Debug, Default)]
struct Marks {
    changes: AtomicU64,
    /// How often operations were taken out.
    rebuilds: AtomicU64,
}

impl Followed {
    /// Notes what a group did.
    pub(crate) fn note(&self, committed: &Committed) {
        let docs = lock(&self.docs);
        if docs.is_empty() {
            return;
        }
        for doc in &committed.rebuilt {
            if let Some(Entry { marks, .. }) = docs.get(doc) {
                marks.rebuilds.fetch_add(1, Ordering::AcqRel);
            }
        }
        for doc in &committed.documents {
            if let Some(Entry { marks, .. }) = docs.get(doc) {
                marks.changes.fetch_add(1, Ordering::AcqRel);
            }
        }
    }

    fn begin(&self, doc: &DocRef) -> Arc<Marks> {
        let mut docs = lock(&self.docs);
        let entry = docs.entry(doc.clone()).or_default();
        entry.feeds += 1;
        Arc::clone(&entry.marks)
    }

    fn end(&self, doc: &DocRef) {
        let mut docs = lock(&self.docs);
        let Some(entry) = docs.get_mut(doc) else { return };
        entry.feeds -= 1;
        if entry.feeds == 0 {
            docs.remove(doc);
        }
    }
}

/// One follower of one document.
pub(crate) struct Following<B: Backend> {
    store: Submitter<B>,
    followed: Arc<Followed>,
    doc: DocRef,
    marks: Arc<Marks>,
    /// The marks as they stood when the document was read last; none before the first time.
    seen: Option<(u64, u64)>,
    told: Option<Told>,
}

impl<B: Backend + Send + 'static> Following<B> {
    pub(crate) fn new(store: Submitter<B>, followed: &Arc<Followed>, doc: DocRef) -> Self {
        let marks = followed.begin(&doc);
        Self { store, followed: Arc::clone(followed), doc, marks, seen: None, told: None }
    }

    fn marks(&self) -> (u64, u64) {
        (self.marks.changes.load(Ordering::Acquire), self.marks.rebuilds.load(Ordering::Acquire))
    }
}

impl<B: Backend + Send + 'static> Feed for Following<B> {
    fn is_stale(&self) -> bool {
        self.seen != Some(self.marks())
    }

    fn next(&mut self) -> Result<Option<Piece>> {
        // A group that commits while this reads makes the feed stale again, so nothing is missed.
        let marks = self.marks();
        if self.seen == Some(marks) {
            return Ok(None);
        }
        let anew = self.seen.is_some_and(|(_, rebuilds)| rebuilds != marks.1);
        let (doc, told) = (self.doc.clone(), self.told.clone());
        let read = self.store.run(move |engine| engine.piece(&doc, told.as_ref(), anew))?;
        self.seen = Some(marks);
        Ok(read.map(|(piece, told)| {
            self.told = Some(told);
            piece
        }))
    }
}

impl<B: Backend> Drop for Following<B> {
    fn drop(&mut self) {
        self.followed.end(&self.doc);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use tombolo_core::RowId;

    #[test]
    fn only_documents_that_somebody_follows_are_remembered() {
        let doc = |n: u8| DocRef { entity: "Page".into(), row: RowId::from_bytes([n; 16]), field: None };
        let followed = Followed::default();
        let (first, second) = (followed.begin(&doc(1)), followed.begin(&doc(1)));
        let documents = BTreeSet::from([doc(1), doc(2)]);
        followed.note(&Committed { documents, rebuilt: BTreeSet::from([doc(2)]), ..Committed::default() });
        assert_eq!((first.changes.load(Ordering::Relaxed), second.rebuilds.load(Ordering::Relaxed)), (1, 0));
        assert_eq!(lock(&followed.docs).len(), 1);
        followed.end(&doc(1));
        assert_eq!(lock(&followed.docs).len(), 1);
        followed.end(&doc(1));
        assert!(lock(&followed.docs).is_empty());
    }
}
