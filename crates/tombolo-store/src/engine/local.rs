//! Operations of this replica's own callers.

use super::project::Touched;
use super::values::{self, Write, invalid};
use super::{Engine, Stamp};
use crate::backend::Backend;
use crate::docs::Open;
use crate::reads::Answer;
use serde_json::{Map, Value as Json, json};
use tombolo_core::{
    Code, DocRef, Entity, Error, Field, Millis, Operation, Options, Receipt, Result, RowId, limit,
};
use tombolo_richtext::block_id;

/// How long an answer is kept under its idempotency key: 30 days.
const ANSWERS_KEPT_MS: Millis = 30 * 24 * 60 * 60 * 1_000;

impl<B: Backend> Engine<B> {
    /// Runs an operation that writes, as one transaction of the open group.
    ///
    /// # Errors
    /// Those of the contract; nothing of the operation is then left.
    pub fn execute(&mut self, operation: &Operation) -> Result<Answer> {
        self.nested(|engine| engine.execute_once(operation))
    }

    fn execute_once(&mut self, operation: &Operation) -> Result<Answer> {
        let now = self.clock.now();
        let options = options(operation);
        if let Some(key) = &options.idempotency_key {
            return self.execute_keyed(operation, key, &options, now);
        }
        self.execute_now(operation, &options, now).map(|answer| Answer::Json(Json::Object(answer)))
    }

    fn execute_now(
        &mut self,
        operation: &Operation,
        options: &Options,
        now: Millis,
    ) -> Result<Map<String, Json>> {
        let mut answer = self.run(operation, now)?;
        let receipt = self.log_written(now, options.origin.as_deref())?;
        finish(&mut answer, operation, receipt)?;
        Ok(answer)
    }

    /// Runs an operation unless its key was used before: then the answer is the one that was given.
    fn execute_keyed(
        &mut self,
        operation: &Operation,
        key: &str,
        options: &Options,
        now: Millis,
    ) -> Result<Answer> {
        let digest = blake3::hash(format!("{operation:?}").as_bytes());
        if let Some((stored, answer)) = self.backend.answered(key)? {
            return match stored == digest.as_bytes() {
                true => serde_json::from_str(&answer).map(Answer::Json).map_err(|error| {
                    Error::new(Code::StorageFailed, format!("a kept answer is damaged: {error}"))
                }),
                false => {
                    Err(Error::new(Code::Conflict, "this idempotency key was used with other arguments")
                        .with("idempotency_key", key))
                }
            };
        }
        let answer = Json::Object(self.execute_now(operation, options, now)?);
        let forget_before = now - ANSWERS_KEPT_MS;
        self.backend.put_answer(key, digest.as_bytes(), &answer.to_string(), now, forget_before)?;
        Ok(Answer::Json(answer))
    }

    fn run(&mut self, operation: &Operation, now: Millis) -> Result<Map<String, Json>> {
        let manifest = std::sync::Arc::clone(&self.manifest);
        let answer = match operation {
            Operation::Insert { entity, data, .. } => {
                json!({"id": self.insert(manifest.entity(entity)?, data, now)?})
            }
            Operation::Update { entity, id, patch, .. } => {
                json!({"updated": self.update(manifest.entity(entity)?, *id, patch, now)?})
            }
            Operation::Delete { entity, id, .. } => {
                json!({"deleted": self.trash(manifest.entity(entity)?, *id, Some(now), now)?})
            }
            Operation::Restore { entity, id, .. } => {
                json!({"deleted": false, "restored": self.trash(manifest.entity(entity)?, *id, None, now)?})
            }
            Operation::CrdtApplyUpdate { entity, id, field, bytes, .. } => {
                let doc = DocRef { entity: entity.clone(), row: *id, field: field.clone() };
                self.apply_update(manifest.entity(entity)?, &doc, bytes, now)?;
                json!({})
            }
            Operation::Transact { ops, .. } => {
                json!({"committed": true, "results": self.transact(ops, now)?})
            }
            Operation::DraftDiscard { id } => {
                let discarded = self.backend.remove_draft(*id)?;
                self.group.committed.drafts |= discarded;
                json!({"discarded": discarded})
            }
            _ => return Err(Error::new(Code::Internal, "this operation does not write")),
        };
        match answer {
            Json::Object(answer) => Ok(answer),
            _ => Err(Error::new(Code::Internal, "an answer is an object")),
        }
    }

    fn stamp(&self, now: Millis) -> Stamp {
        Stamp { time: now, actor: self.actor }
    }

