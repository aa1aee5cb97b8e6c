mod api;
pub use api::*;

use std::collections::VecDeque;
use tombolo_core::{Millis, SeededRandom};

/// A client's session with its server, whatever happens to the connection.
#[derive(Debug)]
pub struct Client {
    _config: ClientConfig,
    _random: SeededRandom,
    actions: VecDeque<ClientAction>,
}

impl Client {
    /// A machine without a server. The seed decides the jitter of its retries.
    #[must_use]
    pub fn new(config: ClientConfig, seed: u64) -> Self {
        Self { _config: config, _random: SeededRandom::new(seed), actions: VecDeque::new() }
    }

    /// Tells the machine what happened. `now` is a monotonic clock in milliseconds.
    pub fn handle(&mut self, _input: ClientInput, _now: Millis) {}

    /// What to do next. Call until there is none after each [`handle`](Self::handle).
    pub fn poll(&mut self) -> Option<ClientAction> {
        self.actions.pop_front()
    }

    /// When to hand in [`ClientInput::Timer`], on the clock of `handle`.
    #[must_use]
    pub fn deadline(&self) -> Option<Millis> {
        None
    }

    /// Whether the socket should be read. While it is false, the network holds what the server sends.
    #[must_use]
    pub fn wants_input(&self) -> bool {
        true
    }
}
