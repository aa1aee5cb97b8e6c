//! The commands. Those of the store are its operations, named and shaped as at every other edge.
//!
//! All are `async`: none runs on the thread that paints the window, and none holds up one of the runtime's.
#![allow(
    clippy::let_underscore_must_use,
    reason = "what the command macro writes for async functions that borrow"
)]

use crate::edge::Opened;
use crate::request;
use serde_json::{Value as Json, json};
use tauri::ipc::{Channel, InvokeResponseBody, Request, Response};
use tauri::{Runtime, State, Webview};
use tombolo_core::{Code, DocRef, Error, Operation, Result};
use tombolo_store::Answer;

type Stream = Channel<InvokeResponseBody>;

async fn run(opened: &Opened, operation: Operation) -> Result<Response> {
    let answer = opened.edge()?.run(operation).await?;
    Ok(Response::new(match answer {
        Answer::Bytes(Some(bytes)) => InvokeResponseBody::Raw(bytes),
        other => InvokeResponseBody::Json(other.into_json().to_string()),
    }))
}

macro_rules! operations {
    ($($(#[doc = $doc:literal])+ $name:ident;)+) => {
        $($(#[doc = $doc])+
        #[tauri::command]
        pub(crate) async fn $name(opened: State<'_, Opened>, request: Request<'_>) -> Result<Response> {
            run(&opened, request::operation(stringify!($name), &request)?).await
        })+
    };
}

operations! {
    /// The manifest that the store was opened with, and its hash.
    manifest;
    /// A new row.
    insert;
    /// A row, in the trash or not.
    get_by_id;
    /// Rows by id.
    list;
    /// Rows by id, a page at a time.
    list_after;
    /// The rows that a filter lets through.
    query_filtered;
    /// Changes fields of a row.
    update;
    /// Puts a row into the trash.
    delete;
    /// Takes a row out of the trash.
    restore;
    /// Several writes, all or nothing.
    transact;
    /// The writes that the server refused.
    drafts;
    /// Forgets one of them.
    draft_discard;
    /// A document as bytes; null where there is none.
    crdt_snapshot;
}

/// Applies an update of a document. It is the body, as it is; the other arguments are in the header `tombolo-args`.
#[tauri::command]
pub(crate) async fn crdt_apply_update(opened: State<'_, Opened>, request: Request<'_>) -> Result<Response> {
    run(&opened, request::operation_with_bytes("crdt_apply_update", &request)?).await
}

/// Makes a read live: `{op, args, channel}`. The channel tells `{revision, rows, coverage}` and then differences, each
/// after the page has acknowledged the one before, and `{error}` when it has ended.
#[tauri::command]
pub(crate) async fn subscribe<R: Runtime>(
    webview: Webview<R>,
    opened: State<'_, Opened>,
    request: Request<'_>,
    channel: Stream,
) -> Result<u64> {
    let (page, read) = (request::page(&webview), request::read(&request)?);
    opened.edge()?.subscribe(page, read, channel).await
}

/// Follows a document: `{entity, id, field?, channel}`. The channel tells pieces as bytes: a tag of one byte, 0 for all
/// of the document after a peer id of 8 bytes, little-endian, and 1 for what was added; and `{error}` when it has ended.
#[tauri::command]
pub(crate) async fn follow<R: Runtime>(
    webview: Webview<R>,
    opened: State<'_, Opened>,
    request: Request<'_>,
    channel: Stream,
) -> Result<u64> {
    match request::document(&request)? {
        Operation::CrdtSnapshot { entity, id, field } => {
            opened.edge()?.follow(request::page(&webview), &DocRef { entity, row: id, field }, channel)
        }
        _ => Err(Error::new(Code::Internal, "a document is named as for crdt_snapshot")),
    }
}

/// The page has taken the last message of a subscription: the next may come.
#[tauri::command]
pub(crate) async fn acknowledge<R: Runtime>(
    webview: Webview<R>,
    opened: State<'_, Opened>,
    request: Request<'_>,
) -> Result<()> {
    opened.edge()?.live().acknowledge(&request::page(&webview), request::subscription(&request)?);
    Ok(())
}

/// Ends a subscription of the page.
#[tauri::command]
pub(crate) async fn unsubscribe<R: Runtime>(
    webview: Webview<R>,
    opened: State<'_, Opened>,
    request: Request<'_>,
) -> Result<Json> {
    let removed = opened.edge()?.live().remove(&request::page(&webview), request::subscription(&request)?);
    Ok(json!({"unsubscribed": removed}))
}

/// Tells how far the sync has come, now and whenever that changes.
#[tauri::command]
pub(crate) async fn sync_status<R: Runtime>(
    webview: Webview<R>,
    opened: State<'_, Opened>,
    channel: Stream,
) -> Result<u64> {
    opened.edge()?.tell_status(request::page(&webview), channel)
}

/// Tells what becomes of commits from here on, in lists.
#[tauri::command]
pub(crate) async fn commits<R: Runtime>(
    webview: Webview<R>,
    opened: State<'_, Opened>,
    channel: Stream,
) -> Result<u64> {
    opened.edge()?.tell_commits(request::page(&webview), channel)
}

/// Syncs with a server: `{url, token}`. The token is never told again.
#[tauri::command]
pub(crate) async fn connect(opened: State<'_, Opened>, request: Request<'_>) -> Result<()> {
    opened.edge()?.connect(request::text(&request, "url")?, request::text(&request, "token")?).await
}

/// Syncs with none, and forgets the sign-in.
#[tauri::command]
pub(crate) async fn disconnect(opened: State<'_, Opened>) -> Result<()> {
    opened.edge()?.disconnect().await
}

/// The server's address and how the sign-in stands: `{url, account, remembered}`.
#[tauri::command]
pub(crate) async fn server(opened: State<'_, Opened>) -> Result<Json> {
    Ok(opened.edge()?.server().await)
}

/// Tries now what would be tried again later.
#[tauri::command]
pub(crate) async fn retry_now(opened: State<'_, Opened>) -> Result<()> {
    opened.edge()?.retry_now().await;
    Ok(())
}
