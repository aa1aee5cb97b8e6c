//! What an update's operations must refer to.
//!
//! Loro's `import` takes operations that refer to what is not there, or was not there for their author: a container
//! that nobody made, a deletion of foreign elements, a tree node moved before it was created, a peer whose operations
//! do not follow its own. Some later read, export or checkout then panics or differs between peers. Stored, that would
//! break every later open. So each operation that an import brought is read back and judged here, before anything is
//! stored.

use crate::doc::{BLOCKS, FIELD, META, ROW, TEXT};
use crate::{Error, Result};
use loro::json::{ListOp, MapOp, MovableListOp, TextOp, TreeOp};
use loro::{
    ContainerID, ContainerType, Frontiers, ID, IdSpan, JsonChange, JsonOp, JsonOpContent, LoroDoc, LoroValue,
    VersionVector,
};
use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};
use tombolo_core::limit;

/// The most bytes in the name of a root container.
const NAME_MAX: usize = 1_024;

/// The root containers of a document, each with its kind. Loro takes two kinds under one name, and then shows either.
///
/// Those of rows and rich texts need not be known before: their names say what they are.
#[derive(Debug, Default)]
pub(crate) struct Roots(HashMap<String, ContainerType>);

impl Roots {
    /// The roots that are not empty. Loro writes out every text to know that.
    pub(crate) fn of(doc: &LoroDoc) -> Self {
        let LoroValue::Map(roots) = doc.get_value() else { return Self(HashMap::new()) };
        let kind = |value: &LoroValue| value.as_container().map(ContainerID::container_type);
        Self(roots.iter().filter_map(|(name, value)| Some((name.clone(), kind(value)?))).collect())
    }

    fn check(&mut self, name: &str, kind: ContainerType) -> Result<()> {
        let before = *self.0.entry(name.to_owned()).or_insert(kind);
        match before == kind && reserved(name).is_none_or(|reserved| reserved == kind) {
            true => Ok(()),
            false => Err(Error::apply(format!("the container {name} is not what its name says"))),
        }
    }
}

/// What the containers of rows and rich texts are.
pub(crate) fn reserved(name: &str) -> Option<ContainerType> {
    let stem = name.split_once(':').map_or(name, |(stem, _)| stem);
    match (stem, stem.len() == name.len()) {
        (ROW | BLOCKS | META, true) | ("rows" | "cols", false) => Some(ContainerType::Map),
        (TEXT, true) | (FIELD, false) => Some(ContainerType::Text),
        _ => None,
    }
}

/// Judges the changes that an import brought to the document.
pub(crate) fn changes(doc: &LoroDoc, roots: &mut Roots, changes: &[JsonChange]) -> Result<()> {
    let mut made = HashSet::new();
    changes
        .iter()
        .try_for_each(|change| Judged { doc, change, seen: OnceCell::new() }.check(roots, &mut made))
}

struct Judged<'c> {
    doc: &'c LoroDoc,
    change: &'c JsonChange,
    /// What the change's author had seen before it, without the change itself.
    seen: OnceCell<VersionVector>,
}

