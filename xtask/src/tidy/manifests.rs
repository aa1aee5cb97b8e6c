//! Every package takes the lints of the workspace, and those forbid unsafe code.

pub(super) fn check_root(manifest: &str) -> Option<String> {
    let forbidden = section(manifest, "workspace.lints.rust")
        .any(|line| setting(line) == Some(("unsafe_code", "\"forbid\"")));
    (!forbidden).then(|| "the workspace's lints do not forbid unsafe code".to_owned())
}

pub(super) fn check_member(name: &str, manifest: &str) -> Option<String> {
    let taken = section(manifest, "lints").any(|line| setting(line) == Some(("workspace", "true")));
    (!taken).then(|| format!("{name} does not take the workspace's lints: [lints] workspace = true"))
}

/// The lines of a manifest between one header and the next.
fn section<'a>(manifest: &'a str, header: &str) -> impl Iterator<Item = &'a str> {
    let opening = format!("[{header}]");
    let lines = manifest.lines().map(str::trim).skip_while(move |line| *line != opening).skip(1);
    lines.take_while(|line| !line.starts_with('['))
}

fn setting(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.split_once('=')?;
    Some((key.trim(), value.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_that_takes_no_lints_is_a_complaint() {
        assert_eq!(check_member("x", "[package]\nname = \"x\"\n\n[lints]\nworkspace = true\n"), None);
        assert!(check_member("x", "[package]\nname = \"x\"\n").is_some());
        assert!(check_member("x", "[lints]\n[dependencies]\nworkspace = true\n").is_some());
    }

    #[test]
    fn the_workspace_has_to_forbid_unsafe_code() {
        assert_eq!(check_root("[workspace.lints.rust]\nunsafe_code = \"forbid\"\n"), None);
        assert!(check_root("[workspace.lints.rust]\nunsafe_code = \"deny\"\n").is_some());
    }
}
