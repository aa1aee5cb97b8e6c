//! Reads: the same from any connection, each from one consistent state.

use crate::backend::{Read, Row, Select, SpaceRow};
use serde_json::{Map, Value as Json, json};
use tombolo_core::{
    Code, DocRef, Entity, Error, Fields, Filter, Manifest, Operation, PeerId, Result, RichtextForm, RowId,
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
pub fn row_json(entity: &Entity, row: &Row, space: &SpaceRow, fields: &Fields) -> Json {
    let mut json = Map::with_capacity(entity.fields.len() + 8);
    let mut show = |name: &str, value: &dyn Fn() -> Json| {
        if fields.has(name) {
            json.insert(name.to_owned(), value());
        }
    };
    show("id", &|| Json::String(row.id.to_string()));
    for (field, value) in entity.fields.iter().zip(&row.values) {
        show(&field.name, &|| value.to_json());
    }
    if let Some(order) = entity.tree_order_name() {
        show(&order, &|| Json::String(row.place.order.clone()));
    }
    show("created_at", &|| Json::String(format_time(row.created_at)));
    show("updated_at", &|| Json::String(format_time(row.updated_at)));
    show("created_by", &|| Json::String(row.created_by.to_string()));
    show("deleted_at", &|| row.deleted_at.map_or(Json::Null, |at| Json::String(format_time(at))));
    show("space", &|| space.id.map_or(Json::Null, |id| Json::String(id.to_string())));
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

/// The fields that a read shows.
fn fields_of(operation: &Operation) -> &Fields {
    match operation {
        Operation::GetById { fields, .. }
        | Operation::List { fields, .. }
        | Operation::ListAfter { fields, .. }
        | Operation::QueryFiltered { fields, .. } => fields,
        _ => &Fields::All,
    }
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

/// Whether a read shows the projection of an entity's rows' own documents or of one of their formatted fields.
pub(crate) fn shows(operation: &Operation, entity: &str, field: Option<&str>) -> bool {
    let Some(read) = entity_of(operation) else { return true };
    let ordered = |order: &Json, field: &str| match order {
        Json::Array(keys) => keys.iter().any(|key| key.get(field).is_some()),
        key => key.get(field).is_some(),
    };
    let filtered = |field: &str| match operation {
        Operation::QueryFiltered { filter, .. } => {
            filter.get(field).is_some() || filter.get("$order").is_some_and(|order| ordered(order, field))
        }
        _ => false,
    };
    read == entity && field.is_none_or(|field| fields_of(operation).has(field) || filtered(field))
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

/// The rows of a read that can be subscribed to, in their order.
pub(crate) fn rows(reader: &impl Read, manifest: &Manifest, operation: &Operation) -> Result<Vec<Json>> {
    reader.begin_read()?;
    let rows = shown(reader, manifest, operation);
    reader.end_read()?;
    Ok(rows?.0)
}

fn in_snapshot(reader: &impl Read, manifest: &Manifest, operation: &Operation) -> Result<Answer> {
    let (rows, more) = shown(reader, manifest, operation)?;
    Ok(Answer::Json(match operation {
        Operation::GetById { .. } => rows.into_iter().next().unwrap_or(Json::Null),
        Operation::ListAfter { .. } => {
            let next = rows.last().filter(|_| more).map_or(Json::Null, |row| row["id"].clone());
            json!({"rows": rows, "next": next, "has_more": more})
        }
        _ => Json::Array(rows),
    }))
}

/// The rows of a read as its caller sees them, and whether there are more behind a page.
fn shown(reader: &impl Read, manifest: &Manifest, operation: &Operation) -> Result<(Vec<Json>, bool)> {
    let mut rows = rows_in_snapshot(reader, manifest, operation)?;
    let mut more = false;
    match operation {
        Operation::GetById { entity, richtext, .. } => {
            let entity = manifest.entity(entity)?;
            let shown = rows.into_iter().map(|row| show_richtext(reader, entity, row, *richtext));
            rows = shown.collect::<Result<_>>()?;
        }
        Operation::ListAfter { limit, .. } => {
            more = rows.len() > *limit;
            rows.truncate(*limit);
        }
        _ => {}
    }
    Ok((rows, more))
}

/// Replaces the plain text of formatted fields by the form that was asked for.
fn show_richtext(reader: &impl Read, entity: &Entity, mut row: Json, form: RichtextForm) -> Result<Json> {
    let row_id = row["id"].as_str().unwrap_or_default().parse()?;
    let wanted = |name: &str| row.get(name).is_some();
    let formatted = entity.fields.iter().filter(|field| field.is_richtext() && wanted(&field.name));
    let formatted: Vec<_> = formatted.filter(|_| form != RichtextForm::Plain).collect();
    for field in formatted {
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
    let fields = fields_of(operation);
    fields.check(entity)?;
    let found = match operation {
        Operation::GetById { id, .. } => reader.row(entity, *id)?.into_iter().collect(),
        Operation::List { limit, .. } => reader
            .select(entity, &Select { limit: Some(*limit), fields: fields.clone(), ..Select::default() })?,
        Operation::ListAfter { after, limit, .. } => {
            let limit = Some(limit + 1);
            reader.select(
                entity,
                &Select { after: *after, limit, fields: fields.clone(), ..Select::default() },
            )?
        }
        Operation::QueryFiltered { filter, .. } => {
            let filter = Filter::parse(entity, filter)?;
            let trashed = filter.names("deleted_at");
            reader.select(entity, &Select { filter, trashed, fields: fields.clone(), ..Select::default() })?
        }
        _ => Vec::new(),
    };
    let space = reader.spaces()?.into_iter().next();
    let space = space.ok_or_else(|| Error::new(Code::Internal, "the data folder has no space"))?;
    Ok(found.iter().map(|row| row_json(entity, row, &space, fields)).collect())
}
