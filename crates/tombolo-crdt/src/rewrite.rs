//! Takes refused commits out of a document and writes the later ones again.
//!
//! In Loro whatever builds on a missing operation stays pending for ever, so a refused commit cannot be skipped, and
//! its inverse would keep it readable for ever. So the document is built anew from what the server has, and each later
//! commit's intent is read as the difference it made, transformed past what was taken out, applied under a fresh
//! peer id.
//!
//! The pending commits are seen as a line *after* everything acknowledged: version `k` is the acknowledged version
//! with the first `k` pending commits. Walking that line gives the difference `d` of each commit. `gone` is the
//! difference from the old document to the new one, so far:
//!
//! - a refused commit adds the inverse of its difference to `gone`;
//! - a kept one is applied as `d` transformed by `gone`, and `gone` is transformed by `d` in turn.
//!
//! Loro's text differences repeat *all* marks of a restyled range; only those that the commit wrote itself are kept,
//! or a refused mark would come back with a later, unrelated one.

use crate::doc::{Doc, export, new_spans};
use crate::pack::unpack;
use crate::{Error, Result};
use loro::event::{Diff, DiffBatch, ListDiffItem, MapDelta};
use loro::json::{TextOp, TreeOp};
use loro::undo::DiffBatch as Batch;
use loro::{
    ContainerID, ContainerTrait, Frontiers, ID, IdSpan, JsonOp, JsonOpContent, LoroDoc, Subscription,
    TextDelta, TreeDiff, TreeExternalDiff, TreeID, TreeParentId, ValueOrContainer, VersionVector,
};
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use tombolo_core::PeerId;

/// One commit's update of the document, in the order of the outbox.
#[derive(Debug, Clone, Copy)]
pub struct Pending<'b> {
    /// The update.
    pub update: &'b [u8],
    /// The commit is to be taken out.
    pub dropped: bool,
}

/// The new document.
#[derive(Debug)]
pub struct Rewrite {
    /// The document without what was taken out; it replaces the old one.
    pub doc: Doc,
    /// What became of each commit, in order.
    pub commits: Vec<Rewritten>,
}

/// What became of a commit's update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rewritten {
    /// It did not need to change.
    Unchanged,
    /// It was written again; none if nothing of it is left to write.
    Written(Option<Vec<u8>>),
    /// It was to be taken out.
    Dropped,
    /// It builds on something that was taken out, so it must be taken out, too.
    Depends,
}

