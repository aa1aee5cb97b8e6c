//! DataStore commands and permissions for any Tauri app.
//!
//! A host hands in its manifest and, if it wants to choose one, a data folder; its windows then call
//! `plugin:tombolo|<operation>` (in TypeScript through `@tombolo/client`), as far as their capability grants
//! `tombolo:default`, and `tombolo:sync` to choose a server and sign in. A refused command rejects with
//! `{code, message, details}`. The plugin knows no window, no screen and nothing of what the entities mean.
//!
//! ```no_run
//! let manifest = r#"{"manifest_version": 1, "name": "notes", "version": 1, "entities": [
//!     {"name": "Note", "fields": [{"name": "title", "type": "string"}]}]}"#;
//! tauri::Builder::default().plugin(tauri_plugin_tombolo::Builder::new(manifest).build::<tauri::Wry>());
//! ```

mod account;
mod commands;
mod edge;
mod live;
mod request;
mod source;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use edge::{Edge, Opened, UntilExit};
use tauri::webview::PageLoadEvent;
use tauri::{AppHandle, Manager, RunEvent, Runtime, WindowEvent, plugin::TauriPlugin};
use tombolo_core::{Manifest, Result};

/// Configures the plugin: which manifest, and where the data and the sign-in lie.
#[derive(Debug, Clone)]
pub struct Builder {
    manifest: String,
    data_dir: Option<PathBuf>,
    secrets_dir: Option<PathBuf>,
}

impl Builder {
    /// Takes the app's manifest as JSON text. It is checked when the app starts: one with an error fails the start
    /// with `MANIFEST_INVALID`, before any file is touched.
    pub fn new(manifest: impl Into<String>) -> Self {
        Self { manifest: manifest.into(), data_dir: None, secrets_dir: None }
    }

    /// Keeps the data in this folder, made if need be, instead of the app's own data folder of the platform.
    #[must_use]
    pub fn data_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.data_dir = Some(dir.into());
        self
    }

    /// Keeps the sign-in to a server in this folder, made if need be, in a file that only its owner can read, so that
    /// the app signs in by itself when it starts. It should not be the data folder, which people copy and send.
    /// Without it a sign-in ends with the app.
    #[must_use]
    pub fn secrets_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.secrets_dir = Some(dir.into());
        self
    }

    /// The plugin, to be handed to [`tauri::Builder::plugin`].
    pub fn build<R: Runtime>(self) -> TauriPlugin<R> {
        tauri::plugin::Builder::new("tombolo")
            .invoke_handler(tauri::generate_handler![
                commands::manifest,
                commands::insert,
                commands::get_by_id,
                commands::list,
                commands::list_after,
                commands::query_filtered,
                commands::update,
                commands::delete,
                commands::restore,
                commands::transact,
                commands::drafts,
                commands::draft_discard,
                commands::crdt_snapshot,
                commands::crdt_apply_update,
                commands::subscribe,
                commands::follow,
                commands::acknowledge,
                commands::unsubscribe,
                commands::sync_status,
                commands::commits,
                commands::connect,
                commands::disconnect,
                commands::server,
                commands::retry_now
            ])
            .setup(move |app, _api| {
                let data_dir = match self.data_dir {
                    Some(dir) => dir,
                    None => app.path().app_data_dir()?,
                };
                let opened = Opened::new(open(&self.manifest, &data_dir, self.secrets_dir.as_deref())?);
                app.resources_table().add(UntilExit(opened.clone()));
                app.manage(opened);
                Ok(())
            })
            .on_page_load(|webview, load| {
                // A page that is loaded again knows nothing of what the one before has opened.
                if load.event() == PageLoadEvent::Started
                    && let Some(Ok(edge)) = webview.try_state::<Opened>().map(|opened| opened.edge())
                {
                    edge.live().end(|page| page.webview == webview.label());
                }
            })
            .on_event(forget_window)
            .build()
    }
}

/// Ends the subscriptions of a window that is gone.
fn forget_window<R: Runtime>(app: &AppHandle<R>, event: &RunEvent) {
    if let RunEvent::WindowEvent { label, event: WindowEvent::Destroyed, .. } = event
        && let Some(Ok(edge)) = app.try_state::<Opened>().map(|opened| opened.edge())
    {
        edge.live().end(|page| page.window == *label);
    }
}

/// Opens the data folder, made if need be, under the host's manifest, which is checked first.
fn open(manifest: &str, data_dir: &Path, secrets_dir: Option<&Path>) -> Result<Edge> {
    let manifest = Arc::new(Manifest::parse(manifest)?);
    tauri::async_runtime::block_on(Edge::open(data_dir, manifest, secrets_dir))
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
        assert_eq!(open("{}", &data_dir, None).map(|_| ()).unwrap_err().code, Code::ManifestInvalid);
        assert!(!data_dir.exists());
    }

    #[test]
    fn a_folder_that_is_open_already_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let first = open(MANIFEST, dir.path(), None).unwrap();
        assert_eq!(open(MANIFEST, dir.path(), None).map(|_| ()).unwrap_err().code, Code::FolderInUse);
        drop(first);
    }
}
