//! What a node holds, read from its disk, and whether rows show their documents.

use crate::check::{Checker, Violation, violation};
use crate::editor::stored;
use std::collections::{BTreeMap, BTreeSet};
use tombolo_core::{Crdt, DocRef, Entity, Field, Manifest, PeerId, Result, RowId, Value};
use tombolo_crdt::{Doc, RowView, Version};
use tombolo_store::backend::{Read, Row, Select, StoredPlace};

/// A row's name.
type RowName = (String, RowId);

/// What a document says.
#[derive(Debug, PartialEq)]
struct Said {
    version: Version,
    view: RowView,
    texts: BTreeMap<String, String>,
    /// The last write of each key of the row, as `(lamport, peer)`.
    writes: BTreeMap<String, (u32, PeerId)>,
    /// The formatted text, block by block.
    formatted: String,
    plain: String,
}

/// Rows and documents of all entities that are shared.
#[derive(Debug)]
pub(crate) struct Facts {
    rows: BTreeMap<RowName, Row>,
    docs: BTreeMap<DocRef, Said>,
}

impl Facts {
    pub(crate) fn read(reader: &impl Read, manifest: &Manifest) -> Result<Self> {
        let mut facts = Self { rows: BTreeMap::new(), docs: BTreeMap::new() };
        for entity in manifest.entities.iter().filter(|entity| !entity.local) {
            let all = Select { trashed: true, ..Select::default() };
            for row in reader.select(entity, &all)? {
                let texts = entity.fields.iter().filter(|field| field.is_richtext());
                for field in std::iter::once(None).chain(texts.map(|field| Some(field.name.clone()))) {
                    let of = DocRef { entity: entity.name.clone(), row: row.id, field };
                    if let Some(doc) = stored(reader, &of, PeerId(1))? {
                        facts.docs.insert(of, said(&doc, entity)?);
                    }
                }
                facts.rows.insert((entity.name.clone(), row.id), row);
            }
        }
        Ok(facts)
    }

    /// The first difference, in words.
    pub(crate) fn difference(&self, other: &Self) -> Option<String> {
        // Where documents differ, rows do as well.
        difference("document", &self.docs, &other.docs).or_else(|| difference("row", &self.rows, &other.rows))
    }

    /// All texts that rows show.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        self.rows.values().flat_map(|row| &row.values).filter_map(|value| match value {
            Value::Text(text) => Some(text.as_str()),
            _ => None,
        })
    }
}

fn difference<K: Ord + std::fmt::Debug, V: PartialEq + std::fmt::Debug>(
    what: &str,
    server: &BTreeMap<K, V>,
    replica: &BTreeMap<K, V>,
) -> Option<String> {
    let keys: BTreeSet<&K> = server.keys().chain(replica.keys()).collect();
    let different = keys.into_iter().find(|key| server.get(key) != replica.get(key))?;
    let (server, replica) = excerpts(&server.get(different), &replica.get(different));
    Some(format!("{what} {different:?}\n  on the server {server}\n  on the replica {replica}"))
}

/// Two values in words, from a little before where they begin to differ.
fn excerpts<T: std::fmt::Debug>(one: &T, other: &T) -> (String, String) {
    let (one, other) = (format!("{one:?}"), format!("{other:?}"));
    let same = one.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
    let excerpt = |text: &str| text.chars().skip(same.saturating_sub(120)).take(400).collect();
    (excerpt(&one), excerpt(&other))
}

fn said(doc: &Doc, entity: &Entity) -> Result<Said> {
    let mut texts = BTreeMap::new();
    for field in entity.fields.iter().filter(|field| field.crdt == Crdt::Text) {
        texts.insert(field.name.clone(), doc.text(&field.name)?);
    }
    let mut writes: BTreeMap<String, (u32, PeerId)> = BTreeMap::new();
    for write in doc.key_writes()? {
        let last = writes.entry(write.key).or_insert((0, PeerId(0)));
        *last = (*last).max((write.lamport, write.peer));
    }
    let formatted = format!("{:?}", doc.richtext()?);
    let (version, view, plain) = (doc.version()?, doc.row()?, doc.richtext_plain()?);
    Ok(Said { version, view, texts, writes, formatted, plain })
}

/// Computes every row anew from its documents and the other rows' places, by rules written here a second time.
pub(crate) fn check_projection(manifest: &Manifest, facts: &Facts) -> std::result::Result<(), Violation> {
    for (name, row) in &facts.rows {
        let entity = manifest.entity(&name.0)?;
        let of = |field: Option<&Field>| DocRef {
            entity: name.0.clone(),
            row: name.1,
            field: field.map(|field| field.name.clone()),
        };
        let Some(said) = facts.docs.get(&of(None)) else {
            return Err(violation(Checker::Projection, format!("{name:?} has no document")));
        };
        let mut expected = row.clone();
        expected.deleted_at = said.view.deleted_at();
        expected.trashed = is_trashed(entity, facts, name);
        for (n, field) in entity.fields.iter().enumerate() {
            expected.values[n] = if field.tree {
                expected.place = written_place(field, said);
                parent(facts, name).map_or(Value::Null, Value::Id)
            } else if field.is_richtext() {
                facts.docs.get(&of(Some(field))).map_or(Value::Null, |said| Value::Text(said.plain.clone()))
            } else {
                value(field, said)
            };
        }
        if expected != *row {
            let (shown, expected) = excerpts(row, &expected);
            let what = format!("{name:?}\n  shows {shown}\n  not {expected}");
            return Err(violation(Checker::Projection, what));
        }
    }
    Ok(())
}

fn value(field: &Field, said: &Said) -> Value {
    match (field.crdt, said.texts.get(&field.name)) {
        (Crdt::Text, Some(text)) => {
            let never_written = text.is_empty() && field.optional && !said.view.has_empty_text(&field.name);
            if never_written { Value::Null } else { Value::Text(text.clone()) }
        }
        _ => said.view.value(field),
    }
}

fn written_place(field: &Field, said: &Said) -> StoredPlace {
    let Some(place) = said.view.place(&field.name) else { return StoredPlace::default() };
    let (lamport, peer) = said.writes.get(&field.name).copied().unwrap_or((0, PeerId(0)));
    StoredPlace { parent: place.parent, order: place.order, lamport, peer }
}

/// The parent under which a row is shown: the written one, unless it is not there or this is the edge by which a
/// cycle is broken.
fn parent(facts: &Facts, name: &RowName) -> Option<RowId> {
    let written = |id: RowId| {
        let row = facts.rows.get(&(name.0.clone(), id))?;
        row.place.parent.filter(|parent| facts.rows.contains_key(&(name.0.clone(), *parent)))
    };
    let own = written(name.1)?;
    let mut cycle = vec![name.1];
    let mut at = own;
    while at != name.1 {
        if cycle.contains(&at) {
            return Some(own);
        }
        cycle.push(at);
        match written(at) {
            Some(next) => at = next,
            None => return Some(own),
        }
    }
    let edge = |id: &RowId| {
        let place = &facts.rows[&(name.0.clone(), *id)].place;
        (place.lamport, place.peer, *id)
    };
    let broken = cycle.iter().map(edge).max();
    (broken != Some(edge(&name.1))).then_some(own)
}

fn is_trashed(entity: &Entity, facts: &Facts, name: &RowName) -> bool {
    let mut at = Some(name.1);
    while let Some(id) = at {
        let name = (name.0.clone(), id);
        if facts.rows.get(&name).is_some_and(|row| row.deleted_at.is_some()) {
            return true;
        }
        // Without cycles, by construction.
        at = entity.tree_field().and_then(|_| parent(facts, &name));
    }
    false
}
