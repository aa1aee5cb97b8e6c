//! Reads an update's bytes before Loro does.
//!
//! Loro trusts the counts that an update states: it reserves memory for them, unrolls run lengths, and drops values
//! of any depth by recursion. A few hundred bytes can so claim terabytes or end the stack, and neither can be caught.
//! Its checksum has a public seed and stops nobody. So every count, length and reference is checked here first, with
//! memory bounded by the bytes read; what passes is small, numbered without gaps and made of known kinds.
//!
//! An update is a header (magic, checksum, mode) and blocks of one peer's changes in a row. A block states its
//! counters and Lamport times, then holds, each with its length before it: the header of its changes (peers, lengths,
//! dependencies), times and messages, containers, keys, tree positions, operations by column, deletions by column,
//! and values.

mod column;
mod reader;
mod value;

use crate::check::reserved;
use crate::doc::Span;
use crate::{Error, Result};
use column::{delta_runs, runs};
use reader::Reader;
use std::collections::BTreeMap;
use std::ops::Range;
use tombolo_core::{PeerId, limit};
use value::{Content, Values};
use xxhash_rust::xxh32::xxh32;

pub(crate) const MAGIC: &[u8] = b"loro";
const CHECKSUM_SEED: u32 = u32::from_le_bytes(*b"LORO");
pub(crate) const MODE_UPDATES: [u8; 2] = [0, 4];

/// This many encoded operations an update may have without a byte for each: run lengths make equal ones nearly free.
const OPERATIONS_FREE: usize = 65_536;
/// The most changes in an update.
const CHANGES_MAX: usize = 65_536;
/// The most peers in an update. A commit has one; Loro's cost grows with the square of concurrent peers.
const PEERS_MAX: usize = 512;
/// The longest stretch of operations of one peer in an update: no text of a document has more characters.
const ATOMS_MAX: u64 = limit::DOCUMENT_BYTES as u64;
/// What indexes, counters and positions may be.
const INDEX: Range<i128> = 0..i32::MAX as i128;
/// The most bytes that repeated keys and tree positions may take once each repetition is a copy.
const COPIES_MAX: usize = 16 * 1024 * 1024;

/// What an update says of itself, all of it checked.
#[derive(Debug, Default)]
pub(crate) struct Envelope {
    pub(crate) spans: Vec<Span>,
    /// How many elements its insertions add.
    pub(crate) inserted: u64,
    /// How many elements its deletions name.
    pub(crate) deleted: u64,
    /// It names root containers that are not those of rows and rich texts.
    pub(crate) foreign: bool,
}

/// What may still be read of one update.
struct Budget {
    operations: usize,
    changes: usize,
    copies: usize,
}

/// Checks an update and says what it holds.
///
/// # Errors
/// `CRDT_DECODE_FAILED`, `TOO_LARGE`.
pub(crate) fn read(bytes: &[u8]) -> Result<Envelope> {
    let max = limit::UPDATE_BYTES;
    if bytes.len() > max {
        return Err(Error::TooLarge { bytes: bytes.len(), max });
    }
    let mut reader = Reader::new(body(bytes)?);
    let mut budget =
        Budget { operations: OPERATIONS_FREE + bytes.len(), changes: CHANGES_MAX, copies: COPIES_MAX };
    let mut envelope = Envelope::default();
    let mut stretches: BTreeMap<u64, Vec<(u32, u32)>> = BTreeMap::new();
    while !reader.is_empty() {
        let block = reader.sized()?;
        let (peer, start, end) = self::block(block, &mut budget, &mut envelope)?;
        stretches.entry(peer).or_default().push((start, end));
        if stretches.len() > PEERS_MAX {
            return Err(Error::decode(format!("it has more than {PEERS_MAX} peers")));
        }
    }
    envelope.spans =
        stretches.into_iter().map(|(peer, of_peer)| span(peer, of_peer)).collect::<Result<_>>()?;
    Ok(envelope)
}

/// The blocks of one peer as one stretch without gaps.
fn span(peer: u64, mut stretches: Vec<(u32, u32)>) -> Result<Span> {
    stretches.sort_unstable();
    let start = stretches.first().map_or(0, |(start, _)| *start);
    let mut end = start;
    for (next, until) in stretches {
        if next > end {
            return Err(Error::decode("operations of a peer are missing in between"));
        }
        end = end.max(until);
    }
    let counter = |value: u32| i32::try_from(value).map_err(|_| out_of_range("a counter"));
    Ok(Span { peer: PeerId(peer), start: counter(start)?, end: counter(end)? })
}

