//! Live reads over channels.

use serde_json::json;

use super::{Shell, acknowledge, call, insert, open, update};

#[test]
fn a_live_read_gives_the_result_and_then_merged_differences() {
    let shell = Shell::open();
    let window = shell.window("main");
    let first = insert(&window, json!({"title": "b"}));
    let filter = json!({"$order": {"title": "asc"}});
    let read = json!({"op": "query_filtered", "args": {"entity": "Page", "filter": filter}});
    let subscription = open(&window, "subscribe", read, 1).unwrap();
    let result = shell.json_message(1);
    assert_eq!((&result["revision"], &result["coverage"]), (&json!(1), &json!("complete")));
    assert_eq!(result["rows"][0]["id"], json!(first));

    // Nothing more comes while the page has not taken that.
    let second = insert(&window, json!({"title": "a"}));
    for title in ["c", "d"] {
        update(&window, &first, json!({"title": title}));
    }
    open(&window, "sync_status", json!({}), 2).unwrap();
    assert_eq!(shell.messages.recv_timeout(super::PATIENCE).unwrap().0, 2, "the busy one is passed by");

    acknowledge(&window, subscription);
    let difference = shell.json_message(1);
    assert_eq!(difference["revision"], 2);
    assert_eq!(difference["added"][0]["id"], json!(second));
    assert_eq!(difference["changed"][0]["title"], "d");
    assert_eq!(difference["moved"], json!([{"id": second, "after": null}]));
}

#[test]
fn subscriptions_belong_to_the_page_that_opened_them() {
    let shell = Shell::open();
    let (window, other) = (shell.window("main"), shell.window("page-1"));
    let read = json!({"op": "list", "args": {"entity": "Page"}});
    let subscription = open(&window, "subscribe", read, 1).unwrap();
    shell.message(1);
    let name = json!({"subscription": subscription});
    assert_eq!(call(&other, "unsubscribe", name.clone()).unwrap()["unsubscribed"], false);
    insert(&window, json!({"title": "a"}));
    acknowledge(&other, subscription);
    // Were the other page's acknowledgement taken, the difference would come before this.
    open(&other, "sync_status", json!({}), 2).unwrap();
    assert_eq!(shell.messages.recv_timeout(super::PATIENCE).unwrap().0, 2);
    assert_eq!(call(&window, "unsubscribe", name.clone()).unwrap()["unsubscribed"], true);
    assert_eq!(call(&window, "unsubscribe", name).unwrap()["unsubscribed"], false);
}

#[test]
fn what_cannot_be_live_is_refused() {
    let shell = Shell::open();
    let window = shell.window("main");
    for (read, code) in [
        (json!({"op": "list", "args": {"entity": "Nothing"}}), "ENTITY_NOT_FOUND"),
        (json!({"op": "query_filtered", "args": {"entity": "Page", "filter": {"no": 1}}}), "INVALID_QUERY"),
        (json!({"op": "insert", "args": {"entity": "Page", "data": {}}}), "NOT_SUPPORTED"),
        (json!({"op": "nothing"}), "INVALID_QUERY"),
        (json!({"args": {}}), "INVALID_QUERY"),
    ] {
        assert_eq!(open(&window, "subscribe", read, 1).unwrap_err()["code"], code);
    }
    assert_eq!(call(&window, "acknowledge", json!({})).unwrap_err()["code"], "INVALID_QUERY");
    let name = json!({"subscription": -1});
    assert_eq!(call(&window, "unsubscribe", name).unwrap_err()["code"], "INVALID_QUERY");
}

#[test]
fn drafts_can_be_live() {
    let shell = Shell::open();
    let window = shell.window("main");
    open(&window, "subscribe", json!({"op": "drafts"}), 1).unwrap();
    assert_eq!(shell.json_message(1), json!({"revision": 1, "rows": [], "coverage": "complete"}));
}
