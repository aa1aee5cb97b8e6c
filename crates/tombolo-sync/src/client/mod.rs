//! The client's session.
//!
//! | state | input | what happens | next |
//! |---|---|---|---|
//! | any | `Start` | a connection there was is dropped; `Connect` | connecting |
//! | any | `Stop` | a connection there was is dropped | no server |
//! | waiting | timer, `NetworkChanged` | `Connect` | connecting |
//! | connecting | `Opened` | hello, as soon as no storage request is outstanding | greeting |
//! | connecting, greeting | `Closed`, timer (15 s) | backs off | waiting |
//! | connecting, greeting | `NetworkChanged` | drops the attempt; `Connect` | connecting |
//! | greeting | welcome, not bound yet | `Bind` | live |
//! | greeting | welcome of the bound space, epoch and at least its cursor | | live |
//! | greeting | any other welcome | `CONFLICT` | stopped |
//! | live | log | queue → `Apply` → `Applied`, one at a time; a gap ends the session | live, waiting |
//! | live | `CommitsWaiting`, room in the window | `ReadOutbox` → `OutboxRead` → push | live |
//! | live | rejected | stops pushing; once everything before it is applied `StoreRejection`; then a new generation pushes from the head of the outbox | live |
//! | live | pause | stops pushing; after the given time a new generation pushes from the head of the outbox | live |
//! | live | `NetworkChanged` | asks the server for a sign of life within 5 s | live |
//! | live | `Closed`, silence, malformed bytes, a storage error | backs off | waiting |
//! | live, greeting | refused for good (token, version, conflict) | | stopped |
//!
//! Storage requests outlive the connection: their answers are taken in every state, and a new hello waits for them,
//! so that it tells the cursor as it is on disk.

mod api;
mod live;
mod status;

pub use api::*;

use crate::timing::close_reason;
use live::Live;
use std::collections::VecDeque;
use tombolo_core::{Code, Error, Millis, Random, SeededRandom};
use tombolo_protocol::{ClientCodec, CloseCode, Cursor, Hello, HelloSpace, PROTOCOLS, ServerFrame, Welcome};

/// How long opening a socket, or waiting for the welcome, may take.
const GREETING_MS: Millis = 15_000;
const BACKOFF_MIN_MS: u64 = 1_000;
const BACKOFF_MAX_MS: u64 = 30_000;
/// No retry is sooner than this, so that a fault that repeats at once does not burn a core.
const BACKOFF_FLOOR_MS: u64 = 100;

/// A client's session with its server, whatever happens to the connection.
///
/// Knows one space. See the [crate's example](crate) for how to drive it.
#[derive(Debug)]
pub struct Client {
    core: Core,
    state: State,
}

#[derive(Debug)]
enum State {
    NoServer,
    Waiting { until: Millis, error: Error },
    Connecting { until: Millis },
    Greeting { until: Millis, codec: ClientCodec, said_hello: bool },
    Live(Box<Live>),
    Stopped { error: Error },
}

/// What outlives a connection.
#[derive(Debug)]
struct Core {
    config: ClientConfig,
    random: SeededRandom,
    actions: VecDeque<ClientAction>,
    token: String,
    binding: Option<Binding>,
    counts: Counts,
    busy: Busy,
    /// Attempts to connect since the last session that got something done.
    attempts: u32,
    /// Why the disk did not take something, until it takes something again.
    trouble: Option<Error>,
    reported: Option<status::Told>,
}

/// The storage requests that are not answered yet.
#[derive(Debug, Default)]
struct Busy {
    bind: Option<Binding>,
    read: bool,
    apply: bool,
    reject: bool,
}

impl Busy {
    fn is_idle(&self) -> bool {
        self.bind.is_none() && !self.read && !self.apply && !self.reject
    }
}

/// Why a session ends before its time.
#[derive(Debug)]
struct End {
    close: CloseCode,
    error: Error,
}

impl End {
    fn new(close: CloseCode, code: Code, message: impl Into<String>) -> Self {
        Self { close, error: Error::new(code, message) }
    }