/// What follows a sound header.
fn body(bytes: &[u8]) -> Result<&[u8]> {
    let mut reader = Reader::new(bytes);
    if reader.take(MAGIC.len())? != MAGIC {
        return Err(Error::decode("it does not begin as an update does"));
    }
    // Of sixteen bytes for a checksum this mode uses the last four.
    let checksum = reader.take(16)?;
    let checked = reader.rest();
    if reader.take(2)? != MODE_UPDATES {
        return Err(Error::decode("only updates are taken, no snapshots"));
    }
    match checksum[12..] == xxh32(checked, CHECKSUM_SEED).to_le_bytes() {
        true => Ok(reader.rest()),
        false => Err(Error::decode("its checksum is wrong")),
    }
}

/// Checks a block; gives its peer and its first and last counter.
fn block(bytes: &[u8], budget: &mut Budget, envelope: &mut Envelope) -> Result<(u64, u32, u32)> {
    let mut reader = Reader::new(bytes);
    let [start, length, lamport, lamport_length, changes] = reader.numbers()?;
    let end = u64::from(start) + u64::from(length);
    if u64::from(length) > ATOMS_MAX || end > i32::MAX as u64 {
        return Err(out_of_range("the number of its operations"));
    }
    if u64::from(lamport) + u64::from(lamport_length) > u64::from(u32::MAX) || lamport_length < length {
        return Err(out_of_range("its Lamport time"));
    }
    let changes = changes as usize;
    budget.changes =
        budget.changes.checked_sub(changes).ok_or_else(|| out_of_range("the number of changes"))?;
    let header = Header::read(reader.sized()?, changes, start, length)?;
    reader.sized()?; // Times and messages: Loro reads one of each a change and copies no more than there is.
    let containers = reader.sized()?;
    let keys = self::keys(reader.sized()?)?;
    positions(reader.sized()?, budget)?;
    let operations = Operations::read(reader.sized()?, budget)?;
    let deletions = deletions(reader.sized()?, header.peers.len(), budget.operations)?;
    let values = reader.sized()?;
    if !reader.is_empty() {
        return Err(Error::decode("a block is longer than what it holds"));
    }
    let (containers, foreign) = self::containers(containers, &keys, header.peers.len())?;
    envelope.foreign |= foreign;
    let mut values = Values::new(values, &keys, header.peers.len(), deletions, &mut budget.copies);
    operations.check(&containers, &header.lengths, &mut values, envelope)?;
    values.finish()?;
    // The first of the peers is the author.
    let peer = header.peers.first().copied().ok_or_else(|| Error::decode("a block has no author"))?;
    Ok((peer, start, u32::try_from(end).map_err(|_| out_of_range("a counter"))?))
}

/// Who is named in a block, and how many operations each of its changes has.
struct Header {
    peers: Vec<u64>,
    lengths: Vec<u32>,
}

impl Header {
    fn read(bytes: &[u8], changes: usize, start: u32, length: u32) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let count = reader.count(8)?;
        if count == 0 {
            return Err(out_of_range("the number of peers"));
        }
        let mut peers = Vec::with_capacity(count);
        for _ in 0..count {
            let bytes = reader.take(8)?;
            peers.push(bytes.iter().rev().fold(0, |peer, byte| peer << 8 | u64::from(*byte)));
        }
        if changes == 0 || changes > reader.len() + 1 {
            return Err(out_of_range("the number of changes"));
        }
        let mut left = length;
        let mut lengths = Vec::with_capacity(changes);
        for _ in 1..changes {
            let one = reader.number()?;
            left = left.checked_sub(one).ok_or_else(|| out_of_range("the length of a change"))?;
            lengths.push(one);
        }
        lengths.push(left);
        if lengths.contains(&0) {
            return Err(Error::decode("a change has no operation"));
        }
        dependencies(&mut reader, changes, peers.len(), start == 0)?;
        Ok(Self { peers, lengths })
    }
}

