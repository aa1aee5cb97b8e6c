//! What cargo knows of the workspace.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::{Result, process};

pub(crate) struct Workspace {
    pub(crate) members: Vec<Member>,
    pub(crate) target_dir: PathBuf,
}

pub(crate) struct Member {
    pub(crate) name: String,
    /// The folder of its Cargo.toml.
    pub(crate) dir: PathBuf,
    pub(crate) dependencies: Vec<Dependency>,
}

#[derive(Clone)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// Whether only tests, examples and benchmarks see it.
    pub(crate) dev: bool,
}

pub(crate) fn read(root: &Path) -> Result<Workspace> {
    let args = ["metadata", "--no-deps", "--format-version", "1"];
    parse(&process::output(&mut process::cargo(&args, root))?)
}

fn parse(json: &str) -> Result<Workspace> {
    let metadata: Value = serde_json::from_str(json)?;
    Ok(Workspace {
        members: list(&metadata, "packages").map(member).collect::<Result<_>>()?,
        target_dir: text(&metadata, "target_directory")?.into(),
    })
}

fn member(package: &Value) -> Result<Member> {
    let manifest = PathBuf::from(text(package, "manifest_path")?);
    let dependencies = list(package, "dependencies").map(|dependency| {
        Ok(Dependency { name: text(dependency, "name")?.to_owned(), dev: dependency["kind"] == "dev" })
    });
    Ok(Member {
        name: text(package, "name")?.to_owned(),
        dir: manifest.parent().unwrap_or(&manifest).to_path_buf(),
        dependencies: dependencies.collect::<Result<_>>()?,
    })
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value[key].as_array().into_iter().flatten()
}

fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str> {
    value[key].as_str().ok_or_else(|| format!("cargo metadata has no `{key}`").into())
}