    fn insert(&mut self, entity: &Entity, data: &Map<String, Json>, now: Millis) -> Result<RowId> {
        let mut data = data.clone();
        let (id, given) = match data.remove("id") {
            None => (RowId::mint(now, self.random.as_mut()), false),
            Some(Json::String(text)) => (text.parse()?, true),
            Some(_) => return Err(invalid("id", "an id is a string")),
        };
        let doc = DocRef { entity: entity.name.clone(), row: id, field: None };
        if given && self.row_exists(&doc)? {
            return Err(Error::new(Code::Conflict, format!("{} already has a row {id}", entity.name))
                .with("entity", entity.name.as_str())
                .with("id", id.to_string()));
        }
        let mut writes = self.judged(entity, &data)?;
        values::complete(entity, &mut writes)?;
        self.write_row(entity, &doc, writes, true, now)?;
        Ok(id)
    }

    fn update(&mut self, entity: &Entity, id: RowId, patch: &Map<String, Json>, now: Millis) -> Result<bool> {
        if patch.contains_key("id") {
            return Err(invalid("id", "an id cannot be changed"));
        }
        let writes = self.judged(entity, patch)?;
        let doc = DocRef { entity: entity.name.clone(), row: id, field: None };
        if !self.row_exists(&doc)? {
            return Ok(false);
        }
        self.write_row(entity, &doc, writes, false, now)?;
        Ok(true)
    }

