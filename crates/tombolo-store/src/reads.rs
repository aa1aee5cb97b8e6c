//! Reads: the same from any connection, each from one consistent state.

use crate::backend::{Read, Row, Select, SpaceRow};
use serde_json::{Map, Value as Json, json};
use tombolo_core::{
    Code, DocRef, Entity, Error, Filter, Manifest, Operation, PeerId, Result, RichtextForm, RowId, Seq,
    SystemRandom, format_time,
};
use tombolo_crdt::Doc;

/// The answer to an operation.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// An answer in JSON.
    Json(Json),
    /// Bytes, or none where there are none.
    Bytes(Option<Vec<u8>>),
}

impl Answer {
    /// The answer as JSON; bytes as base64.
    #[must_use]
    pub fn into_json(self) -> Json {
        use base64::Engine as _;
        match self {
            Answer::Json(json) => json,
            Answer::Bytes(None) => Json::Null,
            Answer::Bytes(Some(bytes)) => {
                Json::String(base64::engine::general_purpose::STANDARD.encode(bytes))
            }
        }
    }
}

/// A row as every edge shows it.
#[must_use]
pub fn row_json(entity: &Entity, row: &Row, space: &SpaceRow) -> Json {
    let mut json = Map::with_capacity(entity.fields.len() + 8);
    json.insert("id".into(), Json::String(row.id.to_string()));
    for (field, value) in entity.fields.iter().zip(&row.values) {
        json.insert(field.name.clone(), value.to_json());
    }
    if let Some(order) = entity.tree_order_name() {
        json.insert(order, Json::String(row.place.order.clone()));
    }
    json.insert("created_at".into(), Json::String(format_time(row.created_at)));
    json.insert("updated_at".into(), Json::String(format_time(row.updated_at)));
    json.insert("created_by".into(), Json::String(row.created_by.to_string()));
    json.insert("deleted_at".into(), row.deleted_at.map_or(Json::Null, |at| Json::String(format_time(at))));
    json.insert("space".into(), space.id.map_or(Json::Null, |id| Json::String(id.to_string())));
    Json::Object(json)
}

/// A draft as every edge lists it.
#[must_use]
pub fn draft_json(draft: &crate::backend::DraftRow) -> Json {
    json!({
        "id": draft.id,
        "entity": draft.doc.entity,
        "row": draft.doc.row,
        "field": draft.doc.field,
        "status": draft.status,
        "code": draft.code,
        "reason": draft.reason,
        "created_at": format_time(draft.created_at),
    })
}

/// What a read that can be subscribed to gives: rows in their order.
pub(crate) struct Rows {
    pub(crate) rows: Vec<Json>,
    pub(crate) head: Seq,
}

/// Whether rows with these ids are gone for good or only out of the result.
pub(crate) fn is_deleted(
    reader: &impl Read,
    manifest: &Manifest,
    operation: &Operation,
    id: RowId,
) -> Result<bool> {
    let Some(entity) = entity_of(operation) else { return Ok(true) };
    Ok(reader.row(manifest.entity(entity)?, id)?.is_none_or(|row| row.trashed))
}

pub(crate) fn entity_of(operation: &Operation) -> Option<&str> {
    match operation {
        Operation::GetById { entity, .. }
        | Operation::List { entity, .. }
        | Operation::ListAfter { entity, .. }
        | Operation::QueryFiltered { entity, .. } => Some(entity),
        _ => None,
    }
}

/// Answers a read.
pub fn answer(reader: &impl Read, manifest: &Manifest, operation: &Operation) -> Result<Answer> {
    if matches!(operation, Operation::Manifest) {
        return Ok(Answer::Json(json!({"manifest": manifest.source(), "hash": manifest.hash()})));
    }
    reader.begin_read()?;
    let answered = in_snapshot(reader, manifest, operation);
    reader.end_read()?;
    answered
}

