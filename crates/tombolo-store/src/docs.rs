//! The open documents: a cache, bounded by count and bytes, that may lose anything at any time.

use crate::DocKey;
use lru::LruCache;
use std::num::NonZeroUsize;
use tombolo_core::{DocRef, PeerId};
use tombolo_crdt::Doc;

const OPEN_MAX: usize = 2_000;
/// Stored bytes of the open documents; in memory they are about ten times larger.
const OPEN_BYTES_MAX: usize = 32 * 1024 * 1024;
/// How many documents remember the peer id under which this process wrote them.
const PEERS_MAX: NonZeroUsize = NonZeroUsize::new(65_536).expect("positive");

/// An open document.
#[derive(Debug)]
pub(crate) struct Open {
    pub(crate) doc: Doc,
    /// Its key in the database.
    pub(crate) key: DocKey,
    /// Updates stored since its base.
    pub(crate) parts: usize,
    /// The bytes of these updates.
    pub(crate) part_bytes: usize,
    /// How many of them are not acknowledged.
    pub(crate) pending: usize,
    /// Its row is in the database.
    pub(crate) stored: bool,
}

/// The cache.
pub(crate) struct Docs {
    open: LruCache<DocRef, Open>,
    bytes: usize,
    peers: LruCache<DocKey, PeerId>,
}

impl std::fmt::Debug for Docs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Docs").field("open", &self.open.len()).field("bytes", &self.bytes).finish()
    }
}

impl Docs {
    pub(crate) fn new() -> Self {
        Self { open: LruCache::unbounded(), bytes: 0, peers: LruCache::new(PEERS_MAX) }
    }

    /// Takes a document out, to be put back after it was used, or not, if that failed.
    pub(crate) fn take(&mut self, doc: &DocRef) -> Option<Open> {
        let open = self.open.pop(doc)?;
        self.bytes -= open.doc.len_bytes();
        Some(open)
    }

    pub(crate) fn put(&mut self, doc: DocRef, open: Open) {
        if open.doc.is_broken() {
            return;
        }
        self.bytes += open.doc.len_bytes();
        if let Some((_, replaced)) = self.open.push(doc, open) {
            self.bytes -= replaced.doc.len_bytes();
        }
    }

    /// Drops what was used longest ago. Only between transactions: a document holds what its transaction has not
    /// stored yet.
    pub(crate) fn trim(&mut self) {
        while self.open.len() > OPEN_MAX || (self.bytes > OPEN_BYTES_MAX && self.open.len() > 1) {
            let Some((_, evicted)) = self.open.pop_lru() else { return };
            self.bytes -= evicted.doc.len_bytes();
        }
    }

    /// Forgets an open document and the peer id it was written under.
    pub(crate) fn forget(&mut self, doc: &DocRef) {
        if let Some(open) = self.take(doc) {
            self.forget_peer(open.key);
        }
    }

    /// Forgets the peer id under which a document was written, so that the next write mints another.
    pub(crate) fn forget_peer(&mut self, doc: DocKey) {
        self.peers.pop(&doc);
    }

    /// The document's open state, without using it.
    pub(crate) fn peek(&mut self, doc: &DocRef) -> Option<&mut Open> {
        self.open.peek_mut(doc)
    }

    /// The peer id under which this process writes the document.
    pub(crate) fn peer(&mut self, key: DocKey, mint: impl FnOnce() -> PeerId) -> PeerId {
        *self.peers.get_or_insert(key, mint)
    }

    /// Notes the peer id under which a new document was written.
    pub(crate) fn note_peer(&mut self, key: DocKey, peer: PeerId) {
        self.peers.put(key, peer);
    }
}
