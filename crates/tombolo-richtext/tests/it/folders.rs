//! Folders become trees of pages and come back.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tombolo_richtext::folder::{FolderError, PlannedPage, plan_export, plan_import};
use tombolo_richtext::{Document, from_markdown};

use crate::counter;
use crate::vault::book;

type Files = BTreeMap<String, String>;

fn files(list: &[(&str, &str)]) -> Files {
    list.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
}

fn import(files: &Files) -> Vec<PlannedPage> {
    plan_import(files, &mut counter()).unwrap()
}

/// Each page as `depth title (path)`.
fn outline(pages: &[PlannedPage]) -> Vec<String> {
    let depth = |page: &PlannedPage| std::iter::successors(page.parent, |at| pages[*at].parent).count();
    let line = |page: &PlannedPage| {
        format!("{} {} ({})", depth(page), page.title, page.path.clone().unwrap_or_default())
    };
    pages.iter().map(line).collect()
}

fn new_page(title: &str, parent: Option<usize>, order: usize) -> PlannedPage {
    let document = from_markdown("Text\n", &mut counter());
    PlannedPage { path: None, title: title.to_owned(), parent, order, document }
}

const SUMMARY: &str = "\
# Summary

[Preface](preface.md)

# Part One

- [First `a`](a.md)
  - [Inner](sub/inner.md)
  - [Soon]()

# Part Two

---

- [Second](b.md)

[After](after.md)
";

fn small_book() -> Files {
    files(&[
        ("SUMMARY.md", SUMMARY),
        ("preface.md", "Before all.\n"),
        ("a.md", "# First\n\nText\n"),
        ("sub/inner.md", "---\ntitle: x\n---\n\n## Inner\n"),
        ("b.md", "B\n"),
        ("after.md", ""),
        ("notes.md", "# Notes to self\n"),
    ])
}

#[test]
fn a_summary_gives_titles_and_nesting() {
    let wanted = [
        "0 Preface (preface.md)",
        "0 First a (a.md)",
        "1 Inner (sub/inner.md)",
        "1 Soon ()",
        "0 Second (b.md)",
        "0 After (after.md)",
        "0 Notes to self (notes.md)",
        "0 Summary (SUMMARY.md)",
    ];
    assert_eq!(outline(&import(&small_book())), wanted);
}

#[test]
fn an_unchanged_book_comes_back_as_it_was() {
    assert_eq!(plan_export(&import(&small_book())), small_book());
}

#[test]
fn a_summary_follows_its_pages() {
    let mut pages = import(&small_book());
    pages[1].title = "First [b]".to_owned();
    pages[3].document = from_markdown("Now it is here.\n", &mut counter());
    pages.push(new_page("Deep, down", Some(2), 0));
    pages.push(new_page("Dedication", None, 0));
    // The whole of part two goes, but for its heading.
    let gone = pages.iter().position(|page| page.title == "Second").unwrap();
    let pages: Vec<PlannedPage> = pages
        .iter()
        .enumerate()
        .filter(|(index, _)| *index != gone)
        .map(|(_, page)| PlannedPage {
            parent: page.parent.map(|parent| parent - usize::from(parent > gone)),
            order: page.order + usize::from(page.path.is_some()),
            ..page.clone()
        })
        .collect();
    let exported = plan_export(&pages);
    let wanted = "\
# Summary

[Dedication](dedication.md)
[Preface](preface.md)

# Part One

- [First [b]](a.md)
  - [Inner](sub/inner.md)
    - [Deep, down](sub/deep-down.md)
  - [Soon](soon.md)

# Part Two

---


[After](after.md)
";
    assert_eq!(exported["SUMMARY.md"], wanted);
    assert_eq!(exported["sub/deep-down.md"], "# Deep, down\n\nText\n");
    assert!(!exported.contains_key("b.md"));
    assert_eq!(exported["soon.md"], "# Soon\n\nNow it is here.\n");
}

