//! Whatever an import accepts must survive everything that is later done to it.

use super::mutate::mutant;
use super::{first_panic, long, resident, silently};
use crate::{Doc, Error, Result, unpack};
use loro::{ExportMode, Frontiers, LoroDoc, LoroMap};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::collections::BTreeMap;
use tombolo_core::{PeerId, Value};

/// A document to import into, and a valid update for it.
struct Seed {
    name: &'static str,
    base: Vec<Vec<u8>>,
    update: Vec<u8>,
}

fn edited(doc: &mut Doc, f: impl FnOnce(&LoroDoc)) -> Vec<u8> {
    let (_, update) = doc
        .edit(|edit| {
            f(edit.loro);
            Ok(())
        })
        .unwrap();
    update.unwrap()
}

fn seeds() -> Vec<Seed> {
    let mut seeds = Vec::new();
    let mut row = Doc::new(PeerId(1));
    let (_, first) = row
        .edit(|edit| {
            edit.set("title", &Value::Text("Shopping".into()))?;
            edit.set("done", &Value::Bool(false))?;
            edit.set("price", &Value::Float(2.5))?;
            edit.set("picture", &Value::Bytes(vec![0, 1, 2]))?;
            edit.set_text("notes", Some("tea, bread, 🍞"))
        })
        .unwrap();
    let first = first.unwrap();
    let (_, second) = row
        .edit(|edit| {
            edit.set("title", &Value::Null)?;
            edit.set("count", &Value::Int(-70_000))?;
            edit.set_text("notes", Some("green tea, 🍞"))
        })
        .unwrap();
    seeds.push(Seed { name: "row", base: vec![], update: first.clone() });
    seeds.push(Seed { name: "row, later", base: vec![first.clone()], update: second.unwrap() });

    let mut text = Doc::new(PeerId(2));
    let base = edited(&mut text, |doc| doc.get_text("text").insert(0, "\nHello world\nAnd more").unwrap());
    let marks = edited(&mut text, |doc| {
        let text = doc.get_text("text");
        text.mark(0..1, "b", LoroMap::new().get_deep_value()).unwrap();
        text.mark(1..6, "bold", true).unwrap();
        text.mark(3..9, "link", "https://example.org").unwrap();
        text.unmark(2..4, "bold").unwrap();
        text.delete(4, 3).unwrap();
        text.insert(4, "\n").unwrap();
        doc.get_map("blocks").insert("abc/level", 2).unwrap();
    });
    seeds.push(Seed { name: "rich text", base: vec![base], update: marks });

    let mut all = Doc::new(PeerId(3));
    let base = edited(&mut all, kinds);
    let more = edited(&mut all, |doc| {
        doc.get_movable_list("movable").mov(0, 1).unwrap();
        doc.get_movable_list("movable").set(1, "set").unwrap();
        doc.get_list("list").delete(0, 2).unwrap();
        doc.get_counter("counter").decrement(0.5).unwrap();
        let roots = doc.get_tree("tree").roots();
        doc.get_tree("tree").mov(roots[1], roots[0]).unwrap();
        doc.get_tree("tree").delete(roots[0]).unwrap();
    });
    seeds.push(Seed { name: "every kind", base: vec![], update: base.clone() });
    seeds.push(Seed { name: "every kind, later", base: vec![base.clone()], update: more.clone() });

    // Several peers and merges in one update.
    let mut other = Doc::new(PeerId(4));
    other.import(&base).unwrap();
    let theirs = edited(&mut other, |doc| doc.get_text("text").insert(1, "theirs").unwrap());
    let start = all.version().unwrap();
    all.import(&theirs).unwrap();
    edited(&mut all, |doc| doc.get_text("text").delete(0, 4).unwrap());
    seeds.push(Seed {
        name: "two peers",
        base: vec![base, more],
        update: all.update_since(&start).unwrap().unwrap(),
    });
    // Mutants are made of updates as Loro writes them.
    for seed in &mut seeds {
        seed.update = unpack(&seed.update).into_owned();
    }
    seeds
}

