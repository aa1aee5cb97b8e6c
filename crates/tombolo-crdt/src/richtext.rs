//! A rich text as a document holds it: one text in which a marker starts each block, and beside it a map of what was
//! changed later. `tombolo-richtext` says how both are read.

use crate::doc::{BLOCKS, META, TEXT};
use crate::{Doc, Edit, Error, Result};
use loro::cursor::PosType;
use loro::{LoroDoc, LoroMap, LoroText, LoroValue, TextDelta, ToJson};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use tombolo_core::limit;
use tombolo_richtext::{Block, Document, FlatMark, Marks, flatten, kind, parse_flat};

/// The mark on a marker; on other characters it means nothing.
const MARKER: &str = "b";
const SCHEMA: &str = "schema";

impl Doc {
    /// The rich text that this document holds; an empty one if nobody wrote any.
    ///
    /// # Errors
    /// [`Error::Broken`].
    pub fn richtext(&self) -> Result<tombolo_richtext::Document> {
        self.guard(|loro| Ok(read(loro)))
    }

    /// What the rich text says without its formatting, a line for each block.
    ///
    /// # Errors
    /// [`Error::Broken`].
    pub fn richtext_plain(&self) -> Result<String> {
        self.richtext().map(|document| document.plain_text())
    }
}

impl Edit<'_> {
    /// Makes the rich text say this. Equal blocks at the beginning and at the end stay untouched. Where the blocks
    /// between them are the same by their ids, only what differs in each is changed; else they are replaced.
    ///
    /// Blocks should have ids, see [`Document::assign_ids`]; twins of one id share their later changes.
    ///
    /// # Errors
    /// `INTERNAL` if Loro refuses, or an attribute or mark is nested too deeply.
    pub fn set_richtext(&mut self, document: &tombolo_richtext::Document) -> Result<()> {
        let mut new = document.clone();
        new.normalize();
        let old = read(self.loro);
        if old == new {
            return Ok(());
        }
        let schema = self.loro.get_map(META).get(SCHEMA).map(|schema| schema.get_deep_value());
        if schema.is_none() || old.schema != new.schema {
            let schema = i64::from(new.schema);
            self.loro.get_map(META).insert(SCHEMA, schema).map_err(Error::edit)?;
        }
        let writer = Writer {
            text: self.loro.get_text(TEXT),
            later: self.loro.get_map(BLOCKS),
            changes: changes(self.loro),
        };
        writer.write(&old.blocks, &new.blocks)
    }
}

fn read(loro: &LoroDoc) -> Document {
    let text = loro.try_get_text(TEXT).map(|text| text.to_delta()).unwrap_or_default();
    let segments: Vec<(String, Marks)> = text.into_iter().filter_map(segment).collect();
    let mut document =
        parse_flat(segments.iter().map(|(text, marks)| (text.as_str(), marks)), &changes(loro));
    let schema = loro.try_get_map(META).and_then(|meta| meta.get(SCHEMA));
    if let Some(LoroValue::I64(schema)) = schema.map(|schema| schema.get_deep_value())
        && let Ok(schema) = u32::try_from(schema)
    {
        document.schema = schema;
    }
    document
}

fn segment(delta: TextDelta) -> Option<(String, Marks)> {
    let TextDelta::Insert { insert, attributes } = delta else { return None };
    let marks = attributes.unwrap_or_default();
    Some((insert, marks.into_iter().map(|(key, value)| (key, value.to_json_value())).collect()))
}

/// The later changes of attributes, by the block's id, a slash and the attribute's name.
fn changes(loro: &LoroDoc) -> BTreeMap<String, Json> {
    match loro.try_get_map(BLOCKS).map(|blocks| blocks.get_deep_value()) {
        Some(LoroValue::Map(changes)) => {
            changes.iter().map(|(key, value)| (key.clone(), value.to_json_value())).collect()
        }
        _ => BTreeMap::new(),
    }
}

struct Writer {
    text: LoroText,
    later: LoroMap,
    changes: BTreeMap<String, Json>,
}

