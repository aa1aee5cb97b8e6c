use crate::world::{Peer, peer};
use serde_json::json;
use tombolo_core::{Code, RowId};
use tombolo_store::Role;

fn replica() -> Peer {
    peer(Role::Replica, 1)
}

#[test]
fn a_row_comes_back_as_it_was_written() {
    let mut p = replica();
    let id = p.insert(
        "Kind",
        json!({"label": "héé", "size": -0.5, "due": "2026-11-24T10:00:00+01:00",
        "blob": "AAEC", "note": ""}),
    );
    let row = p.get("Kind", id);
    assert_eq!(row["label"], "héé");
    assert_eq!(row["size"], -0.5);
    assert_eq!(row["done"], false);
    assert_eq!(row["due"], "2026-11-24T09:00:00.000Z");
    assert_eq!(row["state"], "todo");
    assert_eq!(row["blob"], "AAEC");
    assert_eq!(row["note"], "");
    assert_eq!(row["page"], json!(null));
    assert_eq!(row["created_at"], row["updated_at"]);
    assert_eq!(row["deleted_at"], json!(null));
    p.update("Kind", id, json!({"note": null, "done": true, "size": null}));
    let row = p.get("Kind", id);
    assert_eq!((&row["note"], &row["done"], &row["size"]), (&json!(null), &json!(true), &json!(null)));
    let page = p.insert("Page", json!({"title": "t", "stars": 9_007_199_254_740_993_i64}));
    assert_eq!(p.get("Page", page)["stars"], 9_007_199_254_740_993_i64);
    assert_eq!(p.get("Page", RowId::from_bytes([0; 16])), json!(null));
}

#[test]
fn bad_writes_name_the_field_and_change_nothing() {
    let mut p = replica();
    let id = p.insert("Kind", json!({"label": "a"}));
    for (data, code) in [
        (json!({}), Code::InvalidData),
        (json!({"label": null}), Code::InvalidData),
        (json!({"label": "toolong"}), Code::InvalidData),
        (json!({"label": 3}), Code::InvalidData),
        (json!({"label": "a", "nope": 1}), Code::FieldNotFound),
        (json!({"label": "a", "created_at": "2026-11-24T10:00:00Z"}), Code::InvalidData),
        (json!({"label": "a", "state": "later"}), Code::InvalidData),
        (json!({"label": "a", "due": "tomorrow"}), Code::InvalidData),
        (json!({"label": "a", "blob": "?"}), Code::InvalidData),
        (json!({"label": "a", "page": "x"}), Code::InvalidData),
        (json!({"label": "a", "id": "x"}), Code::InvalidData),
        (json!({"label": "a", "id": id}), Code::Conflict),
    ] {
        assert_eq!(p.fails("insert", json!({"entity": "Kind", "data": data})), code, "{data}");
        if data.get("id").is_none() && !data.as_object().unwrap().is_empty() {
            assert_eq!(p.fails("update", json!({"entity": "Kind", "id": id, "patch": data})), code, "{data}");
        }
    }
    assert_eq!(p.fails("insert", json!({"entity": "Nope", "data": {}})), Code::EntityNotFound);
    assert_eq!(p.fails("insert", json!({"data": {}})), Code::InvalidQuery);
    assert_eq!(p.fails("insert", json!({"entity": "Kind", "data": {}, "more": 1})), Code::InvalidQuery);
    assert_eq!(p.fails("nope", json!({})), Code::InvalidQuery);
    assert_eq!(p.fails("search", json!({})), Code::NotSupported);
    let gone = RowId::from_bytes([1; 16]);
    let answer = p.call("update", json!({"entity": "Kind", "id": gone, "patch": {"label": "b"}})).unwrap();
    assert_eq!(answer["updated"], false);
    assert_eq!(p.rows("Kind").as_array().unwrap().len(), 1);
}

#[test]
fn unique_values_are_taken_once_and_freed_by_the_trash() {
    let mut p = replica();
    let a = p.insert("Page", json!({"title": "a", "slug": "x"}));
    let b = p.insert("Page", json!({"title": "b"}));
    assert_eq!(
        p.fails("insert", json!({"entity": "Page", "data": {"title": "c", "slug": "x"}})),
        Code::UniqueViolation
    );
    assert_eq!(
        p.fails("update", json!({"entity": "Page", "id": b, "patch": {"slug": "x"}})),
        Code::UniqueViolation
    );
    p.update("Page", a, json!({"slug": "x"}));
    p.call("delete", json!({"entity": "Page", "id": a})).unwrap();
    p.update("Page", b, json!({"slug": "x"}));
    assert_eq!(p.fails("restore", json!({"entity": "Page", "id": a})), Code::UniqueViolation);
}

#[test]
fn the_trash_hides_rows_unless_asked() {
    let mut p = replica();
    let id = p.insert("Kind", json!({"label": "a"}));
    let deleted = p.call("delete", json!({"entity": "Kind", "id": id})).unwrap();
    assert_eq!(deleted["deleted"], true);
    assert_eq!(p.call("delete", json!({"entity": "Kind", "id": id})).unwrap()["deleted"], false);
    assert_eq!(p.call("list", json!({"entity": "Kind"})).unwrap(), json!([]));
    assert_ne!(p.get("Kind", id)["deleted_at"], json!(null));
    let asked =
        p.call("query_filtered", json!({"entity": "Kind", "filter": {"deleted_at": {"$null": false}}}));
    assert_eq!(asked.unwrap().as_array().unwrap().len(), 1);
    assert_eq!(p.call("restore", json!({"entity": "Kind", "id": id})).unwrap()["restored"], true);
    assert_eq!(p.call("list", json!({"entity": "Kind"})).unwrap().as_array().unwrap().len(), 1);
}

