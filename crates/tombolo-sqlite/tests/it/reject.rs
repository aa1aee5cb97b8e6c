use crate::world::{Peer, peer, pull, push, sync};
use serde_json::{Value as Json, json};
use tombolo_core::RowId;
use tombolo_store::Role;
use tombolo_store::backend::Read as _;

/// Two replicas and a server on which `slug: "taken"` belongs to another row.
fn world() -> (Peer, Peer, Peer, RowId) {
    let (a, b, server, ids) = world_with_pages(1);
    (a, b, server, ids[0])
}

fn world_with_pages(pages: usize) -> (Peer, Peer, Peer, Vec<RowId>) {
    let mut server = peer(Role::Server, 9);
    let mut peers = vec![peer(Role::Replica, 1), peer(Role::Replica, 2)];
    let ids = (0..pages).map(|_| peers[0].insert("Page", json!({"title": "page"}))).collect();
    sync(&mut peers, &mut server);
    let mut other = peers.pop().unwrap();
    other.insert("Page", json!({"title": "other", "slug": "taken"}));
    push(&mut other, &mut server);
    (peers.pop().unwrap(), other, server, ids)
}

fn all_equal(a: &mut Peer, b: &mut Peer, server: &mut Peer) -> Json {
    pull(a, server);
    pull(b, server);
    let rows = server.rows("Page");
    assert_eq!(a.rows("Page"), rows);
    assert_eq!(b.rows("Page"), rows);
    rows
}

#[test]
fn the_second_of_five_commits_is_refused_and_the_others_arrive() {
    let (mut a, mut b, mut server, id) = world();
    a.update("Page", id, json!({"title": "page one"}));
    a.update("Page", id, json!({"slug": "taken"}));
    a.update("Page", id, json!({"title": "page one, three"}));
    a.update("Page", id, json!({"stars": 5}));
    a.update("Page", id, json!({"title": "page one, three, five"}));
    let refused = push(&mut a, &mut server);
    assert_eq!(refused.len(), 1);
    let drafts = a.drafts();
    assert_eq!(drafts.as_array().unwrap().len(), 1);
    assert_eq!(drafts[0]["code"], "UNIQUE_VIOLATION");
    assert_eq!(drafts[0]["row"], json!(id));
    assert!(drafts[0]["reason"].as_str().unwrap().contains("slug"));
    let rows = all_equal(&mut a, &mut b, &mut server);
    let row = rows.as_array().unwrap().iter().find(|row| row["id"] == json!(id)).unwrap();
    assert_eq!(row["title"], "page one, three, five");
    assert_eq!((&row["slug"], &row["stars"]), (&json!(null), &json!(5)));
    assert_eq!(a.waiting(), 0);
    // The next edit goes on as if nothing had been.
    a.update("Page", id, json!({"title": "page one, three, five!"}));
    assert!(push(&mut a, &mut server).is_empty());
    all_equal(&mut a, &mut b, &mut server);
    assert_eq!(a.call("draft_discard", json!({"id": drafts[0]["id"]})).unwrap()["discarded"], true);
    assert_eq!(a.drafts(), json!([]));
}

#[test]
fn a_row_that_is_refused_goes_with_all_that_was_done_to_it() {
    let (mut a, mut b, mut server, id) = world();
    let lost = a.insert("Page", json!({"title": "new", "slug": "taken", "body": "text"}));
    a.update("Page", lost, json!({"title": "new, edited"}));
    let below = a.insert("Page", json!({"title": "below", "parent": lost}));
    a.update("Page", id, json!({"title": "page, edited"}));
    let refused = push(&mut a, &mut server);
    assert_eq!(refused.len(), 1);
    assert_eq!(a.get("Page", lost), json!(null));
    let below = a.get("Page", below);
    assert_eq!(below["parent"], json!(null), "its parent is not here, so it hangs under the root");
    let rows = all_equal(&mut a, &mut b, &mut server);
    assert_eq!(rows.as_array().unwrap().len(), 3);
    let draft = a.engine.backend().drafts().unwrap().pop().unwrap();
    assert!(draft.commits.windows(8).any(|bytes| bytes == b", edited"), "the draft keeps what was typed");
}

#[test]
fn a_refused_transaction_goes_whole_and_the_rest_of_its_documents_stays() {
    let (mut a, mut b, mut server, ids) = world_with_pages(2);
    let (id, second) = (ids[0], ids[1]);
    a.update("Page", second, json!({"title": "second"}));
    a.update("Page", second, json!({"title": "second, before"}));
    let ops = json!({"ops": [
        {"op": "update", "entity": "Page", "id": id, "data": {"slug": "taken", "title": "page X"}},
        {"op": "update", "entity": "Page", "id": second, "data": {"title": "second, before X"}}]});
    a.call("transact", ops).unwrap();
    a.update("Page", second, json!({"title": "second, before X, after"}));
    b.update("Page", second, json!({"stars": 2}));
    pull(&mut b, &mut server);
    let refused = push(&mut a, &mut server);
    assert_eq!(refused.len(), 1);
    push(&mut b, &mut server);
    let rows = all_equal(&mut a, &mut b, &mut server);
    let title = |id: RowId| {
        let row = rows.as_array().unwrap().iter().find(|row| row["id"] == json!(id));
        row.unwrap()["title"].as_str().unwrap().to_owned()
    };
    assert_eq!(title(id), "page");
    assert_eq!(title(second), "second, before, after");
}

#[test]
fn a_formatted_text_written_with_a_refused_row_field_goes_with_it() {
    let (mut a, mut b, mut server, id) = world();
    a.update("Page", id, json!({"slug": "taken", "body": {"markdown": "**secret**"}}));
    push(&mut a, &mut server);
    assert_eq!(a.get("Page", id)["body"], json!(null));
    a.update("Page", id, json!({"body": {"markdown": "open"}}));
    assert!(push(&mut a, &mut server).is_empty());
    let rows = all_equal(&mut a, &mut b, &mut server);
    let body = rows.as_array().unwrap().iter().find(|row| row["id"] == json!(id)).unwrap()["body"].clone();
    assert_eq!(body, "open");
}

#[test]
fn a_fault_while_a_refusal_is_stored_changes_nothing() {
    let (mut a, mut b, mut server, id) = world();
    a.update("Page", id, json!({"slug": "taken"}));
    a.update("Page", id, json!({"title": "page, edited"}));
    let (_, commit) = a.engine.outbox(tombolo_core::Seq(0), usize::MAX, 1).unwrap().pop().unwrap();
    let tombolo_core::Verdict::Rejected(rejection) = crate::world::judge(&mut server, &commit) else {
        panic!("the commit was accepted")
    };
    let before = (a.rows("Page"), a.waiting());
    for table in ["draft", "log", "part", "row_Page"] {
        let fault = format!(
            "CREATE TEMP TRIGGER fault_i BEFORE INSERT ON main.{table} BEGIN SELECT RAISE(ABORT, 'fault'); END; \
             CREATE TEMP TRIGGER fault_u BEFORE UPDATE ON main.{table} BEGIN SELECT RAISE(ABORT, 'fault'); END;"
        );
        a.engine.backend_mut().execute_batch(&fault).unwrap();
        assert!(a.group(|engine| engine.reject(&rejection)).is_err(), "{table}");
        a.engine.backend_mut().execute_batch("DROP TRIGGER fault_i; DROP TRIGGER fault_u;").unwrap();
        assert_eq!((a.rows("Page"), a.waiting()), before, "{table}");
    }
    push(&mut a, &mut server);
    all_equal(&mut a, &mut b, &mut server);
}
