//! Live reads.

use super::output::Output;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use tombolo_core::{Code, DocRef, Error, Operation, Result};
use tombolo_store::{DataStore, Difference, Feed, Piece, Subscription};

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
    open: BTreeMap<u64, Source>,
}

/// What a subscription reads.
enum Source {
    Rows(Box<dyn Subscription>),
    Document(Box<dyn Feed>),
}

impl Source {
    fn open(store: &dyn DataStore, read: Operation) -> Result<Self> {
        match read {
            Operation::CrdtSnapshot { entity, id, field } => {
                store.follow(&DocRef { entity, row: id, field }).map(Source::Document)
            }
            read => store.subscribe(read).map(Source::Rows),
        }
    }

    /// What there is to tell; none if nothing has changed.
    fn next(&mut self) -> Result<Option<Map<String, Json>>> {
        match self {
            Source::Rows(subscription) => Ok(subscription.next()?.map(Difference::into_message)),
            Source::Document(feed) => Ok(feed.next()?.map(|piece| match piece {
                Piece::Snapshot { peer, bytes } => Map::from_iter([
                    // As text: not every reader of JSON has whole numbers of 64 bits.
                    ("peer".to_owned(), Json::String(peer.0.to_string())),
                    ("snapshot".to_owned(), Json::String(BASE64.encode(bytes))),
                ]),
                Piece::Update { bytes } => {
                    Map::from_iter([("update".to_owned(), Json::String(BASE64.encode(bytes)))])
                }
            })),
        }
    }
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
        let mut source = Source::open(store, read)?;
        let first = source.next()?.unwrap_or_default();
        let mut subscriptions = self.subscriptions.lock().unwrap_or_else(PoisonError::into_inner);
        if subscriptions.open.len() >= SUBSCRIPTIONS {
            return Err(Error::new(
                Code::TooLarge,
                format!("{SUBSCRIPTIONS} subscriptions at once are the most"),
            ));
        }
        subscriptions.last += 1;
        let name = subscriptions.last;
        subscriptions.open.insert(name, source);
        answer(Json::Object(Map::from_iter(
            [("subscription".to_owned(), json!(name))].into_iter().chain(first),
        )));
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
            subscriptions.open.retain(|name, source| self.tell(*name, source));
        }
    }

    /// Tells what has changed; false if the subscription has ended.
    fn tell(&self, name: u64, source: &mut Source) -> bool {
        let (message, goes_on) = match source.next() {
            Ok(None) => return true,
            Ok(Some(message)) => (message, true),
            Err(error) => (Map::from_iter([("error".to_owned(), json!(error))]), false),
        };
        let head = [("event".to_owned(), json!("subscription")), ("subscription".to_owned(), json!(name))];
        self.output.event(Json::Object(Map::from_iter(head.into_iter().chain(message))).to_string());
        goes_on
    }
}
