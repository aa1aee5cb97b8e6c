//! A server that dies at the worst moment, and one that refuses.

use crate::world::World;
use serde_json::json;

#[test]
#[cfg(debug_assertions)]
fn a_server_that_dies_between_commit_and_acknowledgement_doubles_nothing() {
    let world = World::new();
    let mut server = world.serve_with("server", "127.0.0.1:0", &[("TOMBOLO_FAULT", "exit-before-ack:20")]);
    let (url, address) = (server.url.clone(), server.address().to_owned());
    let (ann, bob) = (world.token("server", "ann"), world.token("server", "bob"));
    let mut a = world.client("a", Some((&url, &ann)));
    let mut b = world.client("b", Some((&url, &bob)));
    let mut ids = Vec::new();
    for n in 0..30 {
        let id = a.insert(&json!({"title": format!("page {n}")}));
        a.update(&id, &json!({"title": format!("page {n} edited")}));
        ids.push(id);
    }
    assert_eq!(server.ended().code(), Some(86), "the fault came");
    let server = world.serve("server", &address);
    a.saved();
    let mut rows = b.rows();
    while rows.len() < ids.len() || rows != a.rows() {
        b.anything();
        rows = b.rows();
    }
    b.saved();
    let mut titles: Vec<String> = rows.iter().map(|row| row["title"].as_str().unwrap().to_owned()).collect();
    let mut expected: Vec<String> = (0..30).map(|n| format!("page {n} edited")).collect();
    titles.sort();
    expected.sort();
    assert_eq!(titles, expected, "each page once, each edit once");
    a.close();
    b.close();
    server.stop();
    assert_eq!(world.call("server", "list", &json!({"entity": "Page"})).as_array().unwrap().len(), 30);
}

#[test]
fn one_refused_commit_does_not_hold_back_the_others() {
    let world = World::new();
    let server = world.serve("server", "127.0.0.1:0");
    let (ann, bob) = (world.token("server", "ann"), world.token("server", "bob"));
    let mut a = world.client("a", Some((&server.url, &ann)));
    let id = a.insert(&json!({"title": "mine"}));
    a.saved();
    a.close();

    let mut a = world.client("a", None);
    let mut commit = |patch| {
        let answer = a.call("update", &json!({"entity": "Page", "id": id, "patch": patch}));
        answer["receipt"]["commit"].clone()
    };
    let commits = [
        commit(json!({"title": "mine, one"})),
        commit(json!({"slug": "taken"})),
        commit(json!({"title": "mine, one, three"})),
        commit(json!({"stars": 4})),
        commit(json!({"title": "mine, one, three, five"})),
    ];
    a.status(|status| status["waiting"] == 5);
    a.close();

    let mut b = world.client("b", Some((&server.url, &bob)));
    b.insert(&json!({"title": "theirs", "slug": "taken"}));
    b.saved();
    let mut a = world.client("a", Some((&server.url, &ann)));
    let refused = a.commit(&commits[1], "refused");
    assert_eq!(refused["code"], "UNIQUE_VIOLATION");
    let (_, status) = a.status(|status| status["state"] == "refused" && status["waiting"] == 0);
    assert_eq!(status["drafts"], 1);
    let drafts = a.call("drafts", &json!({}));
    assert_eq!(drafts.as_array().unwrap().len(), 1);
    assert_eq!((&drafts[0]["id"], &drafts[0]["row"]), (&commits[1], &json!(id)));
    assert_eq!(drafts[0]["code"], "UNIQUE_VIOLATION");
    assert!(drafts[0]["reason"].as_str().unwrap().contains("slug"), "{drafts}");
    let whole = |row: &serde_json::Value| {
        row["title"] == "mine, one, three, five" && row["stars"] == 4 && row["slug"].is_null()
    };
    let get = json!({"entity": "Page", "id": id});
    assert!(whole(&a.call("get_by_id", &get)));
    while !whole(&b.call("get_by_id", &get)) {
        b.anything();
    }
    while a.rows() != b.rows() {
        a.anything();
    }
    assert_eq!(a.call("draft_discard", &json!({"id": commits[1]}))["discarded"], true);
    a.status(|status| status["state"] == "saved" && status["drafts"] == 0);
    a.close();
    b.close();
}

#[test]
fn a_viewer_reads_and_keeps_what_was_refused() {
    let world = World::new();
    let server = world.serve("server", "127.0.0.1:0");
    let (ann, eve) = (world.token("server", "ann"), world.token_with("server", "eve", &["--role", "viewer"]));
    let mut a = world.client("a", Some((&server.url, &ann)));
    a.insert(&json!({"title": "to read"}));
    let mut e = world.client("e", Some((&server.url, &eve)));
    while e.rows().is_empty() {
        e.anything();
    }
    let answer = e.call("insert", &json!({"entity": "Page", "data": {"title": "not allowed"}}));
    let refused = e.commit(&answer["receipt"]["commit"], "refused");
    assert_eq!(refused["code"], "POLICY_DENIED");
    e.status(|status| status["state"] == "refused" && status["waiting"] == 0);
    assert_eq!(e.rows().len(), 1);
    a.insert(&json!({"title": "still flows"}));
    while e.rows().len() < 2 {
        e.anything();
    }
    e.close();
    a.close();
}
