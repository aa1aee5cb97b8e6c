use crate::accounts::Accounts;
use crate::connection::{self, Events};
use crate::driver::Driver;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Json, Router};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::json;
use std::collections::HashMap;
use std::future::Future;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use tombolo_core::{Clock, Code, Error, Manifest, Random, Result, ServerId};
use tombolo_sqlite::{Folder, Sqlite};
use tombolo_store::backend::Read as _;
use tombolo_store::{Role, Store, Submitter};
use tombolo_sync::{Hub, HubConfig, HubSpace, SessionId};
use tower::ServiceExt as _;

/// Connections at once, unless told; more are closed at once, and their clients try again later.
const CONNECTIONS: usize = 4 * 1024;
/// How long a client may take to say what it wants.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// What the head of a request may have.
const HEAD_BYTES: usize = 16 * 1024;
/// Events of all connections that may wait for the hub; more wait in their connections.
const EVENTS: usize = 1024;
/// How long connections may take to end when the server stops.
const STOPPING: Duration = Duration::from_secs(3);
/// How long nothing is accepted after the system had no room for another connection.
const BREATHER: Duration = Duration::from_millis(50);

/// Called with the number of commits that became durable, on the writer's thread, before anybody is told of them.
pub(crate) type AfterCommit = Arc<dyn Fn(usize) + Send + Sync>;

/// What a server is made with.
pub struct Settings {
    /// The wall clock, for receipts.
    pub clock: Arc<dyn Clock>,
    /// Random bytes, for ids.
    pub random: Box<dyn Random>,
    /// Connections at once.
    pub connections: usize,
    /// For faults in tests: called with the number of commits that became durable, before anybody is told of them.
    pub after_commit: Option<Arc<dyn Fn(usize) + Send + Sync>>,
}

impl Settings {
    /// The usual settings.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, random: Box<dyn Random>) -> Self {
        Self { clock, random, connections: CONNECTIONS, after_commit: None }
    }
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings").field("connections", &self.connections).finish_non_exhaustive()
    }
}

/// A server that owns its data folder and its address.
#[derive(Debug)]
pub struct Server {
    store: Store<Sqlite>,
    folder: Folder,
    listener: TcpListener,
    address: SocketAddr,
    accounts: Accounts,
    hub: HubConfig,
    manifest: Arc<Manifest>,
    settings: Rest,
}

/// The settings that are not used up by opening.
#[derive(Debug)]
struct Rest {
    connections: usize,
    after_commit: Option<Fault>,
}

struct Fault(AfterCommit);

impl std::fmt::Debug for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fault")
    }
}

impl Server {
    /// Takes the data folder, made if it is missing, and the address. Port 0 takes any that is free.
    ///
    /// # Errors
    /// `FOLDER_IN_USE`, naming the process; `FOLDER_READ_ONLY`; `STORAGE_FAILED`, `STORAGE_FULL`; `MANIFEST_TOO_NEW`;
    /// `MANIFEST_INVALID` if the manifest narrows what is stored; `CONFLICT` for the folder of a device;
    /// `ADDRESS_IN_USE`; `INVALID_QUERY` for an address that is none of this machine's.
    pub async fn bind(
        folder: &Path,
        listen: &str,
        manifest: Arc<Manifest>,
        settings: Settings,
    ) -> Result<Self> {
        let Settings { clock, random, connections, after_commit } = settings;
        let path = folder.to_owned();
        let of_store = Arc::clone(&manifest);
        let opened = tokio::task::spawn_blocking(move || open(&path, of_store, clock, random));
        let opened = opened.await.map_err(|error| Error::new(Code::Internal, error.to_string()))??;
        let (folder, store, accounts, space) = opened;
        let listener = TcpListener::bind(listen).await.map_err(|error| unusable(listen, &error))?;
        let address = listener.local_addr().map_err(|error| unusable(listen, &error))?;
        // A server serves one space, and goes by its name.
        let server = ServerId::from_bytes(*space.space.as_bytes());
        let hub = HubConfig { server, manifest_version: manifest.version, spaces: vec![space] };
        let settings = Rest { connections, after_commit: after_commit.map(Fault) };
        Ok(Self { store, folder, listener, address, accounts, hub, manifest, settings })
    }

