//! The desktop binary: reads its arguments, builds the app and runs it until its last window closes.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use std::{env, error::Error, path::PathBuf, process::ExitCode};

use clap::Parser;
use tombolo_desktop::{Folders, Options};

/// Notes, tasks and tables on your own disk, together with others when you are online.
#[derive(Debug, Parser)]
#[command(name = "tombolo-desktop", version)]
struct Args {
    /// Keep the data in this folder instead of the usual one.
    #[arg(long, value_name = "DIR", env = "TOMBOLO_DATA")]
    data: Option<PathBuf>,

    /// Keep settings, the sign-in and the log in this folder instead of the usual ones.
    #[arg(long, value_name = "DIR", env = "TOMBOLO_CONFIG")]
    config: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tombolo-desktop: {error}");
            tracing::error!(%error, "the app could not start");
            ExitCode::FAILURE
        }
    }
}

fn run(args: Args) -> Result<(), Box<dyn Error>> {
    let no_home = "there is no home folder to keep data in; name folders with --data DIR and --config DIR";
    // Only on the session's bus can each data folder have a name of its own.
    let single_instance = cfg!(target_os = "linux") || args.data.is_none();
    let folders = Folders::new(args.data, args.config).ok_or(no_home)?;
    if let Err(error) = tombolo_desktop::start_log(&folders.logs) {
        eprintln!("tombolo-desktop: there will be no log in {}: {error}", folders.logs.display());
    }
    // Without one of them the window toolkit panics instead of answering.
    let screen = ["DISPLAY", "WAYLAND_DISPLAY"].map(env::var_os).iter().any(Option::is_some);
    if cfg!(target_os = "linux") && !screen {
        return Err(
            "there is no screen to open a window on: neither DISPLAY nor WAYLAND_DISPLAY is set".into()
        );
    }
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "the app starts");
    let open_url = Box::new(|url: &str| open::that_detached(url));
    let options = Options { folders, open_url, single_instance };
    let builder = tauri::Builder::<tauri::Wry>::default();
    tombolo_desktop::build(builder, tombolo_desktop::context(), options)?.run(|_, _| {});
    Ok(())
}
