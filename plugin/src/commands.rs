//! The commands: each is one DataStore operation, named and shaped as at every other edge.
//!
//! They are `async` so that none runs on the thread that paints the window.

use serde_json::Value;
use tauri::State;
use tombolo_core::Error;

use crate::store::Store;

/// The manifest that the store was opened with, and its hash.
#[tauri::command(async)]
pub(crate) fn manifest(store: State<'_, Store>) -> Result<Value, Error> {
    store.manifest()
}
