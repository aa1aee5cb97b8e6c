//! Compiles the Tauri configuration, the capabilities and the built web page into the shell.

use std::path::Path;

use tauri_build::{AppManifest, Attributes};

/// The shell's own commands. Naming them here denies them to every window that no capability grants them to.
const COMMANDS: &[&str] = &["settings", "set_settings", "open_page_window", "open_external"];

fn main() {
    println!("cargo::rerun-if-changed=ui/dist");
    if !Path::new("ui/dist/index.html").is_file() {
        println!("cargo::error=the web page is not built yet: run cargo xtask ui");
        return;
    }
    let attributes = Attributes::new().app_manifest(AppManifest::new().commands(COMMANDS));
    if let Err(error) = tauri_build::try_build(attributes) {
        println!("cargo::error={error:#}");
    }
}