impl Writer {
    fn write(&self, old: &[Block], new: &[Block]) -> Result<()> {
        // There is one start more than markers: the end.
        let starts = self.starts();
        let head = old.iter().zip(new).take_while(|(old, new)| old == new).count();
        // A first block without a marker cannot stay behind something new.
        let unmarked = usize::from(starts.len() == old.len());
        let most = (old.len() - head.max(unmarked)).min(new.len() - head);
        let tail =
            old.iter().rev().zip(new.iter().rev()).take(most).take_while(|(old, new)| old == new).count();
        let (middle, wanted) = (&old[head..old.len() - tail], &new[head..new.len() - tail]);
        let start = |block: usize| block.checked_sub(unmarked).map_or(0, |marker| starts[marker]);
        if are_the_same(old, middle, wanted) {
            // From the end, so that the places before stay right.
            for (index, (old, new)) in middle.iter().zip(wanted).enumerate().rev() {
                self.change(start(head + index) + 1, old, new)?;
            }
            return Ok(());
        }
        self.replace(start(head)..start(old.len() - tail), wanted)
    }

    /// Where each marker stands, and where the text ends, in Unicode scalars.
    fn starts(&self) -> Vec<usize> {
        let text = self.text.to_string();
        let mut starts: Vec<usize> =
            text.chars().enumerate().filter(|(_, char)| *char == '\n').map(|(at, _)| at).collect();
        starts.push(text.chars().count());
        starts
    }

    /// Writes blocks, each behind a new marker, in the place of others.
    fn replace(&self, range: Range<usize>, blocks: &[Block]) -> Result<()> {
        let flat = flatten(&Document { blocks: blocks.to_vec(), ..Document::default() });
        self.splice(range.clone(), &flat.text)?;
        let at = range.start;
        let end = at + flat.text.chars().count();
        let marks: Vec<FlatMark> = flat.marks.into_iter().filter(|mark| mark.key != MARKER).collect();
        // A mark or a marker's deleted neighbour may have given its marks to what was put there.
        self.fit(at..end, &marks)?;
        for marker in flat.markers {
            let value = to_loro(&Json::Object(marker.attrs.into_iter().collect()), 0)?;
            let pos = at + marker.pos;
            self.text.mark(pos..pos + 1, MARKER, value).map_err(Error::edit)?;
        }
        blocks.iter().try_for_each(|block| self.forget_changes(block))
    }

    /// Changes made to a block of this id before it was written again must not change it now.
    fn forget_changes(&self, block: &Block) -> Result<()> {
        let Some(id) = &block.id else { return Ok(()) };
        let prefix = format!("{id}/");
        for (key, now) in self.changes.range(prefix.clone()..) {
            let Some(name) = key.strip_prefix(&prefix) else { break };
            let wanted = match name {
                "id" => continue,
                "t" => kind_of(block),
                name => block.attrs.get(name).cloned().unwrap_or(Json::Null),
            };
            if *now != wanted {
                self.put(key, &wanted)?;
            }
        }
        Ok(())
    }

    /// Changes a block in place; its text begins at `at`.
    fn change(&self, at: usize, old: &Block, new: &Block) -> Result<()> {
        let id = new.id.as_deref().unwrap_or_default();
        if old.kind != new.kind {
            self.put(&format!("{id}/t"), &kind_of(new))?;
        }
        let names: BTreeSet<&String> = old.attrs.keys().chain(new.attrs.keys()).collect();
        for name in names.into_iter().filter(|name| old.attrs.get(*name) != new.attrs.get(*name)) {
            let value = new.attrs.get(name).cloned().unwrap_or(Json::Null);
            self.put(&format!("{id}/{name}"), &value)?;
        }
        if old.runs == new.runs {
            return Ok(());
        }
        let (before, after) = (characters(old), characters(new));
        let same = |(old, new): &(&char, &char)| old == new;
        let head = before.iter().zip(&after).take_while(same).count();
        let most = before.len().min(after.len()) - head;
        let tail = before.iter().rev().zip(after.iter().rev()).take(most).take_while(same).count();
        let middle: String = after[head..after.len() - tail].iter().collect();
        self.splice(at + head..at + before.len() - tail, &middle)?;
        let mut flat = flatten(&Document { blocks: vec![new.clone()], ..Document::default() });
        // Its places count the marker, which stands before `at`.
        flat.marks.retain(|mark| mark.key != MARKER);
        flat.marks.iter_mut().for_each(|mark| mark.range = mark.range.start - 1..mark.range.end - 1);
        self.fit(at..at + after.len(), &flat.marks)
    }

    fn splice(&self, range: Range<usize>, new: &str) -> Result<()> {
        if range.is_empty() && new.is_empty() {
            return Ok(());
        }
        self.text.splice(range.start, range.len(), new).map(|_| ()).map_err(Error::edit)
    }

