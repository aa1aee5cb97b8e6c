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

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tauri::{Manager, Runtime, plugin::TauriPlugin};
use tombolo_core::{Manifest, Result, SystemClock, SystemRandom};
use tombolo_replica::{Replica, Settings};

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
                app.manage(open(&self.manifest, &data_dir)?);
                Ok(())
            })
            .build()
    }
}

/// Opens the data folder, made if need be, under the host's manifest, which is checked first.
fn open(manifest: &str, data_dir: &Path) -> Result<Replica> {
    let manifest = Arc::new(Manifest::parse(manifest)?);
    let settings = Settings { clock: Arc::new(SystemClock), random: Box::new(SystemRandom), server: None };
    tauri::async_runtime::block_on(Replica::open(data_dir, manifest, settings))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tombolo_core::Code;

    const MANIFEST: &str = r#"{"manifest_version": 1, "name": "notes", "version": 1, "entities": [
        {"name": "Note", "fields": [{"name": "title", "type": "string"}]}]}"#;

    #[test]
    fn a_bad_manifest_is_refused_before_the_folder_is_made() {
        let dir = tempfile::tempdir().unwrap();
        let data_dir = dir.path().join("data");
        assert_eq!(open("{}", &data_dir).unwrap_err().code, Code::ManifestInvalid);
        assert!(!data_dir.exists());
    }

    #[test]
    fn a_folder_that_is_open_already_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let first = open(MANIFEST, dir.path()).unwrap();
        assert_eq!(open(MANIFEST, dir.path()).unwrap_err().code, Code::FolderInUse);
        drop(first);
    }
}
