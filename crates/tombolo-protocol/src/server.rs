use crate::commit::Context;
use crate::error::{ProtocolError, Result, malformed};
use crate::message::{Kind, Reassembler};
use crate::wire::Reader;
use crate::{ClientFrame, Pause, Push, Refused, Rejected, SpaceIndex, Welcome, control, limit};
use std::collections::BTreeMap;
use tombolo_core::ActorId;

/// The server's end of one session's bytes, but for the log, which sessions [share](crate::LogEncoder).
#[derive(Debug)]
pub struct ServerCodec {
    reassembler: Reassembler,
    /// Whom pushes are from if they do not say so.
    writer: Option<(ActorId, u32)>,
    admitted: bool,
    spaces: BTreeMap<SpaceIndex, Context>,
}

impl Default for ServerCodec {
    fn default() -> Self {
        Self::new()
    }
}

impl ServerCodec {
    /// The end of a session that has not said hello: it may send [`limit::HELLO_BYTES`] at a time.
    #[must_use]
    pub fn new() -> Self {
        Self {
            reassembler: Reassembler::new(limit::HELLO_BYTES),
            writer: None,
            admitted: false,
            spaces: BTreeMap::new(),
        }
    }

    /// The message that admits the session. From here on it may push.
    pub fn welcome(&mut self, welcome: &Welcome) -> Vec<u8> {
        self.admitted = true;
        self.reassembler.set_limit(limit::MESSAGE_BYTES);
        if let Some((actor, manifest_version)) = self.writer {
            for space in &welcome.spaces {
                self.spaces.insert(space.index, Context::with_writer(actor, manifest_version));
            }
        }
        control::put_welcome(welcome)
    }

    /// The message that ends the session.
    #[must_use]
    pub fn refused(&self, refused: &Refused) -> Vec<u8> {
        control::put_refused(refused)
    }

    /// The message that refuses a commit.
    #[must_use]
    pub fn rejected(&self, rejected: &Rejected) -> Vec<u8> {
        control::put_rejected(rejected)
    }

    /// The message that halts the outbox.
    #[must_use]
    pub fn pause(&self, pause: &Pause) -> Vec<u8> {
        control::put_pause(pause)
    }

    /// Takes one binary message; gives the frame that it completes.
    ///
    /// # Errors
    /// `INVALID_DATA` or `TOO_LARGE`; the session is over then.
    pub fn decode(&mut self, message: &[u8]) -> Result<Option<ClientFrame>, ProtocolError> {
        let Some(plain) = self.reassembler.open(message)? else {
            return Ok(None);
        };
        let body = plain.body.as_ref();
        Ok(Some(match plain.kind {
            Kind::Ping if body.is_empty() => ClientFrame::Ping,
            Kind::Pong if body.is_empty() => ClientFrame::Pong,
            Kind::Hello if self.writer.is_some() => {
                return Err(ProtocolError::Unexpected { what: "a second hello" });
            }
            Kind::Hello => {
                let hello = control::read_hello(body)?;
                self.writer = Some((hello.actor, hello.manifest_version));
                ClientFrame::Hello(hello)
            }
            Kind::Push if !self.admitted => {
                return Err(ProtocolError::Unexpected { what: "a push before the welcome" });
            }
            Kind::Push => ClientFrame::Push(self.push(body)?),
            _ => return malformed("a frame that only servers send"),
        }))
    }

    fn push(&mut self, body: &[u8]) -> Result<Push> {
        let mut reader = Reader::new(body);
        let space = reader.small("a space")?;
        let generation = reader.small("a generation")?;
        let Some(context) = self.spaces.get_mut(&space) else {
            return malformed("a space that was not in the welcome");
        };
        // Both sides know it: said all the same, because a commit that is judged without the one before is refused.
        let ordinal = reader.number("an ordinal")?;
        if ordinal != context.last + 1 {
            return malformed("a push is missing");
        }
        let (mut commits, mut parts) = (Vec::new(), limit::FRAME_PARTS);
        while !reader.is_empty() {
            if commits.len() == limit::FRAME_ITEMS {
                return malformed("a frame with too many items");
            }
            let (base, now) = (context.time, context.last + 1);
            let commit = context.read(&mut reader, base, now, &mut parts)?;
            context.last = now;
            context.time = commit.time;
            commits.push(commit);
        }
        Ok(Push { space, generation, ordinal, commits })
    }
}