    fn judged<'e>(
        &mut self,
        entity: &'e Entity,
        data: &Map<String, Json>,
    ) -> Result<Vec<(&'e Field, Write)>> {
        let random = self.random.as_mut();
        values::writes(entity, data, &mut || block_id(random.u64()))
    }

    fn row_exists(&mut self, doc: &DocRef) -> Result<bool> {
        Ok(self.docs.peek(doc).is_some() || self.backend.doc_key(doc)?.is_some())
    }

    /// Writes fields into the row's document and those of its formatted texts, and projects them.
    fn write_row(
        &mut self,
        entity: &Entity,
        doc: &DocRef,
        writes: Vec<(&Field, Write)>,
        new: bool,
        now: Millis,
    ) -> Result<()> {
        let mut touched = if new { Touched::all() } else { Touched::default() };
        let mut open = if new { self.make_doc(doc)? } else { self.open_or_make(doc)? };
        let mut scalars = Vec::with_capacity(writes.len());
        let mut texts = Vec::new();
        for (field, write) in writes {
            touched.add_field(&field.name);
            match write {
                Write::Richtext(document) => texts.push((field, document)),
                Write::Place(wish) => {
                    let now_at = if new { None } else { open.doc.row()?.place(&field.name) };
                    let place = self.resolve(entity, doc.row, now_at.as_ref(), wish)?;
                    scalars.push((field, Scalar::Place(place)));
                }
                Write::Scalar(value) => scalars.push((field, Scalar::Value(value))),
                Write::Text(text) => scalars.push((field, Scalar::Text(text))),
            }
        }
        let empty = new && !scalars.iter().any(|(_, scalar)| scalar.writes());
        let edited = self.edit_doc(doc, &mut open, |edit| {
            if empty {
                // A row exists on other devices through its document's operations, so there must be one.
                edit.set("$row", &tombolo_core::Value::Bool(true))?;
            }
            for (field, scalar) in &scalars {
                match scalar {
                    Scalar::Value(value) => edit.set(&field.name, value)?,
                    Scalar::Text(text) => edit.set_text(&field.name, text.as_deref())?,
                    Scalar::Place(place) => edit.place(&field.name, place)?,
                }
            }
            Ok(())
        });
        // What changes nothing is no write: nobody else would hear of its time.
        if edited? {
            self.check_row(entity, doc.row, &open, &touched, || self.written(doc, &open))?;
            self.finish_row(entity, doc, open, &touched, now)?;
        } else {
            self.docs.put(doc.clone(), open);
        }
        for (field, document) in texts {
            self.write_richtext(entity, doc, field, &document, now)?;
        }
        Ok(())
    }

    fn write_richtext(
        &mut self,
        entity: &Entity,
        row: &DocRef,
        field: &Field,
        document: &tombolo_richtext::Document,
        now: Millis,
    ) -> Result<()> {
        let doc = DocRef { field: Some(field.name.clone()), ..row.clone() };
        if document.blocks.is_empty()
            && self.docs.peek(&doc).is_none()
            && self.backend.doc_key(&doc)?.is_none()
        {
            return Ok(());
        }
        let mut open = self.open_or_make(&doc)?;
        if self.edit_doc(&doc, &mut open, |edit| edit.set_richtext(document))? {
            return self.finish_row(entity, &doc, open, &Touched::all(), now);
        }
        self.docs.put(doc, open);
        Ok(())
    }

    /// Projects a changed document and puts it back into the cache.
    fn finish_row(
        &mut self,
        entity: &Entity,
        doc: &DocRef,
        mut open: Open,
        touched: &Touched,
        now: Millis,
    ) -> Result<()> {
        self.project(entity, doc, &mut open, touched, self.stamp(now))?;
        self.docs.put(doc.clone(), open);
        Ok(())
    }

    fn trash(&mut self, entity: &Entity, id: RowId, at: Option<Millis>, now: Millis) -> Result<bool> {
        let doc = DocRef { entity: entity.name.clone(), row: id, field: None };
        if !self.row_exists(&doc)? {
            return Ok(false);
        }
        let mut open = self.open_or_make(&doc)?;
        if open.doc.row()?.deleted_at().is_some() == at.is_some() {
            self.docs.put(doc, open);
            return Ok(false);
        }
        self.edit_doc(&doc, &mut open, |edit| edit.set_deleted(at))?;
        let touched = Touched { deleted: true, ..Touched::default() };
        if at.is_none() {
            self.check_row(entity, id, &open, &Touched::all(), || self.written(&doc, &open))?;
        }
        self.finish_row(entity, &doc, open, &touched, now)?;
        Ok(true)
    }

    fn apply_update(&mut self, entity: &Entity, doc: &DocRef, bytes: &[u8], now: Millis) -> Result<()> {
        self.check_target(entity, doc)?;
        let mut open = self.open_or_make(doc)?;
        let before = open.doc.version()?;
        let imported = open.doc.import(bytes)?;
        match imported.update {
            Some(update) => self.note_written(doc, before, update),
            None if open.stored => {
                self.docs.put(doc.clone(), open);
                return Ok(());
            }
            None => {
                return Err(Error::new(Code::CrdtApplyFailed, "the update has no operations")
                    .with("row", doc.to_string()));
            }
        }
        let touched = Touched::of(&imported.key_writes, &imported.roots);
        if doc.field.is_none() {
            self.check_row(entity, doc.row, &open, &touched, || self.written(doc, &open))?;
        }
        self.finish_row(entity, doc, open, &touched, now)
    }

    /// What the open transaction wrote to a document.
    fn written(&self, doc: &DocRef, open: &Open) -> Result<Vec<u8>> {
        let part = self.txn.part_of.get(doc).map(|n| &self.txn.parts[*n]);
        let part = part.ok_or_else(|| Error::new(Code::Internal, format!("nothing was written to {doc}")))?;
        match &part.single {
            Some(update) => Ok(update.clone()),
            None => Ok(open.doc.update_since(&part.before)?.unwrap_or_default()),
        }
    }

    /// A document that an update may go to: a row's, or that of a formatted text of a row that exists.
    pub(super) fn check_target(&mut self, entity: &Entity, doc: &DocRef) -> Result<()> {
        let Some(name) = &doc.field else { return Ok(()) };
        let field = entity.field(name)?;
        if !field.is_richtext() {
            return Err(invalid(name, &format!("{name} has no document of its own; update the row's")));
        }
        let row = DocRef { field: None, ..doc.clone() };
        match self.row_exists(&row)? {
            true => Ok(()),
            false => Err(Error::new(Code::RowNotFound, format!("{} has no row {}", entity.name, doc.row))
                .with("entity", entity.name.as_str())
                .with("id", doc.row.to_string())),
        }
    }

    fn transact(&mut self, ops: &[Json], now: Millis) -> Result<Vec<Json>> {
        if ops.len() > limit::TRANSACTION_OPERATIONS {
            return Err(Error::new(Code::TooLarge, "a transaction has too many operations"));
        }
        ops.iter().enumerate().try_for_each(|(index, op)| check_shape(index, op))?;
        let mut results: Vec<Json> = Vec::with_capacity(ops.len());
        for (index, op) in ops.iter().enumerate() {
            let at = |error: Error| error.with("index", index);
            let operation =
                resolve(op, &results).and_then(|op| parse(&op)).map_err(|error| at(shape(error)))?;
            let answer = self.run(&operation, now).map_err(at)?;
            results.push(Json::Object(answer));
        }
        Ok(results)
    }
}

/// What goes into the row's document.
enum Scalar {
    Value(tombolo_core::Value),
    Text(Option<String>),
    Place(tombolo_crdt::Place),
}

