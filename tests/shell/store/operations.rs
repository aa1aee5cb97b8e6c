//! The store's operations as commands.

use serde_json::json;

use super::{Shell, call, insert};

#[test]
fn rows_are_written_read_and_put_into_the_trash() {
    let shell = Shell::open();
    let window = shell.window("main");
    let answer = call(&window, "insert", json!({"entity": "Page", "data": {"title": "one"}})).unwrap();
    assert_eq!(answer["receipt"]["state"], "local");
    let id = &answer["id"];
    let page = json!({"entity": "Page", "id": id});
    let patch = json!({"entity": "Page", "id": id, "patch": {"title": "two"}, "options": {"origin": "test"}});
    assert_eq!(call(&window, "update", patch).unwrap()["updated"], true);
    assert_eq!(call(&window, "get_by_id", page.clone()).unwrap()["title"], "two");
    let filter = json!({"entity": "Page", "filter": {"title": "two"}});
    assert_eq!(call(&window, "query_filtered", filter).unwrap()[0]["id"], *id);
    let rows = || call(&window, "list", json!({"entity": "Page"})).unwrap().as_array().unwrap().len();
    assert_eq!(rows(), 1);
    assert_eq!(call(&window, "delete", page.clone()).unwrap()["deleted"], true);
    assert_eq!(rows(), 0);
    assert_eq!(call(&window, "restore", page).unwrap()["restored"], true);
    let after = call(&window, "list_after", json!({"entity": "Page", "limit": 1})).unwrap();
    assert_eq!((&after["has_more"], &after["rows"][0]["id"]), (&json!(false), id));
    let ops = json!({"ops": [
        {"op": "insert", "entity": "Page", "data": {"title": "above"}},
        {"op": "update", "entity": "Page", "id": id, "data": {"parent": {"$ref": 0}}}]});
    assert_eq!(call(&window, "transact", ops).unwrap()["committed"], true);
    assert_eq!(call(&window, "drafts", json!({})), Ok(json!([])));
    let nothing = call(&window, "draft_discard", json!({"id": "0".repeat(32)})).unwrap();
    assert_eq!(nothing["discarded"], false);
}

#[test]
fn a_refusal_is_the_bare_error_object() {
    let shell = Shell::open();
    let window = shell.window("main");
    let (list, insert) = ("list", "insert");
    let more = json!({"entity": "Page", "data": {"title": "a"}, "more": 1});
    for (operation, args, code, place) in [
        (list, json!({"entity": "Nothing"}), "ENTITY_NOT_FOUND", json!({"entity": "Nothing"})),
        (list, json!({"entity": "Page", "limit": 0}), "INVALID_QUERY", json!({"path": "limit"})),
        (list, json!({}), "INVALID_QUERY", json!({"path": "entity"})),
        (list, json!([]), "INVALID_QUERY", json!({"path": "args"})),
        (insert, json!({"entity": "Page", "data": {"title": 5}}), "INVALID_DATA", json!({"field": "title"})),
        (insert, more, "INVALID_QUERY", json!({"path": "more"})),
        ("transact", json!({"ops": [{"op": "nope"}]}), "TX_INVALID_OP", json!({"index": 0})),
    ] {
        let error = call(&window, operation, args).unwrap_err();
        assert_eq!((&error["code"], &error["details"]), (&json!(code), &place), "{error}");
        assert!(error["message"].is_string());
        assert_eq!(error.as_object().unwrap().len(), 3);
    }
}

#[test]
fn many_writes_at_once_are_all_answered() {
    let shell = Shell::open();
    let window = shell.window("main");
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let window = window.clone();
            scope.spawn(move || {
                for n in 0..10 {
                    insert(&window, json!({"title": format!("{thread} {n}")}));
                }
            });
        }
    });
    assert_eq!(call(&window, "list", json!({"entity": "Page"})).unwrap().as_array().unwrap().len(), 80);
}