    fn storage(error: Error) -> Self {
        Self { close: CloseCode::AWAY, error }
    }
}

/// Whether trying again with the same token, program and folder is pointless.
fn is_final(code: Code) -> bool {
    matches!(
        code,
        Code::Unauthenticated
            | Code::PolicyDenied
            | Code::ProtocolUnsupported
            | Code::ManifestTooNew
            | Code::Conflict
    )
}

impl Client {
    /// A machine without a server. The seed decides the jitter of its retries.
    #[must_use]
    pub fn new(config: ClientConfig, seed: u64) -> Self {
        let core = Core {
            config,
            random: SeededRandom::new(seed),
            actions: VecDeque::new(),
            token: String::new(),
            binding: None,
            counts: Counts::default(),
            busy: Busy::default(),
            attempts: 0,
            trouble: None,
            reported: None,
        };
        Self { core, state: State::NoServer }
    }

    /// Tells the machine what happened. `now` is a monotonic clock in milliseconds.
    pub fn handle(&mut self, input: ClientInput, now: Millis) {
        let could_read = self.wants_input();
        if let Err(end) = self.input(input, now) {
            self.end(end, now);
        }
        self.proceed();
        if !could_read && let State::Live(live) = &mut self.state {
            live.keepalive.heard(now);
        }
        self.report(now);
    }

    /// What to do next. Call until there is none after each [`handle`](Self::handle).
    pub fn poll(&mut self) -> Option<ClientAction> {
        self.core.actions.pop_front()
    }

    /// When to hand in [`ClientInput::Timer`], on the clock of `handle`.
    #[must_use]
    pub fn deadline(&self) -> Option<Millis> {
        match &self.state {
            State::NoServer | State::Stopped { .. } => None,
            State::Waiting { until, .. } | State::Connecting { until } | State::Greeting { until, .. } => {
                Some(*until)
            }
            State::Live(live) => Some(live.deadline()),
        }
    }

    /// Whether the socket should be read. While it is false, the network holds what the server sends.
    #[must_use]
    pub fn wants_input(&self) -> bool {
        match &self.state {
            State::Live(live) => live.wants_input(),
            _ => true,
        }
    }

    fn input(&mut self, input: ClientInput, now: Millis) -> Result<(), End> {
        match input {
            ClientInput::Start { token, binding, counts } => {
                self.disconnect(CloseCode::NORMAL, "starting again");
                self.core.token = token;
                self.core.binding = binding;
                self.core.counts = counts;
                self.core.attempts = 0;
                self.connect(now);
            }
            ClientInput::Stop => {
                self.disconnect(CloseCode::NORMAL, "no server any more");
                self.state = State::NoServer;
            }
            ClientInput::Opened => self.opened(now),
            ClientInput::Closed { code, reason } => self.closed(code, reason, now),
            ClientInput::Received(bytes) => return self.received(&bytes, now),
            ClientInput::CommitsWaiting(counts) => {
                self.core.counts = counts;
                if let State::Live(live) = &mut self.state {
                    live.outbox_changed(&self.core);
                }
            }
            ClientInput::Timer => return self.timer(now),
            ClientInput::NetworkChanged => match &mut self.state {
                State::Waiting { .. } | State::Connecting { .. } | State::Greeting { .. } => {
                    self.disconnect(CloseCode::AWAY, "the network has changed");
                    self.connect(now);
                }
                State::Live(live) => live.doubt(&mut self.core, now),
                _ => {}
            },
            answer => return self.stored(answer),
        }
        Ok(())
    }

