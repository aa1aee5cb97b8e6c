//! What the commands work on: the replica, the subscriptions of the pages, and the sign-in.

use crate::account::{Account, Keep};
use crate::live::{Live, Page};
use crate::source::Source;
use serde_json::{Value as Json, json};
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use tauri::async_runtime;
use tauri::ipc::{Channel, InvokeResponseBody};
use tokio::sync::{Mutex, broadcast, oneshot};
use tombolo_core::{Code, DocRef, Error, Manifest, Operation, Result, SystemClock, SystemRandom};
use tombolo_replica::{Replica, Settings, SyncState, SyncStatus};
use tombolo_store::{Answer, DataStore};

/// Where the commands find the edge, as long as the app has not ended.
#[derive(Clone)]
pub(crate) struct Opened(Arc<RwLock<Option<Arc<Edge>>>>);

impl Opened {
    pub(crate) fn new(edge: Edge) -> Self {
        Self(Arc::new(RwLock::new(Some(Arc::new(edge)))))
    }

    /// # Errors
    /// `INTERNAL` once the app has ended.
    pub(crate) fn edge(&self) -> Result<Arc<Edge>> {
        let open = self.0.read().unwrap_or_else(PoisonError::into_inner);
        open.clone().ok_or_else(|| Error::new(Code::Internal, "the app has ended"))
    }

    /// Ends the session and lets the folder go, once what was submitted is on disk.
    fn close(&self) {
        let edge = self.0.write().unwrap_or_else(PoisonError::into_inner).take();
        drop(edge);
    }
}

/// Closes the edge when Tauri clears its table of resources, which it does before an app exits. What it manages as
/// state it never drops.
pub(crate) struct UntilExit(pub(crate) Opened);

impl tauri::Resource for UntilExit {}

impl Drop for UntilExit {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// One open data folder, as its pages reach it. The fields are dropped in order: what reads ends before what is read.
pub(crate) struct Edge {
    live: Live,
    store: Arc<dyn DataStore>,
    account: Mutex<SignIn>,
    replica: Replica,
}

struct SignIn {
    account: Option<Account>,
    /// Where it is kept; without, it ends with the app.
    keep: Option<Keep>,
}

impl Edge {
    /// Opens the data folder, made if need be, and syncs it if a sign-in was kept.
    ///
    /// # Errors
    /// Those of [`Replica::open`].
    pub(crate) async fn open(
        data_dir: &Path,
        manifest: Arc<Manifest>,
        secrets_dir: Option<&Path>,
    ) -> Result<Self> {
        let settings =
            Settings { clock: Arc::new(SystemClock), random: Box::new(SystemRandom), server: None };
        let replica = Replica::open(data_dir, manifest, settings).await?;
        let live = Live::start()?;
        let store = replica.store();
        wake_on_change(&live, store.as_ref(), &replica);
        let keep = secrets_dir.map(|dir| Keep::new(dir, replica.actor()));
        let account = keep.as_ref().and_then(|keep| {
            // The data is here all the same; whoever wants to sync signs in again.
            let unreadable = |error: &Error| tracing::warn!(%error, "nobody is signed in");
            keep.read().inspect_err(unreadable).unwrap_or_default()
        });
        if let Some(account) = &account {
            replica.set_server(Some(account.server()?)).await;
        }
        Ok(Self { live, store, account: Mutex::new(SignIn { account, keep }), replica })
    }

    /// Runs an operation: a write on the store's thread, a read on one that may block.
    ///
    /// # Errors
    /// Those of the operation.
    pub(crate) async fn run(&self, operation: Operation) -> Result<Answer> {
        let store = Arc::clone(&self.store);
        if !operation.writes() {
            return blocking(move || store.execute(operation)).await;
        }
        let (done, answer) = oneshot::channel();
        // A page that has gone does not want its answer.
        store.submit(operation, Box::new(move |result| done.send(result).unwrap_or_default()));
        answer.await.unwrap_or_else(|_| Err(Error::new(Code::Internal, "the store has stopped")))
    }

    pub(crate) fn live(&self) -> &Live {
        &self.live
    }

    /// Makes a read of rows live for a page.
    ///
    /// # Errors
    /// Those of the read; `TOO_LARGE` for a page that has too many subscriptions.
    pub(crate) async fn subscribe(
        &self,
        page: Page,
        read: Operation,
        channel: Channel<InvokeResponseBody>,
    ) -> Result<u64> {
        let store = Arc::clone(&self.store);
        let subscription = blocking(move || store.subscribe(read)).await?;
        self.live.add(page, channel, Source::Rows(subscription))
    }

