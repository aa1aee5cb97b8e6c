mod api;
pub use api::*;

use std::collections::VecDeque;
use tombolo_core::Millis;

/// A server's sessions and the shared tail of its log.
#[derive(Debug)]
pub struct Hub {
    _config: HubConfig,
    actions: VecDeque<HubAction>,
}

impl Hub {
    /// A hub without sessions.
    #[must_use]
    pub fn new(config: HubConfig) -> Self {
        Self { _config: config, actions: VecDeque::new() }
    }

    /// Tells the machine what happened. `now` is a monotonic clock in milliseconds.
    pub fn handle(&mut self, _input: HubInput, _now: Millis) {}

    /// What to do next. Call until there is none after each [`handle`](Self::handle).
    pub fn poll(&mut self) -> Option<HubAction> {
        self.actions.pop_front()
    }

    /// When to hand in [`HubInput::Timer`], on the clock of `handle`.
    #[must_use]
    pub fn deadline(&self) -> Option<Millis> {
        None
    }

    /// Whether the session's socket should be read. While it is false, the network holds what the client sends.
    #[must_use]
    pub fn wants_input(&self, _session: SessionId) -> bool {
        true
    }
}
