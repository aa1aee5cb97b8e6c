//! A replica on its own disk. What it does with a server is tested beside the server.

#![allow(clippy::unwrap_used)]

use serde_json::{Value as Json, json};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use tombolo_core::{Code, Manifest, Operation, SeededRandom, SystemClock};
use tombolo_replica::{Replica, Settings, SyncState, SyncStatus};
use tombolo_sqlite::{Durability, Sqlite};

const PATIENCE: Duration = Duration::from_secs(30);

fn manifest() -> Arc<Manifest> {
    let source = r#"{"manifest_version":1,"name":"n","version":1,
        "entities":[{"name":"Page","fields":[{"name":"title","type":"string"}]}]}"#;
    Arc::new(Manifest::parse(source).unwrap())
}

async fn open(folder: &Path) -> tombolo_core::Result<Replica> {
    let random = Box::new(SeededRandom::new(5));
    Replica::open(folder, manifest(), Settings { clock: Arc::new(SystemClock), random, server: None }).await
}

async fn insert(replica: &Replica, title: &str) -> tombolo_core::Result<Json> {
    let args = json!({"entity": "Page", "data": {"title": title}});
    let (store, insert) = (replica.store(), Operation::from_json("insert", &args)?);
    let answer = tokio::task::spawn_blocking(move || store.execute(insert)).await.unwrap();
    answer.map(tombolo_store::Answer::into_json)
}

async fn until(replica: &Replica, wanted: impl Fn(&SyncStatus) -> bool) -> SyncStatus {
    let mut status = replica.status();
    let told = timeout(PATIENCE, status.wait_for(|status| wanted(status))).await;
    told.expect("the status comes").unwrap().clone()
}

/// A second connection to the database, for faults.
fn database(folder: &Path, sql: &str) {
    let database = Sqlite::open(&folder.join("store.sqlite"), &manifest(), Durability::Full).unwrap();
    database.execute_batch(sql).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_does_not_take_it_is_told_until_it_does() {
    let folder = tempfile::tempdir().unwrap();
    let replica = open(folder.path()).await.unwrap();
    insert(&replica, "before").await.unwrap();
    until(&replica, |status| status.state == SyncState::Local && status.waiting == 1).await;
    let fault = "CREATE TRIGGER fault BEFORE INSERT ON log BEGIN SELECT RAISE(ABORT, 'fault'); END";
    database(folder.path(), fault);
    assert_eq!(insert(&replica, "lost").await.unwrap_err().code, Code::StorageFailed);
    let status = until(&replica, |status| status.state == SyncState::NotSaved).await;
    assert_eq!((status.code, status.waiting), (Some(Code::StorageFailed), 1));
    database(folder.path(), "DROP TRIGGER fault");
    insert(&replica, "after").await.unwrap();
    let status = until(&replica, |status| status.state == SyncState::Local && status.waiting == 2).await;
    assert_eq!(status.code, None);
    replica.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_submitted_is_on_disk_after_closing() {
    let folder = tempfile::tempdir().unwrap();
    let replica = open(folder.path()).await.unwrap();
    assert_eq!(open(folder.path()).await.unwrap_err().code, Code::FolderInUse);
    let store = replica.store();
    for n in 0..500 {
        let args = json!({"entity": "Page", "data": {"title": n.to_string()}});
        let insert = Operation::from_json("insert", &args).unwrap();
        store.submit(insert, Box::new(|answer| drop(answer.unwrap())));
    }
    drop(store);
    replica.close().await.unwrap();
    let replica = open(folder.path()).await.unwrap();
    until(&replica, |status| status.waiting == 500).await;
    replica.close().await.unwrap();
}
