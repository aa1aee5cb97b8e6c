//! DataStore commands and permissions for any Tauri app.
//!
//! A host hands in its manifest and, if it wants to choose one, a data folder; its windows then call
//! `plugin:tombolo|<operation>` (in TypeScript through `@tombolo/client`), as far as their capability grants
//! `tombolo:default`. A refused command rejects with `{code, message, details}`. The plugin knows no window, no
//! screen and nothing of what the entities mean.
//!
//! ```no_run
//! let manifest = r#"{"manifest_version": 1, "name": "notes", "version": 1, "entities": [
//!     {"name": "Note", "fields": [{"name": "title", "type": "string"}]}]}"#;
//! tauri::Builder::default().plugin(tauri_plugin_tombolo::Builder::new(manifest).build::<tauri::Wry>());
//! ```

mod commands;
mod store;

use std::path::PathBuf;

use tauri::{Manager, Runtime, plugin::TauriPlugin};

/// Configures the plugin: which manifest, and where the data lies.
#[derive(Debug, Clone)]
pub struct Builder {
    manifest: String,
    data_dir: Option<PathBuf>,
}

impl Builder {
    /// Takes the app's manifest as JSON text. It is checked when the app starts: one with an error fails the start
    /// with `MANIFEST_INVALID`, before any file is touched.
    pub fn new(manifest: impl Into<String>) -> Self {
        Self { manifest: manifest.into(), data_dir: None }
    }

    /// Keeps the data in this folder, made if need be, instead of the app's own data folder of the platform.
    #[must_use]
    pub fn data_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.data_dir = Some(dir.into());
        self
    }

    /// The plugin, to be handed to [`tauri::Builder::plugin`].
    pub fn build<R: Runtime>(self) -> TauriPlugin<R> {
        tauri::plugin::Builder::new("tombolo")
            .invoke_handler(tauri::generate_handler![commands::manifest])
            .setup(move |app, _api| {
                let data_dir = match self.data_dir {
                    Some(dir) => dir,
                    None => app.path().app_data_dir()?,
                };
                app.manage(store::Store::open(&self.manifest, &data_dir)?);
                Ok(())
            })
            .build()
    }
}
