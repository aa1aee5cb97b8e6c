//! Replicas with a server.

use crate::world::{device, serve, token};
use serde_json::json;
use tombolo_replica::SyncState;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_written_here_arrives_there() {
    let folder = tempfile::tempdir().unwrap();
    let server = serve(folder.path(), "127.0.0.1:0").await;
    let (ann, bob) = (token(folder.path(), "ann", None), token(folder.path(), "bob", None));
    let here = device(Some((&server.url, &ann))).await;
    let there = device(Some((&server.url, &bob))).await;
    let id = here.insert(json!({"title": "hello"})).await;
    there.rows_until(|rows| rows.len() == 1).await;
    there.call("update", json!({"entity": "Page", "id": id, "patch": {"title": "hello you"}})).await.unwrap();
    here.rows_until(|rows| rows[0]["title"] == "hello you").await;
    for device in [&here, &there] {
        device.status_until(|status| status.state == SyncState::Saved && status.waiting == 0).await;
    }
    assert_eq!(here.rows().await, there.rows().await);
    here.close().await;
    there.close().await;
    server.stop().await;
}
