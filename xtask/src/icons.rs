//! `cargo xtask icons`: every icon file of the app, drawn from the one source.

use std::{fs, path::Path};

use crate::{Result, metadata, process, ui};

/// What the bundles use; the drawing program makes many more.
const KEPT: &[&str] = &["32x32.png", "128x128.png", "128x128@2x.png", "icon.png", "icon.icns", "icon.ico"];

pub(crate) fn run(root: &Path) -> Result {
    ui::packages(root)?;
    let drawn = metadata::read(root)?.target_dir.join("icons");
    let folder = drawn.to_str().ok_or("the target folder's name is not UTF-8")?;
    let args = ["exec", "--", "tauri", "icon", "../icons/tombolo.svg", "--output", folder];
    process::run(&mut process::npm(&args, root))?;
    for name in KEPT {
        fs::copy(drawn.join(name), root.join("icons").join(name))?;
    }
    Ok(fs::remove_dir_all(drawn)?)
}