impl Judged<'_> {
    /// `made` remembers the containers that were found to have been made.
    fn check(&self, roots: &mut Roots, made: &mut HashSet<ContainerID>) -> Result<()> {
        let ID { peer, counter } = self.change.id;
        if counter > 0 && !self.saw(ID::new(peer, counter - 1))? {
            return Err(Error::apply("a peer did not know what it had written itself"));
        }
        let mut next = counter;
        for op in &self.change.ops {
            if op.counter != next {
                return Err(Error::apply(format!("operation {} stands where {next} should", op.counter)));
            }
            let length = i32::try_from(op.content.op_len()).ok().filter(|length| *length > 0);
            next = length
                .and_then(|length| next.checked_add(length))
                .ok_or_else(|| Error::apply(format!("operation {next} has no length")))?;
            if !made.contains(&op.container) {
                if let ContainerID::Root { name, container_type } = &op.container {
                    roots.check(name, *container_type)?;
                }
                self.container(&op.container, op.counter, 0)?;
                made.insert(op.container.clone());
            }
            self.content(op)?;
        }
        Ok(())
    }

    /// Whether the author of the operation at `at` knew another one.
    fn knew(&self, id: ID, at: i32) -> Result<bool> {
        let own = id.peer == self.change.id.peer && (self.change.id.counter..at).contains(&id.counter);
        Ok(id.counter >= 0 && (own || self.saw(id)?))
    }

    fn saw(&self, id: ID) -> Result<bool> {
        if self.change.deps.contains(&id) {
            return Ok(true);
        }
        let seen = match self.seen.get() {
            Some(seen) => seen,
            None => {
                let deps = Frontiers::from(self.change.deps.as_slice());
                let seen = self.doc.frontiers_to_vv(&deps).ok_or(Error::MissingDependencies)?;
                self.seen.get_or_init(|| seen)
            }
        };
        Ok(seen.get(&id.peer).is_some_and(|end| *end > id.counter))
    }

    /// The operation that a reference names, if the author of the one at `at` knew it.
    fn referred(&self, id: ID, at: i32) -> Result<JsonOp> {
        let found = match self.knew(id, at)? {
            true => self.operations(id, 1).pop(),
            false => None,
        };
        found.ok_or_else(|| {
            Error::apply(format!("an operation refers to {id}, which its author did not know"))
        })
    }

    fn operations(&self, id: ID, length: i32) -> Vec<JsonOp> {
        let span = IdSpan::new(id.peer, id.counter, id.counter.saturating_add(length));
        self.doc.export_json_in_id_span(span).into_iter().flat_map(|change| change.ops).collect()
    }

    /// A container must be a root, or have been made by an operation that the author knew.
    fn container(&self, id: &ContainerID, at: i32, depth: usize) -> Result<()> {
        kind(id)?;
        if depth > limit::VALUE_DEPTH {
            return Err(Error::apply(format!(
                "containers are nested more than {} levels",
                limit::VALUE_DEPTH
            )));
        }
        match id {
            ContainerID::Root { name, .. } if id.is_mergeable() => {
                let parsed = id.parse_mergeable().filter(|_| name.len() <= NAME_MAX);
                let (parent, ..) = parsed.ok_or_else(|| Error::apply("a container's name is none"))?;
                self.container(&parent, at, depth + 1)
            }
            ContainerID::Root { name, .. } => match name.len() <= NAME_MAX {
                true => Ok(()),
                false => Err(Error::apply("a container's name is too long")),
            },
            ContainerID::Normal { peer, counter, .. } => {
                let maker = self.referred(ID::new(*peer, *counter), at)?;
                match makes(&maker, id) {
                    true => Ok(()),
                    false => Err(Error::apply(format!("nobody made the container {id}"))),
                }
            }
        }
    }

    fn content(&self, op: &JsonOp) -> Result<()> {
        match &op.content {
            JsonOpContent::Map(MapOp::Insert { value, .. })
            | JsonOpContent::MovableList(MovableListOp::Set { value, .. })
            | JsonOpContent::Text(TextOp::Mark { style_value: value, .. }) => self::value(value, 0),
            JsonOpContent::List(ListOp::Insert { value: values, .. })
            | JsonOpContent::MovableList(MovableListOp::Insert { value: values, .. }) => {
                values.iter().try_for_each(|item| value(item, 0))
            }
            JsonOpContent::List(ListOp::Delete { len, start_id, .. })
            | JsonOpContent::MovableList(MovableListOp::Delete { len, start_id, .. })
            | JsonOpContent::Text(TextOp::Delete { len, start_id, .. }) => self.deletion(op, *start_id, *len),
            JsonOpContent::Tree(tree) => self.tree(op, tree),
            // Loro tells a counter's steps so.
            JsonOpContent::Future(_) if op.container.container_type() == ContainerType::Counter => Ok(()),
            JsonOpContent::Future(_) => Err(Error::apply("an operation is of an unknown kind")),
            _ => Ok(()),
        }
    }

    /// What is deleted must have been put into the same container, as far as the author knew.
    fn deletion(&self, op: &JsonOp, start: ID, length: i32) -> Result<()> {
        let length = i32::try_from(length.unsigned_abs()).unwrap_or(i32::MAX);
        let last = start.counter.checked_add(length - 1);
        let last = last.ok_or_else(|| Error::apply("a deletion ends nowhere"))?;
        if start.counter < 0 || !self.knew(ID::new(start.peer, last), op.counter)? {
            return Err(Error::apply("it deletes what its author did not know"));
        }
        match self.operations(start, length).iter().all(|put| put.container == op.container && puts(put)) {
            true => Ok(()),
            false => Err(Error::apply("it deletes what was never put there")),
        }
    }

    /// Nodes must have been created in the same tree, as far as the author knew.
    fn tree(&self, op: &JsonOp, tree: &TreeOp) -> Result<()> {
        let created = |id: ID| {
            let maker = self.referred(id, op.counter)?;
            match &maker.content {
                JsonOpContent::Tree(TreeOp::Create { .. }) if maker.container == op.container => Ok(()),
                _ => Err(Error::apply("a tree node was never created")),
            }
        };
        match tree {
            TreeOp::Create { target, parent, .. } => {
                if target.id() != ID::new(self.change.id.peer, op.counter) {
                    return Err(Error::apply("a tree node was never created"));
                }
                parent.map_or(Ok(()), |parent| created(parent.id()))
            }
            TreeOp::Move { target, parent, .. } => {
                created(target.id())?;
                parent.map_or(Ok(()), |parent| created(parent.id()))
            }
            TreeOp::Delete { target } => created(target.id()),
        }
    }
}

/// Whether the operation made this container.
fn makes(op: &JsonOp, id: &ContainerID) -> bool {
    let is = |value: &LoroValue| matches!(value, LoroValue::Container(made) if made == id);
    match &op.content {
        JsonOpContent::Map(MapOp::Insert { value, .. })
        | JsonOpContent::MovableList(MovableListOp::Set { value, .. }) => is(value),
        JsonOpContent::List(ListOp::Insert { value: values, .. })
        | JsonOpContent::MovableList(MovableListOp::Insert { value: values, .. }) => values.iter().any(is),
        JsonOpContent::Tree(TreeOp::Create { target, .. }) => target.associated_meta_container() == *id,
        _ => false,
    }
}

/// Whether the operation puts elements into a sequence.
fn puts(op: &JsonOp) -> bool {
    matches!(
        op.content,
        JsonOpContent::Text(TextOp::Insert { .. })
            | JsonOpContent::List(ListOp::Insert { .. })
            | JsonOpContent::MovableList(MovableListOp::Insert { .. })
    )
}

fn kind(id: &ContainerID) -> Result<()> {
    match id.container_type() {
        ContainerType::Unknown(kind) => Err(Error::apply(format!("there is no container of kind {kind}"))),
        _ => Ok(()),
    }
}

fn value(value: &LoroValue, depth: usize) -> Result<()> {
    if depth > limit::VALUE_DEPTH {
        return Err(Error::apply(format!("a value is nested more than {} levels", limit::VALUE_DEPTH)));
    }
    match value {
        LoroValue::List(items) => items.iter().try_for_each(|item| self::value(item, depth + 1)),
        LoroValue::Map(items) => items.values().try_for_each(|item| self::value(item, depth + 1)),
        LoroValue::Container(id) => kind(id),
        _ => Ok(()),
    }
}