#[test]
fn a_summary_that_lies_is_refused_with_its_place() {
    let cases = [
        ("- [A](gone.md)\n", "FILE_UNREADABLE", 1),
        ("\n- [A](a.md)\n- [B](./a.md)\n", "INVALID_DATA", 3),
        ("- [A](../a.md)\n", "INVALID_DATA", 1),
        ("- [A](/etc/passwd)\n", "INVALID_DATA", 1),
        ("- [A](https://example.org/a.md)\n", "INVALID_DATA", 1),
        ("- [A](a.md)\n  - [Me](SUMMARY.md)\n", "INVALID_DATA", 2),
        ("- [A](%2e%2e/a.md)\n", "INVALID_DATA", 1),
    ];
    for (summary, code, at) in cases {
        let files = files(&[("SUMMARY.md", summary), ("a.md", "")]);
        let error = plan_import(&files, &mut counter()).unwrap_err();
        assert_eq!(error.code(), code, "{summary}");
        assert!(error.to_string().starts_with(&format!("SUMMARY.md:{at}: ")), "{error}");
    }
    let error = plan_import(&files(&[("../a.md", "")]), &mut counter()).unwrap_err();
    assert_eq!(error, FolderError::BadName { path: "../a.md".to_owned() });
}

#[test]
fn a_book_may_lie_in_a_folder() {
    let files = files(&[
        ("src/SUMMARY.md", "- [A](a.md)\n- [R](../README.md)\n"),
        ("src/a.md", "A\n"),
        ("README.md", "R\n"),
    ]);
    let pages = import(&files);
    assert_eq!(outline(&pages), ["0 A (src/a.md)", "0 R (README.md)", "0 Summary (src/SUMMARY.md)"]);
    assert_eq!(plan_export(&pages), files);
    let pages = [pages, vec![new_page("New", Some(0), 0)]].concat();
    assert_eq!(
        plan_export(&pages)["src/SUMMARY.md"],
        "- [A](a.md)\n  - [New](new.md)\n- [R](../README.md)\n"
    );
}

#[test]
fn folders_nest_without_a_summary() {
    let files = files(&[
        ("a.md", "# Letter A\n"),
        ("a/one.md", "1\n"),
        ("a/deep/two.md", "2\n"),
        ("b/README.md", "B\n"),
        ("b/three.md", "3\n"),
        ("c/d/four.md", "4\n"),
    ]);
    let pages = import(&files);
    let wanted = [
        "0 Letter A (a.md)",
        "1 deep (a/deep/)",
        "2 two (a/deep/two.md)",
        "1 one (a/one.md)",
        "0 b (b/README.md)",
        "1 three (b/three.md)",
        "0 c (c/)",
        "1 d (c/d/)",
        "2 four (c/d/four.md)",
    ];
    let mut outline = outline(&pages);
    outline.sort_by_key(|line| line.split_once('(').unwrap().1.replace(".md)", ")").replace("README)", ""));
    assert_eq!(outline, wanted);
    assert_eq!(plan_export(&pages), files);
}

#[test]
fn moved_and_renamed_pages_move_and_rename_their_files() {
    let files = files(&[("a.md", "# A\n\nText\n"), ("b.md", "No heading\n"), ("b/c.md", "# C\n")]);
    let mut pages = import(&files);
    let at = |pages: &[PlannedPage], path: &str| {
        pages.iter().position(|page| page.path.as_deref() == Some(path)).unwrap()
    };
    let (a, b) = (at(&pages, "a.md"), at(&pages, "b.md"));
    pages[b].parent = Some(a);
    pages[a].title = "Alpha".to_owned();
    pages.push(new_page("c", Some(b), 9));
    let wanted = [
        ("a.md", "# Alpha\n\nText\n"),
        ("a/b.md", "No heading\n"),
        ("a/b/c.md", "# C\n"),
        ("a/b/c-2.md", "# c\n\nText\n"),
    ];
    assert_eq!(plan_export(&pages), self::files(&wanted));
}

