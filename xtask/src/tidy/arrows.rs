//! Which package may depend on which, here and in ARCHITECTURE.md.

use crate::metadata::{Dependency, Member};

/// Every package and the packages of ours that it may name, outside its tests.
const ARROWS: &[(&str, &[&str])] = &[
    ("tombolo-core", &[]),
    ("tombolo-richtext", &["tombolo-core"]),
    ("tombolo-crdt", &["tombolo-core", "tombolo-richtext"]),
    ("tombolo-store", &["tombolo-core", "tombolo-crdt", "tombolo-richtext"]),
    ("tombolo-sqlite", &["tombolo-core", "tombolo-store", "tombolo-crdt"]),
    ("tombolo-protocol", &["tombolo-core"]),
    ("tombolo-sync", &["tombolo-core", "tombolo-protocol"]),
    (
        "tombolo-replica",
        &["tombolo-core", "tombolo-store", "tombolo-sqlite", "tombolo-sync", "tombolo-protocol"],
    ),
    (
        "tombolo-server",
        &["tombolo-core", "tombolo-store", "tombolo-sqlite", "tombolo-sync", "tombolo-protocol"],
    ),
    (
        "tombolo-cli",
        &[
            "tombolo-core",
            "tombolo-store",
            "tombolo-sqlite",
            "tombolo-replica",
            "tombolo-server",
            "tombolo-richtext",
        ],
    ),
    (
        "tombolo-sim",
        &[
            "tombolo-core",
            "tombolo-store",
            "tombolo-sqlite",
            "tombolo-sync",
            "tombolo-protocol",
            "tombolo-crdt",
        ],
    ),
    (
        "tombolo-bench",
        &[
            "tombolo-core",
            "tombolo-richtext",
            "tombolo-crdt",
            "tombolo-store",
            "tombolo-sqlite",
            "tombolo-protocol",
            "tombolo-sync",
            "tombolo-replica",
            "tombolo-server",
            "tombolo-cli",
            "tombolo-sim",
        ],
    ),
    ("tauri-plugin-tombolo", &["tombolo-core", "tombolo-store", "tombolo-replica"]),
    ("tombolo-desktop", &["tauri-plugin-tombolo", "tombolo-core"]),
    ("xtask", &[]),
];

/// Libraries that only the named packages may name, by the first part of the library's name.
const RESERVED: &[(&str, &[&str])] =
    &[("loro", &["tombolo-crdt"]), ("tauri", &["tauri-plugin-tombolo", "tombolo-desktop"])];

/// Packages that do no input or output and know no clock: they are driven from outside.
pub(super) const SANS_IO: &[&str] = &[
    "tombolo-core",
    "tombolo-crdt",
    "tombolo-richtext",
    "tombolo-store",
    "tombolo-protocol",
    "tombolo-sync",
];

/// What a package without input and output cannot want.
const RUNTIMES: &[&str] = &["tokio", "async-std", "smol", "mio", "axum", "hyper", "tungstenite"];

pub(super) fn check(members: &[Member]) -> Vec<String> {
    members.iter().flat_map(check_member).collect()
}

fn check_member(member: &Member) -> Vec<String> {
    let name = member.name.as_str();
    let Some(allowed) = allowed(name) else {
        return vec![format!("{name} is not in the table of arrows in xtask/src/tidy/arrows.rs")];
    };
    let arrow = |dependency: &&Dependency| !dependency.dev && self::allowed(&dependency.name).is_some();
    let forbidden = member
        .dependencies
        .iter()
        .filter(arrow)
        .filter(|dependency| !allowed.contains(&dependency.name.as_str()))
        .map(|dependency| format!("{name} -> {} is an arrow that the table does not allow", dependency.name));
    let foreign = member.dependencies.iter().filter_map(|dependency| check_foreign(name, dependency));
    forbidden.chain(foreign).collect()
}

fn check_foreign(name: &str, dependency: &Dependency) -> Option<String> {
    let library = dependency.name.as_str();
    if allowed(library).is_some() {
        return None;
    }
    let mut reserved =
        RESERVED.iter().filter(|(stem, owners)| named_after(library, stem) && !owners.contains(&name));
    if let Some((_, owners)) = reserved.next() {
        return Some(format!("{name} names {library}, which only {} may", owners.join(" and ")));
    }
    let runtime = RUNTIMES.iter().any(|runtime| named_after(library, runtime) || library.ends_with(runtime));
    (runtime && !dependency.dev && SANS_IO.contains(&name))
        .then(|| format!("{name} names {library}, but does no input or output itself"))
}

