//! Changes valid updates in ways that keep most of their structure.

use super::reseal;
use rand::Rng;
use rand::rngs::StdRng;

/// One block: its five numbers and eight sections.
#[derive(Clone)]
struct Block {
    numbers: [u64; 5],
    sections: Vec<Vec<u8>>,
}

/// Makes a mutant of the update; now and then it takes a part of the other.
pub(super) fn mutant(update: &[u8], other: &[u8], random: &mut StdRng) -> Vec<u8> {
    if random.random_bool(0.4) {
        let mut bytes = update.to_vec();
        for _ in 0..random.random_range(1..=3) {
            let at = random.random_range(22..bytes.len());
            bytes[at] = byte(bytes[at], random);
        }
        reseal(&mut bytes);
        return bytes;
    }
    let mut blocks = parse(update);
    let donors = parse(other);
    for _ in 0..random.random_range(1..=2) {
        let at = random.random_range(0..blocks.len());
        match random.random_range(0..12) {
            0 => {
                let number = random.random_range(0..5);
                blocks[at].numbers[number] = u64::from(byte(blocks[at].numbers[number] as u8, random));
            }
            1 => {
                let donor = &donors[random.random_range(0..donors.len())];
                let section = random.random_range(0..8);
                blocks[at].sections[section].clone_from(&donor.sections[section]);
            }
            2 => {
                let copy = blocks[at].clone();
                blocks.insert(random.random_range(0..=blocks.len()), copy);
            }
            3 => blocks.push(donors[random.random_range(0..donors.len())].clone()),
            _ => {
                let section = random.random_range(0..8);
                edit(&mut blocks[at].sections[section], random);
            }
        }
    }
    build(&blocks)
}

fn byte(old: u8, random: &mut StdRng) -> u8 {
    match random.random_range(0..5) {
        0 => old.wrapping_add(1),
        1 => old.wrapping_sub(1),
        2 => old ^ (1 << random.random_range(0..8)),
        3 => [0, 1, 2, 127, 128, 255][random.random_range(0..6)],
        _ => random.random(),
    }
}

fn edit(section: &mut Vec<u8>, random: &mut StdRng) {
    if section.is_empty() {
        section.push(random.random());
        return;
    }
    let at = random.random_range(0..section.len());
    match random.random_range(0..6) {
        0 => {
            section.remove(at);
        }
        1 => section.insert(at, random.random()),
        2 => {
            let end = random.random_range(at..section.len());
            let copy: Vec<u8> = section[at..end].to_vec();
            section.splice(at..at, copy);
        }
        _ => section[at] = byte(section[at], random),
    }
}

fn parse(update: &[u8]) -> Vec<Block> {
    let mut rest = &update[22..];
    let mut blocks = Vec::new();
    while !rest.is_empty() {
        let mut block = sized(&mut rest);
        let numbers = std::array::from_fn(|_| number(&mut block));
        let mut sections = Vec::new();
        while !block.is_empty() {
            sections.push(sized(&mut block).to_vec());
        }
        assert_eq!(sections.len(), 8);
        blocks.push(Block { numbers, sections });
    }
    blocks
}

fn build(blocks: &[Block]) -> Vec<u8> {
    let mut bytes = b"loro".to_vec();
    bytes.extend([0; 16]);
    bytes.extend([0, 4]);
    for block in blocks {
        let mut inner = Vec::new();
        block.numbers.iter().for_each(|number| put(&mut inner, *number));
        for section in &block.sections {
            put(&mut inner, section.len() as u64);
            inner.extend(section);
        }
        put(&mut bytes, inner.len() as u64);
        bytes.extend(inner);
    }
    reseal(&mut bytes);
    bytes
}

fn number(rest: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..).step_by(7) {
        let byte = rest[0];
        *rest = &rest[1..];
        value |= u64::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    value
}

fn sized<'b>(rest: &mut &'b [u8]) -> &'b [u8] {
    let length = usize::try_from(number(rest)).unwrap();
    let (taken, left) = rest.split_at(length);
    *rest = left;
    taken
}

fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}
