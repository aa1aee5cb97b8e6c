//! One scene for each kind of container: c1 is refused, what follows it stays.

use super::{Commit, edited, opened, rewritten, served, value};
use crate::{Doc, Rewritten};
use loro::{LoroDoc, LoroMap, LoroText, TreeParentId};
use serde_json::{Value, json};
use tombolo_core::PeerId;

/// A scene: the base, the author's commits (the first is refused), a colleague's commit.
struct Scene<'s> {
    base: &'s dyn Fn(&LoroDoc),
    commits: &'s [&'s dyn Fn(&LoroDoc)],
    colleague: &'s dyn Fn(&LoroDoc),
}

fn nothing(_: &LoroDoc) {}

/// Plays the scene with the colleague's commit imported late and early; gives the outcomes and the new document.
fn play(scene: &Scene<'_>) -> (Vec<Rewritten>, Doc) {
    let mut played = [false, true].map(|early| play_once(scene, early));
    let (late, early) = (value(&played[0].1), value(&played[1].1));
    assert_eq!(late, early, "it matters when the colleague's commit comes");
    let [late, _] = &mut played;
    (std::mem::take(&mut late.0), late.1.copy(PeerId(12)).unwrap())
}

fn play_once(scene: &Scene<'_>, early: bool) -> (Vec<Rewritten>, Doc) {
    let mut first = Doc::new(PeerId(1));
    let base = [edited(&mut first, |doc| (scene.base)(doc))];
    let (mut local, mut remote) = (opened(10, &base), opened(20, &base));
    let start = remote.version().unwrap();
    remote
        .edit(|edit| {
            (scene.colleague)(edit.loro);
            Ok(())
        })
        .unwrap();
    let theirs = remote.update_since(&start).unwrap();
    let mut commits = Vec::new();
    for (index, commit) in scene.commits.iter().enumerate() {
        commits.push(Commit { update: edited(&mut local, |doc| commit(doc)), refused: index == 0 });
        if let Some(theirs) = theirs.as_ref().filter(|_| early && index == 0) {
            local.import(theirs).unwrap();
        }
    }
    let rewrite = rewritten(&remote, &commits, 11);
    let server = served(&remote, &commits, &rewrite);
    assert_eq!(value(&server), value(&rewrite.doc), "the server's document");
    (rewrite.commits, rewrite.doc)
}

#[track_caller]
fn check(outcomes: &[Rewritten], expected: &[&str]) {
    let names: Vec<&str> = outcomes
        .iter()
        .map(|outcome| match outcome {
            Rewritten::Unchanged => "unchanged",
            Rewritten::Written(Some(_)) => "written",
            Rewritten::Written(None) => "empty",
            Rewritten::Dropped => "dropped",
            Rewritten::Depends => "depends",
        })
        .collect();
    assert_eq!(names, expected);
}

fn base_text(doc: &LoroDoc) {
    doc.get_text("t").insert(0, "hello world").unwrap();
    doc.get_map("m").insert("a", 0).unwrap();
}

#[test]
fn a_colleagues_winner_and_the_authors_later_write_stay() {
    let (outcomes, doc) = play(&Scene {
        base: &base_text,
        commits: &[
            &|doc| {
                doc.get_map("m").insert("a", "refused").unwrap();
                doc.get_map("m").insert("b", "refused").unwrap();
                doc.get_text("t").insert(0, "refused ").unwrap();
            },
            &|doc| {
                doc.get_map("m").insert("b", 3).unwrap();
                doc.get_text("t").insert(8, "xyz").unwrap();
            },
        ],
        colleague: &|doc| {
            doc.get_map("m").insert("c", "R").unwrap();
            doc.get_text("t").insert(8, "RR").unwrap();
        },
    });
    check(&outcomes, &["dropped", "written"]);
    assert_eq!(value(&doc), json!({"m": {"a": 0, "b": 3, "c": "R"}, "t": "xyzhello woRRrld"}));
}

#[test]
fn what_a_refused_commit_deleted_comes_back() {
    let (outcomes, doc) = play(&Scene {
        base: &base_text,
        commits: &[&|doc| doc.get_text("t").delete(0, 6).unwrap(), &|doc| {
            doc.get_text("t").insert(0, "big ").unwrap()
        }],
        colleague: &nothing,
    });
    check(&outcomes, &["dropped", "written"]);
    assert_eq!(value(&doc)["t"], "big hello world");
}

#[test]
fn a_refused_mark_does_not_come_back_with_a_later_one() {
    let (_, doc) = play(&Scene {
        base: &base_text,
        commits: &[&|doc| doc.get_text("t").mark(0..11, "bold", true).unwrap(), &|doc| {
            doc.get_text("t").mark(3..8, "link", "x").unwrap()
        }],
        colleague: &|doc| doc.get_text("t").mark(6..11, "italic", true).unwrap(),
    });
    let marks = doc.guard(|loro| Ok(loro.get_text("t").get_richtext_value())).unwrap();
    let marks: Value = serde_json::from_str(&loro::ToJson::to_json(&marks)).unwrap();
    let expected = json!([
        {"insert": "hel"},
        {"insert": "lo ", "attributes": {"link": "x"}},
        {"insert": "wo", "attributes": {"italic": true, "link": "x"}},
        {"insert": "rld", "attributes": {"italic": true}},
    ]);
    assert_eq!(marks, expected);
}

