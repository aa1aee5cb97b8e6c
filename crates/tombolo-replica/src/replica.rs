use crate::ServerUrl;
use crate::driver::{ANSWERS, Command, Driver};
use crate::local::{LocalStore, Notes};
use serde_json::{Value as Json, json};
use std::path::Path;
use std::sync::Arc;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinHandle;
use tombolo_core::{ActorId, Clock, Code, CommitId, Error, Manifest, Random, Result, Seq};
use tombolo_sqlite::{Folder, Sqlite};
use tombolo_store::{DataStore, Role, Store, Submitter};
use tombolo_sync::{Client, ClientConfig, SyncState, SyncStatus};

/// Commands that may wait for the driver; more wait with their caller.
const COMMANDS: usize = 16;
/// News that a slow listener may leave unread; then it misses the oldest.
const NEWS: usize = 8 * 1024;

/// The proof of who signs in. Its text appears in no log.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl<T: Into<String>> From<T> for Token {
    fn from(text: T) -> Self {
        Self(text.into())
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token")
    }
}

/// A server to sync with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Where it is.
    pub url: ServerUrl,
    /// Who signs in.
    pub token: Token,
}

/// What a replica is made with.
pub struct Settings {
    /// The wall clock, for the times of commits.
    pub clock: Arc<dyn Clock>,
    /// Random bytes, for ids and for the jitter of retries.
    pub random: Box<dyn Random>,
    /// The server to sync with; none keeps everything on this device.
    pub server: Option<Server>,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings").field("server", &self.server).finish_non_exhaustive()
    }
}

/// What became of a commit of this replica.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// The commit.
    pub commit: CommitId,
    /// Its place in this replica's log.
    pub seq: Seq,
    /// What became of it.
    pub fate: Fate,
}

impl News {
    /// What every edge tells of it: `{commit, seq, status}` with `server_seq` for `server`, `code` and `message` for
    /// `refused`, and `replaces` for a commit that was written again and is `local`.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let Self { commit, seq, fate } = self;
        match fate {
            Fate::Accepted { server_seq } => {
                json!({"commit": commit, "seq": seq, "status": "server", "server_seq": server_seq})
            }
            Fate::Refused { code, message } => {
                json!({"commit": commit, "seq": seq, "status": "refused", "code": code, "message": message})
            }
            Fate::Rewritten { replaces } => {
                json!({"commit": commit, "seq": seq, "status": "local", "replaces": replaces})
            }
        }
    }
}

/// What became of a commit once it was durable here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It is durable on the server, too.
    Accepted {
        /// Its place in the server's log.
        server_seq: Seq,
    },
    /// The server refused it, or one that it builds on: it is a draft now.
    Refused {
        /// The reason, as a code.
        code: Code,
        /// The reason, as a sentence.
        message: String,
    },
    /// It was written again from another, after one before it had been refused.
    Rewritten {
        /// The commit that it stands for.
        replaces: CommitId,
    },
}

/// A data folder that is open and syncs.
///
/// Needs a runtime of tokio with its timer and its network. Dropping it ends the sync at once and loses nothing.
#[derive(Debug)]
pub struct Replica {
    store: Arc<LocalStore>,
    submitter: Submitter<Sqlite>,
    actor: ActorId,
    commands: mpsc::Sender<Command>,
    status: watch::Receiver<SyncStatus>,
    news: broadcast::Sender<News>,
    driver: JoinHandle<()>,
}

