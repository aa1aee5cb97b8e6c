//! What a task needs from the system, and how it gets there.
//!
//! A need is met when its probe says so, whoever installed it. On Debian and its kin the missing packages are
//! installed: silently where nobody can be asked (a build machine), after a question where somebody sits.

use std::{
    env, fs,
    io::{self, BufRead, IsTerminal, Write},
    path::Path,
    process::Command,
};

use crate::{Result, process};

/// The version of cargo-nextest that the tests are run with.
const NEXTEST: &str = "0.9.143";

pub(crate) struct Need {
    probe: Probe,
    /// The Debian package that meets it.
    package: &'static str,
    why: &'static str,
}

enum Probe {
    /// A program on the search path.
    Program(&'static str),
    /// A library that pkg-config knows.
    Library(&'static str),
}

/// To build the window.
pub(crate) const WINDOW: &[Need] = &[
    Need { probe: Probe::Program("pkg-config"), package: "pkg-config", why: "finds the system's libraries" },
    Need {
        probe: Probe::Library("webkit2gtk-4.1"),
        package: "libwebkit2gtk-4.1-dev",
        why: "the web view inside the window",
    },
];

/// To drive the window in a test.
pub(crate) const WINDOW_TEST: &[Need] = &[
    Need {
        probe: Probe::Program("WebKitWebDriver"),
        package: "webkit2gtk-driver",
        why: "drives the web view",
    },
    Need { probe: Probe::Program("xvfb-run"), package: "xvfb", why: "a screen that nobody sees" },
    Need { probe: Probe::Program("xauth"), package: "xauth", why: "the key to that screen" },
    Need {
        probe: Probe::Program("dbus-run-session"),
        package: "dbus",
        why: "a session bus of its own for each run",
    },
    Need {
        probe: Probe::Program("xdotool"),
        package: "xdotool",
        why: "keys that go through the input method",
    },
    Need { probe: Probe::Program("setxkbmap"), package: "x11-xkb-utils", why: "a keyboard with dead keys" },
];

impl Need {
    fn met(&self) -> bool {
        match self.probe {
            Probe::Program(name) => process::which(name).is_some(),
            Probe::Library(name) => process::succeeds(Command::new("pkg-config").args(["--exists", name])),
        }
    }
}

/// Makes sure that everything is there, or says exactly what to type. Outside Linux the system has it all.
pub(crate) fn ensure(sets: &[&'static [Need]]) -> Result {
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    let missing: Vec<&Need> = sets.iter().copied().flatten().filter(|need| !need.met()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    println!("Missing on this system:");
    for need in &missing {
        println!("  {:24} {}", need.package, need.why);
    }
    let packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
    if process::which("apt-get").is_none() {
        return Err(
            "install what gives these under your system's names for them (Debian's are listed above)".into(),
        );
    }
    let rights = allowed_to_install(&packages)?;
    install(rights, &packages)?;
    match missing.iter().find(|need| !need.met()) {
        None => Ok(()),
        Some(need) => {
            Err(format!("{} was installed, but what it is for is still not found", need.package).into())
        }
    }
}

/// How this process may install packages.
#[derive(Clone, Copy)]
enum Rights {
    Root,
    Sudo,
}

fn allowed_to_install(packages: &[&str]) -> Result<Rights> {
    let root = process::output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    let rights = if root { Rights::Root } else { Rights::Sudo };
    let typed = process::shown(&apt(rights, "install", packages));
    let refused = || format!("install them with: {typed}").into();
    if io::stdin().is_terminal() && env::var_os("CI").is_none() {
        return if confirmed(&typed)? { Ok(rights) } else { Err(refused()) };
    }
    if root || process::succeeds(Command::new("sudo").args(["-n", "true"])) {
        return Ok(rights);
    }
    Err(refused())
}

fn confirmed(typed: &str) -> Result<bool> {
    print!("Run `{typed}` now? [Y/n] ");
    io::stdout().flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "" | "y" | "Y" | "yes"))
}

fn install(rights: Rights, packages: &[&str]) -> Result {
    if !package_lists_present() {
        process::run(&mut apt(rights, "update", &[]))?;
    }
    // Lists may be older than the archive: a second try asks for new ones first.
    process::run(&mut apt(rights, "install", packages)).or_else(|_| {
        process::run(&mut apt(rights, "update", &[]))?;
        process::run(&mut apt(rights, "install", packages))
    })
}

fn apt(rights: Rights, action: &str, packages: &[&str]) -> Command {
    let mut command = match rights {
        Rights::Root => Command::new("apt-get"),
        Rights::Sudo => {
            let mut command = Command::new("sudo");
            command.arg("apt-get");
            command
        }
    };
    command.arg(action);
    if action == "install" {
        command.args(["-y", "--no-install-recommends"]);
    }
    command.args(packages).env("DEBIAN_FRONTEND", "noninteractive");
    command
}

fn package_lists_present() -> bool {
    fs::read_dir("/var/lib/apt/lists").is_ok_and(|mut entries| {
        entries
            .any(|entry| entry.is_ok_and(|entry| entry.file_name().to_string_lossy().contains("_Packages")))
    })
}

/// Installs the test runner where it is missing; any version that somebody already has will do.
pub(crate) fn ensure_nextest(root: &Path) -> Result {
    if process::succeeds(&mut process::cargo(&["nextest", "--version"], root)) {
        return Ok(());
    }
    println!("cargo-nextest is missing; building version {NEXTEST} (a few minutes, once)");
    // Without what lets it replace itself: its version is fixed here, and that part brings a TLS library in C.
    let lean = ["--no-default-features", "--features", "default-no-update"];
    let args = ["install", "cargo-nextest", "--locked", "--version", NEXTEST];
    let args = [&args[..], &lean[..]].concat();
    process::run(&mut process::cargo(&args, root))
}
