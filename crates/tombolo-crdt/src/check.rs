//! What an update's operations must look like.
//!
//! Loro's `import` accepts bytes whose operations it later cannot encode again: unknown container kinds, gaps in
//! the numbering, empty insertions. Stored, they would crash every later open. So each operation that an import
//! brought is read back and judged here, before anything is stored.

use crate::{Error, Result};
use loro::{ContainerID, ContainerType, JsonChange, JsonOpContent, LoroValue};
use tombolo_core::limit;

pub(crate) fn changes(changes: &[JsonChange]) -> Result<()> {
    changes.iter().try_for_each(change)
}

fn change(change: &JsonChange) -> Result<()> {
    let mut counter = change.id.counter;
    for op in &change.ops {
        if op.counter != counter {
            return Err(Error::apply(format!("operation {} stands where {counter} should", op.counter)));
        }
        container(&op.container)?;
        match (&op.content, op.container.container_type()) {
            // Loro tells a counter's steps so.
            (JsonOpContent::Future(_), ContainerType::Counter) => {}
            (known, _) => content(known)?,
        }
        let length = i32::try_from(op.content.op_len()).ok().filter(|length| *length > 0);
        counter = length
            .and_then(|length| counter.checked_add(length))
            .ok_or_else(|| Error::apply(format!("operation {counter} has no length")))?;
    }
    Ok(())
}

fn container(id: &ContainerID) -> Result<()> {
    match id.container_type() {
        ContainerType::Unknown(kind) => Err(Error::apply(format!("there is no container of kind {kind}"))),
        _ => Ok(()),
    }
}

fn content(content: &JsonOpContent) -> Result<()> {
    use loro::json::{ListOp, MapOp, MovableListOp, TextOp};
    match content {
        JsonOpContent::Future(_) => Err(Error::apply("an operation is of an unknown kind")),
        JsonOpContent::Map(MapOp::Insert { value, .. })
        | JsonOpContent::MovableList(MovableListOp::Set { value, .. })
        | JsonOpContent::Text(TextOp::Mark { style_value: value, .. }) => self::value(value, 0),
        JsonOpContent::List(ListOp::Insert { value: values, .. })
        | JsonOpContent::MovableList(MovableListOp::Insert { value: values, .. }) => {
            values.iter().try_for_each(|item| value(item, 0))
        }
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
        LoroValue::Container(id) => container(id),
        _ => Ok(()),
    }
}