/// Checks how many dependencies the changes claim to have. What they are, Loro looks up; it reserves room for as many
/// as are claimed before.
fn dependencies(reader: &mut Reader<'_>, changes: usize, peers: usize, first: bool) -> Result<()> {
    // Whether each change follows the author's one before: runs of no, yes, no and so on.
    let mut left = changes;
    while left > 0 {
        let run = usize::try_from(reader.varint()?).map_err(|_| out_of_range("a run"))?;
        if first && left == changes && run == 0 {
            return Err(Error::decode("a first change follows another"));
        }
        left = left.saturating_sub(run);
    }
    let mut left = changes;
    let mut all = 0_usize;
    while left > 0 {
        let (run, literal) = reader.run()?;
        let run = run.min(left);
        left -= run;
        let mut add = |count: u64, times: usize| {
            let count = usize::try_from(count).ok().filter(|count| *count <= peers);
            let sum = count.and_then(|count| all.checked_add(count.checked_mul(times)?));
            all = sum
                .filter(|sum| *sum <= CHANGES_MAX)
                .ok_or_else(|| out_of_range("the number of dependencies"))?;
            Ok(())
        };
        match literal {
            true => (0..run).try_for_each(|_| add(reader.varint()?, 1))?,
            false => add(reader.varint()?, run)?,
        }
    }
    let mut left = all;
    while left > 0 {
        let (run, literal) = reader.run()?;
        let run = run.min(left);
        left -= run;
        for _ in 0..(if literal { run } else { 1 }) {
            if reader.varint()? >= peers as u64 {
                return Err(Error::decode("it depends on a peer that it does not name"));
            }
        }
    }
    Ok(())
}

fn keys(bytes: &[u8]) -> Result<Vec<&str>> {
    let mut reader = Reader::new(bytes);
    let mut keys = Vec::new();
    while !reader.is_empty() {
        let key = std::str::from_utf8(reader.sized()?);
        keys.push(key.map_err(|_| Error::decode("a key is no text"))?);
    }
    Ok(keys)
}

/// The kinds of containers, by their number in the block, and whether there are roots that are not reserved.
fn containers(bytes: &[u8], keys: &[&str], peers: usize) -> Result<(Vec<Kind>, bool)> {
    let mut reader = Reader::new(bytes);
    let count = reader.count(5)?;
    let mut kinds = Vec::with_capacity(count);
    let mut foreign = false;
    for _ in 0..count {
        if reader.byte()? != 4 {
            return Err(Error::decode("a container is not told by four numbers"));
        }
        let root = match reader.byte()? {
            0 => false,
            1 => true,
            _ => return Err(Error::decode("a container is neither a root nor none")),
        };
        kinds.push(Kind::from_number(reader.byte()?)?);
        let peer = reader.varint()?;
        let (number, bound) = match (root, reader.signed()?) {
            (true, key) => (key, keys.len() as i128),
            (false, counter) => (counter, i128::from(i32::MAX)),
        };
        if !(0..bound).contains(&number) || (!root && peer >= peers as u64) {
            return Err(Error::decode("a container is named by something that is not there"));
        }
        let name = usize::try_from(number).ok().and_then(|number| keys.get(number));
        if root && name.is_none_or(|name| name.is_empty() || name.contains(['/', '\0'])) {
            return Err(Error::decode("a container's name is none"));
        }
        foreign |= root && name.is_some_and(|name| reserved(name).is_none());
    }
    reader.end()?;
    Ok((kinds, foreign))
}

/// What a container is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Map,
    List,
    Text,
    Tree,
    MovableList,
    Counter,
}

impl Kind {
    fn from_number(number: u8) -> Result<Self> {
        Ok(match number {
            0 => Kind::Map,
            1 => Kind::List,
            2 => Kind::Text,
            3 => Kind::Tree,
            4 => Kind::MovableList,
            5 => Kind::Counter,
            other => return Err(Error::decode(format!("there is no container of kind {other}"))),
        })
    }
}

