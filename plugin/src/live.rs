//! The subscriptions of all pages, and the thread that reads for them.
//!
//! A page has at most one message under way for each of its subscriptions: the next is read once it has acknowledged
//! the one before. Until then a subscription costs nothing, however much happens, and a page that is slow, hidden or
//! stopped in a debugger gets one merged message when it comes back. (The other way, to wake the page and let it fetch,
//! is as bounded and takes one round trip more for each keystroke of somebody else.)
//!
//! The first change after a pause is told at once. While changes keep coming, a read whose whole result is read again
//! rests for several times as long as that took, so that typing beside a long list does not keep a core busy.

use crate::source::{Source, json_body};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tauri::ipc::{Channel, InvokeResponseBody};
use tombolo_core::{Code, Error, Result};

/// Subscriptions that a page may have at once.
const OF_A_PAGE: usize = 1_000;
/// How many times as long as it took a read rests, …
const REST: u32 = 8;
/// … but no longer than this.
const REST_MAX: Duration = Duration::from_millis(500);

/// The subscriptions. Dropping it ends them.
pub(crate) struct Live {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    open: Mutex<Open>,
    wake: Arc<Wake>,
}

#[derive(Default)]
struct Open {
    last: u64,
    subscriptions: BTreeMap<u64, Arc<Subscription>>,
}

/// One subscription of one page.
struct Subscription {
    page: Page,
    channel: Channel<InvokeResponseBody>,
    reading: Mutex<Reading>,
    /// A message is under way.
    busy: AtomicBool,
    /// Each reading costs what there is and not what has changed.
    is_whole: bool,
}

struct Reading {
    source: Source,
    /// It is not read before this.
    rests_until: Option<Instant>,
}

/// Where a page is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) webview: String,
    pub(crate) window: String,
}

/// Tells the thread that something may have changed. It knows no subscription, so that a store can hold it.
#[derive(Debug, Default)]
pub(crate) struct Wake {
    wanted: Mutex<Wanted>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Wanted {
    look: bool,
    end: bool,
}

impl Wake {
    /// Never waits for a read.
    pub(crate) fn wake(&self) {
        self.lock().look = true;
        self.changed.notify_one();
    }

    fn end(&self) {
        self.lock().end = true;
        self.changed.notify_one();
    }

