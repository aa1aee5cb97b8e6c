//! Random worlds: one author's pending commits, another's acknowledged ones, and some refusals.

use super::{Commit, edited, opened};
use crate::Doc;
use loro::{LoroDoc, LoroMap};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use tombolo_core::PeerId;

pub(super) const TEXT: &str = "t";
pub(super) const MAP: &str = "m";
pub(super) const LIST: &str = "l";
pub(super) const CHILDREN: &str = "c";
pub(super) const KEYS: u32 = 4;

/// What one local commit did. Every character and every number is written once in a world.
#[derive(Debug, Clone, Default)]
pub(super) struct Deed {
    pub(super) inserted: BTreeSet<char>,
    pub(super) deleted: BTreeSet<char>,
    pub(super) added: BTreeSet<i64>,
    pub(super) removed: BTreeSet<i64>,
    /// The keys of its marks.
    pub(super) marks: BTreeSet<String>,
    /// The children that it made, by their key.
    pub(super) made: BTreeSet<String>,
    /// Its writes into children: the child's key, the key in it, the number.
    pub(super) wrote: Vec<(String, String, i64)>,
}

#[derive(Debug)]
pub(super) struct World {
    /// What the server has: the base, the first local commits, all remote ones.
    pub(super) acknowledged: Doc,
    /// The author's document, with everything.
    pub(super) full: Doc,
    pub(super) commits: Vec<Commit>,
    pub(super) deeds: Vec<Deed>,
    /// The author's version before and after each pending commit.
    pub(super) steps: Vec<(loro::Frontiers, loro::Frontiers)>,
}

/// What must not repeat in a world, and its dice.
struct Dice {
    random: StdRng,
    char: u32,
    number: i64,
}

impl Dice {
    fn text(&mut self, length: RangeInclusive<usize>) -> String {
        let length = self.random.random_range(length);
        (0..length)
            .map(|_| {
                self.char += 1;
                char::from_u32(self.char).unwrap()
            })
            .collect()
    }

    fn number(&mut self) -> i64 {
        self.number += 1;
        self.number
    }

    fn odds(&mut self, odds: f64) -> bool {
        self.random.random_bool(odds)
    }

    fn below(&mut self, end: usize) -> usize {
        self.random.random_range(0..end)
    }
}

pub(super) fn world(seed: u64) -> World {
    // From here on only Chinese characters: each one Unicode scalar, and there are enough of them.
    let mut dice = Dice { random: StdRng::seed_from_u64(seed), char: 0x4e00, number: 100 };
    let mut author = Doc::new(PeerId(1));
    let base = edited(&mut author, |doc| base(doc, &mut dice));
    let base = [base];
    let (mut local, mut remote, mut server) = (opened(10, &base), opened(20, &base), opened(2, &base));
    let count = 5 + dice.below(4);
    let accepted = dice.below(3);
    let mut world = World {
        acknowledged: opened(3, &base),
        full: opened(4, &base),
        commits: Vec::new(),
        deeds: Vec::new(),
        steps: Vec::new(),
    };
    let mut children: Vec<String> = Vec::new();
    for index in 0..count {
        let mut deed = Deed::default();
        let before = frontiers(&local);
        let update = edited(&mut local, |doc| commit(doc, &mut dice, &mut deed, &children));
        children.extend(deed.made.iter().cloned());
        match index < accepted {
            true => assert!(server.import(&update).unwrap().update.is_some()),
            false => {
                world.commits.push(Commit { update, refused: false });
                world.deeds.push(deed);
                world.steps.push((before, frontiers(&local)));
            }
        }
        if dice.odds(0.6) {
            let update = edited(&mut remote, |doc| colleague(doc, &mut dice));
            server.import(&update).unwrap();
            if dice.odds(0.5) {
                meet(&mut local, &server);
            }
            if dice.odds(0.3) {
                meet(&mut remote, &server);
            }
        }
    }
    let refusals = if dice.odds(0.6) { 1 } else { 1 + dice.below(3) };
    for _ in 0..refusals {
        let index = dice.below(world.commits.len());
        world.commits[index].refused = true;
    }
    meet(&mut local, &server);
    meet(&mut world.acknowledged, &server);
    meet(&mut world.full, &local);
    world
}

fn frontiers(doc: &Doc) -> loro::Frontiers {
    doc.guard(|loro| Ok(loro.oplog_frontiers())).unwrap()
}

fn meet(doc: &mut Doc, other: &Doc) {
    if let Some(update) = other.update_since(&doc.version().unwrap()).unwrap() {
        doc.import(&update).unwrap();
    }
}

fn base(doc: &LoroDoc, dice: &mut Dice) {
    doc.get_text(TEXT).insert(0, &dice.text(12..=12)).unwrap();
    for _ in 0..4 {
        doc.get_list(LIST).push(dice.number()).unwrap();
    }
    for key in 0..KEYS {
        doc.get_map(MAP).insert(&format!("k{key}"), dice.number()).unwrap();
    }
}

