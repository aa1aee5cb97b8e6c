//! What was committed lately, encoded once and shared by every session that follows.

use super::{HubSpace, SessionId};
use std::collections::VecDeque;
use tombolo_core::{Epoch, LogEntry, Millis, Seq, SpaceId};
use tombolo_protocol::{
    Acknowledged, Chained, LogEncoder, Shared, SpaceIndex, encode_fresh, encode_own, frame_len,
};

/// How much of the log is kept in memory. Sessions further behind are fed from disk.
const TAIL_BYTES: usize = 8 * 1024 * 1024;
const TAIL_SEGMENTS: usize = 4096;
/// Beside its bytes, an entry costs this much.
const ENTRY_BYTES: usize = 256;

/// One space's log as the hub knows it.
#[derive(Debug)]
pub(super) struct SpaceLog {
    pub(super) space: SpaceId,
    pub(super) epoch: Epoch,
    pub(super) index: SpaceIndex,
    /// The last entry that `Committed` told of.
    pub(super) head: Seq,
    /// The last entry that is known to be durable: a page from disk can be ahead of `Committed`.
    pub(super) durable: Seq,
    encoder: LogEncoder,
    segments: VecDeque<Segment>,
    bytes: usize,
    last_received: Option<Millis>,
}

/// The entries of one frame.
#[derive(Debug)]
struct Segment {
    entries: Vec<LogEntry>,
    first: Seq,
    last: Seq,
    bytes: usize,
    /// When the entry before the first was accepted, if the hub saw it.
    previous: Option<Millis>,
    chained: Chained,
    /// The same for sessions that were not sent enough of what came before; made when one asks.
    fresh: Option<Shared>,
    own: Option<(SessionId, Vec<Acknowledged>)>,
}

/// Where in the log a session stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// The last entry that it was sent.
    pub(super) cursor: Seq,
    /// The first entry of the last frame that leant on nothing before.
    pub(super) fresh_from: Option<Seq>,
}

impl SpaceLog {
    pub(super) fn new(space: &HubSpace, index: SpaceIndex) -> Self {
        Self {
            space: space.space,
            epoch: space.epoch,
            index,
            head: space.head,
            durable: space.head,
            encoder: LogEncoder::new(index),
            segments: VecDeque::new(),
            bytes: 0,
            last_received: None,
        }
    }

    /// Takes what was committed. `own` gives the ordinals if all the entries are pushes of a session.
    pub(super) fn commit(
        &mut self,
        mut entries: Vec<LogEntry>,
        mut own: impl FnMut(&[LogEntry]) -> Option<(SessionId, Vec<Acknowledged>)>,
    ) {
        entries.retain(|entry| entry.seq > self.head);
        if entries.first().is_some_and(|entry| entry.seq != self.head.next()) {
            // Entries that nobody told of are on disk, and so is everything before them.
            self.segments.clear();
            self.bytes = 0;
            self.last_received = None;
        }
        while !entries.is_empty() {
            let behind = entries.split_off(frame_len(&entries));
            let own = own(&entries);
            self.append(entries, own);
            entries = behind;
        }
        while self.bytes > TAIL_BYTES || self.segments.len() > TAIL_SEGMENTS {
            self.bytes -= self.segments.pop_front().map_or(0, |segment| segment.bytes);
        }
    }

    fn append(&mut self, entries: Vec<LogEntry>, own: Option<(SessionId, Vec<Acknowledged>)>) {
        let (Some(first), Some(last)) = (entries.first(), entries.last()) else {
            return;
        };
        let (first, last, received) = (first.seq, last.seq, last.received);
        let chained = self.encoder.encode(&entries);
        let encoded: usize = chained.messages.iter().map(|message| message.len()).sum();
        let kept: usize = entries.iter().map(|entry| entry.commit.len_bytes() + ENTRY_BYTES).sum();
        // The fresh form, if it comes to that, is about as large as the chained one.
        let bytes = kept + 2 * encoded;
        let previous = self.last_received;
        self.segments.push_back(Segment { entries, first, last, bytes, previous, chained, fresh: None, own });
        self.bytes += bytes;
        self.head = last;
        self.durable = self.durable.max(last);
        self.last_received = Some(received);
    }

    /// The next messages for a session, which move its place; none if they have to come from disk.
    pub(super) fn next(&mut self, session: SessionId, place: &mut Place) -> Option<Shared> {
        let at = self.segments.partition_point(|segment| segment.last <= place.cursor);
        let index = self.index;
        let segment = self.segments.get_mut(at).filter(|segment| segment.first <= place.cursor.next())?;
        let next = place.cursor.next();
        place.cursor = segment.last;
        if segment.first < next {
            let skip = segment.entries.partition_point(|entry| entry.seq < next);
            place.fresh_from = Some(next);
            return Some(encode_fresh(index, &segment.entries[skip..]));
        }
        if let Some((_, acks)) = segment.own.as_ref().filter(|(owner, _)| *owner == session) {
            let previous = place.fresh_from.and(segment.previous);
            if previous.is_none() {
                place.fresh_from = Some(next);
            }
            return Some(vec![encode_own(index, previous, acks).into()]);
        }
        if place.fresh_from.is_some_and(|from| segment.chained.needs.is_some_and(|needs| from <= needs)) {
            return Some(segment.chained.messages.clone());
        }
        place.fresh_from = Some(next);
        Some(segment.fresh.get_or_insert_with(|| encode_fresh(index, &segment.entries)).clone())
    }

    /// The messages for a page that was read from disk, which move the session's place. None if the page does not
    /// go on where the session stands.
    pub(super) fn page(&mut self, entries: &[LogEntry], place: &mut Place) -> Option<Shared> {
        let mut messages = Shared::new();
        let mut rest = entries;
        while !rest.is_empty() {
            let (frame, behind) = rest.split_at(frame_len(rest));
            for entry in frame {
                if entry.seq != place.cursor.next() {
                    return None;
                }
                place.cursor = entry.seq;
            }
            place.fresh_from = frame.first().map(|entry| entry.seq);
            messages.extend(encode_fresh(self.index, frame));
            rest = behind;
        }
        self.durable = self.durable.max(place.cursor);
        (!messages.is_empty()).then_some(messages)
    }
}
