//! Rules for single files.

use std::path::Path;

use super::arrows::SANS_IO;

/// A reader gives up on longer ones; where a table or a test needs more, it is data and belongs into a data file.
const LINES_MAX: usize = 700;

/// Files that people write and read.
const SOURCE_TYPES: &[&str] = &["rs", "ts", "svelte", "js", "mjs", "css"];

/// The wall clock, the monotonic clock and the global random generator.
const AMBIENT: &[&str] = &["SystemTime::now", "Instant::now", "thread_rng", "rand::rng()", "OsRng"];

// Put together here, so that this file does not complain of itself.
const MARKERS: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME")];
const NEIGHBOUR: &str = concat!("..", "/shared");

/// Complaints about one file, each with its place.
pub(super) fn check(path: &Path, text: &str) -> Vec<String> {
    let name = path.to_string_lossy().replace('\\', "/");
    let source =
        path.extension().is_some_and(|extension| SOURCE_TYPES.iter().any(|source| extension == *source));
    let mut complaints = Vec::new();
    if source {
        let lines = text.lines().count();
        if lines > LINES_MAX {
            complaints.push(format!("{name} has {lines} lines, more than {LINES_MAX}: split it"));
        }
    }
    for (index, line) in text.lines().enumerate() {
        let found = (source.then(|| marker(line)).flatten())
            .or_else(|| ambient(&name, line))
            .or_else(|| neighbour(&name, line))
            .or_else(|| registry(&name, line))
            .or_else(|| inline_style(&name, line));
        complaints.extend(found.map(|complaint| format!("{name}:{}: {complaint}", index + 1)));
    }
    complaints
}

/// `TODO(ann): …` says who will do it; without a name nobody will.
fn marker(line: &str) -> Option<String> {
    let marker = MARKERS.iter().find(|marker| {
        line.match_indices(**marker).any(|(at, _)| {
            let word = !line[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_');
            let rest = &line[at + marker.len()..];
            let owned = rest
                .strip_prefix('(')
                .and_then(|rest| rest.split_once(')'))
                .is_some_and(|(owner, _)| !owner.trim().is_empty());
            word && !owned && !rest.starts_with(|after: char| after.is_alphanumeric() || after == '_')
        })
    })?;
    Some(format!("{marker} without an owner in parentheses"))
}

/// Time and chance are handed in, so that a test and the simulator can decide them; only core may ask the system.
fn ambient(name: &str, line: &str) -> Option<String> {
    let package = name.strip_prefix("crates/")?.split_once("/src/")?.0;
    if package == "tombolo-core" || !SANS_IO.contains(&package) || !name.ends_with(".rs") {
        return None;
    }
    let code = line.split("//").next()?;
    let asked = AMBIENT.iter().find(|ambient| code.contains(**ambient))?;
    Some(format!("{package} asks the system by {asked}; take it as an argument"))
}

/// The build script is the one place that knows what lies beside the clone.
fn neighbour(name: &str, line: &str) -> Option<String> {
    (name != ".ci/run" && line.contains(NEIGHBOUR)).then(|| format!("only .ci/run may name {NEIGHBOUR}"))
}

/// A lock file that names a registry's host installs from there and nowhere else.
fn registry(name: &str, line: &str) -> Option<String> {
    let resolved = line.trim_start().starts_with("\"resolved\": \"http");
    (resolved && name.ends_with("package-lock.json"))
        .then(|| "the lock file names a registry's host".to_owned())
}

/// The content security policy drops styles written into a template.
fn inline_style(name: &str, line: &str) -> Option<String> {
    let template = name.ends_with(".svelte") || name.ends_with(".html");
    (template && line.contains(" style=\""))
        .then(|| "a static style attribute, which the security policy drops".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_one(path: &str, text: &str, complaints: usize) {
        let found = check(Path::new(path), text);
        assert_eq!(found.len(), complaints, "{found:?}");
    }

    #[test]
    fn long_files_are_complaints_where_people_wrote_them() {
        let long = "x\n".repeat(LINES_MAX + 1);
        check_one("crates/tombolo-core/src/id.rs", &long, 1);
        check_one("ui/src/App.svelte", &long[2..], 0);
        check_one("Cargo.lock", &long, 0);
    }

    #[test]
    fn a_marker_needs_an_owner() {
        let [todo, fixme] = [MARKERS[0], MARKERS[1]];
        check_one("a.rs", &format!("// {todo}: later"), 1);
        check_one("a.ts", &format!("// {fixme} later"), 1);
        check_one("a.rs", &format!("// {todo}(): later"), 1);
        check_one("a.rs", &format!("// {todo}(ann): later"), 0);
        check_one("a.rs", &format!("const {todo}S: u8 = 1; const A_{todo}: u8 = 1;"), 0);
        check_one("notes.md", &format!("a {todo} list"), 0);
    }

    #[test]
    fn time_and_chance_come_from_outside() {
        check_one("crates/tombolo-sync/src/client.rs", "let now = Instant::now();", 1);
        check_one("crates/tombolo-store/src/lib.rs", "let mut rng = rand::rng();", 1);
        check_one("crates/tombolo-store/src/lib.rs", "// never Instant::now()", 0);
        check_one("crates/tombolo-core/src/clock.rs", "SystemTime::now()", 0);
        check_one("crates/tombolo-server/src/lib.rs", "Instant::now()", 0);
        check_one("crates/tombolo-sync/tests/it/main.rs", "Instant::now()", 0);
    }

    #[test]
    fn only_the_build_script_looks_beside_the_clone() {
        check_one("tests/e2e/a.mjs", &format!("open('{NEIGHBOUR}/data')"), 1);
        check_one(".ci/run", &format!("inputs={NEIGHBOUR}/data"), 0);
    }

    #[test]
    fn lock_files_and_templates() {
        check_one("ui/package-lock.json", "  \"resolved\": \"https://somewhere/x.tgz\",", 1);
        check_one("ui/package-lock.json", "  \"resolved\": \"packages/client\",", 0);
        check_one("ui/src/App.svelte", "<p style=\"color: red\">", 1);
        check_one("ui/src/App.svelte", "<p style:width={width}>", 0);
    }
}
