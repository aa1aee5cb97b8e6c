//! A commit's bytes, which lean on what was named lately.

use crate::error::{Result, at_most, malformed};
use crate::limit::NAME_BYTES;
use crate::recent::Recent;
use crate::wire::{Reader, put_bytes, put_number, put_signed};
use tombolo_core::{ActorId, Commit, CommitId, DocRef, Millis, Part, RowId, limit};

/// Commits with more parts than this neither use nor change the remembered documents: they would flush them.
const REMEMBERED_PARTS: usize = 8;

/// Documents with codes below this are written out; the three bits say what is not repeated.
const LITERAL_CODES: u64 = 8;
const SAME_ENTITY: u64 = 1;
const HAS_FIELD: u64 = 2;
const SAME_FIELD: u64 = 4;

/// What the commits of one author mostly share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Writer {
    pub(crate) actor: ActorId,
    pub(crate) manifest_version: u32,
    pub(crate) origin: Option<String>,
}

impl Writer {
    fn of(commit: &Commit) -> Self {
        Self { actor: commit.actor, manifest_version: commit.manifest_version, origin: commit.origin.clone() }
    }

    fn wrote(&self, commit: &Commit) -> bool {
        self.actor == commit.actor
            && self.manifest_version == commit.manifest_version
            && self.origin == commit.origin
    }
}

/// What both ends of one direction know from the commits before.
#[derive(Debug, Clone, Default)]
pub(crate) struct Context {
    writers: Recent<Writer>,
    docs: Recent<DocRef>,
    /// The number of the last commit: its sequence in a log, its ordinal in pushes.
    pub(crate) last: u64,
    /// The time that the next one is written as a difference to.
    pub(crate) time: Millis,
}

/// What a commit adds to a context, for an end that does not read it again.
#[derive(Debug, Clone)]
pub(crate) struct Mention {
    writer: Writer,
    docs: Vec<DocRef>,
}

impl Mention {
    pub(crate) fn of(commit: &Commit) -> Self {
        let remembered = if commit.parts.len() <= REMEMBERED_PARTS { commit.parts.as_slice() } else { &[] };
        Self { writer: Writer::of(commit), docs: remembered.iter().map(|part| part.doc.clone()).collect() }
    }
}

impl Context {
    /// One that begins knowing a writer.
    pub(crate) fn with_writer(actor: ActorId, manifest_version: u32) -> Self {
        let mut context = Self::default();
        context.writers.add(Writer { actor, manifest_version, origin: None }, 0);
        context
    }

    /// Remembers a commit as reading or writing it would have.
    pub(crate) fn mention(&mut self, mention: Mention, now: u64) {
        self.writers.add(mention.writer, now);
        for doc in mention.docs {
            self.docs.add(doc, now);
        }
    }

    /// Writes a commit; gives the number of the oldest use that it refers to, at most `now`.
    pub(crate) fn put(&mut self, out: &mut Vec<u8>, commit: &Commit, base: Millis, now: u64) -> u64 {
        let mut oldest = now;
        let replaces = u64::from(commit.replaces.is_some());
        put_number(out, (commit.parts.len() as u64) << 1 | replaces);
        out.extend_from_slice(commit.id.as_bytes());
        if let Some(id) = commit.replaces {
            out.extend_from_slice(id.as_bytes());
        }
        match self.writers.find(|writer| writer.wrote(commit)) {
            Some((place, used)) => {
                put_number(out, place as u64 + 1);
                self.writers.touch(place, now);
                oldest = oldest.min(used);
            }
            None => {
                put_number(out, 0);
                put_writer(out, commit);
                self.writers.add(Writer::of(commit), now);
            }
        }
        put_signed(out, commit.time.wrapping_sub(base));
        let remember = commit.parts.len() <= REMEMBERED_PARTS;
        let mut previous = None;
        for part in &commit.parts {
            let known = if remember { self.docs.find(|doc| *doc == part.doc) } else { None };
            match known {
                Some((place, used)) => {
                    put_number(out, place as u64 + LITERAL_CODES);
                    self.docs.touch(place, now);
                    oldest = oldest.min(used);
                }
                None => {
                    put_doc(out, &part.doc, previous);
                    if remember {
                        self.docs.add(part.doc.clone(), now);
                    }
                }
            }
            put_bytes(out, &part.bytes);
            previous = Some(&part.doc);
        }
        oldest
    }

