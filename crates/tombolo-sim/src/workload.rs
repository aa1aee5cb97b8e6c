//! Random writes for any manifest.

use crate::model::{Acked, Call, Typist};
use crate::world::{Event, Place, World};
use serde_json::{Map, Value as Json, json};
use std::sync::Arc;
use tombolo_core::{Crdt, Entity, Field, FieldType, Value};
use tombolo_store::backend::{Read as _, Row, Select};

/// Texts that make a document large enough to be projected later.
const LARGE_TEXT: usize = 17 * 1024;
/// How many values a unique field chooses from: few, so that replicas collide.
const UNIQUE_VALUES: u64 = 3;

impl World {
    pub(crate) fn work(&mut self, place: Place) {
        let Some(every) = self.config.write_every_ms.filter(|_| self.working) else { return };
        let every = if place == Place::Server { every * 10 } else { every };
        self.after(2 * every, Event::Work { place });
        if place == Place::Server && (self.server.hub.is_none() || self.server.doomed) {
            return;
        }
        match place {
            Place::Replica(at) if self.happens(150) => self.edit(at),
            Place::Replica(at) if self.happens(20) => self.discard_draft(at),
            _ => {
                let calls = self.random_calls(place);
                if !calls.is_empty() {
                    self.perform(place, calls);
                }
            }
        }
    }

    /// One write, or a few that share a group.
    pub(crate) fn random_calls(&mut self, place: Place) -> Vec<Call> {
        let count = if self.happens(150) { 2 } else { 1 };
        let mut calls: Vec<Call> = Vec::new();
        for _ in 0..count {
            let call =
                if self.happens(100) { self.transaction(place) } else { self.operation(place).map(whole) };
            // A second edit of one row would be made from what it said before the first.
            let is_new =
                |call: &Call| targets(call).iter().all(|id| !calls.iter().any(|c| targets(c).contains(id)));
            if let Some(call) = call.filter(is_new) {
                calls.push(call);
            }
        }
        calls
    }

    fn discard_draft(&mut self, at: usize) {
        let drafts = self.replicas[at].node.engine().backend().drafts().unwrap_or_default();
        let Some(draft) = drafts.first() else { return };
        let Ok(content) = postcard::from_bytes::<tombolo_store::Draft>(&draft.commits) else { return };
        let args = json!({"id": draft.id});
        let call = Call { name: "draft_discard".to_owned(), args, effect: Acked::default() };
        if self.perform(Place::Replica(at), vec![call]).iter().all(Result::is_ok) {
            let out = content.commits.iter().filter(|commit| commit.taken_out);
            self.model.discarded.extend(out.map(|commit| commit.commit.id));
        }
    }

    pub(crate) fn rows(&mut self, place: Place, entity: &Entity) -> Vec<Row> {
        let engine = self.node(place).engine_mut();
        // A disk that fails now has nothing to work on now.
        let caught_up = engine.catch_up_now();
        let all = Select { trashed: true, ..Select::default() };
        caught_up.and_then(|()| engine.backend().select(entity, &all)).unwrap_or_default()
    }

    fn transaction(&mut self, place: Place) -> Option<Call> {
        let mut ops = Vec::new();
        let mut effect = Acked::default();
        let mut touched: Vec<Json> = Vec::new();
        for _ in 0..2 + self.below(3) {
            let Some(mut op) = self.operation(place) else { continue };
            // Two edits of one text would each be made from what it said before the transaction.
            if op.args.get("id").is_some_and(|id| touched.contains(id)) {
                continue;
            }
            touched.extend(op.args.get("id").cloned());
            op.args["op"] = json!(op.name);
            effect.typed.append(&mut op.effect.typed);
            effect.removed.append(&mut op.effect.removed);
            ops.push(op.args);
        }
        (!ops.is_empty()).then(|| Call { name: "transact".to_owned(), args: json!({"ops": ops}), effect })
    }

