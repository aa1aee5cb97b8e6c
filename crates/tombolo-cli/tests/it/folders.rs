//! Folders of Markdown, in and out.

use crate::world::{World, error, run};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

const WORKSPACE: &str = include_str!("../../../../ui/manifest.json");

/// A world whose pages are the workspace app's.
fn world() -> World {
    let world = World::new();
    fs::write(world.path("manifest.json"), WORKSPACE).unwrap();
    world
}

fn import(world: &World, folder: &str, from: &Path) -> String {
    let output = run(["import", "--data", &world.text(folder), from.to_str().unwrap()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn export(world: &World, folder: &str, to: &str) -> BTreeMap<String, String> {
    let output = run(["export", "--data", &world.text(folder), &world.text(to)]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    files(&world.path(to))
}

/// The Markdown files of a folder, those in folders below it as well.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(at) = open.pop() {
        for entry in fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                found.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}

/// A text without white space and with one kind of list marker.
fn essence(text: &str) -> String {
    let marker = |line: &str| {
        let line = line.trim_start();
        let rest = line.strip_prefix("* ").or_else(|| line.strip_prefix("+ "));
        rest.map_or_else(|| line.to_owned(), |rest| format!("- {rest}"))
    };
    let lines: Vec<String> = text.lines().map(marker).collect();
    lines.concat().chars().filter(|c| !c.is_whitespace()).collect()
}

fn pages(world: &World, folder: &str) -> Vec<Json> {
    let filter = json!({"$order": {"parent_order": "asc"}});
    let rows = world.call(folder, "query_filtered", &json!({"entity": "Page", "filter": filter}));
    rows.as_array().unwrap().clone()
}

#[test]
fn a_real_book_goes_in_over_to_another_device_and_out_again() {
    let Ok(inputs) = std::env::var("TOMBOLO_INPUTS") else {
        eprintln!("skipped: TOMBOLO_INPUTS is not set");
        return;
    };
    let book = Path::new(&inputs).join("vault");
    let source = files(&book);
    let world = world();
    let said = import(&world, "a", &book);
    assert!(said.contains("imported 112 pages") && said.contains("28 images"), "{said}");
    let rows = pages(&world, "a");
    let chapters = rows.iter().filter(|row| row["path"] != "SUMMARY.md").count();
    assert_eq!(chapters, 111);
    assert!(rows.iter().any(|row| !row["parent"].is_null()), "SUMMARY.md nests chapters");

    let server = world.serve("server", "127.0.0.1:0");
    let (ann, bob) = (world.token("server", "ann"), world.token("server", "bob"));
    let mut a = world.client("a", Some((&server.url, &ann)));
    a.saved();
    let mut b = world.client("b", Some((&server.url, &bob)));
    b.saved();
    assert_eq!(a.rows(), b.rows());
    a.close();
    b.close();

    let exported = export(&world, "b", "out");
    assert_eq!(exported.keys().collect::<Vec<_>>(), source.keys().collect::<Vec<_>>());
    let exact = source.iter().filter(|(path, text)| exported[*path] == **text).count();
    eprintln!("{exact} of {} files came back byte by byte", source.len());
    for (path, text) in &source {
        assert_eq!(essence(&exported[path]), essence(text), "{path}");
    }
    import(&world, "c", &world.path("out"));
    assert_eq!(export(&world, "c", "again"), exported);
    let shown = |folder: &str| -> Vec<[Json; 3]> {
        let rows = pages(&world, folder);
        let mut shown: Vec<_> =
            rows.iter().map(|row| ["path", "title", "body"].map(|key| row[key].clone())).collect();
        shown.sort_by_key(|page| page[0].to_string());
        shown
    };
    assert_eq!(shown("c"), shown("b"));
}

#[test]
fn folders_give_nesting_where_there_is_no_summary() {
    let world = world();
    let from = world.path("notes");
    fs::create_dir_all(from.join("garden")).unwrap();
    fs::create_dir_all(from.join(".hidden")).unwrap();
    fs::write(from.join("today.md"), "# Today\n\nSee [beans](garden/beans.md).\n").unwrap();
    fs::write(from.join("garden/beans.md"), "Sow in May.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n").unwrap();
    fs::write(from.join(".hidden/secret.md"), "not taken").unwrap();
    fs::write(from.join("picture.png"), [0, 1, 2]).unwrap();
    import(&world, "a", &from);
    let rows = pages(&world, "a");
    let by_path = |path: &str| rows.iter().find(|row| row["path"] == path).unwrap();
    assert_eq!(by_path("garden/beans.md")["parent"], by_path("garden/")["id"]);
    assert_eq!(by_path("today.md")["title"], "Today");
    assert_eq!(
        export(&world, "a", "out"),
        files(&from).into_iter().filter(|(path, _)| !path.starts_with('.')).collect()
    );
}

#[test]
fn what_cannot_be_imported_changes_nothing() {
    let world = world();
    world.call("a", "insert", &json!({"entity": "Page", "data": {"title": "mine"}}));
    let before = pages(&world, "a");
    let make = |name: &str, more: &[(&str, &[u8])]| {
        let folder = world.path(name);
        fs::create_dir(&folder).unwrap();
        for (file, bytes) in more {
            fs::write(folder.join(file), bytes).unwrap();
        }
        folder
    };
    let good: (&str, &[u8]) = ("good.md", b"# Good\n");
    for (folder, code, named) in [
        (make("bytes", &[good, ("bad.md", b"caf\xe9")]), "FILE_UNREADABLE", "bad.md"),
        (make("lost", &[good, ("SUMMARY.md", b"- [Gone](gone.md)\n")]), "FILE_UNREADABLE", "gone.md"),
        (make("out", &[good, ("SUMMARY.md", b"- [Up](../up.md)\n")]), "INVALID_DATA", "../up.md"),
        (make("empty", &[]), "FILE_UNREADABLE", "empty"),
        (world.path("missing"), "FILE_UNREADABLE", "missing"),
        (world.path("bytes").join("good.md"), "FILE_UNREADABLE", "good.md"),
    ] {
        let output = run(["import", "--data", &world.text("a"), folder.to_str().unwrap()]);
        let error = error(&output);
        assert_eq!(error["code"], code, "{error}");
        assert!(error["message"].as_str().unwrap().contains(named), "{error}");
        assert_eq!(pages(&world, "a"), before);
    }
}

#[test]
fn an_export_overwrites_nothing() {
    let world = world();
    world.call("a", "insert", &json!({"entity": "Page", "data": {"title": "mine"}}));
    fs::create_dir(world.path("full")).unwrap();
    fs::write(world.path("full").join("kept.txt"), "kept").unwrap();
    let output = run(["export", "--data", &world.text("a"), &world.text("full")]);
    assert_eq!(error(&output)["code"], "CONFLICT");
    assert_eq!(fs::read_dir(world.path("full")).unwrap().count(), 1);
    let output = run([
        "export",
        "--data",
        &world.text("a"),
        &world.path("full").join("kept.txt").join("x").to_string_lossy(),
    ]);
    assert_eq!(error(&output)["code"], "STORAGE_FAILED");
}
