use crate::edit::Edit;
use crate::pack::{pack, unpack};
use crate::{Error, Result, check, wire};
use loro::{
    ContainerID, ExpandType, ExportMode, IdSpan, JsonChange, JsonOpContent, LoroDoc, StyleConfig,
    StyleConfigMap, VersionVector,
};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use tombolo_core::{PeerId, limit};
use tombolo_richtext::mark;

/// Up to this many operations a document is read back whole after every foreign import.
const PROVE_ALWAYS_OPS: usize = 1_024;
/// A larger document is read back whole after this many foreign imports.
const PROVE_EVERY_IMPORTS: u32 = 64;

/// The root map that holds a row's scalars.
pub(crate) const ROW: &str = "row";
/// The root texts that hold a row's merged texts: this, a colon and the field.
pub(crate) const FIELD: &str = "field";
/// The root text that holds a rich text, the root map of its blocks' later attributes, and that of its version.
pub(crate) const TEXT: &str = "text";
pub(crate) const BLOCKS: &str = "blocks";
pub(crate) const META: &str = "meta";

/// The marks that grow when text is typed at their end; all others stay as they are.
const GROWING_MARKS: [&str; 5] = [mark::BOLD, mark::ITALIC, mark::UNDERLINE, mark::STRIKE, mark::HIGHLIGHT];

/// One open document. It belongs to one thread at a time.
pub struct Doc {
    /// Taken out only to be dropped.
    loro: Option<LoroDoc>,
    health: Cell<Health>,
    unproven_imports: u32,
    bytes: usize,
}

/// What may be done with a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Health {
    Sound,
    /// It refused something halfway. It may be dropped.
    Broken,
    /// Loro panicked, perhaps while it held a lock. Dropping it would panic again, and inside unwinding end the
    /// process, so its memory is given up.
    Poisoned,
}

/// What a guarded import brought.
#[derive(Debug, Default)]
pub struct Imported {
    /// The update to store: what was new to this document; none if nothing was.
    pub update: Option<Vec<u8>>,
    /// The writes to keys of the row, in the order of the update.
    pub key_writes: Vec<KeyWrite>,
    /// The names of the root containers that were written.
    pub roots: BTreeSet<String>,
}

/// One write to a key of the row. Of all writes to a key, the one with the greatest `(lamport, peer)` wins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyWrite {
    /// The key.
    pub key: String,
    /// The operation's Lamport time.
    pub lamport: u32,
    /// The operation's peer.
    pub peer: PeerId,
}

/// A set of operations that a document has.
#[derive(Debug, Clone, PartialEq)]
pub struct Version(VersionVector);

impl Version {
    /// Whether it has every operation of another version.
    #[must_use]
    pub fn includes(&self, other: &Self) -> bool {
        self.0.includes_vv(&other.0)
    }

    /// The same version with as many operations of this peer as another has.
    #[must_use]
    pub fn with_peer_of(mut self, peer: PeerId, other: &Self) -> Self {
        if let Some(end) = other.0.get(&peer.0) {
            self.0.set_end(loro::ID::new(peer.0, *end));
        }
        self
    }
}

/// The operations of one peer in an update: from the first counter up to, not including, the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Who wrote them.
    pub peer: PeerId,
    /// The first.
    pub start: i32,
    /// One past the last.
    pub end: i32,
}

impl std::fmt::Debug for Doc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Doc").field("bytes", &self.bytes).field("health", &self.health.get()).finish()
    }
}

impl Drop for Doc {
    fn drop(&mut self) {
        let Some(loro) = self.loro.take() else { return };
        if self.health.get() == Health::Poisoned {
            std::mem::forget(loro);
        } else if let Err(payload) = catch_unwind(AssertUnwindSafe(move || drop(loro))) {
            std::mem::forget(payload);
        }
    }
}

impl Doc {
    /// An empty document whose operations will carry this peer id.
    #[must_use]
    pub fn new(peer: PeerId) -> Self {
        let loro = LoroDoc::new();
        let mut styles = StyleConfigMap::new();
        for mark in GROWING_MARKS {
            styles.insert(mark.into(), StyleConfig { expand: ExpandType::After });
        }
        loro.config_text_style(styles);
        loro.config_default_text_style(Some(StyleConfig { expand: ExpandType::None }));
        // Loro makes a root by naming it, even to read it; that is to change nothing.
        loro.set_hide_empty_root_containers(true);
        let health = if loro.set_peer_id(peer.0).is_ok() { Health::Sound } else { Health::Broken };
        Self { loro: Some(loro), health: Cell::new(health), unproven_imports: 0, bytes: 0 }
    }

