//! The commands: each is one DataStore operation, named and shaped as at every other edge.
//!
//! They are `async` so that none runs on the thread that paints the window.

use serde_json::Value;
use tauri::State;

use crate::{error::ErrorObject, store::Store};

/// The manifest that the store was opened with.
#[tauri::command(async)]
pub(crate) fn manifest(store: State<'_, Store>) -> Result<Value, ErrorObject> {
    Ok(store.manifest()?)
}
