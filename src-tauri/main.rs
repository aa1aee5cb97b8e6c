//! The desktop binary: reads its arguments, builds the app and runs it until its last window closes.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use std::{env, error::Error, path::PathBuf, process::ExitCode};

use clap::Parser;

/// Notes, tasks and tables on your own disk, together with others when you are online.
#[derive(Debug, Parser)]
#[command(name = "tombolo-desktop", version)]
struct Args {
    /// Keep the data in this folder instead of the usual one.
    #[arg(long, value_name = "DIR", env = "TOMBOLO_DATA")]
    data: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tombolo-desktop: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: Args) -> Result<(), Box<dyn Error>> {
    let no_home = "there is no home folder to keep data in; name one with --data DIR";
    let data_dir = args.data.or_else(tombolo_desktop::default_data_dir).ok_or(no_home)?;
    // Without one of them the window toolkit panics instead of answering.
    let screen = ["DISPLAY", "WAYLAND_DISPLAY"].map(env::var_os).iter().any(Option::is_some);
    if cfg!(target_os = "linux") && !screen {
        return Err(
            "there is no screen to open a window on: neither DISPLAY nor WAYLAND_DISPLAY is set".into()
        );
    }
    let builder = tauri::Builder::<tauri::Wry>::default();
    tombolo_desktop::build(builder, tombolo_desktop::context(), data_dir)?.run(|_, _| {});
    Ok(())
}