    /// Opens a document from its stored base (a snapshot) and the stored updates after it, in order.
    ///
    /// # Errors
    /// `CRDT_DECODE_FAILED` if the stored bytes are damaged.
    pub fn open<'b>(
        peer: PeerId,
        base: Option<&'b [u8]>,
        updates: impl IntoIterator<Item = &'b [u8]>,
    ) -> Result<Self> {
        let mut doc = Self::new(peer);
        for bytes in base.into_iter().chain(updates) {
            doc.bytes += bytes.len();
            let status = doc.guard(|loro| loro.import(&unpack(bytes)).map_err(Error::decode))?;
            if status.pending.is_some() {
                return Err(Error::MissingDependencies);
            }
        }
        Ok(doc)
    }

    /// Edits the document in place. Gives the closure's result and the update that says what changed, if anything did.
    ///
    /// # Errors
    /// What the closure returns. The document is then half changed: it answers [`Error::Broken`] from now on.
    pub fn edit<T>(&mut self, f: impl FnOnce(&mut Edit<'_>) -> Result<T>) -> Result<(T, Option<Vec<u8>>)> {
        let edited = self.guard(|loro| {
            let before = loro.oplog_vv();
            let value = f(&mut Edit::new(loro))?;
            loro.commit();
            let update = match loro.oplog_vv() == before {
                true => None,
                false => Some(export(loro, &before)?),
            };
            Ok((value, update))
        });
        match &edited {
            Ok((_, update)) => self.bytes += update.as_ref().map_or(0, Vec::len),
            Err(_) => self.spoil(),
        }
        edited
    }

    /// Imports an update from elsewhere under guard.
    ///
    /// The bytes must be an update, never a snapshot (a snapshot's compression has no bound). What they bring is
    /// read back operation by operation; the whole document is read, exported and copied after each import while it
    /// is small, and now and then when it is large.
    ///
    /// # Errors
    /// `CRDT_DECODE_FAILED`, `CRDT_APPLY_FAILED`, `TOO_LARGE`. If the bytes had reached the document, it answers
    /// [`Error::Broken`] from now on; nothing of them is to be stored.
    pub fn import(&mut self, bytes: &[u8]) -> Result<Imported> {
        let bytes = &*unpack(bytes);
        let envelope = wire::read(bytes)?;
        let max = limit::DOCUMENT_BYTES;
        if self.bytes + bytes.len() > max {
            return Err(Error::TooLarge { bytes: self.bytes + bytes.len(), max });
        }
        self.check_deletions(&envelope)?;
        self.check_follows(&envelope)?;
        if self.len_ops()? > PROVE_ALWAYS_OPS {
            rehearse(bytes)?;
        }
        let imported = self.guard(|loro| import(loro, bytes, &envelope));
        let imported = imported.and_then(|imported| {
            self.unproven_imports += 1;
            if self.unproven_imports >= PROVE_EVERY_IMPORTS || self.len_ops()? <= PROVE_ALWAYS_OPS {
                self.prove()?;
            }
            Ok(imported)
        });
        match &imported {
            Ok(imported) => self.bytes += imported.update.as_ref().map_or(0, Vec::len),
            Err(_) => self.spoil(),
        }
        imported
    }

    /// What the document has now, to ask later what came after it.
    ///
    /// # Errors
    /// [`Error::Broken`].
    pub fn version(&self) -> Result<Version> {
        self.guard(|loro| Ok(Version(loro.oplog_vv())))
    }

    /// One update with everything that came after a version; none if nothing did.
    ///
    /// # Errors
    /// [`Error::Broken`], `INTERNAL`.
    pub fn update_since(&self, version: &Version) -> Result<Option<Vec<u8>>> {
        self.guard(|loro| match loro.oplog_vv() == version.0 {
            true => Ok(None),
            false => export(loro, &version.0).map(Some),
        })
    }

    /// Whether the document has every operation of the update, each one equal to the update's own.
    ///
    /// Two different operations under one id mean that a peer id was used twice.
    ///
    /// # Errors
    /// `CRDT_DECODE_FAILED`, `CRDT_APPLY_FAILED`.
    pub fn has_equal(&self, bytes: &[u8]) -> Result<bool> {
        let bytes = &*unpack(bytes);
        let spans = spans(bytes)?;
        self.guard(|loro| {
            let known = loro.oplog_vv();
            let mut before = known.clone();
            for span in &spans {
                if known.get(&span.peer.0).copied().unwrap_or(0) < span.end {
                    return Ok(false);
                }
                before.set_end(loro::ID::new(span.peer.0, span.start));
            }
            let earlier = loro.export(ExportMode::updates_till(&before)).map_err(Error::apply)?;
            // Guarded by itself: unwinding past a bare document would drop it and end the process.
            let scratch = Doc::new(PeerId(0));
            let theirs = scratch.guard(|scratch| {
                scratch.import(&earlier).map_err(Error::apply)?;
                scratch.import(bytes).map_err(Error::decode)?;
                Ok(spans.iter().map(|span| operations(scratch, span)).collect::<Vec<_>>())
            })?;
            Ok(spans.iter().zip(theirs).all(|(span, theirs)| operations(loro, span) == theirs))
        })
    }

    /// Whether the document already has some operation of these spans.
    ///
    /// # Errors
    /// [`Error::Broken`].
    pub fn overlaps(&self, spans: &[Span]) -> Result<bool> {
        self.guard(|loro| {
            let known = loro.oplog_vv();
            Ok(spans.iter().any(|span| known.get(&span.peer.0).is_some_and(|end| *end > span.start)))
        })
    }

    /// Reads, exports and copies the whole document, so that a hidden defect shows now and not when it is stored.
    ///
    /// # Errors
    /// `CRDT_APPLY_FAILED`: the document answers [`Error::Broken`] from now on.
    pub fn prove(&mut self) -> Result<()> {
        self.unproven_imports = 0;
        self.guard(|loro| {
            loro.get_deep_value();
            let snapshot = loro.export(ExportMode::Snapshot).map_err(Error::apply)?;
            Doc::new(PeerId(0)).guard(|copy| copy.import(&snapshot).map(|_| ()).map_err(Error::apply))
        })
    }

    /// All writes to keys of the row, in no particular order.
    ///
    /// # Errors
    /// [`Error::Broken`].
    pub fn key_writes(&self) -> Result<Vec<KeyWrite>> {
        self.guard(|loro| {
            let all = loro.oplog_vv();
            let spans = all.iter().map(|(peer, end)| IdSpan::new(*peer, 0, *end));
            Ok(spans.flat_map(|span| key_writes(&loro.export_json_in_id_span(span))).collect())
        })
    }

    /// The whole document as a snapshot.
    ///
    /// # Errors
    /// [`Error::Broken`], `INTERNAL`.
    pub fn snapshot(&self) -> Result<Vec<u8>> {
        self.guard(|loro| loro.export(ExportMode::Snapshot).map_err(Error::edit))
    }

    /// How many operations the document holds.
    ///
    /// # Errors
    /// [`Error::Broken`].
    pub fn len_ops(&self) -> Result<usize> {
        self.guard(|loro| Ok(loro.len_ops()))
    }

    /// About how many bytes the document's base and updates have.
    #[must_use]
    pub fn len_bytes(&self) -> usize {
        self.bytes
    }

    /// Corrects [`Doc::len_bytes`] after the updates were folded into a base of this size.
    pub fn set_len_bytes(&mut self, bytes: usize) {
        self.bytes = bytes;
    }

    /// Whether a failure has left the document unusable.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.health.get() != Health::Sound
    }

    /// An equal document of its own, whose operations will carry this peer id.
    ///
    /// # Errors
    /// [`Error::Broken`], `CRDT_DECODE_FAILED`.
    pub fn copy(&self, peer: PeerId) -> Result<Self> {
        let snapshot = self.snapshot()?;
        Self::open(peer, Some(&snapshot), [])
    }

    /// Counts the bytes of updates that were added past the usual ways.
    pub(crate) fn grow(&mut self, updates: impl Iterator<Item = usize>) {
        self.bytes += updates.sum::<usize>();
    }

    /// An honest author deletes only what there was and what the update itself brings, and each peer once. Loro
    /// takes longer deletions and counts them, so that a few would use up a document's whole range of numbers.
    fn check_deletions(&self, envelope: &wire::Envelope) -> Result<()> {
        let there = self.len_ops()? as u64 + envelope.inserted;
        match envelope.deleted <= there.saturating_mul(envelope.spans.len() as u64) {
            true => Ok(()),
            false => Err(Error::apply("it deletes more than there is")),
        }
    }

    /// Loro would take operations that do not follow their author's earlier ones.
    fn check_follows(&self, envelope: &wire::Envelope) -> Result<()> {
        let known = self.version()?.0;
        let follows = |span: &Span| known.get(&span.peer.0).copied().unwrap_or(0) >= span.start;
        match envelope.spans.iter().all(follows) {
            true => Ok(()),
            false => Err(Error::MissingDependencies),
        }
    }

    /// After a failure that left the document half changed.
    fn spoil(&self) {
        if !self.is_broken() {
            self.health.set(Health::Broken);
        }
    }

    /// Runs a call into Loro; a panic makes the document unusable.
    pub(crate) fn guard<T>(&self, f: impl FnOnce(&LoroDoc) -> Result<T>) -> Result<T> {
        let Some(loro) = self.loro.as_ref().filter(|_| !self.is_broken()) else { return Err(Error::Broken) };
        match catch_unwind(AssertUnwindSafe(|| f(loro))) {
            Ok(result) => result,
            Err(payload) => {
                self.health.set(Health::Poisoned);
                std::mem::forget(payload);
                Err(Error::apply("it breaks the document"))
            }
        }
    }
}

