//! `cargo xtask test`: everything that has to hold, in one order, here and on every build machine.

use std::{
    env,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use crate::{Result, dist, needs, process, tidy, ui, window};

type Stage = fn(&Context) -> Result;

/// Every stage's name and what it does; a later one may use what an earlier one built.
const STAGES: &[(&str, Stage)] = &[
    ("setup", setup),
    ("fmt", fmt),
    ("tidy", |context| tidy::run(&context.root)),
    ("ui", check_ui),
    ("clippy", clippy),
    ("rust", rust),
    ("doc", doc),
    ("e2e", end_to_end),
    ("dist", distribution),
    ("generated", generated),
];

struct Context {
    root: PathBuf,
    long: bool,
    /// A build machine takes nothing that is not in the commit: neither a newer dependency nor a file made here.
    ci: bool,
}

pub(crate) fn run(root: &Path, args: &[String]) -> Result {
    let (flags, names): (Vec<_>, Vec<_>) =
        args.iter().map(String::as_str).partition(|arg| arg.starts_with('-'));
    if let Some(unknown) = flags.iter().find(|flag| **flag != "--long") {
        return Err(format!("no such flag: {unknown}").into());
    }
    if let Some(unknown) = names.iter().find(|name| STAGES.iter().all(|(stage, _)| stage != *name)) {
        let stages: Vec<_> = STAGES.iter().map(|(stage, _)| *stage).collect();
        return Err(format!("no such stage: {unknown}; there are {}", stages.join(", ")).into());
    }
    let context =
        Context { root: root.to_path_buf(), long: !flags.is_empty(), ci: env::var_os("CI").is_some() };
    // Every stage relies on what `setup` installs.
    let wanted = |stage: &str| stage == "setup" || names.is_empty() || names.contains(&stage);
    let mut outcomes = Vec::new();
    for (name, stage) in STAGES.iter().filter(|(name, _)| wanted(name)) {
        println!("==> {name}");
        let start = Instant::now();
        let error = stage(&context).err();
        if let Some(error) = &error {
            println!("{name}: {error}");
        }
        let failed = error.is_some();
        outcomes.push(Outcome { name, failed, duration: start.elapsed() });
        // Nothing else can work without it; any other stage is worth knowing about.
        if failed && *name == "setup" {
            break;
        }
    }
    report(&outcomes)
}

struct Outcome {
    name: &'static str,
    failed: bool,
    duration: Duration,
}

fn report(outcomes: &[Outcome]) -> Result {
    println!("==> summary");
    for Outcome { name, failed, duration } in outcomes {
        let word = if *failed { "FAILED" } else { "ok" };
        println!("{name:>10} {word:6} {:7.1} s", duration.as_secs_f64());
    }
    let failed: Vec<_> =
        outcomes.iter().filter(|outcome| outcome.failed).map(|outcome| outcome.name).collect();
    if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", failed.join(", ")).into()) }
}

fn setup(context: &Context) -> Result {
    needs::ensure(&[needs::WINDOW, needs::WINDOW_TEST])?;
    needs::ensure_nextest(&context.root)?;
    ui::build(&context.root)
}

fn fmt(context: &Context) -> Result {
    process::run(&mut process::cargo(&["fmt", "--all", "--check"], &context.root))
}

fn check_ui(context: &Context) -> Result {
    for script in ["check", "lint", "test"] {
        process::run(&mut process::npm(&["run", script], &context.root))?;
    }
    Ok(())
}

fn clippy(context: &Context) -> Result {
    context.cargo(&["clippy", "--workspace", "--all-targets"], &["--", "--deny", "warnings"])
}

fn rust(context: &Context) -> Result {
    context.cargo(&["nextest", "run", "--workspace", "--no-fail-fast"], &[])
}

fn doc(context: &Context) -> Result {
    context.cargo(&["test", "--doc", "--workspace"], &[])
}

fn end_to_end(context: &Context) -> Result {
    if !cfg!(target_os = "linux") {
        println!("skipped: the web view of this system cannot be driven");
        return Ok(());
    }
    let linter = context.root.join("ui/node_modules/.bin/oxlint");
    let lint = ["--config", "ui/.oxlintrc.json", "--deny-warnings", "tests"];
    process::run(&mut process::command(linter, &lint, &context.root))?;
    let flags: &[&str] = if context.ci { &["--locked"] } else { &[] };
    let mut tests = window::tests(&["tests/e2e/"], &context.root, flags)?;
    process::run(context.with_length(&mut tests))
}

/// The package as somebody installs it. An optimised build takes many minutes, so that it is part of the long run only.
fn distribution(context: &Context) -> Result {
    if !context.long {
        println!("skipped: part of the long run, cargo xtask test --long dist");
        return Ok(());
    }
    dist::test(&context.root)
}

/// What builds write into the source tree has to be what the commit holds.
fn generated(context: &Context) -> Result {
    if !context.ci {
        println!("skipped: only a build machine knows that nothing was edited meanwhile");
        return Ok(());
    }
    let args = ["status", "--porcelain", "--untracked-files=all"];
    let changed = process::output(&mut process::command("git", &args, &context.root))?;
    if changed.is_empty() {
        return Ok(());
    }
    Err(format!("the build changed files of the commit; commit what it made:\n{changed}").into())
}

impl Context {
    fn cargo(&self, args: &[&str], rest: &[&str]) -> Result {
        let locked: &[&str] = if self.ci { &["--locked"] } else { &[] };
        let mut command = process::cargo(&[args, locked, rest].concat(), &self.root);
        process::run(self.with_length(&mut command))
    }

    fn with_length<'a>(&self, command: &'a mut std::process::Command) -> &'a mut std::process::Command {
        if self.long {
            command.env("TOMBOLO_LONG", "1");
        }
        command
    }
}
