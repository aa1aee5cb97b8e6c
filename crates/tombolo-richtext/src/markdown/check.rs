//! The reader's promise: what it gives can be written back.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use super::read::{Unit, read_units};
use super::source::trim_end;
use super::write::{GAP_MAX, Marker, Writer, touches};
use super::{raw_block, set_hint};
use crate::document::{Block, attr, kind, same_blocks};

/// How many constructs are made raw, one after the other, before the whole page is.
const REPAIRS_MAX: usize = 8;

/// Reads a page so that writing it and reading that again gives the same blocks, and the written differs from the
/// source in white space and list markers alone.
pub(super) fn read_checked(source: &str) -> Vec<Block> {
    let whole = || vec![raw_block(trim_end(source.trim_start_matches('\n')), "markdown")];
    match read_repaired(source) {
        Some((blocks, false)) => blocks,
        // What was made raw must be made raw again, or the page has no form that lasts but its source.
        Some((blocks, true)) => {
            let again = read_repaired(&write(&blocks));
            let lasts = again.is_some_and(|(again, _)| same_blocks(&again, &blocks));
            if lasts { blocks } else { whole() }
        }
        None => whole(),
    }
}

fn write(blocks: &[Block]) -> String {
    let blocks: Vec<&Block> = blocks.iter().collect();
    Writer::new(&blocks).page(&blocks)
}

/// Reads a page, making raw what does not return, and says whether anything was. None where too much does not.
fn read_repaired(source: &str) -> Option<(Vec<Block>, bool)> {
    let (mut units, mut changed) = faithful_units(source);
    let mut repaired = BTreeSet::new();
    for _ in 0..=REPAIRS_MAX {
        let blocks: Vec<Block> = units.iter().flat_map(|unit| unit.blocks.clone()).collect();
        let (again, _) = faithful_units(&write(&blocks));
        let Some(unit) = first_difference(&units, &again, &repaired) else {
            return Some((blocks, changed));
        };
        let modelled = |unit: &&mut Unit| unit.blocks.iter().any(|block| block.kind != kind::RAW);
        units.get_mut(unit).filter(modelled)?.make_raw();
        repaired.insert(unit);
        changed = true;
        set_gaps(&mut units);
    }
    None
}

/// Reads a page, making raw each construct whose writing says something else than its source, and says whether any
/// did.
fn faithful_units(source: &str) -> (Vec<Unit>, bool) {
    let mut units = read_units(source);
    let blocks: Vec<&Block> = units.iter().flat_map(|unit| &unit.blocks).collect();
    let writer = Writer::new(&blocks);
    let mut changed = false;
    for unit in &mut units {
        let blocks: Vec<&Block> = unit.blocks.iter().collect();
        if squash(&writer.page(&blocks)) != squash(&unit.source) {
            unit.make_raw();
            changed = true;
        }
    }
    set_gaps(&mut units);
    (units, changed)
}

/// Records where a page has no blank line between two constructs, or more than one.
fn set_gaps(units: &mut [Unit]) {
    for index in 0..units.len() {
        let gap = units[index].gap as u64;
        let usual = if index == 0 { 0 } else { 1 };
        let (before, rest) = units.split_at_mut(index);
        let last = before.last().and_then(|unit| unit.blocks.last());
        let Some(first) = rest[0].blocks.first_mut() else { continue };
        if let Some(hints) = first.attrs.get_mut(attr::MD).and_then(Value::as_object_mut) {
            hints.remove("gap");
            if hints.is_empty() {
                first.attrs.remove(attr::MD);
            }
        }
        let kept = gap > 0 || last.is_none_or(|last| touches(last, first));
        if gap != usual && kept && gap <= GAP_MAX {
            set_hint(&mut first.attrs, "gap", gap);
        }
    }
}

/// The index of the first unit that the second reading does not repeat.
///
/// A repaired unit is repeated where its source is: it will be read, and repaired, in the same way.
fn first_difference(units: &[Unit], again: &[Unit], repaired: &BTreeSet<usize>) -> Option<usize> {
    let blocks = |units: &[Unit]| -> Vec<Block> {
        let modelled = units.iter().enumerate().filter(|(index, _)| !repaired.contains(index));
        modelled.flat_map(|(_, unit)| unit.blocks.clone()).collect()
    };
    let same = |index: usize| match again.get(index) {
        Some(there) if repaired.contains(&index) => units[index].source == there.source,
        Some(there) => same_blocks(&units[index].blocks, &there.blocks),
        None => false,
    };
    let index = (0..units.len()).find(|index| !same(*index));
    let whole = units.len() == again.len() && same_blocks(&blocks(units), &blocks(again));
    index.or((!whole).then(|| units.len().saturating_sub(1)))
}

/// Text without white space, the sign of quotations and the choice of list markers.
fn squash(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        let mut rest = line.trim_start();
        loop {
            if let Some(quoted) = rest.strip_prefix('>') {
                rest = quoted.trim_start();
                continue;
            }
            let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
            if Marker::parse(&rest[..end]).is_none() {
                break;
            }
            out.push(if end == 1 { '-' } else { '1' });
            rest = rest[end..].trim_start();
        }
        out.extend(rest.chars().filter(|c| !c.is_whitespace()));
    }
    out
}

/// Gives the groups of a page lasting names.
pub(super) fn name_groups(blocks: &mut [Block], ids: &mut dyn FnMut() -> String) {
    let mut names: HashMap<String, String> = HashMap::new();
    for block in blocks {
        let Some(Value::Array(groups)) = block.attrs.get_mut(attr::IN) else { continue };
        for group in groups {
            if let Value::String(name) = group {
                let given = names.entry(name.clone()).or_insert_with(&mut *ids);
                given.clone_into(name);
            }
        }
    }
}