/// The spans of an update. Its bytes are checked from the first to the last.
///
/// # Errors
/// `CRDT_DECODE_FAILED` if the bytes are no update; `TOO_LARGE`.
pub fn spans(bytes: &[u8]) -> Result<Vec<Span>> {
    wire::read(&unpack(bytes)).map(|envelope| envelope.spans)
}

/// Lets Loro read the bytes in an empty document first. What makes it panic there costs only that one's memory, not a
/// large document's.
fn rehearse(bytes: &[u8]) -> Result<()> {
    Doc::new(PeerId(0)).guard(|empty| empty.import(bytes).map(|_| ()).map_err(Error::decode))
}

fn import(loro: &LoroDoc, bytes: &[u8], envelope: &wire::Envelope) -> Result<Imported> {
    let before = loro.oplog_vv();
    let mut kinds = if envelope.foreign { check::Roots::of(loro) } else { check::Roots::default() };
    let status = loro.import(bytes).map_err(Error::decode)?;
    if status.pending.is_some() {
        return Err(Error::MissingDependencies);
    }
    let after = loro.oplog_vv();
    let mut imported = Imported::default();
    if after == before {
        return Ok(imported);
    }
    for span in new_spans(&before, &after) {
        let changes = loro.export_json_in_id_span(span);
        check::changes(loro, &mut kinds, &changes)?;
        imported.key_writes.extend(key_writes(&changes));
        imported.roots.extend(roots(&changes));
    }
    let spans = &envelope.spans;
    let exact = spans.iter().all(|span| before.get(&span.peer.0).copied().unwrap_or(0) == span.start)
        && spans.iter().all(|span| after.get(&span.peer.0) == Some(&span.end));
    imported.update = Some(match exact {
        true => pack(bytes),
        false => export(loro, &before)?,
    });
    Ok(imported)
}