    /// Waits until there may be something to tell, or a rest ends; false at the end.
    fn wait(&self, rest: Option<Duration>) -> bool {
        let nothing = |wanted: &mut Wanted| !wanted.look && !wanted.end;
        let mut wanted = match rest {
            None => self.changed.wait_while(self.lock(), nothing).unwrap_or_else(PoisonError::into_inner),
            Some(rest) => {
                let waited = self.changed.wait_timeout_while(self.lock(), rest, nothing);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
        };
        wanted.look = false;
        !wanted.end
    }

    fn lock(&self) -> MutexGuard<'_, Wanted> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Live {
    /// # Errors
    /// `INTERNAL` if the system gives no thread.
    pub(crate) fn start() -> Result<Self> {
        let shared = Arc::new(Shared { open: Mutex::default(), wake: Arc::default() });
        let reading = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("tombolo-live".to_owned()).spawn(move || reading.run());
        let thread = thread
            .map_err(|error| Error::new(Code::Internal, format!("no thread can be started: {error}")))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// What tells the thread that something may have changed.
    pub(crate) fn wake(&self) -> Arc<Wake> {
        Arc::clone(&self.shared.wake)
    }

    /// Opens a subscription and gives its name. Its first message follows by itself.
    ///
    /// # Errors
    /// `TOO_LARGE` if the page has too many.
    pub(crate) fn add(
        &self,
        page: Page,
        channel: Channel<InvokeResponseBody>,
        source: Source,
    ) -> Result<u64> {
        let mut open = self.shared.lock();
        if open.subscriptions.values().filter(|other| other.page == page).count() >= OF_A_PAGE {
            let message = format!("a page has {OF_A_PAGE} subscriptions at most");
            return Err(Error::new(Code::TooLarge, message));
        }
        open.last += 1;
        let name = open.last;
        let is_whole = source.is_read_whole();
        let reading = Mutex::new(Reading { source, rests_until: None });
        let subscription = Subscription { page, channel, reading, busy: AtomicBool::new(false), is_whole };
        open.subscriptions.insert(name, Arc::new(subscription));
        drop(open);
        self.shared.wake.wake();
        Ok(name)
    }

    /// The page has taken the last message. What is not the page's own is left alone.
    pub(crate) fn acknowledge(&self, page: &Page, name: u64) {
        let open = self.shared.lock();
        if let Some(subscription) = open.subscriptions.get(&name).filter(|found| found.page == *page) {
            subscription.busy.store(false, Ordering::Release);
            drop(open);
            self.shared.wake.wake();
        }
    }

    /// Ends a subscription of the page; says whether there was one.
    pub(crate) fn remove(&self, page: &Page, name: u64) -> bool {
        self.take(|other, subscription| *other == name && subscription.page == *page) > 0
    }

    /// Ends those of pages that are gone.
    pub(crate) fn end(&self, gone: impl Fn(&Page) -> bool) {
        self.take(|_, subscription| gone(&subscription.page));
    }

    /// Takes subscriptions out and lets them go, which tells their pages, with no lock held; gives how many.
    fn take(&self, wanted: impl Fn(&u64, &Subscription) -> bool) -> usize {
        let mut open = self.shared.lock();
        let taken: Vec<_> =
            open.subscriptions.extract_if(.., |name, subscription| wanted(name, subscription)).collect();
        drop(open);
        taken.len()
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.shared.wake.end();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that reads for pages panicked");
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        let mut rest = None;
        while self.wake.wait(rest) {
            rest = None;
            let idle = |subscription: &Subscription| !subscription.busy.load(Ordering::Acquire);
            let open = self.lock().subscriptions.clone();
            let open = open.into_iter().filter(|(_, subscription)| idle(subscription));
            let (whole, quick): (Vec<_>, Vec<_>) = open.partition(|(_, subscription)| subscription.is_whole);
            // Nobody who subscribes or acknowledges waits for these reads, and what somebody types not for long lists.
            for (name, subscription) in quick.into_iter().chain(whole) {
                let left = subscription.rest();
                if !left.is_zero() {
                    rest = Some(rest.map_or(left, |rest: Duration| rest.min(left)));
                } else if !subscription.tell() {
                    self.lock().subscriptions.remove(&name);
                }
            }
        }
        self.lock().subscriptions.clear();
    }
}

impl Subscription {
    /// How long it rests still.
    fn rest(&self) -> Duration {
        let until = self.lock().rests_until;
        until.map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now()))
    }

