//! From a caller's JSON to what is written into documents.

use serde_json::{Map, Value as Json};
use tombolo_core::{Code, Crdt, Entity, Error, Field, IMPLICIT_FIELDS, Result, RowId, Value, limit};
use tombolo_richtext::{Block, Document};

/// A field's new value, judged.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Write {
    /// A last-writer-wins scalar.
    Scalar(Value),
    /// A merged text; none clears it.
    Text(Option<String>),
    /// A place in the tree, as the caller wrote it.
    Place(Wish),
    /// A formatted text.
    Richtext(Document),
}

/// Where a caller wants a row in its tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wish {
    pub(super) parent: Option<RowId>,
    pub(super) among: Among,
}

/// Where among its siblings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Among {
    /// Where it is, if the parent stays; else last.
    Stay,
    First,
    Last,
    After(RowId),
    Before(RowId),
}

/// Judges the fields of an insert or a patch, in the manifest's order.
///
/// # Errors
/// `FIELD_NOT_FOUND`, `INVALID_DATA`, `TOO_LARGE`, each with the field.
pub(super) fn writes<'e>(
    entity: &'e Entity,
    data: &Map<String, Json>,
    new_block_id: &mut dyn FnMut() -> String,
) -> Result<Vec<(&'e Field, Write)>> {
    for name in data.keys() {
        if IMPLICIT_FIELDS.contains(&name.as_str()) || entity.tree_order_name().as_ref() == Some(name) {
            return Err(invalid(name, &format!("{name} cannot be set")));
        }
        entity.field(name)?;
    }
    let mut writes = Vec::with_capacity(data.len());
    for field in &entity.fields {
        if let Some(json) = data.get(&field.name) {
            writes.push((field, write(field, json, new_block_id)?));
        }
    }
    Ok(writes)
}

/// Adds what an insert leaves out, and refuses it if that has no value.
pub(super) fn complete<'e>(entity: &'e Entity, writes: &mut Vec<(&'e Field, Write)>) -> Result<()> {
    for field in &entity.fields {
        let given = writes.iter().any(|(written, _)| written.name == field.name);
        if given {
            continue;
        }
        match (&field.default, field.optional || field.is_richtext()) {
            (Some(Value::Text(text)), _) if field.crdt == Crdt::Text => {
                writes.push((field, Write::Text(Some(text.clone()))));
            }
            (Some(value), _) => writes.push((field, Write::Scalar(value.clone()))),
            (None, true) if field.tree => {
                writes.push((field, Write::Place(Wish { parent: None, among: Among::Last })));
            }
            (None, true) => {}
            (None, false) => return Err(missing(field)),
        }
    }
    Ok(())
}

fn write(field: &Field, json: &Json, new_block_id: &mut dyn FnMut() -> String) -> Result<Write> {
    if field.tree {
        return wish(field, json).map(Write::Place);
    }
    if field.is_richtext() {
        return richtext(field, json, new_block_id).map(Write::Richtext);
    }
    let value = Value::from_json(field, json)?;
    if value.is_null() && !field.optional {
        return Err(missing(field));
    }
    match (field.crdt, value) {
        (Crdt::Text, Value::Text(text)) => Ok(Write::Text(Some(text))),
        (Crdt::Text, _) => Ok(Write::Text(None)),
        (Crdt::Lww, value) => Ok(Write::Scalar(value)),
    }
}

/// A formatted text: plain text, `{"markdown": …}`, or `{"document": …}` in the JSON form.
fn richtext(field: &Field, json: &Json, new_block_id: &mut dyn FnMut() -> String) -> Result<Document> {
    let text = |text: &str| match text.len() <= limit::UPDATE_BYTES {
        true => Ok(()),
        false => Err(tombolo_core::too_large_update(text.len()).with("field", field.name.as_str())),
    };
    let form = json.as_object().filter(|form| form.len() == 1).and_then(|form| form.iter().next());
    match (json, form) {
        (Json::Null, _) => Ok(Document::default()),
        (Json::String(plain), _) => {
            text(plain)?;
            Ok(paragraphs(plain, new_block_id))
        }
        (_, Some((name, Json::String(markdown)))) if name == "markdown" => {
            text(markdown)?;
            Ok(tombolo_richtext::from_markdown(markdown, new_block_id))
        }
        (_, Some((name, document))) if name == "document" => Document::from_json(document)
            .map_err(|error| invalid(&field.name, &format!("{} is no document: {error}", field.name))),
        _ => Err(invalid(
            &field.name,
            &format!("{} takes text, {{\"markdown\": …}} or {{\"document\": …}}", field.name),
        )),
    }
}

/// A paragraph a line.
fn paragraphs(plain: &str, new_block_id: &mut dyn FnMut() -> String) -> Document {
    let mut document = Document::default();
    if !plain.is_empty() {
        document.blocks = plain.split('\n').map(|line| Block::new("paragraph").text(line)).collect();
        document.assign_ids(new_block_id);
    }
    document
}

/// A place: a parent's id or null, or `{"parent": …, "after" | "before": id or null}`.
fn wish(field: &Field, json: &Json) -> Result<Wish> {
    let id = |json: &Json| match json {
        Json::Null => Ok(None),
        Json::String(text) => text.parse().map(Some).map_err(|e: Error| e.with("field", field.name.as_str())),
        _ => Err(wrong_place(field)),
    };
    let Json::Object(place) = json else { return Ok(Wish { parent: id(json)?, among: Among::Stay }) };
    let known = place.keys().all(|key| ["parent", "after", "before"].contains(&key.as_str()));
    if !known || (place.contains_key("after") && place.contains_key("before")) {
        return Err(wrong_place(field));
    }
    let among = match (place.get("after"), place.get("before")) {
        (Some(after), _) => id(after)?.map_or(Among::First, Among::After),
        (_, Some(before)) => id(before)?.map_or(Among::Last, Among::Before),
        _ => Among::Stay,
    };
    Ok(Wish { parent: id(place.get("parent").unwrap_or(&Json::Null))?, among })
}

fn wrong_place(field: &Field) -> Error {
    invalid(
        &field.name,
        &format!("{} takes a row id, null, or {{\"parent\": …, \"after\" or \"before\": …}}", field.name),
    )
}

fn missing(field: &Field) -> Error {
    invalid(&field.name, &format!("{} needs a value", field.name))
}

pub(super) fn invalid(field: &str, message: &str) -> Error {
    Error::new(Code::InvalidData, message).with("field", field)
}
