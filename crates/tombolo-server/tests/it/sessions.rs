//! Replicas with a server.

use crate::world::{device, device_in, serve, serve_with, token};
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use tombolo_core::{Code, SystemClock, SystemRandom};
use tombolo_replica::{Fate, Server as Remote, SyncState, SyncStatus};
use tombolo_server::{Role, Server, Settings};

fn saved(status: &SyncStatus) -> bool {
    status.state == SyncState::Saved && status.waiting == 0
}

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
        device.status_until(saved).await;
    }
    assert_eq!(here.rows().await, there.rows().await);
    here.close().await;
    there.close().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_device_gets_everything_and_a_restarted_server_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let server = serve(folder.path(), "127.0.0.1:0").await;
    let (ann, bob) = (token(folder.path(), "ann", None), token(folder.path(), "bob", None));
    let here = device(Some((&server.url, &ann))).await;
    for n in 0..200 {
        here.insert(json!({"title": format!("{n} {}", "long ".repeat(500))})).await;
    }
    here.status_until(saved).await;
    let address = server.address().to_owned();
    server.stop().await;
    here.status_until(|status| status.state == SyncState::Offline).await;
    here.insert(json!({"title": "while it was away"})).await;
    let server = serve(folder.path(), &address).await;
    here.replica.network_changed().await;
    here.status_until(saved).await;
    let late = device(Some((&server.url, &bob))).await;
    let rows = late.rows_until(|rows| rows.len() == 201).await;
    assert_eq!(rows, here.rows().await);
    // Catching up costs the changes: a second start asks for nothing again.
    let folder = late.close().await;
    let late = device_in(folder, Some((&server.url, &bob))).await;
    late.status_until(saved).await;
    assert_eq!(late.rows().await.len(), 201);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_learns_what_became_of_its_commits() {
    let folder = tempfile::tempdir().unwrap();
    let server = serve(folder.path(), "127.0.0.1:0").await;
    let here = device(Some((&server.url, &token(folder.path(), "ann", None)))).await;
    let eve = device(Some((&server.url, &token(folder.path(), "eve", Some(Role::Viewer))))).await;
    for (device, accepted) in [(&here, true), (&eve, false)] {
        let mut news = device.replica.news();
        let answer = device.call("insert", json!({"entity": "Page", "data": {"title": "x"}})).await.unwrap();
        let told = tokio::time::timeout(crate::world::PATIENCE, news.recv()).await.unwrap().unwrap();
        assert_eq!(json!(told.commit), answer["receipt"]["commit"]);
        assert_eq!(json!(told.seq), answer["receipt"]["seq"]);
        match told.fate {
            Fate::Accepted { server_seq } => assert!(accepted && server_seq.0 == 1),
            Fate::Refused { code, .. } => assert!(!accepted && code == Code::PolicyDenied),
            Fate::Rewritten { .. } => panic!("nothing was written again"),
        }
    }
    let status = eve.status_until(|status| status.state == SyncState::Refused && status.waiting == 0).await;
    assert_eq!(status.drafts, 1);
    eve.rows_until(|rows| rows.len() == 1 && rows[0]["created_by"] != json!(eve.replica.actor())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_token_is_final_until_there_is_another() {
    let folder = tempfile::tempdir().unwrap();
    let server = serve(folder.path(), "127.0.0.1:0").await;
    let here = device(Some((&server.url, "wrong"))).await;
    here.insert(json!({"title": "kept"})).await;
    let refused = |status: &SyncStatus| status.state == SyncState::Refused && status.waiting == 1;
    assert_eq!(here.status_until(refused).await.code, Some(Code::Unauthenticated));
    let right = Remote { url: server.url.parse().unwrap(), token: token(folder.path(), "ann", None).into() };
    here.replica.set_server(Some(right)).await;
    here.status_until(saved).await;
    here.replica.set_server(None).await;
    here.status_until(|status| status.state == SyncState::Local).await;
    here.insert(json!({"title": "stays here"})).await;
    here.status_until(|status| status.state == SyncState::Local && status.waiting == 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_server_is_a_conflict_and_changes_nothing() {
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let servers = [serve(first.path(), "127.0.0.1:0").await, serve(second.path(), "127.0.0.1:0").await];
    let here = device(Some((&servers[0].url, &token(first.path(), "ann", None)))).await;
    here.insert(json!({"title": "mine"})).await;
    here.status_until(saved).await;
    let other =
        Remote { url: servers[1].url.parse().unwrap(), token: token(second.path(), "ann", None).into() };
    here.replica.set_server(Some(other)).await;
    let status = here.status_until(|status| status.state == SyncState::Refused).await;
    assert_eq!(status.code, Some(Code::Conflict));
    let visitor = device(Some((&servers[1].url, &token(second.path(), "bob", None)))).await;
    visitor.status_until(saved).await;
    assert!(visitor.rows().await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_beyond_the_bound_are_turned_away_and_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let server = serve_with(folder.path(), "127.0.0.1:0", 1).await;
    let ann = token(folder.path(), "ann", None);
    let first = device(Some((&server.url, &ann))).await;
    first.status_until(saved).await;
    let second = device(Some((&server.url, &ann))).await;
    let status = second.status_until(|status| status.state == SyncState::Offline).await;
    assert_eq!(status.code, Some(Code::ServerUnreachable));
    first.close().await;
    second.status_until(saved).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wss_address_does_not_fall_back_to_plain() {
    let folder = tempfile::tempdir().unwrap();
    let server = serve(folder.path(), "127.0.0.1:0").await;
    let url = server.url.replace("http://", "https://");
    let here = device(Some((&url, &token(folder.path(), "ann", None)))).await;
    let status = here.status_until(|status| status.state == SyncState::Offline).await;
    assert!(status.message.unwrap().contains("cannot be trusted"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_names_what_it_cannot_take() {
    let bind = async |folder: &Path, listen: &str| {
        let settings = Settings::new(Arc::new(SystemClock), Box::new(SystemRandom));
        Server::bind(folder, listen, crate::world::manifest(), settings).await.map_err(|error| error.code)
    };
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = bind(first.path(), "127.0.0.1:0").await.unwrap();
    let address = server.local_addr().to_string();
    assert_eq!(bind(first.path(), "127.0.0.1:0").await.unwrap_err(), Code::FolderInUse);
    assert_eq!(bind(second.path(), &address).await.unwrap_err(), Code::AddressInUse);
    assert_eq!(bind(second.path(), "no address").await.unwrap_err(), Code::InvalidQuery);
    drop(server);
    bind(first.path(), &address).await.unwrap();
}