    fn lock(&self) -> MutexGuard<'_, Reading> {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells what has changed; false if the subscription has ended.
    fn tell(&self) -> bool {
        let next = self.lock().next();
        let (message, goes_on) = match next {
            Ok(None) => return true,
            Ok(Some(message)) => (message, true),
            Err(error) => (json_body(&json!({"error": error})), false),
        };
        self.busy.store(true, Ordering::Release);
        match self.channel.send(message) {
            Ok(()) => goes_on,
            Err(error) => {
                tracing::debug!(%error, "a page is gone");
                false
            }
        }
    }
}

impl Reading {
    fn next(&mut self) -> Result<Option<InvokeResponseBody>> {
        let began = Instant::now();
        let next = self.source.next();
        if self.source.is_read_whole() {
            let now = Instant::now();
            self.rests_until = now.checked_add(rest_after(now - began));
        }
        next
    }
}

/// How long a read rests that took so long.
fn rest_after(took: Duration) -> Duration {
    took.saturating_mul(REST).min(REST_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver, channel};
    use std::time::Duration;
    use tokio::sync::watch;
    use tombolo_replica::{SyncState, SyncStatus};

    const PATIENCE: Duration = Duration::from_secs(30);

    fn page(webview: &str) -> Page {
        Page { webview: webview.to_owned(), window: "main".to_owned() }
    }

    fn waiting(waiting: u64) -> SyncStatus {
        let state = SyncState::Offline;
        SyncStatus { state, waiting, drafts: 0, retry_in_ms: None, code: None, message: None }
    }

    /// A subscription to a status; gives its name and what comes.
    fn subscribe(
        live: &Live,
        page: Page,
        status: &watch::Sender<SyncStatus>,
    ) -> Result<(u64, Receiver<u64>)> {
        let (sender, received) = channel();
        let channel = Channel::new(move |message| {
            let message: serde_json::Value = message.deserialize()?;
            // Whoever listened may have heard enough.
            sender.send(message["waiting"].as_u64().unwrap_or(u64::MAX)).unwrap_or_default();
            Ok(())
        });
        let mut source = status.subscribe();
        source.mark_changed();
        Ok((live.add(page, channel, Source::Status(source))?, received))
    }

    #[test]
    fn one_message_is_under_way_and_what_happens_meanwhile_is_merged() {
        let live = Live::start().unwrap();
        let (status, _) = watch::channel(waiting(0));
        let (name, slow) = subscribe(&live, page("one"), &status).unwrap();
        assert_eq!(slow.recv_timeout(PATIENCE), Ok(0));
        for n in 1..=5 {
            status.send(waiting(n)).unwrap();
            live.wake().wake();
        }
        let (_, other) = subscribe(&live, page("two"), &status).unwrap();
        assert_eq!(other.recv_timeout(PATIENCE), Ok(5));
        assert!(slow.try_recv().is_err());
        live.acknowledge(&page("two"), name);
        live.acknowledge(&page("one"), name);
        assert_eq!(slow.recv_timeout(PATIENCE), Ok(5));
    }

    #[test]
    fn the_subscriptions_of_a_page_that_is_gone_end() {
        let live = Live::start().unwrap();
        let (status, _) = watch::channel(waiting(0));
        let (first, of_first) = subscribe(&live, page("one"), &status).unwrap();
        let (second, of_second) = subscribe(&live, page("two"), &status).unwrap();
        assert_eq!((of_first.recv_timeout(PATIENCE), of_second.recv_timeout(PATIENCE)), (Ok(0), Ok(0)));
        live.end(|page| page.webview == "one");
        assert!(of_first.recv_timeout(PATIENCE).is_err(), "its channel is let go");
        assert!(!live.remove(&page("one"), first));
        assert!(!live.remove(&page("one"), second), "it is another page's");
        assert!(live.remove(&page("two"), second));
    }

    #[test]
    fn a_read_rests_longer_than_it_took_and_not_for_ever() {
        assert_eq!(rest_after(Duration::ZERO), Duration::ZERO);
        assert_eq!(rest_after(Duration::from_millis(10)), Duration::from_millis(80));
        assert_eq!(rest_after(Duration::from_secs(60)), REST_MAX);
    }

    #[test]
    fn a_page_has_a_bounded_number_of_subscriptions() {
        let live = Live::start().unwrap();
        let (status, _) = watch::channel(waiting(0));
        for _ in 0..OF_A_PAGE {
            subscribe(&live, page("one"), &status).unwrap();
        }
        assert_eq!(subscribe(&live, page("one"), &status).unwrap_err().code, Code::TooLarge);
        subscribe(&live, page("two"), &status).unwrap();
    }

    #[test]
    fn a_channel_that_fails_ends_its_subscription() {
        let live = Live::start().unwrap();
        let (status, _) = watch::channel(waiting(0));
        let (tried, trying) = channel();
        let broken = Channel::new(move |_| {
            tried.send(()).unwrap_or_default();
            Err(tauri::Error::WebviewNotFound)
        });
        let mut source = status.subscribe();
        source.mark_changed();
        live.add(page("one"), broken, Source::Status(source)).unwrap();
        assert!(trying.recv_timeout(PATIENCE).is_ok());
        assert!(
            trying
                .recv_timeout(PATIENCE)
                .is_err_and(|error| error == std::sync::mpsc::RecvTimeoutError::Disconnected)
        );
    }
}
