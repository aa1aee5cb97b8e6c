//! `cargo xtask dist`: the packages that people install, and the test that installs them.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::json;

use crate::{Result, metadata, needs, process, ui, window};

/// Builds the app, optimised, and packs it with the program `tombolo` into `<target>/dist`.
///
/// These two formats are packed without fetching anything; those of other systems are built on them.
pub(crate) fn run(root: &Path) -> Result {
    if !cfg!(target_os = "linux") {
        return Err("packages are built on Linux only, so far".into());
    }
    needs::ensure(&[needs::WINDOW])?;
    ui::build(root)?;
    let target_dir = metadata::read(root)?.target_dir;
    process::run(&mut process::cargo(&["build", "--release", "--package", "tombolo-cli"], root))?;

    let program = json!({ "/usr/bin/tombolo": target_dir.join("release/tombolo") });
    let config = json!({
        // The page was built above.
        "build": { "beforeBuildCommand": null },
        "bundle": { "linux": { "deb": { "files": program.clone() }, "rpm": { "files": program } } },
    });
    let args = ["build", "--ci", "--bundles", "deb,rpm", "--config", &config.to_string()];
    process::run(&mut process::command(root.join("ui/node_modules/.bin/tauri"), &args, root))?;

    let dist = target_dir.join("dist");
    if dist.exists() {
        fs::remove_dir_all(&dist)?;
    }
    fs::create_dir_all(&dist)?;
    for format in ["deb", "rpm"] {
        for package in with_extension(&target_dir.join("release/bundle").join(format), format)? {
            let name = package.file_name().ok_or("a package without a name")?;
            fs::copy(&package, dist.join(name))?;
        }
    }
    for package in packages(&dist)? {
        let size = fs::metadata(&package)?.len();
        let sum = process::output(Command::new("sha256sum").arg(&package))?;
        let sum = sum.split_whitespace().next().ok_or("sha256sum says nothing")?;
        println!("{}  {:.1} MB  sha256 {sum}", package.display(), megabytes(size));
    }
    Ok(())
}

/// Installs the Debian package on this system, starts what it installed, and removes it again.
///
/// The package is the one that [`run`] left, or a new one where there is none.
pub(crate) fn test(root: &Path) -> Result {
    if process::which("apt-get").is_none() {
        println!("skipped: the package is one for Debian and its kin");
        return Ok(());
    }
    let target_dir = metadata::read(root)?.target_dir;
    let dist = target_dir.join("dist");
    if packages(&dist).unwrap_or_default().is_empty() {
        run(root)?;
    }
    let package = with_extension(&dist, "deb")?.pop().ok_or("there is no Debian package")?;
    let mut tests = window::on_screen(&["tests/dist/"], root);
    tests.env("TOMBOLO_PACKAGE", package).env("TOMBOLO_SCREENSHOTS", target_dir.join("screenshots"));
    if env::var_os("DEBIAN_FRONTEND").is_none() {
        tests.env("DEBIAN_FRONTEND", "noninteractive");
    }
    process::run(&mut tests)
}

fn packages(dist: &Path) -> Result<Vec<PathBuf>> {
    Ok([with_extension(dist, "deb")?, with_extension(dist, "rpm")?].concat())
}

/// The folder's files of that type, by name.
fn with_extension(dir: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.extension().is_some_and(|found| found == extension) && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
