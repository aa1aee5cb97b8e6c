//! The task runner of the workspace: `cargo xtask <task>`.
//!
//! It runs on a machine that has a C compiler, Rust, Node and git, and brings whatever else a task needs.
//! The tasks know the repository's layout; they know nothing of what the crates do.

mod dist;
mod icons;
mod metadata;
mod needs;
mod process;
mod run;
mod test;
mod tidy;
mod ui;
mod window;

use std::{
    env,
    error::Error,
    path::{Path, PathBuf},
    process::ExitCode,
};

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

const USAGE: &str = "\
cargo xtask <task>

  run [-- ARGS]            build the app and open its window
  test [--long] [STAGE…]   check and test everything, or only the named stages
  ui                       install the page's packages and build it, where it changed
  tidy                     check the rules of ARCHITECTURE.md that a program can check
  bench [NAME…]            measure against baselines in the same run, optimised
  bench window             the same in the real window
  dist                     build the packages that people install
  screens                  take pictures of every screen, into docs/screens
  icons                    draw the icon files again from icons/tombolo.svg
";

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    match dispatch(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(args: &[String]) -> Result {
    let root = root();
    let (task, rest) = args.split_first().map_or(("", args), |(task, rest)| (task.as_str(), rest));
    match (task, rest) {
        ("run", rest) => run::run(&root, rest),
        ("test", rest) => test::run(&root, rest),
        ("ui", []) => ui::build(&root),
        ("tidy", []) => tidy::run(&root),
        ("bench", [name]) if name == "window" => window::bench(&root),
        ("bench", names) => bench(&root, names),
        ("dist", []) => dist::run(&root),
        ("screens", []) => window::screens(&root),
        ("icons", []) => icons::run(&root),
        ("" | "help" | "-h" | "--help", _) => {
            print!("{USAGE}");
            Ok(())
        }
        _ => Err(format!("no such task: {}\n\n{USAGE}", args.join(" ")).into()),
    }
}

/// Builds and runs the measurements; the names choose among them.
fn bench(root: &Path, names: &[String]) -> Result {
    let names = names.iter().map(String::as_str);
    let args: Vec<&str> =
        ["run", "--release", "--package", "tombolo-bench", "--"].into_iter().chain(names).collect();
    process::run(&mut process::cargo(&args, root))
}

/// The repository's root: the folder above this package's.
fn root() -> PathBuf {
    // Cargo says where it runs this from; what was compiled in may be another checkout that shares the target folder.
    let package = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let package = PathBuf::from(package);
    package.parent().unwrap_or(&package).to_path_buf()
}
