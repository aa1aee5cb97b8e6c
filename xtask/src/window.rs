//! Tests in the real window: the programs that they drive, and a screen that nobody sees.

use std::{path::Path, process::Command};

use crate::{Result, metadata, needs, process, ui};

/// The packages whose programs the tests start.
const PACKAGES: &[&str] = &["--package", "tombolo-desktop", "--package", "tombolo-cli"];

/// Builds the app and the program `tombolo`; gives the command that runs Node's tests in `paths` with them.
pub(crate) fn tests(paths: &[&str], root: &Path, flags: &[&str]) -> Result<Command> {
    with_programs(on_screen(paths, root), root, "debug", flags)
}

/// Builds the programs and tells the command where they are.
fn with_programs(mut command: Command, root: &Path, profile: &str, flags: &[&str]) -> Result<Command> {
    process::run(&mut process::cargo(&[&["build"], PACKAGES, flags].concat(), root))?;
    let target_dir = metadata::read(root)?.target_dir;
    command
        .env("TOMBOLO_APP", target_dir.join(profile).join("tombolo-desktop"))
        .env("TOMBOLO_CLI", target_dir.join(profile).join("tombolo"))
        .env("TOMBOLO_SCREENSHOTS", target_dir.join("screenshots"));
    Ok(command)
}

/// Runs Node's tests in `paths` before a screen that nobody sees, with a session bus of their own.
pub(crate) fn on_screen(paths: &[&str], root: &Path) -> Command {
    node_on_screen(&[&["--test", "--test-reporter=spec"], paths].concat(), root)
}

fn node_on_screen(args: &[&str], root: &Path) -> Command {
    let screen = ["--auto-servernum", "--server-args", "-screen 0 1920x1200x24"];
    let node = ["dbus-run-session", "--", "node"];
    process::command("xvfb-run", &[&screen[..], &node[..], args].concat(), root)
}

/// Makes sure that the window can be driven here, and builds its page.
fn prepare(root: &Path) -> Result {
    if !cfg!(target_os = "linux") {
        return Err("the web view of this system cannot be driven".into());
    }
    needs::ensure(&[needs::WINDOW, needs::WINDOW_TEST])?;
    ui::build(root)
}

/// `cargo xtask bench window`: what the window costs, optimised.
pub(crate) fn bench(root: &Path) -> Result {
    prepare(root)?;
    let measure = node_on_screen(&["tests/e2e/measure.mjs"], root);
    process::run(&mut with_programs(measure, root, "release", &["--release"])?)
}

/// `cargo xtask screens`: every screen in every state, as pictures in `docs/screens`.
pub(crate) fn screens(root: &Path) -> Result {
    prepare(root)?;
    let mut pictures = tests(&["tests/screens/"], root, &[])?;
    process::run(pictures.env("TOMBOLO_SCREENSHOTS", root.join("docs/screens")))
}
