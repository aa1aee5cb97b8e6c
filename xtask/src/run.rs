//! `cargo xtask run`: from a clone to an open window.

use std::path::Path;

use crate::{Result, needs, process, ui};

pub(crate) fn run(root: &Path, args: &[String]) -> Result {
    let args = match args.split_first() {
        Some((first, rest)) if first == "--" => rest,
        _ => args,
    };
    needs::ensure(&[needs::WINDOW])?;
    ui::build(root)?;
    let mut app = process::cargo(&["run", "--package", "tombolo-desktop", "--"], root);
    process::run(app.args(args))
}