impl Scalar {
    /// Whether writing this into an empty document makes an operation.
    fn writes(&self) -> bool {
        match self {
            Scalar::Value(value) => !value.is_null(),
            Scalar::Text(text) => text.is_some(),
            Scalar::Place(_) => true,
        }
    }
}

fn options(operation: &Operation) -> Options {
    match operation {
        Operation::Insert { options, .. }
        | Operation::Update { options, .. }
        | Operation::Delete { options, .. }
        | Operation::Restore { options, .. }
        | Operation::Transact { options, .. }
        | Operation::CrdtApplyUpdate { options, .. } => options.clone(),
        _ => Options::default(),
    }
}

/// Adds the receipt to an answer.
fn finish(answer: &mut Map<String, Json>, operation: &Operation, receipt: Receipt) -> Result<()> {
    if matches!(operation, Operation::DraftDiscard { .. }) {
        return Ok(());
    }
    if matches!(operation, Operation::CrdtApplyUpdate { .. }) {
        answer.insert("version".into(), json!(receipt.commit));
    }
    let receipt = serde_json::to_value(receipt).map_err(|e| Error::new(Code::Internal, e.to_string()))?;
    answer.insert("receipt".into(), receipt);
    Ok(())
}

/// The operations that a transaction may hold.
const IN_TRANSACTION: [&str; 5] = ["insert", "update", "delete", "restore", "apply_update"];

/// Judges the shape of one operation before anything is written.
fn check_shape(index: usize, op: &Json) -> Result<()> {
    let refuse = |message: String| Err(Error::new(Code::TxInvalidOp, message).with("index", index));
    let Some(object) = op.as_object() else { return refuse(format!("operation {index} is no object")) };
    let name = object.get("op").and_then(Json::as_str).unwrap_or("");
    match name {
        "transact" => {
            return Err(Error::new(Code::NestedTransaction, "a transaction holds no transactions")
                .with("index", index));
        }
        "link" | "unlink" => {
            return Err(Error::new(Code::NotSupported, format!("this version does not offer {name}"))
                .with("index", index));
        }
        _ if !IN_TRANSACTION.contains(&name) => {
            return refuse(format!("operation {index} has no op of {}", IN_TRANSACTION.join(", ")));
        }
        _ => {}
    }
    for (key, known) in object
        .iter()
        .map(|(key, _)| key)
        .map(|key| (key, ["op", "entity", "id", "data", "patch", "field", "bytes"].contains(&key.as_str())))
    {
        if !known {
            return refuse(format!("operation {index} takes no {key:?}"));
        }
    }
    if !object.get("entity").is_some_and(Json::is_string) {
        return refuse(format!("operation {index} names no entity"));
    }
    if name != "insert" && !object.contains_key("id") {
        return refuse(format!("operation {index} names no id"));
    }
    Ok(())
}

/// Replaces each `{"$ref": n}` by the id of the row that operation `n` made.
fn resolve(op: &Json, results: &[Json]) -> Result<Json> {
    let reference = op.as_object().filter(|object| object.len() == 1).and_then(|object| object.get("$ref"));
    if let Some(reference) = reference {
        let made =
            reference.as_u64().and_then(|n| results.get(usize::try_from(n).ok()?)).and_then(|r| r.get("id"));
        return made.cloned().ok_or_else(|| {
            Error::new(
                Code::TxInvalidOp,
                format!("$ref {reference} names no earlier operation that made a row"),
            )
        });
    }
    Ok(match op {
        Json::Object(object) => Json::Object(
            object
                .iter()
                .map(|(key, value)| Ok((key.clone(), resolve(value, results)?)))
                .collect::<Result<_>>()?,
        ),
        Json::Array(items) => {
            Json::Array(items.iter().map(|item| resolve(item, results)).collect::<Result<_>>()?)
        }
        other => other.clone(),
    })
}

/// An operation of a transaction as one of its own.
fn parse(op: &Json) -> Result<Operation> {
    let mut args = op.as_object().cloned().unwrap_or_default();
    let name = args.remove("op").and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default();
    let name = match name.as_str() {
        "apply_update" => "crdt_apply_update",
        "update" => {
            if let Some(data) = args.remove("data") {
                args.insert("patch".into(), data);
            }
            "update"
        }
        name => name,
    };
    Operation::from_json(name, &Json::Object(args))
}

/// A malformed operation is the transaction's fault; a bad value stays what it is.
fn shape(error: Error) -> Error {
    match error.code {
        Code::InvalidQuery => Error { code: Code::TxInvalidOp, ..error },
        _ => error,
    }
}