    /// One operation in the form that a transaction takes.
    fn operation(&mut self, place: Place) -> Option<Call> {
        let manifest = Arc::clone(&self.manifest);
        let n = self.index(manifest.entities.len());
        let entity = &manifest.entities[n];
        let rows = self.rows(place, entity);
        let choice = self.below(100);
        if rows.is_empty() || (choice < 15 && rows.len() < self.config.rows) {
            return self.insert(place, entity, &rows);
        }
        let row = &rows[self.index(rows.len())];
        let of = |name: &str| Call {
            name: name.to_owned(),
            args: json!({"entity": entity.name, "id": row.id}),
            effect: Acked::default(),
        };
        match choice {
            15..=21 => Some(of("delete")),
            22..=30 => Some(of("restore")),
            _ => {
                let mut call = of("update");
                let mut patch = Map::new();
                let fields = 1 + self.index(entity.fields.len().min(3));
                for n in 0..fields {
                    let unique = entity.fields.iter().find(|field| field.unique && n == 0);
                    let field = match unique.filter(|_| self.happens(250)) {
                        Some(field) => field,
                        None => &entity.fields[self.index(entity.fields.len())],
                    };
                    self.write(place, entity, field, Some(row), &mut patch, &mut call.effect);
                }
                call.args["data"] = Json::Object(patch);
                Some(call)
            }
        }
    }

    fn insert(&mut self, place: Place, entity: &Entity, rows: &[Row]) -> Option<Call> {
        let mut data = Map::new();
        let mut effect = Acked::default();
        for field in &entity.fields {
            if !field.optional || self.happens(400) {
                self.write(place, entity, field, None, &mut data, &mut effect);
            }
        }
        if self.happens(100) {
            // Two devices may make the same row, as an app does that names rows after days.
            let n = u8::try_from(self.below(3)).unwrap_or(0);
            let id = tombolo_core::RowId::from_bytes([n; 16]);
            if !rows.iter().any(|row| row.id == id) {
                data.insert("id".to_owned(), json!(id));
            }
        }
        Some(Call { name: "insert".to_owned(), args: json!({"entity": entity.name, "data": data}), effect })
    }

    /// Adds a new value of a field, if there can be one.
    fn write(
        &mut self,
        place: Place,
        entity: &Entity,
        field: &Field,
        row: Option<&Row>,
        patch: &mut Map<String, Json>,
        effect: &mut Acked,
    ) {
        if patch.contains_key(&field.name) {
            return;
        }
        let n = entity.fields.iter().position(|other| other.name == field.name);
        let old = row.zip(n).map(|(row, n)| &row.values[n]);
        let clears = field.optional && !field.tree && self.happens(80);
        let value = match (&field.kind, clears) {
            (FieldType::Richtext, _) => {
                effect.removed.extend(text_of(old).map(Typist::of).into_iter().flatten());
                self.markdown(effect)
            }
            (_, true) => {
                effect.removed.extend(text_of(old).map(Typist::of).into_iter().flatten());
                Json::Null
            }
            _ if field.tree => self.place(place, entity, row),
            (FieldType::String, _) if field.crdt == Crdt::Text => {
                let old = text_of(old).unwrap_or_default();
                json!(self.edited(old, field.max_length, effect))
            }
            (FieldType::Id(target), _) => match self.some_row(place, target) {
                Some(id) => json!(id),
                None if field.optional => Json::Null,
                None => return,
            },
            _ => self.scalar(field),
        };
        patch.insert(field.name.clone(), value);
    }

