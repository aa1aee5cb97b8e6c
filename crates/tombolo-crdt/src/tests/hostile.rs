//! Bytes that a careless importer does not survive.

use super::{inputs, reseal, resident, silently};
use crate::{Doc, Error, spans, unpack, wire};
use std::fs;
use tombolo_core::{Code, PeerId, Value};

const ROUNDS: usize = 20;
const GROWTH_MAX: usize = 64 * 1024 * 1024;

fn files() -> Option<Vec<(String, Vec<u8>)>> {
    let folder = inputs("hostile")?;
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path()).unwrap()))
        .collect();
    files.sort();
    assert!(files.len() > 30, "the folder holds {} files", files.len());
    Some(files)
}

fn with(peer: u64, bytes: &[u8]) -> Doc {
    let mut doc = Doc::new(PeerId(peer));
    doc.import(bytes).unwrap();
    doc
}

fn with_row() -> Doc {
    let mut doc = Doc::new(PeerId(9));
    doc.edit(|edit| {
        edit.set("title", &Value::Text("Shopping".into()))?;
        edit.set_text("notes", Some("tea and bread"))
    })
    .unwrap();
    doc
}

#[test]
fn hostile_files_are_refused_and_the_process_lives() {
    let Some(files) = files() else { return };
    let valid = files.iter().find(|(name, _)| name == "valid.bin").unwrap().1.clone();
    let (mut untouched, mut broken) = (0, 0);
    let before = resident();
    for _ in 0..ROUNDS {
        for (name, bytes) in files.iter().filter(|(name, _)| name != "valid.bin") {
            for mut doc in [Doc::new(PeerId(9)), with(9, &valid), with_row()] {
                let (version, row) = (doc.version().unwrap(), doc.row().unwrap());
                let error = silently(|| doc.import(bytes)).expect_err(name);
                let code = error.code();
                assert!(matches!(code, Code::CrdtDecodeFailed | Code::CrdtApplyFailed), "{name}: {error}");
                match doc.is_broken() {
                    true => {
                        broken += 1;
                        assert_eq!(doc.row(), Err(Error::Broken), "{name}");
                    }
                    false => {
                        untouched += 1;
                        assert_eq!((doc.version().unwrap(), doc.row().unwrap()), (version, row), "{name}");
                        doc.edit(|edit| edit.set("after", &Value::Bool(true))).unwrap();
                    }
                }
            }
        }
    }
    let growth = resident().saturating_sub(before);
    eprintln!("{untouched} untouched, {broken} broken, {} KiB more memory", growth / 1024);
    assert!(growth < GROWTH_MAX, "{growth} bytes more");
}

#[test]
fn the_update_they_were_made_of_is_accepted() {
    let Some(files) = files() else { return };
    let (_, valid) = files.iter().find(|(name, _)| name == "valid.bin").unwrap();
    let mut doc = Doc::new(PeerId(9));
    let imported = doc.import(valid).unwrap();
    assert_eq!(imported.update.as_deref().map(unpack).as_deref(), Some(valid.as_slice()));
    doc.prove().unwrap();
    let mut twice = with(8, valid);
    assert_eq!(twice.import(valid).unwrap().update, None);
}

#[test]
fn a_compressed_snapshot_is_refused_unread() {
    let Some(files) = files() else { return };
    let (_, bomb) = files.iter().find(|(name, _)| name.starts_with("bomb")).unwrap();
    let before = resident();
    for _ in 0..3 {
        let error = spans(bomb).unwrap_err();
        assert_eq!(error.code(), Code::CrdtDecodeFailed);
    }
    assert!(resident().saturating_sub(before) < 8 * 1024 * 1024);
}

#[test]
fn an_honest_snapshot_is_refused_too() {
    let snapshot = with_row().snapshot().unwrap();
    assert_eq!(Doc::new(PeerId(1)).import(&snapshot).unwrap_err().code(), Code::CrdtDecodeFailed);
}

#[test]
fn every_prefix_of_an_update_is_refused() {
    let (_, update) = Doc::new(PeerId(3)).edit(|edit| edit.set_text("t", Some("hello"))).unwrap();
    let update = unpack(&update.unwrap()).into_owned();
    let mut doc = Doc::new(PeerId(1));
    for length in 0..update.len() {
        let mut bytes = update[..length].to_vec();
        if length >= 20 {
            reseal(&mut bytes);
        }
        // A header without blocks is an update that says nothing.
        if length != 22 {
            doc.import(&bytes).expect_err("a prefix");
        }
    }
    assert!(!doc.is_broken());
    doc.import(&update).unwrap();
}

/// A header and one block whose sections are given.
fn update(numbers: [u64; 5], sections: [&[u8]; 9]) -> Vec<u8> {
    let mut block = Vec::new();
    numbers.iter().for_each(|number| varint(&mut block, *number));
    for section in sections {
        varint(&mut block, section.len() as u64);
        block.extend(section);
    }
    let mut bytes = b"loro".to_vec();
    bytes.extend([0; 16]);
    bytes.extend([0, 4]);
    varint(&mut bytes, block.len() as u64);
    bytes.extend(block);
    reseal(&mut bytes);
    bytes
}