/// What came after a version, as an update to store.
pub(crate) fn export(loro: &LoroDoc, since: &VersionVector) -> Result<Vec<u8>> {
    loro.export(ExportMode::updates(since)).map(|update| pack(&update)).map_err(Error::edit)
}

pub(crate) fn new_spans(before: &VersionVector, after: &VersionVector) -> Vec<IdSpan> {
    let start = |peer| before.get(peer).copied().unwrap_or(0);
    let mut spans: Vec<IdSpan> = after
        .iter()
        .filter(|(peer, end)| start(peer) < **end)
        .map(|(peer, end)| IdSpan::new(*peer, start(peer), *end))
        .collect();
    spans.sort_by_key(|span| span.peer);
    spans
}

fn key_writes(changes: &[JsonChange]) -> Vec<KeyWrite> {
    let mut writes = Vec::new();
    for change in changes {
        for op in &change.ops {
            let ContainerID::Root { name, .. } = &op.container else { continue };
            let JsonOpContent::Map(map) = &op.content else { continue };
            let (loro::json::MapOp::Insert { key, .. } | loro::json::MapOp::Delete { key }) = map;
            if &**name == ROW {
                let offset = u32::try_from(op.counter - change.id.counter).unwrap_or(0);
                writes.push(KeyWrite {
                    key: key.to_string(),
                    lamport: change.lamport + offset,
                    peer: PeerId(change.id.peer),
                });
            }
        }
    }
    writes
}

fn roots(changes: &[JsonChange]) -> impl Iterator<Item = String> {
    changes.iter().flat_map(|change| &change.ops).filter_map(|op| match &op.container {
        ContainerID::Root { name, .. } => Some(name.to_string()),
        ContainerID::Normal { .. } => None,
    })
}

/// A span's operations in a form that can be compared.
fn operations(loro: &LoroDoc, span: &Span) -> Vec<String> {
    loro.export_json_in_id_span(IdSpan::new(span.peer.0, span.start, span.end))
        .iter()
        .flat_map(|change| &change.ops)
        .map(|op| format!("{} {} {:?}", op.counter, op.container, op.content))
        .collect()
}
