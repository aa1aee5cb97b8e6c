//! From a document to its row.

use super::{Engine, SPACE, Stamp, Waiting};
use crate::backend::{Backend, Row, RowChange, Select, StoredPlace};
use crate::docs::Open;
use std::collections::BTreeSet;
use tombolo_core::{
    Code, Crdt, DocRef, Entity, Error, Field, FieldType, Filter, Millis, Result, RowId, Term, Test, Value,
};
use tombolo_crdt::{KeyWrite, RowView, Scalar};

/// A document whose bytes exceed this has its texts projected a moment later, not with every keystroke.
const PROJECT_NOW_BYTES: usize = 16 * 1024;

/// The parts of a row's document that a change touched.
#[derive(Debug, Default)]
pub(super) struct Touched {
    pub(super) all: bool,
    pub(super) fields: BTreeSet<String>,
    pub(super) deleted: bool,
}

impl Touched {
    pub(super) fn all() -> Self {
        Self { all: true, deleted: true, ..Self::default() }
    }

    pub(super) fn add_field(&mut self, name: &str) {
        self.fields.insert(name.to_owned());
    }

    /// Reads an import's keys and roots: `field:<name>` is a merged text and, in the row, the mark of an empty one.
    pub(super) fn of(writes: &[KeyWrite], roots: &BTreeSet<String>) -> Self {
        let mut touched = Self::default();
        for key in writes.iter().map(|write| write.key.as_str()).chain(roots.iter().map(String::as_str)) {
            touched.deleted |= key == "$deleted";
            touched.add_field(key.strip_prefix("field:").unwrap_or(key));
        }
        touched
    }

    fn field(&self, name: &str) -> bool {
        self.all || self.fields.contains(name)
    }
}

impl<B: Backend> Engine<B> {
    /// Projects what a change touched, as part of the open transaction.
    pub(super) fn project(
        &mut self,
        entity: &Entity,
        doc: &DocRef,
        open: &mut Open,
        touched: &Touched,
        stamp: Stamp,
    ) -> Result<()> {
        let later = open.doc.len_bytes() > PROJECT_NOW_BYTES && open.stored;
        if let Some(field) = &doc.field {
            return self.project_richtext(entity, doc, open, field, later, stamp);
        }
        let view = open.doc.row()?;
        let mut values = Vec::new();
        for (n, field) in entity.fields.iter().enumerate() {
            if !touched.field(&field.name) || field.tree || field.is_richtext() {
                continue;
            }
            if field.crdt == Crdt::Text && later {
                self.project_later(doc, open, stamp)?;
            } else {
                values.push((n, field_value(field, &view, open)?));
            }
        }
        let place = match entity.tree_field().filter(|field| touched.field(&field.name)) {
            Some(field) => Some(stored_place(field, &view, open)?),
            None => None,
        };
        let deleted_at = (touched.all || touched.deleted).then(|| view.deleted_at());
        if open.stored {
            let change = RowChange { values, place, deleted_at, ..RowChange::default() };
            // A wide row is not written for its time alone: that comes with its text.
            match self.dirty.contains_key(&open.key) && change == RowChange::default() {
                true => Ok(()),
                false => self.change_row(entity, doc.row, change, stamp),
            }
        } else {
            open.stored = true;
            self.add_row(entity, doc.row, values, place.unwrap_or_default(), view.deleted_at(), stamp)
        }
    }

    fn project_richtext(
        &mut self,
        entity: &Entity,
        doc: &DocRef,
        open: &mut Open,
        field: &str,
        later: bool,
        stamp: Stamp,
    ) -> Result<()> {
        open.stored = true;
        if later {
            return self.project_later(doc, open, stamp);
        }
        let n = entity.fields.iter().position(|f| f.name == field);
        let n = n.ok_or_else(|| entity.unknown_field(field))?;
        let values = vec![(n, Value::Text(open.doc.richtext_plain()?))];
        self.change_row(entity, doc.row, RowChange { values, ..RowChange::default() }, stamp)
    }

    /// Notes, durably, that the document's texts have to be projected.
    fn project_later(&mut self, doc: &DocRef, open: &Open, stamp: Stamp) -> Result<()> {
        match self.dirty.get_mut(&open.key) {
            Some(waiting) => waiting.last = waiting.last.map(|last| last.max(stamp.time)),
            None => {
                self.dirty.insert(open.key, Waiting { doc: doc.clone(), last: Some(stamp.time) });
                self.backend.set_dirty(open.key, true)?;
            }
        }
        Ok(())
    }

    /// Projects a document's texts, with the time of its last commit; the log is asked for it where it is not known.
    pub(super) fn project_texts(
        &mut self,
        entity: &Entity,
        doc: &DocRef,
        open: &Open,
        last: Option<Millis>,
    ) -> Result<()> {
        let mut change = RowChange::default();
        for (n, field) in entity.fields.iter().enumerate() {
            match &doc.field {
                Some(name) if field.name == *name => {
                    change.values.push((n, Value::Text(open.doc.richtext_plain()?)));
                }
                None if field.crdt == Crdt::Text && !field.is_richtext() => {
                    let view = open.doc.row()?;
                    change.values.push((n, field_value(field, &view, open)?));
                }
                _ => {}
            }
        }
        change.written_at = match last {
            Some(last) => Some(last),
            None => self.backend.doc_times(open.key)?.map(|(_, _, last)| last),
        };
        self.backend.update_row(entity, doc.row, &change)
    }

