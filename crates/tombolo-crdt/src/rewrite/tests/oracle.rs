//! What must be left of a world without its refused commits, told from the world itself.

use super::world::{CHILDREN, KEYS, LIST, MAP, TEXT, World, children, gone};
use crate::Doc;
use loro::{ContainerID, ContainerType, IdSpan, JsonOpContent, LoroDoc, TextDelta, ToJson};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What is wrong with a document.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Faults {
    pub(super) text: bool,
    pub(super) map: bool,
    pub(super) list: bool,
    pub(super) children: bool,
    /// Characters whose marks are not what they were, refused marks apart.
    pub(super) marks: usize,
    /// Characters that carry a refused mark, although no kept commit typed them.
    pub(super) leaked: usize,
    /// Characters that a kept commit typed inside a refused mark: they keep it.
    pub(super) inherited: usize,
}

impl Faults {
    pub(super) fn any(self) -> bool {
        self.text || self.map || self.list || self.children || self.marks > 0 || self.leaked > 0
    }
}

pub(super) fn faults(world: &World, found: &Doc) -> Faults {
    let gone = gone(world);
    let (marks, leaked, inherited) = marks(world, found, &gone);
    Faults {
        text: !is_text(world, found, &gone),
        map: numbers(found) != winners(world, &gone),
        list: !is_list(world, found, &gone),
        children: children_of(found) != children(world, children_of(&world.acknowledged), &gone),
        marks,
        leaked,
        inherited,
    }
}

fn read<T>(doc: &Doc, f: impl FnOnce(&LoroDoc) -> T) -> T {
    doc.guard(|loro| Ok(f(loro))).unwrap()
}

fn text(doc: &Doc) -> String {
    read(doc, |loro| loro.get_text(TEXT).to_string())
}

fn list(doc: &Doc) -> Vec<i64> {
    read(doc, |loro| loro.get_list(LIST).to_vec().into_iter().map(|item| item.into_i64().unwrap()).collect())
}

/// Whether `found` has exactly the wanted items, in an order that neither of the others contradicts.
fn is_sequence<T: Copy + Ord + std::hash::Hash>(
    found: &[T],
    wanted: &BTreeSet<T>,
    orders: [&[T]; 2],
) -> bool {
    let set: BTreeSet<T> = found.iter().copied().collect();
    set == *wanted
        && set.len() == found.len()
        && orders.iter().all(|order| {
            let place: HashMap<T, usize> = order.iter().enumerate().map(|(at, item)| (*item, at)).collect();
            found.iter().filter_map(|item| place.get(item)).is_sorted()
        })
}

fn is_text(world: &World, found: &Doc, gone: &BTreeSet<usize>) -> bool {
    let acknowledged: Vec<char> = text(&world.acknowledged).chars().collect();
    let mut wanted: BTreeSet<char> = acknowledged.iter().copied().collect();
    let kept = || world.deeds.iter().enumerate().filter(|(index, _)| !gone.contains(index));
    kept().for_each(|(_, deed)| wanted.extend(&deed.inserted));
    kept().flat_map(|(_, deed)| &deed.deleted).for_each(|char| {
        wanted.remove(char);
    });
    let full: Vec<char> = text(&world.full).chars().collect();
    is_sequence(&text(found).chars().collect::<Vec<_>>(), &wanted, [&full, &acknowledged])
}

fn is_list(world: &World, found: &Doc, gone: &BTreeSet<usize>) -> bool {
    let acknowledged = list(&world.acknowledged);
    let mut wanted: BTreeSet<i64> = acknowledged.iter().copied().collect();
    let kept = || world.deeds.iter().enumerate().filter(|(index, _)| !gone.contains(index));
    kept().for_each(|(_, deed)| wanted.extend(&deed.added));
    kept().flat_map(|(_, deed)| &deed.removed).for_each(|number| {
        wanted.remove(number);
    });
    is_sequence(&list(found), &wanted, [&list(&world.full), &acknowledged])
}

