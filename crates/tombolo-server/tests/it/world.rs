//! Servers and replicas in temporary folders.

use serde_json::{Value as Json, json};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tombolo_core::{Manifest, Operation, SystemClock, SystemRandom};
use tombolo_replica::{Replica, Server as Remote, Settings, SyncStatus};
use tombolo_server::{Accounts, Role, Server};
use tombolo_store::DataStore;

/// Waiting longer than this is a failure.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

const MANIFEST: &str = r#"{"manifest_version":1,"name":"test","version":1,"entities":[
  {"name":"Page","fields":[
    {"name":"title","type":"string","crdt":"text"},
    {"name":"slug","type":"string","optional":true,"unique":true}]}]}"#;

pub(crate) fn manifest() -> Arc<Manifest> {
    Arc::new(Manifest::parse(MANIFEST).unwrap())
}

pub(crate) struct Running {
    pub(crate) url: String,
    stop: oneshot::Sender<()>,
    task: JoinHandle<tombolo_core::Result<()>>,
}

pub(crate) async fn serve(folder: &Path, listen: &str) -> Running {
    serve_with(folder, listen, 100).await
}

pub(crate) async fn serve_with(folder: &Path, listen: &str, connections: usize) -> Running {
    let mut settings = tombolo_server::Settings::new(Arc::new(SystemClock), Box::new(SystemRandom));
    settings.connections = connections;
    let server = Server::bind(folder, listen, manifest(), settings).await.unwrap();
    let url = format!("http://{}", server.local_addr());
    let (stop, stopped) = oneshot::channel();
    let task = tokio::spawn(server.run(async { stopped.await.unwrap_or_default() }));
    Running { url, stop, task }
}

impl Running {
    pub(crate) async fn stop(self) {
        self.stop.send(()).unwrap();
        timeout(PATIENCE, self.task).await.expect("the server stops").unwrap().unwrap();
    }

    pub(crate) fn address(&self) -> &str {
        self.url.strip_prefix("http://").unwrap()
    }
}

pub(crate) fn token(folder: &Path, user: &str, role: Option<Role>) -> String {
    let mut accounts = Accounts::open(folder, Arc::new(SystemClock)).unwrap();
    accounts.token_for(user, role, &mut SystemRandom).unwrap().token
}

pub(crate) struct Device {
    pub(crate) replica: Replica,
    pub(crate) store: Arc<dyn DataStore>,
    committed: Arc<Notify>,
    pub(crate) folder: TempDir,
}

pub(crate) async fn device(server: Option<(&str, &str)>) -> Device {
    device_in(tempfile::tempdir().unwrap(), server).await
}

pub(crate) async fn device_in(folder: TempDir, server: Option<(&str, &str)>) -> Device {
    let server = server.map(|(url, token)| Remote { url: url.parse().unwrap(), token: token.into() });
    let settings = Settings { clock: Arc::new(SystemClock), random: Box::new(SystemRandom), server };
    let replica = Replica::open(folder.path(), manifest(), settings).await.unwrap();
    let store = replica.store();
    let committed = Arc::new(Notify::new());
    let notify = Arc::clone(&committed);
    store.watch(Box::new(move |_| notify.notify_one()));
    Device { replica, store, committed, folder }
}

impl Device {
    pub(crate) async fn call(&self, name: &str, args: Json) -> tombolo_core::Result<Json> {
        let (store, operation) = (Arc::clone(&self.store), Operation::from_json(name, &args)?);
        let answer = tokio::task::spawn_blocking(move || store.execute(operation)).await.unwrap();
        answer.map(tombolo_store::Answer::into_json)
    }

    pub(crate) async fn insert(&self, data: Json) -> String {
        let answer = self.call("insert", json!({"entity": "Page", "data": data})).await.unwrap();
        answer["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn rows(&self) -> Vec<Json> {
        let rows = self.call("list", json!({"entity": "Page"})).await.unwrap();
        rows.as_array().unwrap().clone()
    }

    /// Waits until the rows are as wanted.
    pub(crate) async fn rows_until(&self, wanted: impl Fn(&[Json]) -> bool) -> Vec<Json> {
        let wait = async {
            loop {
                let rows = self.rows().await;
                if wanted(&rows) {
                    return rows;
                }
                self.committed.notified().await;
            }
        };
        match timeout(PATIENCE, wait).await {
            Ok(rows) => rows,
            Err(_) => panic!("the rows stay {:?}, the status {:?}", self.rows().await, self.status()),
        }
    }

    pub(crate) fn status(&self) -> SyncStatus {
        self.replica.status().borrow().clone()
    }

    /// Waits until the status is as wanted.
    pub(crate) async fn status_until(&self, wanted: impl Fn(&SyncStatus) -> bool) -> SyncStatus {
        let mut status = self.replica.status();
        let told = timeout(PATIENCE, status.wait_for(|status| wanted(status))).await;
        told.unwrap_or_else(|_| panic!("the status stays {:?}", self.status())).unwrap().clone()
    }

    /// Ends it; gives its folder.
    pub(crate) async fn close(self) -> TempDir {
        drop(self.store);
        self.replica.close().await.unwrap();
        self.folder
    }
}