fn kinds(doc: &LoroDoc) {
    let list = doc.get_list("list");
    (0..4).for_each(|i| list.push(i).unwrap());
    let map = list.push_container(LoroMap::new()).unwrap();
    map.insert("x", vec![1, 2, 3]).unwrap();
    map.ensure_mergeable_map("merged").unwrap().insert("y", "z").unwrap();
    map.insert_container("text", loro::LoroText::new()).unwrap().insert(0, "inner").unwrap();
    let movable = doc.get_movable_list("movable");
    ["a", "b", "c"].iter().for_each(|item| movable.push(*item).unwrap());
    let tree = doc.get_tree("tree");
    let node = tree.create(None).unwrap();
    tree.create(None).unwrap();
    let child = tree.create(node).unwrap();
    tree.get_meta(child).unwrap().insert("name", "child").unwrap();
    doc.get_counter("counter").increment(3.0).unwrap();
    doc.get_text("text").insert(0, "plain").unwrap();
}

/// Everything that may happen to a document after an import.
fn use_up(mut doc: Doc) -> Result<()> {
    doc.row()?;
    doc.text("notes")?;
    doc.key_writes()?;
    doc.prove()?;
    let snapshot = doc.snapshot()?;
    let mut again = Doc::open(PeerId(101), Some(&snapshot), [])?;
    again.prove()?;
    again.edit(|edit| edit.set_text("notes", Some("once more")))?;
    let (_, update) = doc.edit(|edit| {
        edit.set("after", &Value::Bool(true))?;
        edit.set_text("notes", Some("entirely new"))?;
        let text = edit.loro.get_text("text");
        text.insert(text.len_unicode() / 2, "mid").map_err(Error::edit)
    })?;
    again.import(&update.ok_or(Error::Broken)?)?;
    doc.import(&again.update_since(&Doc::new(PeerId(1)).version()?)?.ok_or(Error::Broken)?)?;
    doc.guard(|loro| {
        let all = loro.export(ExportMode::all_updates()).map_err(Error::apply)?;
        let fresh = Doc::new(PeerId(5));
        fresh.guard(|fresh| fresh.import(&all).map_err(Error::apply))?;
        let latest = loro.oplog_frontiers();
        loro.checkout(&Frontiers::default()).map_err(Error::apply)?;
        loro.checkout(&latest).map_err(Error::apply)?;
        loro.checkout_to_latest();
        match fresh.guard(|fresh| Ok(fresh.get_deep_value()))? == loro.get_deep_value() {
            true => Ok(()),
            false => Err(Error::apply("its own updates make another document")),
        }
    })?;
    doc.copy(PeerId(102))?.prove()
}

#[test]
fn seeds_survive() {
    for seed in seeds() {
        let mut doc = Doc::open(PeerId(100), None, seed.base.iter().map(Vec::as_slice)).unwrap();
        let imported = doc.import(&seed.update).unwrap();
        assert_eq!(
            imported.update.as_deref().map(unpack).as_deref(),
            Some(seed.update.as_slice()),
            "{}",
            seed.name
        );
        use_up(doc).unwrap();
    }
}

/// Mutants that were once accepted, and later made a read, an export or a checkout fail.
#[track_caller]
fn refused(seed: &str, bytes: &str, why: &str) {
    let seed = seeds().into_iter().find(|other| other.name == seed).unwrap();
    let mut doc = Doc::open(PeerId(100), None, seed.base.iter().map(Vec::as_slice)).unwrap();
    let bytes: Vec<u8> =
        (0..bytes.len() / 2).map(|at| u8::from_str_radix(&bytes[2 * at..2 * at + 2], 16).unwrap()).collect();
    let error = silently(|| doc.import(&bytes)).unwrap_err();
    assert!(error.to_string().contains(why), "{error}");
}