fn numbers(doc: &Doc) -> BTreeMap<String, i64> {
    let number = |loro: &LoroDoc, key: &str| loro.get_map(MAP).get(key).unwrap().get_deep_value().into_i64();
    let keys = (0..KEYS).map(|key| format!("k{key}"));
    read(doc, |loro| keys.map(|key| (key.clone(), number(loro, &key).unwrap())).collect())
}

/// Of each key's writes in the full document, gone ones apart, the one with the greatest Lamport time and peer.
fn winners(world: &World, gone: &BTreeSet<usize>) -> BTreeMap<String, i64> {
    let spans: Vec<_> =
        gone.iter().flat_map(|index| crate::spans(&world.commits[*index].update).unwrap()).collect();
    let mut best: BTreeMap<String, (u32, u64, i64)> = BTreeMap::new();
    let all = read(&world.full, |loro| {
        let all = loro.oplog_vv();
        let spans = all.iter().map(|(peer, end)| IdSpan::new(*peer, 0, *end));
        spans.flat_map(|span| loro.export_json_in_id_span(span)).collect::<Vec<_>>()
    });
    for change in all {
        for op in &change.ops {
            let JsonOpContent::Map(loro::json::MapOp::Insert { key, value }) = &op.content else { continue };
            let refused = |span: &crate::Span| {
                span.peer.0 == change.id.peer && (span.start..span.end).contains(&op.counter)
            };
            if op.container != ContainerID::new_root(MAP, ContainerType::Map) || spans.iter().any(refused) {
                continue;
            }
            let lamport = change.lamport + u32::try_from(op.counter - change.id.counter).unwrap();
            let write = (lamport, change.id.peer, value.clone().into_i64().unwrap());
            best.entry(key.clone()).and_modify(|best| *best = write.max(*best)).or_insert(write);
        }
    }
    best.into_iter().map(|(key, (_, _, number))| (key, number)).collect()
}

fn children_of(doc: &Doc) -> BTreeMap<String, BTreeMap<String, i64>> {
    let value = read(doc, |loro| loro.try_get_map(CHILDREN).map(|map| map.get_deep_value().to_json_value()));
    value.map(|value| serde_json::from_value(value).unwrap()).unwrap_or_default()
}

type MarksOf = BTreeMap<char, BTreeSet<String>>;

fn marks_of(doc: &Doc) -> MarksOf {
    let mut marks = MarksOf::new();
    for item in read(doc, |loro| loro.get_text(TEXT).to_delta()) {
        if let TextDelta::Insert { insert, attributes } = item {
            let keys: BTreeSet<String> = attributes.unwrap_or_default().into_keys().collect();
            marks.extend(insert.chars().map(|char| (char, keys.clone())));
        }
    }
    marks
}

fn marks(world: &World, found: &Doc, gone: &BTreeSet<usize>) -> (usize, usize, usize) {
    let refused: BTreeSet<&String> = gone.iter().flat_map(|index| &world.deeds[*index].marks).collect();
    let typed: BTreeSet<&char> = world
        .deeds
        .iter()
        .enumerate()
        .filter(|(index, _)| !gone.contains(index))
        .flat_map(|(_, deed)| &deed.inserted)
        .collect();
    let full = marks_of(&world.full);
    let (mut changed, mut leaked, mut inherited) = (0, 0, 0);
    for (char, keys) in marks_of(found) {
        if keys.iter().any(|key| refused.contains(key)) {
            match typed.contains(&char) {
                true => inherited += 1,
                false => leaked += 1,
            }
        }
        let rest = |keys: &BTreeSet<String>| -> BTreeSet<String> {
            keys.iter().filter(|key| !refused.contains(key)).cloned().collect()
        };
        if full.get(&char).is_some_and(|before| rest(before) != rest(&keys)) {
            changed += 1;
        }
    }
    (changed, leaked, inherited)
}