impl Replica {
    /// Opens the data folder, makes it if it is missing, and begins to sync it.
    ///
    /// # Errors
    /// `FOLDER_IN_USE`, naming the process; `FOLDER_READ_ONLY`; `STORAGE_FAILED`, `STORAGE_FULL`; `MANIFEST_TOO_NEW`;
    /// `MANIFEST_INVALID` if the manifest narrows what is stored; `CONFLICT` for the folder of a server.
    pub async fn open(path: &Path, manifest: Arc<Manifest>, settings: Settings) -> Result<Self> {
        let Settings { clock, mut random, server } = settings;
        let seed = random.u64();
        let path = path.to_owned();
        let of_store = Arc::clone(&manifest);
        let opened = tokio::task::spawn_blocking(move || open_store(&path, of_store, clock, random));
        let (store, submitter, notes, actor) =
            opened.await.map_err(|error| Error::new(Code::Internal, error.to_string()))??;
        let config = ClientConfig {
            actor,
            manifest_version: manifest.version,
            manifest_hash: manifest.hash().to_owned(),
        };
        let (commands, commanded) = mpsc::channel(COMMANDS);
        let (answers, answered) = mpsc::channel(ANSWERS);
        let state = if server.is_some() { SyncState::Connecting } else { SyncState::Local };
        let unknown =
            SyncStatus { state, waiting: 0, drafts: 0, retry_in_ms: None, code: None, message: None };
        let (report, status) = watch::channel(unknown);
        let news = broadcast::Sender::new(NEWS);
        let driver = Driver {
            machine: Client::new(config, seed),
            actor,
            submitter: submitter.clone(),
            notes,
            commands: commanded,
            status: report,
            news: news.clone(),
            answers,
            answered,
            server,
        };
        let driver = tokio::spawn(driver.run());
        Ok(Self { store, submitter, actor, commands, status, news, driver })
    }

    /// Where reads and writes go. The folder is let go once every handle on the store and every subscription is
    /// dropped.
    #[must_use]
    pub fn store(&self) -> Arc<dyn DataStore> {
        Arc::clone(&self.store) as Arc<dyn DataStore>
    }

    /// Who writes here: minted with the data folder.
    #[must_use]
    pub fn actor(&self) -> ActorId {
        self.actor
    }

    /// How far the work has come, always the latest.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<SyncStatus> {
        self.status.clone()
    }

    /// What becomes of commits from here on. A listener that reads too slowly misses the oldest.
    #[must_use]
    pub fn news(&self) -> broadcast::Receiver<News> {
        self.news.subscribe()
    }

    /// Syncs with this server from here on, or with none.
    pub async fn set_server(&self, server: Option<Server>) {
        self.command(Command::SetServer(server)).await;
    }

    /// The network may have changed: whatever waits for the next attempt is tried now.
    pub async fn network_changed(&self) {
        self.command(Command::NetworkChanged).await;
    }

    /// Ends the session and waits until everything that was submitted is on disk.
    ///
    /// # Errors
    /// `STORAGE_FAILED`, `STORAGE_FULL`: something that was submitted is not.
    pub async fn close(self) -> Result<()> {
        let Self { store, submitter, commands, driver, .. } = self;
        // A driver that has ended already is what is wanted.
        commands.send(Command::Close).await.unwrap_or_default();
        if let Err(error) = driver.await {
            tracing::error!(%error, "the session did not end well");
        }
        let flushed = tokio::task::spawn_blocking(move || {
            let flushed = submitter.run(|_| Ok(()));
            drop(submitter);
            drop(store);
            flushed
        });
        flushed.await.unwrap_or_else(|error| Err(Error::new(Code::Internal, error.to_string())))
    }

    async fn command(&self, command: Command) {
        if self.commands.send(command).await.is_err() {
            tracing::error!("the session has ended");
        }
    }
}

type Opened = (Arc<LocalStore>, Submitter<Sqlite>, Arc<Notes>, ActorId);

fn open_store(
    path: &Path,
    manifest: Arc<Manifest>,
    clock: Arc<dyn Clock>,
    random: Box<dyn Random>,
) -> Result<Opened> {
    let folder = Folder::open(path)?;
    let engine = folder.engine(Some(Role::Replica), manifest, clock, random)?;
    let actor = engine.actor();
    let store = Store::start(engine)?;
    let submitter = store.submitter();
    let notes = Arc::new(Notes::default());
    Ok((Arc::new(LocalStore::new(store, Arc::clone(&notes), folder)), submitter, notes, actor))
}