#[test]
fn hostile_paths_and_rings_stay_inside() {
    let page =
        |path: &str, parent| PlannedPage { path: Some(path.to_owned()), parent, ..new_page("T", None, 0) };
    let pages = [
        page("../../x.md", Some(1)),
        page("/etc/cron.d/x.md", Some(0)),
        page(".git/hooks/x.md", Some(2)),
        page("a.sh", Some(77)),
        page("a.md", None),
        page("A.md", None),
    ];
    let exported = plan_export(&pages);
    let paths: Vec<&str> = exported.keys().map(String::as_str).collect();
    assert_eq!(paths, ["A-2.md", "a.md", "t-2.md", "t-2/t.md", "t-3.md", "t.md"]);
}

#[test]
fn the_book_comes_back() {
    let Some(files) = book() else { return };
    let pages = import(&files);
    assert_eq!(pages.len(), files.len());
    assert_eq!(pages[0].title, "The Rust Programming Language");
    let inner = pages.iter().find(|page| page.path.as_deref() == Some("ch06-02-match.md")).unwrap();
    assert_eq!(inner.title, "The match Control Flow Construct");
    assert_eq!(pages[inner.parent.unwrap()].title, "Enums and Pattern Matching");
    let exported = plan_export(&pages);
    assert_eq!(exported.keys().collect::<Vec<_>>(), files.keys().collect::<Vec<_>>());
    assert_eq!(exported["SUMMARY.md"], files["SUMMARY.md"]);
    let differing = files.iter().filter(|(path, text)| exported[*path] != **text).count();
    println!("{differing} of {} files differ in white space", files.len());
    assert!(differing <= 2);
}

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "a",
        "b",
        "c.md",
        "d.md",
        "a.md",
        "index.md",
        "README.md",
        "SUMMARY.md",
        "..",
        ".x",
    ])
    .prop_map(str::to_owned)
}

fn path() -> impl Strategy<Value = String> {
    prop::collection::vec(name(), 1..4).prop_map(|parts| parts.join("/"))
}

fn summary() -> impl Strategy<Value = String> {
    let line = (
        prop::sample::select(vec!["", "- ", "  - ", "    - ", "# ", "---\n", "\n"]),
        "[a-b]{0,2}",
        path(),
        0..4,
    );
    let line = line.prop_map(|(lead, title, path, form)| match form {
        0 => format!("{lead}[{title}]()\n"),
        1 => format!("{lead}{title}\n"),
        _ => format!("{lead}[{title}]({path})\n"),
    });
    prop::collection::vec(line, 0..8).prop_map(|lines| lines.concat())
}

proptest! {
    #![proptest_config(crate::config(400))]

    #[test]
    fn any_folder_comes_back_or_is_refused(paths in prop::collection::btree_set(path(), 0..8), summary in prop::option::of(summary())) {
        let mut files: Files = paths.into_iter().filter(|path| path.ends_with(".md") && !path.contains("/.")  && !path.starts_with('.')).map(|path| (path, "Text\n".to_owned())).collect();
        files.retain(|path, _| !path.ends_with("SUMMARY.md") && !path.contains("md/"));
        if let Some(summary) = summary {
            files.insert("SUMMARY.md".to_owned(), summary);
        }
        if let Ok(pages) = plan_import(&files, &mut counter()) {
            let exported = plan_export(&pages);
            let bare = |files: &Files| -> Files {
                files.iter().map(|(path, text)| (path.clone(), text.split_whitespace().collect())).collect()
            };
            prop_assert_eq!(bare(&exported), bare(&files));
        }
    }

    #[test]
    fn any_pages_export_inside(pages in prop::collection::vec((prop::option::of(path()), prop::option::of(0..8_usize), 0..3_usize), 0..8)) {
        let pages: Vec<PlannedPage> = pages
            .into_iter()
            .map(|(path, parent, order)| PlannedPage { path, title: "T".to_owned(), parent, order, document: Document::default() })
            .collect();
        let exported = plan_export(&pages);
        prop_assert!(exported.keys().all(|path| path.ends_with(".md") && path.split('/').all(|part| !part.starts_with('.'))));
        prop_assert!(plan_import(&exported, &mut counter()).is_ok() || exported.keys().any(|path| path.ends_with("SUMMARY.md")));
    }
}
