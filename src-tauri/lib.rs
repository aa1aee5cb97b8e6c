//! The desktop shell: windows around the workspace app. It holds no data logic; that is the plugin's and below.
//!
//! Everything is generic over the [`Runtime`], so that tests drive the same app without a display:
//!
//! ```no_run
//! # use tombolo_desktop::{Folders, Options};
//! let folders = Folders::new(Some("/tmp/somewhere".into()), None).expect("a home folder");
//! let options = Options { folders, open_url: Box::new(|_| Ok(())), single_instance: false };
//! let app = tombolo_desktop::build(tauri::Builder::<tauri::Wry>::default(), tombolo_desktop::context(), options)?;
//! app.run(|_, _| {});
//! # Ok::<(), tauri::Error>(())
//! ```

mod commands;
mod folders;
mod instance;
mod kept;
mod layout;
mod log;
mod settings;
mod state;
mod windows;

use tauri::{App, Context, Runtime};

pub use folders::Folders;
pub use log::start as start_log;
pub use state::OpenUrl;

/// The manifest of the workspace app.
pub const MANIFEST: &str = include_str!("../ui/manifest.json");

/// What an app is started with.
pub struct Options {
    /// Where it keeps what, made if need be.
    pub folders: Folders,
    /// Opens web and mail addresses.
    pub open_url: OpenUrl,
    /// Whether a second start of the same data folder ends and brings the first one's window to the front.
    pub single_instance: bool,
}

/// The Tauri configuration, capabilities and web page that this shell was compiled with.
pub fn context<R: Runtime>() -> Context<R> {
    tauri::generate_context!()
}

/// Builds the app on any runtime, with its windows as they were when it ended last.
///
/// # Errors
/// Whatever Tauri could not set up, and the plugin's own errors.
pub fn build<R: Runtime>(
    mut builder: tauri::Builder<R>,
    context: Context<R>,
    options: Options,
) -> tauri::Result<App<R>> {
    let Options { folders, open_url, single_instance } = options;
    if single_instance {
        builder = builder.plugin(instance::plugin(&context.config().identifier, &folders.data));
    }
    let store =
        tauri_plugin_tombolo::Builder::new(MANIFEST).data_dir(&folders.data).secrets_dir(folders.secrets());
    let app = builder
        .manage(state::Shell::open(&folders.config, open_url))
        .plugin(store.build())
        .plugin(windows::plugin())
        .invoke_handler(tauri::generate_handler![
            commands::settings,
            commands::set_settings,
            commands::open_page_window,
            commands::open_external
        ])
        .build(context)?;
    windows::restore(app.handle())?;
    Ok(app)
}
