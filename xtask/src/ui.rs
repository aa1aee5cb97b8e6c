//! The web page: its packages and its build, each done again only where what goes into it changed.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
};

use crate::{Result, process};

/// Builds `ui/dist`, where something that goes into it changed.
pub(crate) fn build(root: &Path) -> Result {
    packages(root)?;
    let inputs = files(root)?;
    let fresh = Stamp::of("build", &inputs, root)?;
    if fresh.is_kept() && root.join("ui/dist/index.html").is_file() {
        return Ok(());
    }
    process::run(&mut process::npm(&["run", "build"], root))?;
    fresh.keep()
}

/// Installs the npm packages that the lock file names, where it changed.
pub(crate) fn packages(root: &Path) -> Result {
    if process::which("npm").is_none() && !cfg!(windows) {
        return Err("npm is missing: install Node.js 20.19 or newer, which brings it".into());
    }
    let mut inputs = files(root)?;
    inputs.retain(|path| path.ends_with("package.json") || path.ends_with("package-lock.json"));
    let fresh = Stamp::of("packages", &inputs, root)?;
    if fresh.is_kept() {
        return Ok(());
    }
    process::run(&mut process::npm(&["ci", "--prefer-offline"], root))?;
    fresh.keep()
}

/// Every file of `ui/` that is the project's own.
fn files(root: &Path) -> Result<Vec<PathBuf>> {
    let mut files = crate::tidy::project_files(root)?;
    files.retain(|path| path.starts_with("ui"));
    Ok(files)
}

/// Remembers the content of a step's inputs, in a folder that goes when the packages go.
struct Stamp {
    path: PathBuf,
    content: String,
}

impl Stamp {
    fn of(step: &str, inputs: &[PathBuf], root: &Path) -> Result<Self> {
        let mut hasher = DefaultHasher::new();
        for input in inputs {
            input.hash(&mut hasher);
            fs::read(root.join(input))?.hash(&mut hasher);
        }
        Ok(Self {
            path: root.join("ui/node_modules").join(format!(".xtask-{step}")),
            content: format!("{:016x}\n", hasher.finish()),
        })
    }

    fn is_kept(&self) -> bool {
        fs::read_to_string(&self.path).is_ok_and(|kept| kept == self.content)
    }

    fn keep(&self) -> Result {
        Ok(fs::write(&self.path, &self.content)?)
    }
}