    fn scalar(&mut self, field: &Field) -> Json {
        let n = self.below(1_000);
        let max = field.max_length.and_then(|max| usize::try_from(max).ok()).unwrap_or(usize::MAX);
        match &field.kind {
            FieldType::String if field.unique => json!(format!("u{}", n % UNIQUE_VALUES)),
            FieldType::String => json!(format!("s{n}").chars().take(max).collect::<String>()),
            FieldType::Int => json!(n),
            FieldType::Float => json!(n as f64 / 8.0),
            FieldType::Bool => json!(n.is_multiple_of(2)),
            FieldType::Datetime => {
                json!(tombolo_core::format_time(i64::try_from(n).unwrap_or(0) * 86_400_000))
            }
            FieldType::Enum(names) => json!(names[self.index(names.len())]),
            FieldType::Bytes => {
                use base64::Engine as _;
                json!(base64::engine::general_purpose::STANDARD.encode(n.to_le_bytes()))
            }
            FieldType::Richtext | FieldType::Id(_) => Json::Null,
        }
    }

    fn some_row(&mut self, place: Place, entity: &str) -> Option<tombolo_core::RowId> {
        let manifest = Arc::clone(&self.manifest);
        let rows = self.rows(place, manifest.entity(entity).ok()?);
        let at = self.index(rows.len());
        rows.get(at).map(|row| row.id)
    }

    fn place(&mut self, place: Place, entity: &Entity, row: Option<&Row>) -> Json {
        let rows = self.rows(place, entity);
        let rows: Vec<&Row> = rows.iter().filter(|other| row.is_none_or(|row| row.id != other.id)).collect();
        let near = rows.get(self.index(rows.len())).copied();
        let Some(near) = near.filter(|_| !self.happens(250)) else { return Json::Null };
        let n = entity.fields.iter().position(|field| field.tree).unwrap_or(0);
        let parent = near.values[n].to_json();
        match self.below(4) {
            0 => json!({"parent": parent, "before": near.id}),
            1 => json!({"parent": parent, "after": near.id}),
            _ => json!(near.id),
        }
    }

    /// A text with a few characters more or less.
    pub(crate) fn edited(&mut self, old: &str, max_length: Option<u64>, effect: &mut Acked) -> String {
        let mut chars: Vec<char> = old.chars().collect();
        if !chars.is_empty() && self.happens(250) {
            let start = self.index(chars.len());
            let end = (start + 1 + self.index(5)).min(chars.len());
            let gone: String = chars.drain(start..end).collect();
            effect.removed.extend(Typist::of(&gone));
            return chars.into_iter().collect();
        }
        let at = self.index(chars.len() + 1);
        if self.happens(4) && max_length.is_none() {
            chars.splice(at..at, std::iter::repeat_n('x', LARGE_TEXT));
        }
        for offset in 0..1 + self.index(4) {
            let char = self.typist.char();
            effect.typed.push(char);
            chars.insert(at + offset, char);
        }
        chars.into_iter().collect()
    }

    /// A new formatted text, of new characters only.
    fn markdown(&mut self, effect: &mut Acked) -> Json {
        let mut markdown = String::new();
        for _ in 0..1 + self.below(3) {
            let word: String = (0..1 + self.below(3)).map(|_| self.typist.char()).collect();
            effect.typed.extend(word.chars());
            markdown.push_str(&match self.below(4) {
                0 => format!("# {word}\n\n"),
                1 => format!("- {word}\n\n"),
                2 => format!("x **{word}** x\n\n"),
                _ => format!("{word}\n\n"),
            });
        }
        json!({"markdown": markdown})
    }
}

/// A transaction's operation as one of its own.
fn whole(mut call: Call) -> Call {
    if call.name == "update"
        && let Some(object) = call.args.as_object_mut()
        && let Some(data) = object.remove("data")
    {
        object.insert("patch".to_owned(), data);
    }
    call
}

/// The rows that a call names.
fn targets(call: &Call) -> Vec<&Json> {
    let ops = call.args.get("ops").and_then(Json::as_array).into_iter().flatten();
    ops.chain([&call.args]).filter_map(|op| op.get("id")).collect()
}

fn text_of(value: Option<&Value>) -> Option<&str> {
    match value {
        Some(Value::Text(text)) => Some(text),
        _ => None,
    }
}
