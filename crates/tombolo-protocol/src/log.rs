//! The log's bytes: encoded once for everybody where possible.

use crate::commit::Context;
use crate::error::{Result, malformed};
use crate::message::{Kind, head, seal, seal_small};
use crate::wire::{Reader, put_number, put_signed};
use crate::{SpaceIndex, limit};
use std::sync::Arc;
use tombolo_core::{LogEntry, Millis, Seq};

/// Binary messages that many sessions share.
pub type Shared = Vec<Arc<[u8]>>;

/// How many of these entries go into the next frame: as many as fit, at least one if there is one.
#[must_use]
pub fn frame_len(entries: &[LogEntry]) -> usize {
    limit::frame_of(entries.iter().map(|entry| &entry.commit), limit::LOG_BYTES)
}

/// Encodes a frame that leans on nothing that was sent before: for catching up, and to begin with.
///
/// At most [`frame_len`] entries, at least one, gap-free.
#[must_use]
pub fn encode_fresh(space: SpaceIndex, entries: &[LogEntry]) -> Shared {
    let mut context = Context::default();
    let mut out = head(Kind::Log, true);
    put_number(&mut out, u64::from(space));
    put_number(&mut out, entries.first().map_or(0, |entry| entry.seq.0));
    put_entries(&mut out, &mut context, entries);
    share(out)
}

/// Encodes what is committed to one space's log, frame by frame, for all sessions that follow it.
#[derive(Debug)]
pub struct LogEncoder {
    space: SpaceIndex,
    context: Option<Context>,
}

/// A frame for all sessions that were sent enough of what came before it.
#[derive(Debug, Clone)]
pub struct Chained {
    /// The messages.
    pub messages: Shared,
    /// The oldest entry that the frame leans on. A session may get the frame if the entry before the frame was the
    /// last that it got, and its last fresh frame began here or earlier. None: nobody may.
    pub needs: Option<Seq>,
}

impl LogEncoder {
    /// The encoder of a space's log, wherever the log stands.
    #[must_use]
    pub fn new(space: SpaceIndex) -> Self {
        Self { space, context: None }
    }

    /// Encodes the next frame: at most [`frame_len`] entries, at least one, gap-free from the last frame on.
    pub fn encode(&mut self, entries: &[LogEntry]) -> Chained {
        let first = entries.first().map_or(Seq(0), |entry| entry.seq);
        let previous = Seq(first.0.wrapping_sub(1));
        let known = self.context.take().filter(|context| context.last == previous.0);
        let follows = known.is_some();
        let mut context = known.unwrap_or_default();
        let mut out = head(Kind::Log, false);
        put_number(&mut out, u64::from(self.space));
        out.push(check(first));
        let oldest = put_entries(&mut out, &mut context, entries);
        self.context = Some(context);
        Chained { messages: share(out), needs: follows.then(|| previous.min(Seq(oldest))) }
    }
}

/// The acknowledgement of a commit to the session that pushed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Acknowledged {
    /// The commit's ordinal among the pushes of the session, larger than the one before.
    pub ordinal: u64,
    /// Its place in the log, gap-free.
    pub seq: Seq,
    /// The server's clock when it was accepted.
    pub received: Millis,
}

/// Encodes acknowledgements, at least one and at most [`frame_len`] says.
///
/// `previous` is the time of the entry before them if the session was sent that entry since its last fresh frame or
/// with it; none makes this a fresh frame.
#[must_use]
pub fn encode_own(space: SpaceIndex, previous: Option<Millis>, acks: &[Acknowledged]) -> Vec<u8> {
    let first = acks.first().map_or(Seq(0), |ack| ack.seq);
    let mut out = head(Kind::Own, previous.is_none());
    put_number(&mut out, u64::from(space));
    match previous {
        Some(_) => out.push(check(first)),
        None => put_number(&mut out, first.0),
    }
    let (mut time, mut ordinal) = (previous.unwrap_or(0), 0);
    for ack in acks {
        put_number(&mut out, ack.ordinal.saturating_sub(ordinal));
        put_signed(&mut out, ack.received.wrapping_sub(time));
        (time, ordinal) = (ack.received, ack.ordinal);
    }
    seal_small(out)
}

/// Both sides know the place of a chained frame; these bits prove it.
fn check(first: Seq) -> u8 {
    (first.0 & 0x7f) as u8
}

fn put_entries(out: &mut Vec<u8>, context: &mut Context, entries: &[LogEntry]) -> u64 {
    let mut oldest = u64::MAX;
    for entry in entries {
        put_signed(out, entry.received.wrapping_sub(context.time));
        oldest = oldest.min(context.put(out, &entry.commit, entry.received, entry.seq.0));
        context.last = entry.seq.0;
        context.time = entry.received;
    }
    oldest
}

fn share(out: Vec<u8>) -> Shared {
    seal(out).into_iter().map(Arc::from).collect()
}

/// Reads the place that a frame starts at.
pub(crate) fn read_start(reader: &mut Reader<'_>, context: &mut Context, fresh: bool) -> Result<()> {
    if fresh {
        let first = reader.number("a sequence number")?;
        let Some(last) = first.checked_sub(1) else {
            return malformed("a sequence number");
        };
        *context = Context::default();
        context.last = last;
    } else if reader.byte("a sequence check")? != check(Seq(context.last.wrapping_add(1))) {
        return malformed("a frame of the log is missing");
    }
    Ok(())
}

/// Reads the time of the next entry and moves the context to its place.
pub(crate) fn read_place(reader: &mut Reader<'_>, context: &mut Context) -> Result<(Seq, Millis)> {
    context.time = context.time.wrapping_add(reader.signed("a time")?);
    match context.last.checked_add(1) {
        Some(next) => context.last = next,
        None => return malformed("a sequence number"),
    }
    Ok((Seq(context.last), context.time))
}
