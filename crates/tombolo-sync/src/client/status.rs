//! What people are told.

use super::{Client, ClientAction, Core, Counts, State, SyncState, SyncStatus};
use tombolo_core::{Code, Error, Millis};

/// A status as it was last reported, with the time of the next attempt in place of what is left until then.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Told {
    state: SyncState,
    counts: Counts,
    retry_at: Option<Millis>,
    error: Option<(Code, String)>,
}

impl Told {
    fn new(state: SyncState, counts: Counts) -> Self {
        Self { state, counts, retry_at: None, error: None }
    }

    fn because(mut self, error: &Error) -> Self {
        self.error = Some((error.code, error.message.clone()));
        self
    }

    fn retry_at(mut self, at: Millis) -> Self {
        self.retry_at = Some(at);
        self
    }

    fn status(&self, now: Millis) -> SyncStatus {
        let (code, message) = self.error.clone().unzip();
        SyncStatus {
            state: self.state,
            waiting: self.counts.waiting,
            drafts: self.counts.drafts,
            retry_in_ms: self.retry_at.map(|at| u64::try_from(at - now).unwrap_or(0)),
            code,
            message,
        }
    }
}

impl Client {
    pub(super) fn report(&mut self, now: Millis) {
        let told = self.told();
        if told.state == SyncState::Saved {
            self.core.trouble = None;
        }
        if self.core.reported.as_ref() != Some(&told) {
            self.core.actions.push_back(ClientAction::Report(told.status(now)));
            self.core.reported = Some(told);
        }
    }

    fn told(&self) -> Told {
        let told = self.told_of_connection();
        match &self.core.trouble {
            Some(error) if is_disk(error.code) && told.state != SyncState::Saved => {
                Told { state: SyncState::NotSaved, ..told }.because(error)
            }
            _ => told,
        }
    }

    fn told_of_connection(&self) -> Told {
        let Core { counts, busy, .. } = &self.core;
        let new = |state| Told::new(state, *counts);
        match &self.state {
            State::NoServer => new(SyncState::Local),
            State::Waiting { until, error } => new(SyncState::Offline).because(error).retry_at(*until),
            State::Connecting { .. } | State::Greeting { .. } => new(SyncState::Connecting),
            State::Stopped { error } => new(SyncState::Refused).because(error),
            State::Live(live) => {
                let settled = live.is_caught_up() && busy.bind.is_none() && !busy.apply && !busy.reject;
                match live.pause() {
                    Some((until, code)) => new(SyncState::Sending)
                        .because(&Error::new(code, "the server asks to wait"))
                        .retry_at(until),
                    None if counts.waiting > 0 || !settled => new(SyncState::Sending),
                    None if counts.drafts > 0 => new(SyncState::Refused),
                    None => new(SyncState::Saved),
                }
            }
        }
    }
}

fn is_disk(code: Code) -> bool {
    matches!(code, Code::StorageFull | Code::StorageFailed | Code::FolderReadOnly)
}
