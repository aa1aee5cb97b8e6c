//! Compiles the Tauri configuration, the capabilities and the built web page into the shell.

use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=ui/dist");
    if !Path::new("ui/dist/index.html").is_file() {
        println!("cargo::error=the web page is not built yet: run cargo xtask ui");
        return;
    }
    tauri_build::build();
}
