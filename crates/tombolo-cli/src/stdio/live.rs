//! Live reads.

use super::output::Output;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use tombolo_core::{Code, Error, Operation, Result};
use tombolo_store::{DataStore, Difference, Subscription};

/// Subscriptions at once.
const SUBSCRIPTIONS: usize = 1_000;

/// The subscriptions, and the thread that reads them again after commits.
pub(super) struct Live {
    output: Arc<Output>,
    subscriptions: Mutex<Subscriptions>,
    wanted: Mutex<Wanted>,
    changed: Condvar,
}

#[derive(Default)]
struct Subscriptions {
    last: u64,
    open: BTreeMap<u64, Box<dyn Subscription>>,
}

#[derive(Debug, Default)]
struct Wanted {
    look: bool,
    end: bool,
}

impl Live {
    pub(super) fn new(output: Arc<Output>) -> Self {
        Self { output, subscriptions: Mutex::default(), wanted: Mutex::default(), changed: Condvar::new() }
    }

    /// Subscribes, and hands the result to `answer` before any difference can follow it.
    ///
    /// # Errors
    /// Those of the read; `TOO_LARGE` for too many at once.
    pub(super) fn add(
        &self,
        store: &dyn DataStore,
        read: Operation,
        answer: impl FnOnce(Json),
    ) -> Result<()> {
        let mut subscription = store.subscribe(read)?;
        let first = subscription.next()?;
        let mut subscriptions = self.subscriptions.lock().unwrap_or_else(PoisonError::into_inner);
        if subscriptions.open.len() >= SUBSCRIPTIONS {
            return Err(Error::new(
                Code::TooLarge,
                format!("{SUBSCRIPTIONS} subscriptions at once are the most"),
            ));
        }
        subscriptions.last += 1;
        let name = subscriptions.last;
        subscriptions.open.insert(name, subscription);
        let (revision, rows) = first.map_or((1, Vec::new()), |first| (first.revision, first.added));
        answer(json!({"subscription": name, "revision": revision, "rows": rows, "coverage": "complete"}));
        drop(subscriptions);
        self.wake();
        Ok(())
    }

    /// Ends a subscription; says whether there was one.
    pub(super) fn remove(&self, name: u64) -> bool {
        self.subscriptions.lock().unwrap_or_else(PoisonError::into_inner).open.remove(&name).is_some()
    }

    /// Something may have changed. Never waits for a read.
    pub(super) fn wake(&self) {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner).look = true;
        self.changed.notify_one();
    }

    pub(super) fn end(&self) {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner).end = true;
        self.changed.notify_one();
    }

    /// Tells differences until the end.
    pub(super) fn run(&self) {
        loop {
            let wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
            let wanted = self.changed.wait_while(wanted, |wanted| !wanted.look && !wanted.end);
            let mut wanted = wanted.unwrap_or_else(PoisonError::into_inner);
            wanted.look = false;
            let end = wanted.end;
            drop(wanted);
            let mut subscriptions = self.subscriptions.lock().unwrap_or_else(PoisonError::into_inner);
            if end {
                subscriptions.open.clear();
                return;
            }
            subscriptions.open.retain(|name, subscription| self.tell(*name, subscription.as_mut()));
        }
    }

    /// Tells what has changed; false if the subscription has ended.
    fn tell(&self, name: u64, subscription: &mut dyn Subscription) -> bool {
        match subscription.next() {
            Ok(None) => true,
            Ok(Some(Difference { revision, added, changed, removed, moved })) => {
                let event = json!({
                    "event": "subscription", "subscription": name, "revision": revision, "added": added,
                    "changed": changed, "removed": removed, "moved": moved, "coverage": "complete",
                });
                self.output.event(event.to_string());
                true
            }
            Err(error) => {
                let event = json!({"event": "subscription", "subscription": name, "error": error});
                self.output.event(event.to_string());
                false
            }
        }
    }
}
