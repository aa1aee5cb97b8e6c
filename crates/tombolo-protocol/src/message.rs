//! From a frame's plain bytes to the binary messages that carry it, and back.
//!
//! The first byte of a message holds the kind of the frame and two flags; the rest is the frame's body.

use crate::error::{ProtocolError, Result, at_most, malformed};
use crate::limit;
use crate::wire::{Reader, put_number};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The body is a number, its plain length, and then a zstd frame.
const ZSTD: u8 = 0x80;
/// The frame does not refer to earlier ones.
pub(crate) const FRESH: u8 = 0x40;
const KIND: u8 = 0x3f;

/// Fast enough for every frame; higher levels gain little on updates.
const ZSTD_LEVEL: i32 = 1;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    Ping = 0,
    Pong = 1,
    Hello = 2,
    Push = 3,
    Welcome = 4,
    Refused = 5,
    Log = 6,
    Own = 7,
    Rejected = 8,
    Pause = 9,
    Fragment = 10,
}

impl Kind {
    fn read(head: u8) -> Result<Self> {
        Ok(match head & KIND {
            0 => Self::Ping,
            1 => Self::Pong,
            2 => Self::Hello,
            3 => Self::Push,
            4 => Self::Welcome,
            5 => Self::Refused,
            6 => Self::Log,
            7 => Self::Own,
            8 => Self::Rejected,
            9 => Self::Pause,
            10 => Self::Fragment,
            _ => return malformed("unknown kind of frame"),
        })
    }
}

/// A frame's kind and flags in front of its body.
pub(crate) fn head(kind: Kind, fresh: bool) -> Vec<u8> {
    vec![kind as u8 | if fresh { FRESH } else { 0 }]
}

/// Compresses a frame where that pays and cuts it into messages.
pub(crate) fn seal(plain: Vec<u8>) -> Vec<Vec<u8>> {
    let message = compress(&plain).unwrap_or(plain);
    if message.len() <= limit::FRAME_BYTES {
        return vec![message];
    }
    let total = message.len() as u64;
    let mut offset = 0;
    message
        .chunks(limit::FRAME_BYTES - limit::FRAGMENT_HEAD_BYTES)
        .map(|chunk| {
            let mut fragment = Vec::with_capacity(chunk.len() + limit::FRAGMENT_HEAD_BYTES);
            fragment.push(Kind::Fragment as u8);
            // The fragments of one message are sent without another's in between, so one batch number is enough.
            put_number(&mut fragment, 0);
            put_number(&mut fragment, offset);
            put_number(&mut fragment, total);
            fragment.extend_from_slice(chunk);
            offset += chunk.len() as u64;
            fragment
        })
        .collect()
}

/// The same for a frame that is known to be small.
pub(crate) fn seal_small(plain: Vec<u8>) -> Vec<u8> {
    compress(&plain).unwrap_or(plain)
}

fn compress(plain: &[u8]) -> Option<Vec<u8>> {
    let (head, body) = plain.split_first()?;
    if body.len() <= limit::COMPRESS_BYTES {
        return None;
    }
    let packed = zstd::bulk::compress(body, ZSTD_LEVEL).ok()?;
    let mut message = Vec::with_capacity(packed.len() + 6);
    message.push(head | ZSTD);
    put_number(&mut message, body.len() as u64);
    message.extend_from_slice(&packed);
    // A few bytes less are not worth the work of everybody who gets them.
    (message.len() < plain.len() - plain.len() / 16).then_some(message)
}

/// A whole frame, decompressed.
#[derive(Debug)]
pub(crate) struct Plain<'a> {
    pub(crate) kind: Kind,
    pub(crate) fresh: bool,
    pub(crate) body: Cow<'a, [u8]>,
}

/// Puts fragments together and decompresses, within limits.
#[derive(Debug)]
pub(crate) struct Reassembler {
    limit: usize,
    open: BTreeMap<u64, Batch>,
}

#[derive(Debug)]
struct Batch {
    total: usize,
    bytes: Vec<u8>,
}

impl Reassembler {
    /// One that takes messages of at most so many bytes, compressed and plain.
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, open: BTreeMap::new() }
    }

    pub(crate) fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// Takes one binary message; gives the frame that it completes.
    pub(crate) fn open<'a>(&mut self, message: &'a [u8]) -> Result<Option<Plain<'a>>> {
        at_most("a message", message.len() as u64, limit::FRAME_BYTES.min(self.limit))?;
        let (&head, body) =
            message.split_first().ok_or(ProtocolError::Malformed { what: "an empty message" })?;
        if Kind::read(head)? != Kind::Fragment {
            return plain(head, Cow::Borrowed(body), self.limit).map(Some);
        }
        if head != Kind::Fragment as u8 {
            return malformed("a fragment with flags");
        }
        let Some(mut whole) = self.fragment(body)? else {
            return Ok(None);
        };
        let head = whole.remove(0);
        if Kind::read(head)? == Kind::Fragment {
            return malformed("a fragment in fragments");
        }
        plain(head, Cow::Owned(whole), self.limit).map(Some)
    }

    fn fragment(&mut self, body: &[u8]) -> Result<Option<Vec<u8>>> {
        let mut reader = Reader::new(body);
        let id = reader.number("a fragment's batch")?;
        let offset = reader.number("a fragment's offset")?;
        let total = reader.number("a fragment's total")?;
        let chunk = reader.rest();
        if chunk.is_empty() {
            return malformed("an empty fragment");
        }
        if !self.open.contains_key(&id) {
            let total = at_most("a fragmented message", total, self.limit)?;
            at_most("open batches", self.open.len() as u64 + 1, limit::OPEN_BATCHES)?;
            let declared: usize = self.open.values().map(|batch| batch.total).sum();
            at_most("all fragmented messages", (declared + total) as u64, self.limit)?;
            self.open.insert(id, Batch { total, bytes: Vec::new() });
        }
        let Some(batch) = self.open.get_mut(&id) else {
            return malformed("a fragment's batch");
        };
        if offset != batch.bytes.len() as u64 || total != batch.total as u64 {
            return malformed("a fragment out of place");
        }
        if chunk.len() > batch.total - batch.bytes.len() {
            return malformed("a fragment beyond its message");
        }
        // Memory follows what came, not what was announced.
        batch.bytes.extend_from_slice(chunk);
        if batch.bytes.len() < batch.total {
            return Ok(None);
        }
        Ok(self.open.remove(&id).map(|batch| batch.bytes))
    }
}

fn plain(head: u8, body: Cow<'_, [u8]>, limit: usize) -> Result<Plain<'_>> {
    let kind = Kind::read(head)?;
    let fresh = head & FRESH != 0;
    if fresh && !matches!(kind, Kind::Log | Kind::Own) {
        return malformed("a flag that the frame cannot have");
    }
    let body = if head & ZSTD == 0 { body } else { Cow::Owned(decompress(&body, limit)?) };
    Ok(Plain { kind, fresh, body })
}

fn decompress(body: &[u8], limit: usize) -> Result<Vec<u8>> {
    let mut reader = Reader::new(body);
    let declared = at_most("a compressed frame", reader.number("a plain length")?, limit)?;
    match zstd::bulk::decompress(reader.rest(), declared) {
        Ok(plain) if plain.len() == declared => Ok(plain),
        _ => malformed("a compressed frame"),
    }
}