/// Tree positions are told by what each shares with the one before.
fn positions(bytes: &[u8], budget: &mut Budget) -> Result<()> {
    if bytes.is_empty() {
        return Ok(());
    }
    let mut reader = Reader::table(bytes, 2)?;
    let mut shared = Vec::new();
    runs(reader.sized()?, budget.operations, Reader::varint, |count, value| {
        shared.extend(std::iter::repeat_n(value, count));
        Ok(())
    })?;
    let mut rests = Reader::new(reader.sized()?);
    let count = rests.count(1)?;
    let mut last = 0_u64;
    for index in 0..count {
        let shared = shared.get(index).copied().unwrap_or(u64::MAX);
        if shared > last {
            return Err(Error::decode("a position shares more than there is"));
        }
        last = shared + rests.sized()?.len() as u64;
        let copied = usize::try_from(last).ok().and_then(|last| budget.copies.checked_sub(last + 1));
        budget.copies = copied.ok_or_else(|| out_of_range("the length of the positions"))?;
    }
    match count == shared.len() {
        true => rests.end().and_then(|()| reader.end()),
        false => Err(Error::decode("the columns of the positions differ in length")),
    }
}

/// The lengths of the deletions, with the sign of their direction.
fn deletions(bytes: &[u8], peers: usize, max: usize) -> Result<Vec<i128>> {
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    let mut reader = Reader::table(bytes, 3)?;
    let of_peers = delta_runs(reader.sized()?, max, 0..peers as i128, |_| {})?;
    let of_counters = delta_runs(reader.sized()?, max, INDEX, |_| {})?;
    let mut lengths = Vec::new();
    let bound = i128::from(ATOMS_MAX);
    delta_runs(reader.sized()?, max, -bound..bound, |length| lengths.push(length))?;
    match [of_peers, of_counters] == [lengths.len(); 2] && !lengths.contains(&0) {
        true => reader.end().map(|()| lengths),
        false => Err(Error::decode("its deletions are of no length")),
    }
}

/// The columns of a block's operations.
#[derive(Default)]
struct Operations {
    containers: Vec<u32>,
    places: Vec<u32>,
    kinds: Vec<u8>,
    lengths: Vec<u32>,
}

impl Operations {
    fn read(bytes: &[u8], budget: &mut Budget) -> Result<Self> {
        let mut reader = Reader::table(bytes, 4)?;
        let max = budget.operations;
        let mut read = Self::default();
        let index = |index: i128| u32::try_from(index).unwrap_or(u32::MAX);
        let count =
            delta_runs(reader.sized()?, max, INDEX, |container| read.containers.push(index(container)))?;
        delta_runs(reader.sized()?, max, INDEX, |place| read.places.push(index(place)))?;
        runs(reader.sized()?, max, Reader::byte, |count, kind| {
            read.kinds.extend(std::iter::repeat_n(kind, count));
            Ok(())
        })?;
        runs(reader.sized()?, max, Reader::number, |count, length| {
            read.lengths.extend(std::iter::repeat_n(length, count));
            Ok(())
        })?;
        reader.end()?;
        if [read.places.len(), read.kinds.len(), read.lengths.len()] != [count; 3] {
            return Err(Error::decode("the columns of the operations differ in length"));
        }
        budget.operations -= count;
        Ok(read)
    }

    /// Checks each operation against its container and value, and that together they fill the changes.
    fn check(
        &self,
        containers: &[Kind],
        changes: &[u32],
        values: &mut Values<'_>,
        envelope: &mut Envelope,
    ) -> Result<()> {
        let mut changes = changes.iter();
        let mut left = 0_u32;
        for (index, length) in self.lengths.iter().enumerate() {
            let container = containers.get(self.containers[index] as usize);
            let container = container.ok_or_else(|| Error::decode("an operation is on no container"))?;
            let content = values.next(self.kinds[index], *container, self.places[index])?;
            if u64::from(*length) != content.len() {
                return Err(Error::decode(format!("an operation of length {} says {length}", content.len())));
            }
            match content {
                Content::Insert(count) => envelope.inserted += count,
                Content::Delete(count) => envelope.deleted += count,
                Content::Other => {}
            }
            if left == 0 {
                left = *changes.next().ok_or_else(|| Error::decode("it has more operations than it says"))?;
            }
            left =
                left.checked_sub(*length).ok_or_else(|| Error::decode("an operation spans two changes"))?;
        }
        match left == 0 && changes.next().is_none() {
            true => Ok(()),
            false => Err(Error::decode("it has fewer operations than it says")),
        }
    }
}

fn out_of_range(what: &str) -> Error {
    Error::decode(format!("{what} is out of range"))
}
