//! The desktop binary: reads its arguments, builds the app and runs it until its last window closes.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use std::{
    env,
    error::Error,
    io,
    path::PathBuf,
    process::{Command, ExitCode},
    time::Duration,
};

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

/// How often a start is tried again while another app of the same data folder is on its way out, …
const STARTS: u8 = 10;
/// … and how long after the one before.
const PAUSE: Duration = Duration::from_millis(200);
/// Tells a start that it is tried again: which try it is.
const START: &str = "TOMBOLO_START";

fn main() -> ExitCode {
    match run(Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_passing(error.as_ref()) => start_again(),
        Err(error) => {
            eprintln!("tombolo-desktop: {error}");
            tracing::error!(%error, "the app could not start");
            ExitCode::FAILURE
        }
    }
}

/// Whether another app held this folder's name but ended before it could be told of this start.
fn is_passing(error: &(dyn Error + 'static)) -> bool {
    matches!(error.downcast_ref(), Some(tauri::Error::PluginInitialization(name, _)) if name == "single-instance")
}

/// Begins anew in a process of its own: the window toolkit begins only once in each.
fn start_again() -> ExitCode {
    let tries = env::var(START).ok().and_then(|text| text.parse::<u8>().ok()).unwrap_or(0);
    if tries >= STARTS {
        eprintln!("tombolo-desktop: another app has this data folder open and does not answer");
        return ExitCode::FAILURE;
    }
    std::thread::sleep(PAUSE);
    let again = |program: PathBuf| {
        let mut command = Command::new(program);
        command.args(env::args_os().skip(1)).env(START, (tries + 1).to_string());
        replace_by(&mut command)
    };
    let error = match env::current_exe() {
        Ok(program) => again(program),
        Err(error) => error,
    };
    eprintln!("tombolo-desktop: the app could not be started again: {error}");
    ExitCode::FAILURE
}

/// Goes on as another program; returns only if that cannot be.
#[cfg(unix)]
fn replace_by(command: &mut Command) -> io::Error {
    std::os::unix::process::CommandExt::exec(command)
}

#[cfg(not(unix))]
fn replace_by(_: &mut Command) -> io::Error {
    io::ErrorKind::Unsupported.into()
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
