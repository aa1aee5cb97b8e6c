//! The commands: each is one DataStore operation, named and shaped as at every other edge.
//!
//! They are `async` so that none runs on the thread that paints the window.

use serde_json::Value;
use tauri::State;
use tombolo_core::{Operation, Result};
use tombolo_replica::Replica;

/// The manifest that the store was opened with, and its hash.
#[tauri::command(async)]
pub(crate) fn manifest(replica: State<'_, Replica>) -> Result<Value> {
    replica.store().execute(Operation::Manifest).map(tombolo_store::Answer::into_json)
}