    /// Where it listens.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop` is done; then tells every session to come back later, and lets the folder go once
    /// everything that was pushed is judged and on disk.
    ///
    /// # Errors
    /// `STORAGE_FAILED`, `STORAGE_FULL`: something that was pushed is not; its authors were not told that it is.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Result<()> {
        let Self { store, folder, listener, accounts, hub, manifest, settings, .. } = self;
        let submitter = store.submitter();
        let (events, told) = mpsc::channel(EVENTS);
        let (answers, answered) = mpsc::unbounded_channel();
        let driver = Driver {
            hub: Hub::new(hub),
            manifest: (manifest.version, manifest.hash().to_owned()),
            submitter: submitter.clone(),
            accounts: Arc::new(Mutex::new(accounts)),
            events: told,
            answers,
            answered,
            after_commit: settings.after_commit.map(|fault| fault.0),
            sessions: HashMap::new(),
        };
        let (stop_driver, stopped) = oneshot::channel::<()>();
        let driver = tokio::spawn(driver.run(async move {
            // Also when the other end is gone.
            stopped.await.unwrap_or_default();
        }));
        let (stopping, stops) = watch::channel(false);
        let shared =
            Shared { events: Events(events), submitter: submitter.clone(), next: Arc::default(), stops };
        let slots = Arc::new(Semaphore::new(settings.connections));
        accept(listener, shared, &slots, stop).await;
        stopping.send_replace(true);
        drop(stop_driver);
        if let Err(error) = driver.await {
            tracing::error!(%error, "the hub did not end well");
        }
        // Every connection ends within `STOPPING`, and gives its slot back.
        let all = u32::try_from(settings.connections).unwrap_or(u32::MAX);
        drop(slots.acquire_many(all).await);
        let flushed = tokio::task::spawn_blocking(move || {
            let flushed = submitter.run(|_| Ok(()));
            drop(submitter);
            drop(store);
            drop(folder);
            flushed
        });
        flushed.await.unwrap_or_else(|error| Err(Error::new(Code::Internal, error.to_string())))
    }
}

type Opened = (Folder, Store<Sqlite>, Accounts, HubSpace);

fn open(
    path: &Path,
    manifest: Arc<Manifest>,
    clock: Arc<dyn Clock>,
    random: Box<dyn Random>,
) -> Result<Opened> {
    let folder = Folder::open(path)?;
    let accounts = Arc::clone(&clock);
    let engine = folder.engine(Some(Role::Server), manifest, clock, random)?;
    let accounts = Accounts::open(path, accounts)?;
    let space = engine.space()?;
    let (Some(id), Some(epoch)) = (space.id, space.epoch) else {
        return Err(Error::new(Code::Internal, "a server's space has no name"));
    };
    let space = HubSpace { space: id, epoch, head: space.cursor };
    Ok((folder, Store::start(engine)?, accounts, space))
}

fn unusable(listen: &str, error: &std::io::Error) -> Error {
    let (code, message) = match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            (Code::AddressInUse, format!("another process is listening on {listen}; choose another port"))
        }
        _ => (Code::InvalidQuery, format!("{listen} cannot be listened on, as in 127.0.0.1:8787: {error}")),
    };
    Error::new(code, message).with("address", listen)
}

/// What requests are answered with.
#[derive(Debug, Clone)]
struct Shared {
    events: Events,
    submitter: Submitter<Sqlite>,
    next: Arc<AtomicU64>,
    stops: watch::Receiver<bool>,
}

impl Shared {
    /// Done when the server has stopped and what was under way had its time.
    async fn stopped(mut self) {
        if self.stops.wait_for(|stops| *stops).await.is_ok() {
            tokio::time::sleep(STOPPING).await;
        }
    }
}

/// One of the connections that may be open at once.
#[derive(Debug, Clone)]
struct Slot(#[expect(dead_code, reason = "held until the connection ends")] Arc<OwnedSemaphorePermit>);

fn app(shared: Shared) -> Router {
    Router::new().route("/health", get(health)).route("/sync", get(sync)).with_state(shared)
}

async fn health(State(shared): State<Shared>) -> Response {
    let head = tokio::task::spawn_blocking(move || shared.submitter.read_log(|reader| reader.head()));
    match head.await {
        Ok(Ok(head)) => Json(json!({"status": "ok", "seq": head})).into_response(),
        Ok(Err(error)) => (StatusCode::SERVICE_UNAVAILABLE, Json(json!({"error": error}))).into_response(),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

async fn sync(
    State(shared): State<Shared>,
    Extension(slot): Extension<Slot>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let session = SessionId(shared.next.fetch_add(1, Ordering::Relaxed));
    connection::bounded(upgrade).on_upgrade(move |socket| async move {
        tokio::select! {
            () = connection::run(socket, session, shared.events.clone()) => {}
            () = shared.stopped() => {}
        }
        drop(slot);
    })
}

async fn accept(
    listener: TcpListener,
    shared: Shared,
    slots: &Arc<Semaphore>,
    stop: impl Future<Output = ()>,
) {
    tokio::pin!(stop);
    let app = app(shared.clone());
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => return,
        };
        match (accepted, Arc::clone(slots).try_acquire_owned()) {
            (Ok((stream, _)), Ok(slot)) => {
                let (app, stopped) = (app.clone(), shared.clone().stopped());
                tokio::spawn(async move {
                    tokio::select! {
                        () = answer(stream, app, Slot(Arc::new(slot))) => {}
                        () = stopped => {}
                    }
                });
            }
            (Ok((_, peer)), Err(_)) => tracing::warn!(%peer, "too many connections"),
            (Err(error), _) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(BREATHER).await;
            }
        }
    }
}

async fn answer(stream: TcpStream, app: Router, slot: Slot) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection ended before it began");
        return;
    }
    let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(slot.clone());
        app.clone().oneshot(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    if let Err(error) = connection.await {
        tracing::debug!(%error, "a connection ended early");
    }
}