fn base_list(doc: &LoroDoc) {
    let list = doc.get_list("l");
    (0..3).for_each(|number| list.push(number).unwrap());
}

#[test]
fn a_child_that_a_kept_commit_made_is_made_again_and_edited_again() {
    let child =
        |doc: &LoroDoc, at| doc.get_list("l").get(at).unwrap().into_container().unwrap().into_map().unwrap();
    let (outcomes, doc) = play(&Scene {
        base: &base_list,
        commits: &[
            &|doc| doc.get_list("l").insert(0, "refused").unwrap(),
            &|doc| {
                let map = doc.get_list("l").insert_container(1, LoroMap::new()).unwrap();
                map.insert("x", 3).unwrap();
                map.insert_container("text", LoroText::new()).unwrap().insert(0, "three").unwrap();
            },
            &|doc| {
                let map = child(doc, 1);
                map.insert("y", 4).unwrap();
                let text = map.get("text").unwrap().into_container().unwrap().into_text().unwrap();
                text.insert(5, " four").unwrap();
            },
        ],
        colleague: &|doc| doc.get_list("l").push("R").unwrap(),
    });
    check(&outcomes, &["dropped", "written", "written"]);
    assert_eq!(value(&doc), json!({"l": [{"x": 3, "y": 4, "text": "three four"}, 0, 1, 2, "R"]}));
}

#[test]
fn a_write_into_a_refused_child_depends_on_it_with_the_whole_commit() {
    let child =
        |doc: &LoroDoc| doc.get_map("m").get("c").unwrap().into_container().unwrap().into_map().unwrap();
    let (outcomes, doc) = play(&Scene {
        base: &base_text,
        commits: &[
            &|doc| {
                doc.get_map("m").insert_container("c", LoroMap::new()).unwrap().insert("x", 1).unwrap();
            },
            &|doc| {
                child(doc).insert_container("deeper", LoroMap::new()).unwrap().insert("y", 2).unwrap();
                doc.get_map("m").insert("a", 2).unwrap();
            },
            &|doc| doc.get_map("m").insert("b", 3).unwrap(),
            &|doc| {
                let deeper = child(doc).get("deeper").unwrap().into_container().unwrap().into_map().unwrap();
                deeper.insert("z", 4).unwrap();
            },
        ],
        colleague: &nothing,
    });
    check(&outcomes, &["dropped", "depends", "written", "depends"]);
    assert_eq!(value(&doc)["m"], json!({"a": 0, "b": 3}));
}

#[test]
fn a_write_into_a_refused_child_that_a_colleague_replaced_depends_too() {
    let scene = Scene {
        base: &base_text,
        commits: &[
            &|doc| {
                doc.get_map("m").insert_container("a", LoroMap::new()).unwrap();
            },
            &|doc| {
                let child = doc.get_map("m").get("a").unwrap().into_container().unwrap().into_map().unwrap();
                child.insert("x", 1).unwrap();
            },
        ],
        // Peer 20 wins over peer 10 at the same Lamport time.
        colleague: &|doc| doc.get_map("m").insert("a", "R").unwrap(),
    };
    let (outcomes, doc) = play_once(&scene, false);
    check(&outcomes, &["dropped", "depends"]);
    assert_eq!(value(&doc)["m"], json!({"a": "R"}));
}

fn base_tree(doc: &LoroDoc) {
    let tree = doc.get_tree("tree");
    for name in ["one", "two", "three"] {
        let node = tree.create(TreeParentId::Root).unwrap();
        tree.get_meta(node).unwrap().insert("name", name).unwrap();
    }
}

fn node(doc: &LoroDoc, name: &str) -> loro::TreeID {
    let tree = doc.get_tree("tree");
    let named = |node: &loro::TreeID| {
        let name_of = tree.get_meta(*node).unwrap().get("name").map(|name| name.get_deep_value());
        name_of.is_some_and(|found| found == name.into())
    };
    let mut nodes = tree.nodes().into_iter().filter(|node| !tree.is_node_deleted(node).unwrap_or(true));
    nodes.find(named).unwrap()
}

fn grow(doc: &LoroDoc, parent: &str, name: &str) {
    let tree = doc.get_tree("tree");
    let made = tree.create(node(doc, parent)).unwrap();
    tree.get_meta(made).unwrap().insert("name", name).unwrap();
}

fn outline(doc: &Doc) -> Value {
    fn lines(nodes: &Value) -> Value {
        let line = |node: &Value| json!([node["meta"]["name"], lines(&node["children"])]);
        nodes.as_array().unwrap().iter().map(line).collect()
    }
    lines(&value(doc)["tree"])
}