    /// Reads a commit. `parts` is how many more parts this frame may have.
    pub(crate) fn read(
        &mut self,
        reader: &mut Reader<'_>,
        base: Millis,
        now: u64,
        parts: &mut usize,
    ) -> Result<Commit> {
        let shape = reader.number("a commit's shape")?;
        let count = at_most("a commit's parts", shape >> 1, limit::COMMIT_PARTS.min(*parts))?;
        *parts -= count;
        let id = CommitId::from_bytes(reader.id("a commit's id")?);
        let replaces = match shape & 1 {
            0 => None,
            _ => Some(CommitId::from_bytes(reader.id("a replaced commit's id")?)),
        };
        let writer = self.read_writer(reader, now)?;
        let time = base.wrapping_add(reader.signed("a commit's time")?);
        let mut commit = Commit {
            id,
            actor: writer.actor,
            manifest_version: writer.manifest_version,
            time,
            origin: writer.origin,
            replaces,
            parts: Vec::new(),
        };
        let remember = count <= REMEMBERED_PARTS;
        for _ in 0..count {
            let previous = commit.parts.last().map(|part: &Part| &part.doc);
            let doc = self.read_doc(reader, previous, remember, now)?;
            let bytes = reader.bytes(usize::MAX, "an update")?.to_vec();
            commit.parts.push(Part { doc, bytes });
        }
        Ok(commit)
    }

    fn read_writer(&mut self, reader: &mut Reader<'_>, now: u64) -> Result<Writer> {
        let code = reader.number("a writer")?;
        if let Some(place) = code.checked_sub(1) {
            let place = usize::try_from(place).unwrap_or(usize::MAX);
            let Some(writer) = self.writers.get(place).cloned() else {
                return malformed("a writer that was not named");
            };
            self.writers.touch(place, now);
            return Ok(writer);
        }
        let actor = ActorId::from_bytes(reader.id("an actor")?);
        let manifest_version = reader.small("a manifest version")?;
        let origin = match reader.byte("an origin")? {
            0 => None,
            1 => Some(reader.text(limit::ORIGIN_BYTES, "an origin")?),
            _ => return malformed("an origin"),
        };
        let writer = Writer { actor, manifest_version, origin };
        self.writers.add(writer.clone(), now);
        Ok(writer)
    }

    fn read_doc(
        &mut self,
        reader: &mut Reader<'_>,
        previous: Option<&DocRef>,
        remember: bool,
        now: u64,
    ) -> Result<DocRef> {
        let code = reader.number("a document")?;
        if let Some(place) = code.checked_sub(LITERAL_CODES) {
            let place = usize::try_from(place).unwrap_or(usize::MAX);
            let Some(doc) = self.docs.get(place).filter(|_| remember).cloned() else {
                return malformed("a document that was not named");
            };
            self.docs.touch(place, now);
            return Ok(doc);
        }
        let row = RowId::from_bytes(reader.id("a row")?);
        let entity = match (code & SAME_ENTITY, previous) {
            (0, _) => reader.text(NAME_BYTES, "an entity's name")?,
            (_, Some(doc)) => doc.entity.clone(),
            (_, None) => return malformed("the same entity as nothing"),
        };
        let field = match (code & HAS_FIELD, code & SAME_FIELD) {
            (0, 0) => None,
            (0, _) => return malformed("a document's code"),
            (_, 0) => Some(reader.text(NAME_BYTES, "a field's name")?),
            _ => match previous.and_then(|doc| doc.field.clone()) {
                Some(field) => Some(field),
                None => return malformed("the same field as nothing"),
            },
        };
        let doc = DocRef { entity, row, field };
        if remember {
            self.docs.add(doc.clone(), now);
        }
        Ok(doc)
    }
}

fn put_writer(out: &mut Vec<u8>, commit: &Commit) {
    out.extend_from_slice(commit.actor.as_bytes());
    put_number(out, u64::from(commit.manifest_version));
    match &commit.origin {
        None => out.push(0),
        Some(origin) => {
            out.push(1);
            put_bytes(out, origin.as_bytes());
        }
    }
}

fn put_doc(out: &mut Vec<u8>, doc: &DocRef, previous: Option<&DocRef>) {
    let same_entity = previous.is_some_and(|previous| previous.entity == doc.entity);
    let same_field = doc.field.is_some() && previous.is_some_and(|previous| previous.field == doc.field);
    let mut code = 0;
    if same_entity {
        code |= SAME_ENTITY;
    }
    if doc.field.is_some() {
        code |= HAS_FIELD;
    }
    if same_field {
        code |= SAME_FIELD;
    }
    put_number(out, code);
    out.extend_from_slice(doc.row.as_bytes());
    if !same_entity {
        put_bytes(out, doc.entity.as_bytes());
    }
    if let Some(field) = doc.field.as_ref().filter(|_| !same_field) {
        put_bytes(out, field.as_bytes());
    }
}