/// `tokio-rustls` is named after `tokio`; `tokioish` is not.
fn named_after(library: &str, stem: &str) -> bool {
    library.strip_prefix(stem).is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '_']))
}

fn allowed(name: &str) -> Option<&'static [&'static str]> {
    ARROWS.iter().find(|(package, _)| *package == name).map(|(_, allowed)| *allowed)
}

/// Compares the table above with the one in ARCHITECTURE.md: rows that begin with a package's name in backticks, and
/// name in backticks, in the last cell, what it may depend on.
pub(super) fn check_document(document: &str, members: &[Member]) -> Vec<String> {
    let rows: Vec<(&str, Vec<&str>)> = document.lines().filter_map(row).collect();
    let wrong = rows.iter().filter_map(|(name, written)| {
        let mut allowed = allowed(name)?.to_vec();
        let mut written = written.clone();
        allowed.sort_unstable();
        written.sort_unstable();
        let (allowed, written) = (allowed.join(" "), written.join(" "));
        (allowed != written).then(|| {
            format!(
                "ARCHITECTURE.md lets {name} depend on \"{written}\", the table of arrows on \"{allowed}\""
            )
        })
    });
    let absent = members
        .iter()
        .filter(|member| !rows.iter().any(|(name, _)| *name == member.name))
        .map(|member| format!("ARCHITECTURE.md has no row for {}", member.name));
    wrong.chain(absent).collect()
}

fn row(line: &str) -> Option<(&str, Vec<&str>)> {
    let cells: Vec<&str> = line.strip_prefix('|')?.trim_end().strip_suffix('|')?.split('|').collect();
    let (first, last) = (cells.first()?, cells.last()?);
    let name = quoted(first).next()?;
    allowed(name)?;
    Some((name, quoted(last).collect()))
}

/// What stands in backticks.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str, dependencies: &[(&str, bool)]) -> Member {
        let dependencies =
            dependencies.iter().map(|(name, dev)| Dependency { name: (*name).to_owned(), dev: *dev });
        Member { name: name.to_owned(), dir: name.into(), dependencies: dependencies.collect() }
    }

    fn complaints(name: &str, dependencies: &[(&str, bool)]) -> usize {
        check(&[member(name, dependencies)]).len()
    }

    #[test]
    fn an_arrow_outside_the_table_is_a_complaint_unless_a_test_draws_it() {
        assert_eq!(complaints("tombolo-sync", &[("tombolo-protocol", false), ("serde", false)]), 0);
        assert_eq!(complaints("tombolo-sync", &[("tombolo-store", false)]), 1);
        assert_eq!(complaints("tombolo-sync", &[("tombolo-store", true)]), 0);
        assert_eq!(complaints("tombolo-newcomer", &[]), 1);
    }

    #[test]
    fn reserved_libraries_are_refused_even_in_tests() {
        assert_eq!(complaints("tombolo-crdt", &[("loro", false), ("loro-internal", true)]), 0);
        assert_eq!(complaints("tombolo-store", &[("loro", true)]), 1);
        assert_eq!(complaints("tombolo-cli", &[("tauri", false)]), 1);
        assert_eq!(
            complaints("tombolo-desktop", &[("tauri-build", false), ("tauri-plugin-tombolo", false)]),
            0
        );
    }

    #[test]
    fn packages_without_input_and_output_name_no_runtime() {
        assert_eq!(complaints("tombolo-sync", &[("tokio", false)]), 1);
        assert_eq!(complaints("tombolo-store", &[("tokio-tungstenite", false)]), 1);
        assert_eq!(complaints("tombolo-store", &[("tokio", true)]), 0);
        assert_eq!(complaints("tombolo-server", &[("tokio", false), ("axum", false)]), 0);
    }

    #[test]
    fn the_document_has_the_same_table() {
        let members = [member("tombolo-sync", &[])];
        let right =
            "| `tombolo-sync` | two machines that know no `socket` | `tombolo-protocol`, `tombolo-core` |";
        assert_eq!(check_document(right, &members), Vec::<String>::new());
        let less = "| `tombolo-sync` | two machines | `tombolo-core` |";
        assert_eq!(check_document(less, &members).len(), 1);
        assert_eq!(check_document("nothing", &members).len(), 1);
    }
}
