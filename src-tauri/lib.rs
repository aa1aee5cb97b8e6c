//! The desktop shell: windows around the workspace app. It holds no data logic; that is the plugin's and below.
//!
//! Everything is generic over the [`Runtime`], so that tests drive the same app without a display:
//!
//! ```no_run
//! # use std::path::PathBuf;
//! let data_dir = PathBuf::from("/tmp/somewhere");
//! let app = tombolo_desktop::build(tauri::Builder::<tauri::Wry>::default(), tombolo_desktop::context(), data_dir)?;
//! app.run(|_, _| {});
//! # Ok::<(), tauri::Error>(())
//! ```

use std::path::PathBuf;

use directories::ProjectDirs;
use tauri::{App, Context, Runtime};

/// The manifest of the workspace app.
pub const MANIFEST: &str = include_str!("../ui/manifest.json");

/// The Tauri configuration, capabilities and web page that this shell was compiled with.
pub fn context<R: Runtime>() -> Context<R> {
    tauri::generate_context!()
}

/// Builds the app on any runtime. Its data lies in `data_dir`, made if need be.
///
/// # Errors
/// Whatever Tauri could not set up, and the plugin's own errors.
pub fn build<R: Runtime>(
    builder: tauri::Builder<R>,
    context: Context<R>,
    data_dir: PathBuf,
) -> tauri::Result<App<R>> {
    builder.plugin(tauri_plugin_tombolo::Builder::new(MANIFEST).data_dir(data_dir).build()).build(context)
}

/// The folder that holds a person's data where they named none; `None` where the system knows no home folder.
pub fn default_data_dir() -> Option<PathBuf> {
    ProjectDirs::from("org", "Tombolo", "Tombolo").map(|dirs| dirs.data_dir().to_path_buf())
}