/// Builds the document anew from its acknowledged state, without the dropped commits. Later commits are written again
/// under `peer`.
///
/// # Errors
/// `CRDT_APPLY_FAILED`, `CRDT_DECODE_FAILED` if the bytes do not belong to this document.
pub fn rewrite(acknowledged: &Doc, pending: &[Pending<'_>], peer: PeerId) -> Result<Rewrite> {
    let mut doc = acknowledged.copy(peer)?;
    let old = acknowledged.copy(peer)?;
    let commits = old.guard(|old| {
        let line = Line::new(old, pending)?;
        doc.guard(|new| line.walk(old, new, pending))
    })?;
    doc.grow(commits.iter().map(|commit| match commit {
        Rewritten::Written(Some(update)) => update.len(),
        _ => 0,
    }));
    doc.prove()?;
    Ok(Rewrite { doc, commits })
}

/// The old document's pending commits as a line of versions after the acknowledged one.
struct Line {
    /// `versions[k]` has the first `k` pending commits.
    versions: Vec<VersionVector>,
    seen: Arc<Mutex<DiffBatch>>,
    _subscription: Subscription,
}

impl Line {
    fn new(old: &LoroDoc, pending: &[Pending<'_>]) -> Result<Self> {
        let mut versions = vec![old.oplog_vv()];
        for commit in pending {
            let status = old.import(&unpack(commit.update)).map_err(Error::decode)?;
            if status.pending.is_some() {
                return Err(Error::MissingDependencies);
            }
            versions.push(old.oplog_vv());
        }
        let seen: Arc<Mutex<DiffBatch>> = Arc::default();
        let sink = Arc::clone(&seen);
        let subscription = old.subscribe_root(Arc::new(move |event| {
            let mut batch = DiffBatch::default();
            for change in &event.events {
                if batch.push(change.target.clone(), owned(&change.diff)).is_err() {
                    return;
                }
            }
            batch.set_full_state(true);
            *sink.lock().unwrap_or_else(PoisonError::into_inner) = batch;
        }));
        Ok(Self { versions, seen, _subscription: subscription })
    }

    fn frontiers(&self, doc: &LoroDoc, version: usize) -> Frontiers {
        doc.vv_to_frontiers(&self.versions[version])
    }

    /// Goes to a version and gives the difference from where the document was.
    fn go(&self, old: &LoroDoc, version: usize) -> Result<DiffBatch> {
        old.checkout(&self.frontiers(old, version)).map_err(Error::apply)?;
        Ok(std::mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    fn walk(&self, old: &LoroDoc, new: &LoroDoc, pending: &[Pending<'_>]) -> Result<Vec<Rewritten>> {
        let mut outcome = Vec::with_capacity(pending.len());
        let mut gone: Option<Batch> = None;
        let mut taken_out: Vec<IdSpan> = Vec::new();
        let mut names = Renamed::default();
        self.go(old, 0)?;
        for (k, commit) in pending.iter().enumerate() {
            let difference = self.go(old, k + 1)?;
            let spans = new_spans(&self.versions[k], &self.versions[k + 1]);
            let ops: Vec<JsonOp> = spans
                .iter()
                .flat_map(|span| old.export_json_in_id_span(*span))
                .flat_map(|change| change.ops)
                .collect();
            let intent = own_marks(&ops, difference);
            let kept = match (&gone, commit.dropped) {
                (None, false) => {
                    let status = new.import(&unpack(commit.update)).map_err(Error::decode)?;
                    match status.pending {
                        None => Some(Rewritten::Unchanged),
                        Some(_) => return Err(Error::MissingDependencies),
                    }
                }
                (Some(_), false) if builds_on(&ops, &taken_out) => None,
                (Some(gone), false) => apply(new, &intent, gone, &mut names)?.map(Rewritten::Written),
                (_, true) => None,
            };
            match kept {
                Some(kept) => {
                    if let Some(before) = gone.as_mut() {
                        before.transform(&Batch::from(intent), false);
                    }
                    outcome.push(kept);
                }
                None => {
                    let mut inverse = Batch::from(self.go(old, k)?);
                    self.go(old, k + 1)?;
                    if let Some(before) = &gone {
                        inverse.compose(before);
                    }
                    gone = Some(inverse);
                    taken_out.extend(spans);
                    outcome.push(if commit.dropped { Rewritten::Dropped } else { Rewritten::Depends });
                }
            }
        }
        Ok(outcome)
    }
}

/// Applies a commit's intent to the new document. None if it refers to something that is not there.
fn apply(
    new: &LoroDoc,
    intent: &DiffBatch,
    gone: &Batch,
    names: &mut Renamed,
) -> Result<Option<Option<Vec<u8>>>> {
    let mut transformed = Batch::from(intent.clone());
    if !gone.cid_to_events.is_empty() {
        // The commit's own writes win over what is being taken out.
        transformed.transform(gone, true);
    }
    let wanted = DiffBatch::from(transformed);
    let (before, before_version) = (new.oplog_frontiers(), new.oplog_vv());
    if new.apply_diff(names.rename(&wanted)).is_err() {
        return Ok(None);
    }
    new.commit();
    if new.oplog_vv() == before_version {
        return Ok(Some(None));
    }
    if creates(&wanted) {
        let made = new.diff(&before, &new.oplog_frontiers()).map_err(Error::apply)?;
        names.learn(&wanted, &made);
    }
    export(new, &before_version).map(|update| Some(Some(update)))
}

/// Whether an operation touches a container or a tree node that one of the taken out operations made.
fn builds_on(ops: &[JsonOp], taken_out: &[IdSpan]) -> bool {
    let made = |id: ID| {
        taken_out
            .iter()
            .any(|span| span.peer == id.peer && (span.counter.start..span.counter.end).contains(&id.counter))
    };
    ops.iter().any(|op| {
        let on = match &op.content {
            JsonOpContent::Tree(TreeOp::Create { parent, .. }) => [*parent, None],
            JsonOpContent::Tree(TreeOp::Move { target, parent, .. }) => [*parent, Some(*target)],
            JsonOpContent::Tree(TreeOp::Delete { target }) => [Some(*target), None],
            _ => [None, None],
        };
        maker(&op.container).is_some_and(made) || on.iter().flatten().any(|node| made(node.id()))
    })
}

/// The operation that made a container; none made a root.
fn maker(id: &ContainerID) -> Option<ID> {
    match id {
        ContainerID::Normal { peer, counter, .. } => Some(ID::new(*peer, *counter)),
        // A nested map that merges by its name is a root to Loro, and names its parent.
        ContainerID::Root { .. } => id.parse_mergeable().and_then(|(parent, ..)| maker(&parent)),
    }
}

/// Whether the difference makes containers or tree nodes, which get new names when it is applied elsewhere.
fn creates(batch: &DiffBatch) -> bool {
    let container = |value: &ValueOrContainer| matches!(value, ValueOrContainer::Container(_));
    batch.iter().any(|(_, diff)| match diff {
        Diff::Tree(_) => true,
        Diff::Map(map) => map.updated.values().flatten().any(container),
        Diff::List(items) => items.iter().any(|item| match item {
            ListDiffItem::Insert { insert, .. } => insert.iter().any(container),
            _ => false,
        }),
        _ => false,
    })
}

/// Keeps, on text that stays, only the marks that these operations wrote.
fn own_marks(ops: &[JsonOp], batch: DiffBatch) -> DiffBatch {
    let mut own: HashMap<&ContainerID, BTreeSet<&str>> = HashMap::new();
    for op in ops {
        if let JsonOpContent::Text(TextOp::Mark { style_key, .. }) = &op.content {
            own.entry(&op.container).or_default().insert(style_key);
        }
    }
    let mut filtered = DiffBatch::default();
    for (id, diff) in batch.iter() {
        let diff = match diff {
            Diff::Text(items) => {
                Diff::Text(items.iter().map(|item| own_marks_of(item, own.get(id))).collect())
            }
            other => other.clone(),
        };
        // The ids of a batch are distinct, so nothing is refused.
        if filtered.push(id.clone(), diff).is_err() {
            continue;
        }
    }
    filtered.set_full_state(batch.is_full_state());
    filtered
}

fn own_marks_of(item: &TextDelta, own: Option<&BTreeSet<&str>>) -> TextDelta {
    let TextDelta::Retain { retain, attributes: Some(marks) } = item else { return item.clone() };
    let kept = |key: &str| own.is_some_and(|own| own.contains(key));
    let marks: Vec<_> =
        marks.iter().filter(|(key, _)| kept(key)).map(|(k, v)| (k.clone(), v.clone())).collect();
    let attributes = (!marks.is_empty()).then(|| marks.into_iter().collect());
    TextDelta::Retain { retain: *retain, attributes }
}

fn owned(diff: &Diff<'_>) -> Diff<'static> {
    match diff {
        Diff::List(items) => Diff::List(items.clone()),
        Diff::Text(items) => Diff::Text(items.clone()),
        Diff::Map(map) => Diff::Map(MapDelta {
            updated: map
                .updated
                .iter()
                .map(|(key, value)| (Cow::Owned(key.to_string()), value.clone()))
                .collect(),
        }),
        Diff::Tree(tree) => Diff::Tree(Cow::Owned(tree.clone().into_owned())),
        Diff::Counter(by) => Diff::Counter(*by),
        Diff::Unknown => Diff::Unknown,
    }
}

/// The new names of containers and tree nodes that were made again.
#[derive(Default)]
struct Renamed {
    containers: HashMap<ContainerID, ContainerID>,
    nodes: HashMap<TreeID, TreeID>,
}

impl Renamed {
    fn container(&self, id: &ContainerID) -> ContainerID {
        self.containers.get(id).unwrap_or(id).clone()
    }

    fn node(&self, id: TreeID) -> TreeID {
        self.nodes.get(&id).copied().unwrap_or(id)
    }

    fn parent(&self, parent: TreeParentId) -> TreeParentId {
        match parent {
            TreeParentId::Node(id) => TreeParentId::Node(self.node(id)),
            other => other,
        }
    }

    fn rename(&self, batch: &DiffBatch) -> DiffBatch {
        let mut renamed = DiffBatch::default();
        for (id, diff) in batch.iter() {
            let diff = match diff {
                Diff::Tree(tree) => Diff::Tree(Cow::Owned(self.rename_tree(tree))),
                other => other.clone(),
            };
            if renamed.push(self.container(id), diff).is_err() {
                continue;
            }
        }
        renamed.set_full_state(batch.is_full_state());
        renamed
    }

    fn rename_tree(&self, tree: &TreeDiff) -> TreeDiff {
        let mut tree = tree.clone();
        for item in &mut tree.diff {
            item.target = self.node(item.target);
            match &mut item.action {
                TreeExternalDiff::Create { parent, .. } => *parent = self.parent(*parent),
                TreeExternalDiff::Move { parent, old_parent, .. } => {
                    *parent = self.parent(*parent);
                    *old_parent = self.parent(*old_parent);
                }
                TreeExternalDiff::Delete { old_parent, .. } => *old_parent = self.parent(*old_parent),
            }
        }
        tree
    }

    /// Reads the new names off the difference that the new document shows for what was wanted.
    fn learn(&mut self, wanted: &DiffBatch, made: &DiffBatch) {
        let made: HashMap<&ContainerID, &Diff<'static>> = made.iter().collect();
        for (id, wanted) in wanted.iter() {
            let Some(made) = made.get(&self.container(id)) else { continue };
            match (wanted, made) {
                (Diff::Map(old), Diff::Map(new)) => {
                    for (key, value) in &old.updated {
                        let (Some(old), Some(Some(new))) = (value, new.updated.get(key)) else { continue };
                        self.pair(old, new);
                    }
                }
                (Diff::List(old), Diff::List(new)) => {
                    for (old, new) in inserted(old).zip(inserted(new)) {
                        self.pair(old, new);
                    }
                }
                (Diff::Tree(old), Diff::Tree(new)) => {
                    for (old, new) in created(old).zip(created(new)) {
                        self.nodes.insert(old, new);
                        self.containers
                            .insert(old.associated_meta_container(), new.associated_meta_container());
                    }
                }
                _ => {}
            }
        }
    }

    fn pair(&mut self, old: &ValueOrContainer, new: &ValueOrContainer) {
        if let (ValueOrContainer::Container(old), ValueOrContainer::Container(new)) = (old, new)
            && old.id() != new.id()
        {
            self.containers.insert(old.id(), new.id());
        }
    }
}

fn inserted(items: &[ListDiffItem]) -> impl Iterator<Item = &ValueOrContainer> {
    items.iter().flat_map(|item| match item {
        ListDiffItem::Insert { insert, .. } => insert.as_slice(),
        _ => &[],
    })
}

fn created(tree: &TreeDiff) -> impl Iterator<Item = TreeID> {
    tree.diff
        .iter()
        .filter(|item| matches!(item.action, TreeExternalDiff::Create { .. }))
        .map(|item| item.target)
}

#[cfg(test)]
mod tests;