#[test]
fn a_tree_node_that_is_moved_before_it_was_created() {
    refused(
        "every kind",
        "6c6f726f000000000000000000000000eb6065bc0004a102001b001b0110010300000000000000010100000000000501000001002e09040101000a0400000008040100000c0400020010040104000e0401030010040000002604010500120401020006400178066d657267656401790474657874046e616d65046c69737410f09fa49d3a40333a343e6d6572676564076d6f7661626c65047472656507636f756e7465720c0102020400060201800281803501040d0b0002000201040402040006020c0400060201050800050807000b0a0b03050b0610050b03050b010508010305030a010105005007050300030103020303090007030301030203030608004c4d0100bfccde05017a090205696e6e65720703050161050162050163001300010012010100130000001105056368696c640305706c61696e",
        "which its author did not know",
    );
}

#[test]
fn a_peer_that_begins_in_the_middle() {
    refused(
        "row, later",
        "6c6f726f00000000000000000000000071a49f1400047b110f110f0111010100000000000000ff010100000000000501000001000b02040100000404010200061c057469746c6505636f756e7403726f770b6669656c643a6e6f746573001a010405040003020005070002011205040b0305090504010306070b010302010002010e02010e0c000390dd7b06677265656e20",
        "a peer did not know what it had written itself",
    );
}

#[test]
fn an_operation_in_a_container_that_nobody_made() {
    refused(
        "row",
        "6c6f726f000000000000000000000000c6a6659d00049801001100110110010100000000000000010100000000000501000001000b020401000008040002000a29057469746c6504646f6e65057072696365077069637475726503726f770b6569656c643a6e6f7465730018010404080001020601000602010504080b0105040801010d002a050853686f7070696e67020440040000000000000603000102107465612c2062726561642c20f09f8d9e",
        "which its author did not know",
    );
}

#[test]
fn a_root_whose_name_is_another_kinds() {
    refused(
        "row",
        "6c6f726f0000000000000000000000004fc75fe000049101001100110110010100000000000001010100000000000501000001000b020401000008040102000a22016204626f6c64046c696e6b096162632f6c6576656c047465787406626c6f636b730018010404080001020601000602010504080b0105040801010d002a050853686f7070696e67020440040000000000000603000102107465612c2062726561642c20f09f8d9e",
        "is not what its name says",
    );
}

#[test]
fn mutants_are_refused_or_survive() {
    let seeds = seeds();
    let bases: Vec<Vec<u8>> = seeds
        .iter()
        .map(|seed| {
            let doc = Doc::open(PeerId(100), None, seed.base.iter().map(Vec::as_slice)).unwrap();
            doc.snapshot().unwrap()
        })
        .collect();
    let count = if long() { 200_000 } else { 20_000 };
    let mut random = StdRng::seed_from_u64(0x6d75_7461);
    let (mut early, mut refused, mut panicked, mut accepted) = (0, 0, 0, 0);
    let mut failures: BTreeMap<String, (usize, String)> = BTreeMap::new();
    let before = resident();
    for index in 0..count {
        let at = index % seeds.len();
        let bytes =
            mutant(&seeds[at].update, &seeds[random.random_range(0..seeds.len())].update, &mut random);
        first_panic();
        let outcome = silently(|| {
            let mut doc = Doc::open(PeerId(100), Some(&bases[at]), [])?;
            let count = match doc.import(&bytes) {
                Ok(_) => {
                    accepted += 1;
                    return use_up(doc);
                }
                Err(Error::Apply { reason }) if reason.contains("breaks") => &mut panicked,
                Err(_) if doc.is_broken() => &mut refused,
                Err(_) => &mut early,
            };
            *count += 1;
            Ok(())
        });
        if let Err(error) = outcome {
            let why = format!("{error}: {}", first_panic());
            let first = format!("mutant {index} of \"{}\": {}", seeds[at].name, hex(&bytes));
            failures.entry(why).or_insert((0, first)).0 += 1;
        }
    }
    let growth = resident().saturating_sub(before) / 1024;
    eprintln!(
        "{count} mutants: {early} refused unread, {refused} refused by Loro or after it, {panicked} panicked, \
         {accepted} accepted; {growth} KiB more memory"
    );
    assert!(failures.is_empty(), "accepted, then: {failures:#?}");
    assert!(accepted > count / 100, "mutants that nobody accepts prove nothing");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