#[test]
fn pages_of_rows_follow_each_other() {
    let mut p = replica();
    let ids: Vec<RowId> = (0..7).map(|n| p.insert("Kind", json!({"label": n.to_string()}))).collect();
    let first = p.call("list_after", json!({"entity": "Kind", "limit": 3})).unwrap();
    assert_eq!(first["has_more"], true);
    assert_eq!(first["next"], json!(ids[2]));
    let rest = p.call("list_after", json!({"entity": "Kind", "limit": 4, "after": ids[2]})).unwrap();
    assert_eq!(rest["has_more"], false);
    assert_eq!(rest["next"], json!(null));
    assert_eq!(rest["rows"].as_array().unwrap().len(), 4);
    let ordered = json!({"entity": "Kind", "filter": {"label": {"$not": "3"}, "$order": {"label": "desc"}}});
    let labels: Vec<String> = p
        .call("query_filtered", ordered)
        .unwrap()
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["label"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(labels, ["6", "5", "4", "2", "1", "0"]);
}

#[test]
fn a_transaction_is_all_or_nothing() {
    let mut p = replica();
    let done = p
        .call(
            "transact",
            json!({"ops": [
        {"op": "insert", "entity": "Page", "data": {"title": "parent"}},
        {"op": "insert", "entity": "Page", "data": {"title": "child", "parent": {"$ref": 0}}},
        {"op": "update", "entity": "Page", "id": {"$ref": 0}, "data": {"title": "parent!"}},
        {"op": "delete", "entity": "Page", "id": {"$ref": 1}}]}),
        )
        .unwrap();
    assert_eq!(done["committed"], true);
    let parent: RowId = done["results"][0]["id"].as_str().unwrap().parse().unwrap();
    assert_eq!(p.get("Page", parent)["title"], "parent!");
    assert_eq!(p.waiting(), 1, "one transaction is one commit");
    let before = p.rows("Page");
    for (ops, code) in [
        (
            json!([{"op": "insert", "entity": "Page", "data": {"title": "x"}}, {"op": "nope"}]),
            Code::TxInvalidOp,
        ),
        (json!([{"op": "insert", "entity": "Page", "data": {"title": "x"}}, 7]), Code::TxInvalidOp),
        (
            json!([{"op": "insert", "entity": "Page", "data": {"title": "x"}},
                {"op": "insert", "entity": "Page", "data": {"title": 1}}]),
            Code::InvalidData,
        ),
        (
            json!([{"op": "insert", "entity": "Page", "data": {"title": "x"}},
                {"op": "update", "entity": "Page", "id": {"$ref": 5}, "data": {}}]),
            Code::TxInvalidOp,
        ),
        (json!([{"op": "transact", "entity": "Page"}]), Code::NestedTransaction),
    ] {
        assert_eq!(p.fails("transact", json!({"ops": ops})), code, "{ops}");
    }
    assert_eq!(p.rows("Page"), before);
}

#[test]
fn a_key_gives_one_answer() {
    let mut p = replica();
    let args = json!({"entity": "Kind", "data": {"label": "a"}, "options": {"idempotency_key": "k"}});
    let first = p.call("insert", args.clone()).unwrap();
    assert_eq!(p.call("insert", args).unwrap(), first);
    let other = json!({"entity": "Kind", "data": {"label": "b"}, "options": {"idempotency_key": "k"}});
    assert_eq!(p.fails("insert", other), Code::Conflict);
    assert_eq!(p.rows("Kind").as_array().unwrap().len(), 1);
}

#[test]
fn formatted_text_is_read_as_plain_text() {
    let mut p = replica();
    let id = p.insert("Page", json!({"title": "t", "body": {"markdown": "# One\n\ntwo **three**"}}));
    assert_eq!(p.get("Page", id)["body"], "One\ntwo three");
    p.update("Page", id, json!({"body": "four\nfive"}));
    assert_eq!(p.get("Page", id)["body"], "four\nfive");
}

#[test]
fn rows_of_local_entities_never_wait() {
    let mut p = replica();
    p.insert("Setting", json!({"value": "dark"}));
    assert_eq!(p.waiting(), 0);
    let mixed = json!({"ops": [
        {"op": "insert", "entity": "Setting", "data": {"value": "x"}},
        {"op": "insert", "entity": "Page", "data": {"title": "x"}}]});
    p.call("transact", mixed).unwrap();
    assert_eq!(p.waiting(), 1);
    assert_eq!(p.engine.outbox(tombolo_core::Seq(0), usize::MAX, 9).unwrap()[0].1.parts.len(), 1);
}

#[test]
fn a_read_shows_the_fields_that_it_names() {
    let mut p = replica();
    let id = p.insert("Page", json!({"title": "a"}));
    let names = json!(["title", "deleted_at"]);
    let row = json!({"id": id, "title": "a", "deleted_at": null});
    assert_eq!(p.call("get_by_id", json!({"entity": "Page", "id": id, "fields": names})).unwrap(), row);
    assert_eq!(p.call("list", json!({"entity": "Page", "fields": names})).unwrap(), json!([row]));
    assert_eq!(
        p.call("list_after", json!({"entity": "Page", "fields": names})).unwrap()["rows"],
        json!([row])
    );
    let filter = json!({"title": "a", "$order": {"created_at": "desc"}});
    let only_ids = json!({"entity": "Page", "fields": [], "filter": filter});
    assert_eq!(p.call("query_filtered", only_ids).unwrap(), json!([{"id": id}]));
    for fields in [json!(["nothing"]), json!("title"), json!([1])] {
        assert_eq!(p.fails("list", json!({"entity": "Page", "fields": fields})), Code::InvalidQuery);
    }
}