fn varint(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn signed(number: i64) -> Vec<u8> {
    let mut bytes = Vec::new();
    varint(&mut bytes, ((number << 1) ^ (number >> 63)) as u64);
    bytes
}

fn sized(parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in parts {
        varint(&mut bytes, part.len() as u64);
        bytes.extend(*part);
    }
    bytes
}

const HEADER: [u8; 16] = [1, 7, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0];
const TIMES: [u8; 5] = [1, 0, 0, 1, 0];
/// One container: the root map `row`.
const ROW: [u8; 6] = [1, 4, 1, 0, 0, 0];
const KEYS: [u8; 4] = [3, b'r', b'o', b'w'];

/// The columns of as many equal operations, each of one value of this kind.
fn operations(count: i64, kind: u8, length: u64) -> Vec<u8> {
    let run = |value: &[u8]| [signed(count), value.to_vec()].concat();
    let mut one_length = Vec::new();
    varint(&mut one_length, length);
    let table = sized(&[&run(&[0]), &run(&[0]), &run(&[kind]), &run(&one_length)]);
    [vec![1, 4], table].concat()
}

#[track_caller]
fn refused(bytes: &[u8], why: &str) {
    let before = resident();
    let error = Doc::new(PeerId(1)).import(bytes).unwrap_err();
    assert!(error.to_string().contains(why), "{error}");
    let growth = resident().saturating_sub(before);
    assert!(growth < 32 * 1024 * 1024, "{} bytes made it grow by {growth}", bytes.len());
}

#[test]
fn the_handmade_block_is_sound() {
    let operations = operations(1, 11, 1);
    let bytes = update([0, 1, 0, 1, 1], [&HEADER, &TIMES, &ROW, &KEYS, &[], &operations, &[], &[1], &[]]);
    // Eight sections make a block, not nine.
    refused(&bytes, "longer");
    let bytes = block([0, 1, 0, 1, 1], &HEADER, &ROW, &KEYS, &operations, &[], &[1]);
    let mut doc = Doc::new(PeerId(1));
    assert_eq!(doc.import(&bytes).unwrap().key_writes[0].key, "row");
}

fn block(
    numbers: [u64; 5],
    header: &[u8],
    containers: &[u8],
    keys: &[u8],
    operations: &[u8],
    deletions: &[u8],
    values: &[u8],
) -> Vec<u8> {
    let mut bytes =
        update(numbers, [header, &TIMES, containers, keys, &[], operations, deletions, values, &[]]);
    // Takes the empty ninth section off again.
    let block = bytes.split_off(22);
    let mut rest = &block[..];
    while rest[0] & 0x80 != 0 {
        rest = &rest[1..];
    }
    let block = &rest[1..rest.len() - 1];
    varint(&mut bytes, block.len() as u64);
    bytes.extend(block);
    reseal(&mut bytes);
    bytes
}

#[test]
fn a_billion_operations_in_a_few_bytes_are_refused() {
    for length in [0, 1] {
        let operations = operations(1_000_000_000, 8, length);
        let count = 60_000_000;
        let bytes = block([0, count, 0, count, 1], &HEADER, &ROW, &KEYS, &operations, &[], &[]);
        assert!(bytes.len() < 120);
        refused(&bytes, "a run is out of range");
    }
}

#[test]
fn as_many_operations_as_are_free_are_taken() {
    let count = 50_000;
    let operations = operations(count, 8, 1);
    let numbers = [0, count as u64, 0, count as u64, 1];
    let bytes = block(numbers, &HEADER, &ROW, &KEYS, &operations, &[], &[]);
    assert!(bytes.len() < 120);
    let before = resident();
    let mut doc = Doc::new(PeerId(1));
    doc.import(&bytes).unwrap();
    doc.prove().unwrap();
    assert!(resident().saturating_sub(before) < 64 * 1024 * 1024);
}

#[test]
fn claimed_changes_and_dependencies_reserve_no_memory() {
    let operations = operations(1, 11, 1);
    let changes = u64::from(u32::MAX);
    let bytes = block([0, 1, 0, 1, changes], &HEADER, &ROW, &KEYS, &operations, &[], &[1]);
    refused(&bytes, "the number of changes");
    // One change that claims 2^40 dependencies.
    let mut header = HEADER[..10].to_vec();
    header.extend(signed(1));
    varint(&mut header, 1 << 40);
    header.extend([0; 8]);
    let bytes = block([0, 1, 0, 1, 1], &header, &ROW, &KEYS, &operations, &[], &[1]);
    refused(&bytes, "the number of dependencies");
}

#[test]
fn lists_that_claim_more_than_there_is_and_endless_nesting_are_refused() {
    let operations = operations(1, 11, 1);
    let numbers = [0, 1, 0, 1, 1];
    let mut claim = vec![7];
    varint(&mut claim, 1 << 28);
    for kind in [7, 8] {
        claim[0] = kind;
        refused(&block(numbers, &HEADER, &ROW, &KEYS, &operations, &[], &claim), "a count");
    }
    let nested = [7, 1].repeat(200_000);
    refused(&block(numbers, &HEADER, &ROW, &KEYS, &operations, &[], &nested), "levels");
}

#[test]
fn a_long_key_that_is_repeated_is_refused() {
    // Ten thousand maps, each of one entry under a key of 100 KB: a gigabyte once each has its copy.
    let mut keys = KEYS.to_vec();
    varint(&mut keys, 100_000);
    keys.extend([b'k'; 100_000]);
    let mut values = vec![7];
    varint(&mut values, 10_000);
    values.extend([8, 1, 1, 0].repeat(10_000));
    let bytes = block([0, 1, 0, 1, 1], &HEADER, &ROW, &keys, &operations(1, 11, 1), &[], &values);
    refused(&bytes, "the length of its keys");
}

#[test]
fn what_makes_loro_panic_as_it_reads_breaks_no_large_document() {
    // Two changes, the second's Lamport time cut off in the middle of its bits.
    let header = [1, 7, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 4, 0, 0, 0, 0, 1, 0x80];
    let bytes = block([0, 2, 0, 2, 2], &header, &ROW, &KEYS, &operations(2, 8, 1), &[], &[]);
    let mut small = Doc::new(PeerId(1));
    assert!(silently(|| small.import(&bytes)).unwrap_err().to_string().contains("breaks"));
    assert!(small.is_broken());
    let mut large = Doc::new(PeerId(1));
    large.edit(|edit| edit.set_text("t", Some(&"x".repeat(2_000)))).unwrap();
    assert!(silently(|| large.import(&bytes)).is_err());
    assert!(!large.is_broken());
    assert_eq!(large.text_len("t").unwrap(), 2_000);
}

#[test]
fn updates_of_very_many_peers_are_refused() {
    let joined = |count: u64| {
        let mut bytes = b"loro".to_vec();
        bytes.extend([0; 16]);
        bytes.extend([0, 4]);
        for peer in 0..count {
            let (_, update) =
                Doc::new(PeerId(100 + peer)).edit(|edit| edit.set("n", &Value::Bool(true))).unwrap();
            bytes.extend(&unpack(&update.unwrap())[22..]);
        }
        reseal(&mut bytes);
        bytes
    };
    Doc::new(PeerId(1)).import(&joined(512)).unwrap();
    refused(&joined(513), "more than 512 peers");
}

#[test]
fn a_root_of_another_kind_is_refused() {
    let mut author = Doc::new(PeerId(3));
    let (_, update) = author
        .edit(|edit| {
            edit.loro.get_map("field:notes").insert("x", 1).unwrap();
            Ok(())
        })
        .unwrap();
    let error = Doc::new(PeerId(1)).import(&update.unwrap()).unwrap_err();
    assert!(error.to_string().contains("field:notes"), "{error}");
    let (_, list) =
        Doc::new(PeerId(4)).edit(|edit| edit.loro.get_list("own").push(1).map_err(Error::edit)).unwrap();
    let (_, map) = Doc::new(PeerId(5))
        .edit(|edit| edit.loro.get_map("own").insert("x", 1).map_err(Error::edit))
        .unwrap();
    let mut doc = Doc::new(PeerId(1));
    doc.import(&list.unwrap()).unwrap();
    assert_eq!(doc.import(&map.unwrap()).unwrap_err().code(), Code::CrdtApplyFailed);
}

#[test]
fn only_foreign_roots_have_the_document_looked_through() {
    let foreign = |update: Option<Vec<u8>>| wire::read(&unpack(&update.unwrap())).unwrap().foreign;
    let mut doc = with_row();
    assert!(!foreign(doc.edit(|edit| edit.splice_text("t", 0, 0, "a")).unwrap().1));
    assert!(!foreign(doc.edit(|edit| edit.set("stars", &Value::Int(5))).unwrap().1));
    let own = |edit: &mut crate::Edit<'_>| edit.loro.get_list("own").push(1).map_err(Error::edit);
    assert!(foreign(doc.edit(own).unwrap().1));
}

#[test]
fn deletions_of_what_never_was_are_refused() {
    const TEXT: [u8; 6] = [1, 4, 1, 2, 0, 0];
    let length = 60_000_000;
    let deletions = [vec![1, 3], sized(&[&[2, 0], &[2, 0], &[signed(1), signed(length)].concat()])].concat();
    let numbers = [0, length as u64, 0, length as u64, 1];
    let bytes = block(numbers, &HEADER, &TEXT, &KEYS, &operations(1, 9, length as u64), &deletions, &[]);
    refused(&bytes, "more than there is");
}