fn commit(doc: &LoroDoc, dice: &mut Dice, deed: &mut Deed, children: &[String]) {
    for _ in 0..=dice.below(3) {
        let (inserted, deleted) = edit_text(doc, dice, 0.65);
        deed.inserted.extend(inserted.chars());
        deed.deleted.extend(deleted.chars());
    }
    if dice.odds(0.5) {
        deed.marks.extend(mark(doc, dice));
    }
    if dice.odds(0.5) {
        set_key(doc, dice);
    }
    if dice.odds(0.5) {
        match edit_list(doc, dice, 0.7) {
            (number, true) => deed.added.insert(number),
            (number, false) => deed.removed.insert(number),
        };
    }
    if dice.odds(0.2) {
        let key = format!("child{}", dice.number());
        let number = dice.number();
        let child = doc.get_map(CHILDREN).insert_container(&key, LoroMap::new()).unwrap();
        child.insert("made", number).unwrap();
        deed.wrote.push((key.clone(), "made".to_owned(), number));
        deed.made.insert(key);
    }
    if !children.is_empty() && dice.odds(0.35) {
        let key = &children[dice.below(children.len())];
        let number = dice.number();
        let within = format!("w{}", dice.below(2));
        child(doc, key).insert(&within, number).unwrap();
        deed.wrote.push((key.clone(), within, number));
    }
}

fn child(doc: &LoroDoc, key: &str) -> LoroMap {
    let child = doc.get_map(CHILDREN).get(key).unwrap().into_container().unwrap();
    child.into_map().unwrap()
}

fn colleague(doc: &LoroDoc, dice: &mut Dice) {
    edit_text(doc, dice, 0.6);
    if dice.odds(0.4) {
        mark(doc, dice);
    }
    if dice.odds(0.3) {
        set_key(doc, dice);
    }
    if dice.odds(0.3) {
        edit_list(doc, dice, 0.8);
    }
}

/// Inserts or deletes; gives both texts.
fn edit_text(doc: &LoroDoc, dice: &mut Dice, insert: f64) -> (String, String) {
    let text = doc.get_text(TEXT);
    let length = text.len_unicode();
    if dice.odds(insert) || length < 3 {
        let new = dice.text(1..=3);
        text.insert(dice.below(length + 1), &new).unwrap();
        return (new, String::new());
    }
    let at = dice.below(length - 1);
    let count = (1 + dice.below(2)).min(length - at);
    let old = text.slice(at, at + count).unwrap();
    text.delete(at, count).unwrap();
    (String::new(), old)
}

/// Marks a stretch under a key of its own: half of the marks grow at their end.
fn mark(doc: &LoroDoc, dice: &mut Dice) -> Option<String> {
    let text = doc.get_text(TEXT);
    let length = text.len_unicode();
    if length <= 3 {
        return None;
    }
    let start = dice.below(length - 2);
    let end = start + 1 + dice.below(length - start - 1);
    let family = if dice.odds(0.5) { "bold" } else { "comment" };
    let key = format!("{family}:{}", dice.number());
    text.mark(start..end, &key, true).unwrap();
    Some(key)
}

fn set_key(doc: &LoroDoc, dice: &mut Dice) {
    let key = format!("k{}", dice.random.random_range(0..KEYS));
    doc.get_map(MAP).insert(&key, dice.number()).unwrap();
}

/// Inserts (true) or deletes (false) a number.
fn edit_list(doc: &LoroDoc, dice: &mut Dice, insert: f64) -> (i64, bool) {
    let list = doc.get_list(LIST);
    if dice.odds(insert) || list.is_empty() {
        let number = dice.number();
        list.insert(dice.below(list.len() + 1), number).unwrap();
        return (number, true);
    }
    let at = dice.below(list.len());
    let number = list.get(at).unwrap().get_deep_value().into_i64().unwrap();
    list.delete(at, 1).unwrap();
    (number, false)
}

/// The commits that are gone in the end: the refused, and those that build on a child that one of them made.
pub(super) fn gone(world: &World) -> BTreeSet<usize> {
    let mut gone = BTreeSet::new();
    let mut lost: BTreeSet<&str> = BTreeSet::new();
    for (index, deed) in world.deeds.iter().enumerate() {
        let builds_on = deed.wrote.iter().any(|(child, ..)| lost.contains(child.as_str()));
        if world.commits[index].refused || builds_on {
            gone.insert(index);
            lost.extend(deed.made.iter().map(String::as_str));
        }
    }
    gone
}

/// The numbers in each child after those commits that are kept.
pub(super) fn children(
    world: &World,
    acknowledged: BTreeMap<String, BTreeMap<String, i64>>,
    gone: &BTreeSet<usize>,
) -> BTreeMap<String, BTreeMap<String, i64>> {
    let mut children = acknowledged;
    for (_, deed) in world.deeds.iter().enumerate().filter(|(index, _)| !gone.contains(index)) {
        for (child, key, number) in &deed.wrote {
            children.entry(child.clone()).or_default().insert(key.clone(), *number);
        }
    }
    children
}
