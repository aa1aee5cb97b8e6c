//! The subscriptions of all pages, and the thread that reads for them.
//!
//! A page has at most one message under way for each of its subscriptions: the next is read once it has acknowledged
//! the one before. Until then a subscription costs nothing, however much happens, and a page that is slow, hidden or
//! stopped in a debugger gets one merged message when it comes back. (The other way, to wake the page and let it fetch,
//! is as bounded and takes one round trip more for each keystroke of somebody else.)

use crate::source::{Source, json_body};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use tauri::ipc::{Channel, InvokeResponseBody};
use tombolo_core::{Code, Error, Result};

/// Subscriptions that a page may have at once.
const OF_A_PAGE: usize = 1_000;

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
    source: Mutex<Source>,
    /// A message is under way.
    busy: AtomicBool,
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

    /// Waits until there may be something to tell; false at the end.
    fn wait(&self) -> bool {
        let wanted = self.changed.wait_while(self.lock(), |wanted| !wanted.look && !wanted.end);
        let mut wanted = wanted.unwrap_or_else(PoisonError::into_inner);
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
        let subscription = Subscription { page, channel, source: Mutex::new(source), busy: false.into() };
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
        let mut open = self.shared.lock();
        match open.subscriptions.get(&name).is_some_and(|found| found.page == *page) {
            true => open.subscriptions.remove(&name).is_some(),
            false => false,
        }
    }

    /// Ends those of pages that are gone.
    pub(crate) fn end(&self, gone: impl Fn(&Page) -> bool) {
        self.shared.lock().subscriptions.retain(|_, subscription| !gone(&subscription.page));
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
        while self.wake.wait() {
            let idle = |subscription: &Subscription| !subscription.busy.load(Ordering::Acquire);
            let open = self.lock().subscriptions.clone();
            // Nobody who subscribes or acknowledges waits for these reads.
            for (name, subscription) in open.into_iter().filter(|(_, subscription)| idle(subscription)) {
                if !subscription.tell() {
                    self.lock().subscriptions.remove(&name);
                }
            }
        }
        self.lock().subscriptions.clear();
    }
}

impl Subscription {
    /// Tells what has changed; false if the subscription has ended.
    fn tell(&self) -> bool {
        let next = self.source.lock().unwrap_or_else(PoisonError::into_inner).next();
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
