//! The desktop binary: reads its arguments, builds the app and runs it until its last window closes.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use std::{path::PathBuf, process::ExitCode};

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
    let args = Args::parse();
    let Some(data_dir) = args.data.or_else(tombolo_desktop::default_data_dir) else {
        eprintln!("tombolo-desktop: there is no home folder to keep data in; name one with --data DIR");
        return ExitCode::FAILURE;
    };
    match tombolo_desktop::build(
        tauri::Builder::<tauri::Wry>::default(),
        tombolo_desktop::context(),
        data_dir,
    ) {
        Ok(app) => {
            app.run(|_, _| {});
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("tombolo-desktop: {error}");
            ExitCode::FAILURE
        }
    }
}