/// The rows of a read, with the head of the log that they show.
pub(crate) fn rows(reader: &impl Read, manifest: &Manifest, operation: &Operation) -> Result<Rows> {
    reader.begin_read()?;
    let rows = (|| Ok(Rows { head: reader.head()?, rows: rows_in_snapshot(reader, manifest, operation)? }))();
    reader.end_read()?;
    rows
}

fn in_snapshot(reader: &impl Read, manifest: &Manifest, operation: &Operation) -> Result<Answer> {
    let rows = rows_in_snapshot(reader, manifest, operation)?;
    Ok(Answer::Json(match operation {
        Operation::GetById { entity, richtext, .. } => match rows.into_iter().next() {
            Some(row) => show_richtext(reader, manifest.entity(entity)?, row, *richtext)?,
            None => Json::Null,
        },
        Operation::ListAfter { limit, .. } => {
            let more = rows.len() > *limit;
            let mut page = rows;
            page.truncate(*limit);
            let next = page.last().map_or(Json::Null, |row| row["id"].clone());
            json!({"rows": page, "next": if more { next } else { Json::Null }, "has_more": more})
        }
        _ => Json::Array(rows),
    }))
}

/// Replaces the plain text of formatted fields by the form that was asked for.
fn show_richtext(reader: &impl Read, entity: &Entity, mut row: Json, form: RichtextForm) -> Result<Json> {
    let row_id = row["id"].as_str().unwrap_or_default().parse()?;
    for field in entity.fields.iter().filter(|field| field.is_richtext() && form != RichtextForm::Plain) {
        let doc = DocRef { entity: entity.name.clone(), row: row_id, field: Some(field.name.clone()) };
        if let Some(opened) = open_doc(reader, &doc)? {
            let document = opened.richtext()?;
            row[&field.name] = match form {
                RichtextForm::Markdown => Json::String(tombolo_richtext::to_markdown(&document)),
                _ => document.to_json(),
            };
        }
    }
    Ok(row)
}

/// Opens a document to read it, away from the one that is written.
pub(crate) fn open_doc(reader: &impl Read, doc: &DocRef) -> Result<Option<Doc>> {
    let Some(key) = reader.doc_key(doc)? else { return Ok(None) };
    let stored = reader.load_doc(key)?;
    let updates = stored.parts.iter().map(|part| part.bytes.as_slice());
    // Nothing is written under this peer id.
    Ok(Some(Doc::open(PeerId::mint(&mut SystemRandom), stored.base.as_deref(), updates)?))
}

fn rows_in_snapshot(reader: &impl Read, manifest: &Manifest, operation: &Operation) -> Result<Vec<Json>> {
    if matches!(operation, Operation::Drafts) {
        return Ok(reader.drafts()?.iter().map(draft_json).collect());
    }
    let Some(name) = entity_of(operation) else {
        return Err(Error::new(Code::NotSupported, "this operation is no read of rows"));
    };
    let entity = manifest.entity(name)?;
    let found = match operation {
        Operation::GetById { id, .. } => reader.row(entity, *id)?.into_iter().collect(),
        Operation::List { limit, .. } => {
            reader.select(entity, &Select { limit: Some(*limit), ..Select::default() })?
        }
        Operation::ListAfter { after, limit, .. } => {
            let limit = Some(limit + 1);
            reader.select(entity, &Select { after: *after, limit, ..Select::default() })?
        }
        Operation::QueryFiltered { filter, .. } => {
            let filter = Filter::parse(entity, filter)?;
            let trashed = filter.names("deleted_at");
            reader.select(entity, &Select { filter, trashed, ..Select::default() })?
        }
        _ => Vec::new(),
    };
    let space = reader.spaces()?.into_iter().next();
    let space = space.ok_or_else(|| Error::new(Code::Internal, "the data folder has no space"))?;
    Ok(found.iter().map(|row| row_json(entity, row, &space)).collect())
}