    /// Follows a document for a page.
    ///
    /// # Errors
    /// Those of [`DataStore::follow`]; `TOO_LARGE`.
    pub(crate) fn follow(
        &self,
        page: Page,
        doc: &DocRef,
        channel: Channel<InvokeResponseBody>,
    ) -> Result<u64> {
        self.live.add(page, channel, Source::Document(self.store.follow(doc)?))
    }

    /// Tells a page how far the sync has come.
    ///
    /// # Errors
    /// `TOO_LARGE`.
    pub(crate) fn tell_status(&self, page: Page, channel: Channel<InvokeResponseBody>) -> Result<u64> {
        let mut status = self.replica.status();
        status.mark_changed();
        self.live.add(page, channel, Source::Status(status))
    }

    /// Tells a page what becomes of commits from here on.
    ///
    /// # Errors
    /// `TOO_LARGE`.
    pub(crate) fn tell_commits(&self, page: Page, channel: Channel<InvokeResponseBody>) -> Result<u64> {
        self.live.add(page, channel, Source::Commits(self.replica.news()))
    }

    /// Syncs with a server from here on, and keeps the sign-in.
    ///
    /// # Errors
    /// Those of [`Account::new`] and [`Keep::write`]: then nothing has changed.
    pub(crate) async fn connect(&self, url: &str, token: &str) -> Result<()> {
        let account = Account::new(url, token)?;
        let server = account.server()?;
        let mut signed_in = self.account.lock().await;
        if let Some(keep) = signed_in.keep.clone() {
            let account = account.clone();
            blocking(move || keep.write(&account)).await?;
        }
        signed_in.account = Some(account);
        self.replica.set_server(Some(server)).await;
        Ok(())
    }

    /// Ends the session and forgets the sign-in.
    ///
    /// # Errors
    /// Those of [`Keep::forget`]: the session has ended, but the app would sign in again when it starts.
    pub(crate) async fn disconnect(&self) -> Result<()> {
        let mut signed_in = self.account.lock().await;
        signed_in.account = None;
        self.replica.set_server(None).await;
        match signed_in.keep.clone() {
            Some(keep) => blocking(move || keep.forget()).await,
            None => Ok(()),
        }
    }

    /// The server's address and what it thinks of the sign-in, without the token.
    pub(crate) async fn server(&self) -> Json {
        let signed_in = self.account.lock().await;
        let url = signed_in.account.as_ref().map(|account| account.url.as_str());
        let account = match url {
            None => "none",
            Some(_) => standing(&self.replica.status().borrow()),
        };
        json!({"url": url, "account": account, "remembered": url.is_some() && signed_in.keep.is_some()})
    }

    /// Tries now what would be tried again later.
    pub(crate) async fn retry_now(&self) {
        self.replica.network_changed().await;
    }
}

/// What the server thinks of the sign-in, as far as the session knows.
fn standing(status: &SyncStatus) -> &'static str {
    match (status.state, status.code) {
        (SyncState::Refused, Some(Code::Unauthenticated | Code::PolicyDenied)) => "refused",
        (SyncState::Sending | SyncState::Saved, _) | (SyncState::Refused, None) => "accepted",
        _ => "unknown",
    }
}

/// Has the subscriptions read again after commits, and when there is a status or news to tell.
fn wake_on_change(live: &Live, store: &dyn DataStore, replica: &Replica) {
    let wake = live.wake();
    store.watch(Box::new(move |_| wake.wake()));
    let (wake, mut status) = (live.wake(), replica.status());
    async_runtime::spawn(async move {
        while status.changed().await.is_ok() {
            wake.wake();
        }
    });
    let (wake, mut news) = (live.wake(), replica.news());
    async_runtime::spawn(async move {
        while !matches!(news.recv().await, Err(broadcast::error::RecvError::Closed)) {
            wake.wake();
        }
    });
}

/// Runs what blocks on a thread that may.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let done = async_runtime::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(Error::new(Code::Internal, error.to_string())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_stands_as_the_session_says() {
        let status =
            |state, code| SyncStatus { state, waiting: 0, drafts: 0, retry_in_ms: None, code, message: None };
        for (state, code, expected) in [
            (SyncState::Connecting, None, "unknown"),
            (SyncState::Offline, Some(Code::ServerUnreachable), "unknown"),
            (SyncState::Sending, None, "accepted"),
            (SyncState::Saved, None, "accepted"),
            (SyncState::Refused, None, "accepted"),
            (SyncState::Refused, Some(Code::Unauthenticated), "refused"),
            (SyncState::Refused, Some(Code::PolicyDenied), "refused"),
            (SyncState::Refused, Some(Code::Conflict), "unknown"),
        ] {
            assert_eq!(standing(&status(state, code)), expected, "{state:?} {code:?}");
        }
    }
}