    fn add_row(
        &mut self,
        entity: &Entity,
        id: RowId,
        values: Vec<(usize, Value)>,
        place: StoredPlace,
        deleted_at: Option<i64>,
        stamp: Stamp,
    ) -> Result<()> {
        let mut row = Row {
            id,
            created_at: stamp.time,
            updated_at: stamp.time,
            created_by: stamp.actor,
            deleted_at,
            trashed: deleted_at.is_some(),
            values: vec![Value::Null; entity.fields.len()],
            place,
        };
        for (n, value) in values {
            row.values[n] = value;
        }
        self.backend.insert_row(entity, SPACE, &row)?;
        match entity.tree_field() {
            Some(_) => self.plant(entity, id),
            None => Ok(()),
        }
    }

    fn change_row(&mut self, entity: &Entity, id: RowId, mut change: RowChange, stamp: Stamp) -> Result<()> {
        change.written_at = Some(stamp.time);
        let moved = change.place.is_some();
        let before = match moved {
            true => self.cycle_through(entity, id)?,
            false => Vec::new(),
        };
        if change.deleted_at.is_some() && entity.tree_field().is_none() {
            change.trashed = change.deleted_at.map(|at| at.is_some());
        }
        let trash = change.deleted_at.is_some();
        self.backend.update_row(entity, id, &change)?;
        if moved {
            self.replant(entity, id, before)?;
        }
        match trash && entity.tree_field().is_some() {
            true => self.settle_trash(entity, id),
            false => Ok(()),
        }
    }

    /// Judges the author's own result against the manifest; `update` gives what the author wrote, if it is asked for.
    ///
    /// # Errors
    /// `INVALID_DATA`, `UNIQUE_VIOLATION`, each with the field.
    pub(super) fn check_row(
        &self,
        entity: &Entity,
        id: RowId,
        open: &Open,
        touched: &Touched,
        update: impl Fn() -> Result<Vec<u8>>,
    ) -> Result<()> {
        let view = open.doc.row()?;
        for field in entity.fields.iter().filter(|field| touched.field(&field.name) && !field.is_richtext()) {
            if field.crdt == Crdt::Text {
                check_text(field, open, &update)?;
                continue;
            }
            if field.tree {
                check_place(field, &view)?;
                continue;
            }
            let value = view.value(field);
            check_scalar(field, &view, &value)?;
            if field.unique && !value.is_null() && view.deleted_at().is_none() {
                self.check_unique(entity, id, field, value)?;
            }
        }
        Ok(())
    }

    fn check_unique(&self, entity: &Entity, id: RowId, field: &Field, value: Value) -> Result<()> {
        let shown = value.to_json();
        let term = Term { field: field.name.clone(), test: Test::Is(value) };
        let filter = Filter { terms: vec![term], order: Vec::new() };
        let same = self.backend.select(entity, &Select { filter, limit: Some(2), ..Select::default() })?;
        match same.iter().find(|row| row.id != id) {
            None => Ok(()),
            Some(other) => Err(Error::new(
                Code::UniqueViolation,
                format!("{}.{} is unique, and another row already has {shown}", entity.name, field.name),
            )
            .with("entity", entity.name.as_str())
            .with("field", field.name.as_str())
            .with("row", other.id.to_string())),
        }
    }
}

fn field_value(field: &Field, view: &RowView, open: &Open) -> Result<Value> {
    if field.crdt != Crdt::Text {
        return Ok(view.value(field));
    }
    let text = open.doc.text(&field.name)?;
    let absent = text.is_empty() && field.optional && !view.has_empty_text(&field.name);
    Ok(if absent { Value::Null } else { Value::Text(text) })
}

/// The place that the document shows, with the operation that wrote it.
fn stored_place(field: &Field, view: &RowView, open: &Open) -> Result<StoredPlace> {
    let Some(place) = view.place(&field.name) else { return Ok(StoredPlace::default()) };
    let writes = open.doc.key_writes()?;
    let writes = writes.into_iter().filter(|write| write.key == field.name);
    let last = writes.max_by_key(|write| (write.lamport, write.peer));
    Ok(StoredPlace {
        parent: place.parent,
        order: place.order,
        lamport: last.as_ref().map_or(0, |write| write.lamport),
        peer: last.map_or(tombolo_core::PeerId(0), |write| write.peer),
    })
}

/// A text that merging made too long stays, and may be shortened; only its author's own growth is refused.
fn check_text(field: &Field, open: &Open, update: &impl Fn() -> Result<Vec<u8>>) -> Result<()> {
    let length = open.doc.text_len(&field.name)?;
    let Some(max) = field.max_length.filter(|max| length as u64 > *max) else { return Ok(()) };
    let spans = tombolo_crdt::spans(&update()?)?;
    match open.doc.grows_beyond(&field.name, usize::try_from(max).unwrap_or(usize::MAX), &spans)? {
        true => Err(field.too_long(length)),
        false => Ok(()),
    }
}

fn check_place(field: &Field, view: &RowView) -> Result<()> {
    match view.values.get(&field.name) {
        None | Some(Scalar::Null) => Ok(()),
        Some(_) if view.place(&field.name).is_some() => Ok(()),
        Some(_) => Err(wrong_type(field)),
    }
}

fn check_scalar(field: &Field, view: &RowView, value: &Value) -> Result<()> {
    let written = !matches!(view.values.get(&field.name), None | Some(Scalar::Null));
    let listed = match (&field.kind, value) {
        (FieldType::Enum(names), Value::Text(name)) => names.contains(name),
        _ => true,
    };
    if (written && value.is_null()) || !listed {
        return Err(wrong_type(field));
    }
    if value.is_null() && !field.optional {
        return Err(Error::new(Code::InvalidData, format!("{} needs a value", field.name))
            .with("field", field.name.as_str()));
    }
    value.check_length(field)
}

fn wrong_type(field: &Field) -> Error {
    Error::new(Code::InvalidData, format!("{} needs a value of type {}", field.name, field.kind.name()))
        .with("field", field.name.as_str())
}