#[test]
fn tree_nodes_are_made_again_moved_again_and_depend_on_refused_ones() {
    let (outcomes, doc) = play(&Scene {
        base: &base_tree,
        commits: &[
            &|doc| grow(doc, "one", "refused"),
            &|doc| grow(doc, "two", "mine"),
            &|doc| {
                doc.get_tree("tree").mov(node(doc, "one"), node(doc, "mine")).unwrap();
                doc.get_tree("tree").get_meta(node(doc, "mine")).unwrap().insert("name", "mine too").unwrap();
            },
            &|doc| grow(doc, "refused", "below"),
            &|doc| doc.get_tree("tree").mov(node(doc, "three"), node(doc, "refused")).unwrap(),
            &|doc| doc.get_tree("tree").delete(node(doc, "refused")).unwrap(),
            &|doc| grow(doc, "two", "last"),
        ],
        colleague: &|doc| grow(doc, "one", "R"),
    });
    check(&outcomes, &["dropped", "written", "written", "depends", "depends", "depends", "written"]);
    let expected = json!([["two", [["mine too", [["one", [["R", []]]]]], ["last", []]]], ["three", []]]);
    assert_eq!(outline(&doc), expected);
}

#[test]
fn a_movable_list_keeps_its_values() {
    let base = |doc: &LoroDoc| {
        let list = doc.get_movable_list("l");
        ["a", "b", "c", "d"].iter().for_each(|item| list.push(*item).unwrap());
    };
    let scene = Scene {
        base: &base,
        commits: &[
            &|doc| doc.get_movable_list("l").delete(0, 1).unwrap(),
            &|doc| doc.get_movable_list("l").mov(0, 2).unwrap(),
            &|doc| doc.get_movable_list("l").push("e").unwrap(),
        ],
        colleague: &|doc| doc.get_movable_list("l").insert(4, "R").unwrap(),
    };
    let (outcomes, doc) = play_once(&scene, false);
    check(&outcomes, &["dropped", "written", "written"]);
    let items: Vec<String> = serde_json::from_value(value(&doc)["l"].clone()).unwrap();
    assert_eq!(items[0], "a");
    assert_eq!(items[1..4], ["c", "d", "b"]);
    let mut rest = items[4..].to_vec();
    rest.sort();
    assert_eq!(rest, ["R", "e"]);
}

#[test]
fn nested_maps_that_merge_keep_their_names() {
    let deep = |doc: &LoroDoc| {
        let outer = doc.get_map("m").ensure_mergeable_map("outer").unwrap();
        outer.ensure_mergeable_map("inner").unwrap()
    };
    let (outcomes, doc) = play(&Scene {
        base: &base_text,
        commits: &[
            &|doc| deep(doc).insert("x", "refused").unwrap(),
            &|doc| deep(doc).insert("y", 2).unwrap(),
            &|doc| deep(doc).insert("x", 3).unwrap(),
        ],
        colleague: &|doc| deep(doc).insert("z", "R").unwrap(),
    });
    check(&outcomes, &["dropped", "written", "written"]);
    assert_eq!(value(&doc)["m"]["outer"]["inner"], json!({"x": 3, "y": 2, "z": "R"}));
}

#[test]
fn a_counter_counts_what_is_kept() {
    let (outcomes, doc) = play(&Scene {
        base: &|doc| doc.get_counter("n").increment(1.0).unwrap(),
        commits: &[&|doc| doc.get_counter("n").increment(10.0).unwrap(), &|doc| {
            doc.get_counter("n").increment(100.0).unwrap()
        }],
        colleague: &|doc| doc.get_counter("n").increment(1_000.0).unwrap(),
    });
    check(&outcomes, &["dropped", "written"]);
    assert_eq!(value(&doc)["n"], 1_101.0);
}

#[test]
fn a_commit_that_loses_leaves_nothing_to_write() {
    let scene = Scene {
        base: &base_text,
        commits: &[&|doc| doc.get_text("t").delete(0, 1).unwrap(), &|doc| {
            doc.get_map("m").insert("a", "mine").unwrap()
        }],
        colleague: &|doc| {
            (0..5).for_each(|number| doc.get_map("m").insert("a", number).unwrap());
        },
    };
    let (outcomes, doc) = play_once(&scene, false);
    check(&outcomes, &["dropped", "empty"]);
    assert_eq!(value(&doc), json!({"m": {"a": 4}, "t": "hello world"}));
}

#[test]
fn with_nothing_refused_nothing_changes() {
    let mut doc = Doc::new(PeerId(1));
    let update = edited(&mut doc, base_text);
    let rewrite = rewritten(&Doc::new(PeerId(2)), &[Commit { update, refused: false }], 11);
    check(&rewrite.commits, &["unchanged"]);
    assert_eq!(value(&rewrite.doc), value(&doc));
}

#[test]
fn pending_commits_must_belong_to_the_document() {
    let mut doc = Doc::new(PeerId(1));
    edited(&mut doc, base_text);
    let update = edited(&mut doc, |doc| doc.get_text("t").insert(0, "x").unwrap());
    let pending = [crate::Pending { update: &update, dropped: true }];
    let error = crate::rewrite(&Doc::new(PeerId(2)), &pending, PeerId(3)).unwrap_err();
    assert_eq!(error, crate::Error::MissingDependencies);
}
