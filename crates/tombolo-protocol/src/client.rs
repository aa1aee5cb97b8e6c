use crate::commit::{Context, Mention};
use crate::error::{ProtocolError, Result, malformed};
use crate::message::{Kind, Plain, Reassembler, head, seal};
use crate::wire::{Reader, put_number};
use crate::{Hello, Log, LogItem, ServerFrame, SpaceIndex, control, limit, log};
use std::collections::{BTreeMap, VecDeque};
use tombolo_core::{ActorId, Commit, CommitId, LogEntry};

/// The client's end of one session's bytes. Make a new one for each connection.
#[derive(Debug)]
pub struct ClientCodec {
    actor: ActorId,
    manifest_version: u32,
    reassembler: Reassembler,
    spaces: BTreeMap<SpaceIndex, ClientSpace>,
}

#[derive(Debug)]
struct ClientSpace {
    pushes: Context,
    generation: u32,
    /// Pushed commits that the log has not shown yet, by ordinal.
    pushed: VecDeque<(u64, CommitId, Mention)>,
    log: Context,
}

impl ClientCodec {
    /// The end of a session that begins with a hello of this actor and manifest version.
    #[must_use]
    pub fn new(actor: ActorId, manifest_version: u32) -> Self {
        Self {
            actor,
            manifest_version,
            reassembler: Reassembler::new(limit::MESSAGE_BYTES),
            spaces: BTreeMap::new(),
        }
    }

    /// The message that opens the session.
    #[must_use]
    pub fn hello(&self, hello: &Hello) -> Vec<u8> {
        control::put_hello(hello)
    }

    /// The messages that push commits, each within [core's limits](tombolo_core::limit).
    ///
    /// With a new generation, commits that older ones pushed and the log has not shown are forgotten: the server
    /// ignored them.
    pub fn push(&mut self, space: SpaceIndex, generation: u32, commits: &[Commit]) -> Vec<Vec<u8>> {
        let state = self.space(space);
        if state.generation != generation {
            state.generation = generation;
            state.pushed.clear();
        }
        let mut messages = Vec::new();
        let mut rest = commits;
        while !rest.is_empty() {
            let (frame, behind) = rest.split_at(limit::frame_of(rest.iter(), limit::PUSH_BYTES));
            rest = behind;
            let mut out = head(Kind::Push, false);
            put_number(&mut out, u64::from(space));
            put_number(&mut out, u64::from(generation));
            put_number(&mut out, state.pushes.last + 1);
            for commit in frame {
                let ordinal = state.pushes.last + 1;
                let base = state.pushes.time;
                state.pushes.put(&mut out, commit, base, ordinal);
                state.pushes.last = ordinal;
                state.pushes.time = commit.time;
                state.pushed.push_back((ordinal, commit.id, Mention::of(commit)));
            }
            messages.extend(seal(out));
        }
        messages
    }

    /// Takes one binary message; gives the frame that it completes.
    ///
    /// # Errors
    /// `INVALID_DATA` or `TOO_LARGE`; the session is over then.
    pub fn decode(&mut self, message: &[u8]) -> Result<Option<ServerFrame>, ProtocolError> {
        let Some(plain) = self.reassembler.open(message)? else {
            return Ok(None);
        };
        let body = plain.body.as_ref();
        Ok(Some(match plain.kind {
            Kind::Ping if body.is_empty() => ServerFrame::Ping,
            Kind::Pong if body.is_empty() => ServerFrame::Pong,
            Kind::Welcome => {
                let welcome = control::read_welcome(body)?;
                for space in &welcome.spaces {
                    self.space(space.index);
                }
                ServerFrame::Welcome(welcome)
            }
            Kind::Refused => ServerFrame::Refused(control::read_refused(body)?),
            Kind::Rejected => ServerFrame::Rejected(control::read_rejected(body)?),
            Kind::Pause => ServerFrame::Pause(control::read_pause(body)?),
            Kind::Log | Kind::Own => ServerFrame::Log(self.log(&plain)?),
            _ => return malformed("a frame that only clients send"),
        }))
    }

    fn space(&mut self, index: SpaceIndex) -> &mut ClientSpace {
        self.spaces.entry(index).or_insert_with(|| ClientSpace {
            pushes: Context::with_writer(self.actor, self.manifest_version),
            generation: 0,
            pushed: VecDeque::new(),
            log: Context::default(),
        })
    }

    fn log(&mut self, plain: &Plain<'_>) -> Result<Log> {
        let mut reader = Reader::new(&plain.body);
        let index = reader.small("a space")?;
        let Some(space) = self.spaces.get_mut(&index) else {
            return malformed("a space that was not in the welcome");
        };
        log::read_start(&mut reader, &mut space.log, plain.fresh)?;
        let mut items = Vec::new();
        let (mut ordinal, mut parts) = (0, limit::FRAME_PARTS);
        while !reader.is_empty() {
            if items.len() == limit::FRAME_ITEMS {
                return malformed("a frame with too many items");
            }
            items.push(match plain.kind {
                Kind::Own => space.own(&mut reader, &mut ordinal)?,
                _ => space.full(&mut reader, &mut parts)?,
            });
        }
        Ok(Log { space: index, items })
    }
}

impl ClientSpace {
    fn full(&mut self, reader: &mut Reader<'_>, parts: &mut usize) -> Result<LogItem> {
        let (seq, received) = log::read_place(reader, &mut self.log)?;
        let commit = self.log.read(reader, received, seq.0, parts)?;
        if let Some(place) = self.pushed.iter().position(|(_, id, _)| *id == commit.id) {
            self.pushed.remove(place);
        }
        Ok(LogItem::Full(LogEntry { seq, received, commit }))
    }

    fn own(&mut self, reader: &mut Reader<'_>, ordinal: &mut u64) -> Result<LogItem> {
        *ordinal = ordinal.saturating_add(reader.number("an ordinal")?);
        let (seq, received) = log::read_place(reader, &mut self.log)?;
        while self.pushed.front().is_some_and(|(pushed, ..)| pushed < ordinal) {
            self.pushed.pop_front();
        }
        match self.pushed.pop_front() {
            Some((pushed, id, mention)) if pushed == *ordinal => {
                self.log.mention(mention, seq.0);
                Ok(LogItem::Own { seq, received, id })
            }
            _ => malformed("an own commit that was not pushed"),
        }
    }
}

/// The message that asks for a pong.
pub const PING: [u8; 1] = [Kind::Ping as u8];
/// The message that answers a ping.
pub const PONG: [u8; 1] = [Kind::Pong as u8];