    fn put(&self, key: &str, value: &Json) -> Result<()> {
        self.later.insert(key, to_loro(value, 0)?).map_err(Error::edit)
    }

    /// Makes a stretch of the text carry exactly these marks, whose places count from its beginning.
    fn fit(&self, range: Range<usize>, wanted: &[FlatMark]) -> Result<()> {
        let found = self.marks(range.clone())?;
        let shift = |part: &Range<usize>| range.start + part.start..range.start + part.end;
        for mark in &found {
            let same_key = wanted.iter().filter(|other| other.key == mark.key).map(|other| &other.range);
            for part in without(&mark.range, same_key) {
                self.text.unmark(shift(&part), &mark.key).map_err(Error::edit)?;
            }
        }
        for mark in wanted {
            let same = found.iter().filter(|other| other.key == mark.key && other.value == mark.value);
            for part in without(&mark.range, same.map(|other| &other.range)) {
                let value = to_loro(&mark.value, 0)?;
                self.text.mark(shift(&part), &mark.key, value).map_err(Error::edit)?;
            }
        }
        Ok(())
    }

    /// The marks on a stretch of the text, with places that count from its beginning.
    fn marks(&self, range: Range<usize>) -> Result<Vec<FlatMark>> {
        let mut marks: Vec<FlatMark> = Vec::new();
        if range.is_empty() {
            return Ok(marks);
        }
        let mut at = 0;
        let delta = self.text.slice_delta(range.start, range.end, PosType::Unicode).map_err(Error::edit)?;
        for (text, found) in delta.into_iter().filter_map(segment) {
            let end = at + text.chars().count();
            for (key, value) in found.into_iter().filter(|(_, value)| !value.is_null()) {
                let open = marks.iter_mut().rev().find(|mark| mark.key == key);
                match open {
                    Some(last) if last.range.end == at && last.value == value => last.range.end = end,
                    _ => marks.push(FlatMark { range: at..end, key, value }),
                }
            }
            at = end;
        }
        Ok(marks)
    }
}

/// Whether each block stands for the one in its place: same ids, which name nothing else.
fn are_the_same(all: &[Block], middle: &[Block], wanted: &[Block]) -> bool {
    let once = |id: &str| all.iter().filter(|block| block.id.as_deref() == Some(id)).count() == 1;
    middle.len() == wanted.len()
        && middle.iter().zip(wanted).all(|(old, new)| old.id == new.id && old.id.as_deref().is_some_and(once))
}

fn kind_of(block: &Block) -> Json {
    match block.kind.as_str() {
        kind::PARAGRAPH => Json::Null,
        other => Json::from(other),
    }
}

fn characters(block: &Block) -> Vec<char> {
    block.runs.iter().flat_map(|run| run.text.chars()).collect()
}

/// What is left of a range once others, which are in order, are taken from it.
fn without<'r>(range: &Range<usize>, others: impl Iterator<Item = &'r Range<usize>>) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut at = range.start;
    for other in others {
        if other.start > at {
            parts.push(at..other.start.min(range.end));
        }
        at = at.max(other.end);
        if at >= range.end {
            break;
        }
    }
    parts.push(at..range.end);
    parts.retain(|part| !part.is_empty());
    parts
}

fn to_loro(value: &Json, depth: usize) -> Result<LoroValue> {
    if depth > limit::VALUE_DEPTH {
        return Err(Error::edit(format!("a value is nested more than {} levels", limit::VALUE_DEPTH)));
    }
    Ok(match value {
        Json::Null => LoroValue::Null,
        Json::Bool(flag) => LoroValue::Bool(*flag),
        Json::Number(number) => match number.as_i64() {
            Some(number) => LoroValue::I64(number),
            None => LoroValue::Double(number.as_f64().unwrap_or_default()),
        },
        Json::String(text) => LoroValue::String(text.as_str().into()),
        Json::Array(items) => {
            let items: Vec<LoroValue> =
                items.iter().map(|item| to_loro(item, depth + 1)).collect::<Result<_>>()?;
            LoroValue::List(items.into())
        }
        Json::Object(entries) => {
            let entry = |(key, value): (&String, &Json)| Ok((key.clone(), to_loro(value, depth + 1)?));
            LoroValue::Map(
                entries.iter().map(entry).collect::<Result<std::collections::HashMap<_, _>>>()?.into(),
            )
        }
    })
}