    /// Takes the answer to a storage request.
    fn stored(&mut self, answer: ClientInput) -> Result<(), End> {
        let core = &mut self.core;
        let bound = core.binding.map(|binding| binding.space);
        let live = match &mut self.state {
            State::Live(live) => Some(live),
            _ => None,
        };
        match answer {
            ClientInput::Bound { result, .. } => {
                let asked = core.busy.bind.take();
                result.map_err(|error| core.failed(error))?;
                core.wrote();
                core.binding = asked.or(core.binding);
            }
            ClientInput::OutboxRead { result, .. } => {
                core.busy.read = false;
                let outbox = result.map_err(|error| core.failed(error))?;
                if let Some(live) = live {
                    live.outbox_read(core, outbox);
                }
            }
            ClientInput::Applied { space, result } => {
                core.busy.apply = false;
                let applied = result.map_err(|error| core.failed(error))?;
                core.wrote();
                if bound == Some(space) {
                    core.counts = applied.counts;
                    core.reached(applied.cursor);
                    if let Some(live) = live {
                        live.applied(core, applied.cursor)?;
                    }
                }
            }
            ClientInput::RejectionStored { space, result } => {
                core.busy.reject = false;
                let counts = result.map_err(|error| core.failed(error))?;
                core.wrote();
                if bound == Some(space) {
                    core.counts = counts;
                }
                if let Some(live) = live {
                    live.rejection_stored();
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Does what has become possible.
    fn proceed(&mut self) {
        match &mut self.state {
            State::Greeting { codec, said_hello, .. } if !*said_hello && self.core.busy.is_idle() => {
                *said_hello = true;
                let message = codec.hello(&self.core.hello());
                self.core.actions.push_back(ClientAction::Send(message));
            }
            State::Live(live) => live.proceed(&mut self.core),
            _ => {}
        }
    }

    fn connect(&mut self, now: Millis) {
        self.core.actions.push_back(ClientAction::Connect);
        self.state = State::Connecting { until: now + GREETING_MS };
    }

    fn opened(&mut self, now: Millis) {
        if let State::Connecting { .. } = self.state {
            let codec = ClientCodec::new(self.core.config.actor, self.core.config.manifest_version);
            self.state = State::Greeting { until: now + GREETING_MS, codec, said_hello: false };
        }
    }

    fn closed(&mut self, code: Option<CloseCode>, reason: String, now: Millis) {
        if !self.is_connected() {
            return;
        }
        let code = code.and_then(CloseCode::refusal).unwrap_or(Code::ServerUnreachable);
        self.give_up(Error::new(code, reason), now);
    }

    fn received(&mut self, bytes: &[u8], now: Millis) -> Result<(), End> {
        let codec = match &mut self.state {
            State::Greeting { codec, .. } => codec,
            State::Live(live) => {
                live.keepalive.heard(now);
                &mut live.codec
            }
            _ => return Ok(()),
        };
        let frame = match codec.decode(bytes) {
            Ok(Some(frame)) => frame,
            Ok(None) => return Ok(()),
            Err(error) => return Err(End { close: error.close_code(), error: error.into() }),
        };
        match frame {
            ServerFrame::Refused(refused) => Err(End::new(CloseCode::NORMAL, refused.code, refused.message)),
            ServerFrame::Ping => {
                self.core.actions.push_back(ClientAction::Send(tombolo_protocol::PONG.to_vec()));
                Ok(())
            }
            ServerFrame::Pong => Ok(()),
            ServerFrame::Welcome(welcome) => self.welcome(&welcome, now),
            frame => match &mut self.state {
                State::Live(live) => live.frame(&mut self.core, frame, now),
                _ => Err(End::new(CloseCode::PROTOCOL, Code::InvalidData, "a frame before the welcome")),
            },
        }
    }

    fn welcome(&mut self, welcome: &Welcome, now: Millis) -> Result<(), End> {
        let State::Greeting { said_hello: true, .. } = self.state else {
            return Err(End::new(CloseCode::PROTOCOL, Code::InvalidData, "a welcome out of order"));
        };
        let conflict = |message: &str| End::new(CloseCode::CONFLICT, Code::Conflict, message);
        if !PROTOCOLS.contains(&welcome.protocol) {
            let message = format!("the server speaks version {} of the protocol", welcome.protocol);
            return Err(End::new(CloseCode::UNSUPPORTED, Code::ProtocolUnsupported, message));
        }
        let space = match self.core.binding {
            None => *welcome.spaces.first().ok_or_else(|| {
                End::new(CloseCode::DENIED, Code::PolicyDenied, "the server offers no space")
            })?,
            Some(binding) if binding.server != welcome.server => {
                return Err(conflict("this folder belongs to another server"));
            }
            Some(binding) => *welcome
                .spaces
                .iter()
                .find(|space| space.space == binding.space)
                .ok_or_else(|| conflict("the server does not offer this folder's space"))?,
        };
        let cursor = match self.core.binding {
            None => {
                let binding = Binding {
                    server: welcome.server,
                    space: space.space,
                    epoch: space.epoch,
                    cursor: tombolo_core::Seq(0),
                };
                self.core.busy.bind = Some(binding);
                self.core.actions.push_back(ClientAction::Bind(binding));
                binding.cursor
            }
            Some(binding) if binding.epoch != space.epoch || binding.cursor > space.head => {
                return Err(conflict("the server was restored and lacks what this folder has from it"));
            }
            Some(binding) => binding.cursor,
        };
        // Replaced below: the codec moves from the greeting into the session.
        let state = std::mem::replace(&mut self.state, State::NoServer);
        if let State::Greeting { codec, .. } = state {
            self.state = State::Live(Box::new(Live::new(codec, &space, cursor, now)));
        }
        Ok(())
    }

    fn timer(&mut self, now: Millis) -> Result<(), End> {
        match &mut self.state {
            State::Waiting { until, .. } if now >= *until => self.connect(now),
            State::Connecting { until } | State::Greeting { until, .. } if now >= *until => {
                return Err(End::new(
                    CloseCode::SILENT,
                    Code::ServerUnreachable,
                    "the server does not answer",
                ));
            }
            State::Live(live) => return live.timer(&mut self.core, now),
            _ => {}
        }
        Ok(())
    }

    fn is_connected(&self) -> bool {
        matches!(self.state, State::Connecting { .. } | State::Greeting { .. } | State::Live(_))
    }

    fn disconnect(&mut self, code: CloseCode, reason: &str) {
        if self.is_connected() {
            self.core.actions.push_back(ClientAction::Disconnect { code, reason: close_reason(reason) });
        }
    }

    fn end(&mut self, end: End, now: Millis) {
        if matches!(self.state, State::NoServer | State::Stopped { .. }) {
            return;
        }
        self.disconnect(end.close, &end.error.message);
        self.give_up(end.error, now);
    }

    /// The connection is gone: stops for good, or waits before the next attempt.
    fn give_up(&mut self, error: Error, now: Millis) {
        if let State::Live(live) = &self.state
            && live.got_something_done(now)
        {
            self.core.attempts = 0;
        }
        self.state = if is_final(error.code) {
            State::Stopped { error }
        } else {
            let until = now + self.core.backoff();
            State::Waiting { until, error }
        };
    }
}

impl Core {
    fn hello(&self) -> Hello {
        let space = HelloSpace {
            space: self.binding.map(|binding| binding.space),
            cursor: self.binding.map(|binding| Cursor { epoch: binding.epoch, seq: binding.cursor }),
        };
        Hello {
            protocols: PROTOCOLS.to_vec(),
            manifest_version: self.config.manifest_version,
            manifest_hash: self.config.manifest_hash.clone(),
            token: self.token.clone(),
            actor: self.config.actor,
            spaces: vec![space],
        }
    }

    /// Full jitter: anything up to a cap that doubles.
    fn backoff(&mut self) -> Millis {
        let cap = (BACKOFF_MIN_MS << self.attempts.min(5)).min(BACKOFF_MAX_MS);
        self.attempts = self.attempts.saturating_add(1);
        let delay = (self.random.u64() % (cap + 1)).max(BACKOFF_FLOOR_MS);
        Millis::try_from(delay).unwrap_or(Millis::MAX)
    }

    fn failed(&mut self, error: Error) -> End {
        self.trouble = Some(error.clone());
        End::storage(error)
    }

    fn wrote(&mut self) {
        self.trouble = None;
    }

    fn reached(&mut self, cursor: tombolo_core::Seq) {
        if let Some(binding) = &mut self.binding {
            binding.cursor = cursor;
        }
    }
}

#[cfg(test)]
mod tests;
