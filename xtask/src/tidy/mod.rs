//! `cargo xtask tidy`: the rules of ARCHITECTURE.md that a program can check.
//!
//! Every check is a function from what it reads to a list of complaints, so that its test needs no repository.

mod arrows;
mod manifests;
mod sources;

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{Result, metadata, process};

pub(crate) fn run(root: &Path) -> Result {
    let workspace = metadata::read(root)?;
    let mut complaints = arrows::check(&workspace.members);
    complaints.extend(arrows::check_document(
        &fs::read_to_string(root.join("ARCHITECTURE.md"))?,
        &workspace.members,
    ));
    complaints.extend(manifests::check_root(&fs::read_to_string(root.join("Cargo.toml"))?));
    for member in &workspace.members {
        complaints.extend(manifests::check_member(
            &member.name,
            &fs::read_to_string(member.dir.join("Cargo.toml"))?,
        ));
    }
    let mut read = 0;
    for path in project_files(root)? {
        // What is not text has no rule here.
        if let Ok(text) = fs::read_to_string(root.join(&path)) {
            complaints.extend(sources::check(&path, &text));
            read += 1;
        }
    }
    if complaints.is_empty() {
        println!("tidy: {} packages and {read} files are in order", workspace.members.len());
        return Ok(());
    }
    for complaint in &complaints {
        println!("tidy: {complaint}");
    }
    Err(format!("{} rules broken", complaints.len()).into())
}

/// Every file that is in git or could be added to it, relative to the root.
pub(crate) fn project_files(root: &Path) -> Result<Vec<PathBuf>> {
    let args = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let list = process::output(&mut process::command("git", &args, root))?;
    let files = list.split('\0').filter(|name| !name.is_empty()).map(PathBuf::from);
    // A file deleted but not yet committed is still listed.
    Ok(files.filter(|path| root.join(path).is_file()).collect())
}
