//! Tests in the real window: the programs that they drive, and a screen that nobody sees.

use std::{path::Path, process::Command};

use crate::{Result, metadata, needs, process, ui};

/// The packages whose programs the tests start.
const PACKAGES: &[&str] = &["--package", "tombolo-desktop", "--package", "tombolo-cli"];

/// Builds the app and the program `tombolo`; gives the command that runs Node's tests in `paths` with them.
pub(crate) fn tests(paths: &[&str], root: &Path, flags: &[&str]) -> Result<Command> {
    process::run(&mut process::cargo(&[&["build"], PACKAGES, flags].concat(), root))?;
    let target_dir = metadata::read(root)?.target_dir;
    let mut command = on_screen(paths, root);
    command
        .env("TOMBOLO_APP", target_dir.join("debug/tombolo-desktop"))
        .env("TOMBOLO_CLI", target_dir.join("debug/tombolo"))
        .env("TOMBOLO_SCREENSHOTS", target_dir.join("screenshots"));
    Ok(command)
}

/// Runs Node's tests in `paths` before a screen that nobody sees, with a session bus of their own.
pub(crate) fn on_screen(paths: &[&str], root: &Path) -> Command {
    let screen = ["--auto-servernum", "--server-args", "-screen 0 1920x1200x24"];
    let node = ["dbus-run-session", "--", "node", "--test", "--test-reporter=spec"];
    process::command("xvfb-run", &[&screen[..], &node[..], paths].concat(), root)
}

/// `cargo xtask screens`: every screen in every state, as pictures in `docs/screens`.
pub(crate) fn screens(root: &Path) -> Result {
    if !cfg!(target_os = "linux") {
        return Err("the web view of this system cannot be driven".into());
    }
    needs::ensure(&[needs::WINDOW, needs::WINDOW_TEST])?;
    ui::build(root)?;
    let mut pictures = tests(&["tests/screens/"], root, &[])?;
    process::run(pictures.env("TOMBOLO_SCREENSHOTS", root.join("docs/screens")))
}
