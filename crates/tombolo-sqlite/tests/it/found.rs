//! What the simulation has found, each by itself.

use crate::world::{Peer, manifest, open, peer, pull, push, sync, with_clock};
use serde_json::json;
use tombolo_core::{Code, Operation, RowId, Seq};
use tombolo_sqlite::{Durability, Sqlite};
use tombolo_store::backend::Read as _;
use tombolo_store::{Engine, Role};

const NOW: i64 = 1_795_512_600_000;
const HOUR: i64 = 3_600_000;

fn two() -> (Peer, Peer, Peer) {
    (peer(Role::Replica, 1), peer(Role::Replica, 2), peer(Role::Server, 9))
}

fn update(id: RowId, title: &str) -> Operation {
    Operation::from_json("update", &json!({"entity": "Page", "id": id, "patch": {"title": title}})).unwrap()
}

fn fault(p: &Peer, table: &str, how: &str) {
    let sql = format!(
        "CREATE TEMP TRIGGER fault BEFORE UPDATE ON main.{table} BEGIN SELECT RAISE({how}, 'fault'); END;"
    );
    p.engine.backend().execute_batch(&sql).unwrap();
}

fn repair(p: &Peer) {
    p.engine.backend().execute_batch("DROP TRIGGER fault").unwrap();
}

/// A full disk ends the whole transaction of a database, not only the statement.
#[test]
fn a_transaction_that_the_database_ends_takes_its_group_along() {
    let (mut a, _, mut server) = two();
    let ids = [a.insert("Page", json!({"title": "one"})), a.insert("Page", json!({"title": "two"}))];
    let (rows, head) = (a.rows("Page"), a.engine.backend().head().unwrap());
    fault(&a, "row_Page", "ROLLBACK");
    a.engine.begin().unwrap();
    let insert = json!({"entity": "Page", "data": {"title": "three"}});
    let insert = Operation::from_json("insert", &insert).unwrap();
    a.engine.execute(&insert).unwrap();
    assert!(a.engine.execute(&update(ids[0], "one!")).is_err());
    // There is no transaction any more that this could be a part of.
    assert!(a.engine.execute(&insert).is_err());
    assert!(a.engine.commit().is_err());
    repair(&a);
    assert_eq!((a.rows("Page"), a.engine.backend().head().unwrap()), (rows, head));
    a.update("Page", ids[0], json!({"title": "one!!"}));
    a.update("Page", ids[1], json!({"title": "two!"}));
    assert!(push(&mut a, &mut server).is_empty());
    assert_eq!(server.get("Page", ids[0])["title"], "one!!");
    assert_eq!(a.rows("Page"), server.rows("Page"));
}

#[test]
fn a_write_that_changes_nothing_leaves_no_trace() {
    let (mut a, _, mut server) = two();
    let id = a.insert("Page", json!({"title": "same", "body": {"markdown": "text"}}));
    sync(std::slice::from_mut(&mut a), &mut server);
    let before = a.get("Page", id);
    let answer =
        a.call("update", json!({"entity": "Page", "id": id, "patch": {"title": "same", "stars": 0}}));
    assert_eq!(answer.unwrap()["receipt"]["commit"], json!(null));
    assert_eq!(a.get("Page", id), before);
    let unknown = json!({"entity": "Page", "id": id, "patch": {"parent": null}});
    a.call("update", unknown).unwrap();
    assert_eq!(a.get("Page", id), before);
}

#[test]
fn a_row_was_made_by_whom_the_server_heard_of_first() {
    let mut server = peer(Role::Server, 9);
    let mut a = with_clock(Role::Replica, 1, NOW + HOUR);
    let mut b = with_clock(Role::Replica, 2, NOW - HOUR);
    let id = RowId::from_bytes([7; 16]);
    for p in [&mut a, &mut b] {
        p.insert("Page", json!({"id": id, "title": "same day"}));
    }
    pull(&mut a, &mut server);
    push(&mut a, &mut server);
    pull(&mut b, &mut server);
    assert_eq!(b.get("Page", id)["created_by"], json!(a.engine.actor()));
    push(&mut b, &mut server);
    // The clock of the first is ahead, so its next acknowledgement derives the times again.
    pull(&mut a, &mut server);
    a.update("Page", id, json!({"stars": 3}));
    push(&mut a, &mut server);
    pull(&mut b, &mut server);
    assert_eq!(server.get("Page", id)["created_by"], json!(a.engine.actor()));
    assert_eq!(a.rows("Page"), server.rows("Page"));
    assert_eq!(b.rows("Page"), server.rows("Page"));
}

/// A fold may not cover places of the log that a refusal frees: they are given again after a restart.
#[test]
fn what_is_written_after_a_fold_a_refusal_and_a_restart_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.sqlite");
    let start = |seed| {
        let database = Sqlite::open(&path, &manifest(), Durability::Normal).unwrap();
        open(database, Role::Replica, seed, NOW)
    };
    let mut server = peer(Role::Server, 9);
    let mut a = start(1);
    let id = a.insert("Page", json!({"title": ""}));
    for n in 0..80 {
        a.update("Page", id, json!({"title": "x".repeat(n)}));
    }
    sync(std::slice::from_mut(&mut a), &mut server);
    for slug in ["a", "b", "c"] {
        server.insert("Page", json!({"title": "theirs", "slug": slug}));
        a.insert("Page", json!({"title": "mine", "slug": slug}));
    }
    while a.engine.has_maintenance() {
        a.engine.maintain().unwrap();
    }
    while !push(&mut a, &mut server).is_empty() {}
    assert_eq!(a.waiting(), 0);
    drop(a);
    let mut a = start(2);
    a.update("Page", id, json!({"title": "after"}));
    drop(a);
    let mut a = start(3);
    assert_eq!(a.get("Page", id)["title"], "after");
    a.update("Page", id, json!({"title": "after all"}));
    assert!(push(&mut a, &mut server).is_empty());
    assert_eq!(server.get("Page", id)["title"], "after all");
}

#[test]
fn a_formatted_text_that_goes_takes_its_time_along() {
    let (mut a, _, mut server) = two();
    let id = a.insert("Page", json!({"title": "page"}));
    sync(std::slice::from_mut(&mut a), &mut server);
    server.insert("Page", json!({"title": "taken", "slug": "taken"}));
    let ops = json!({"ops": [
        {"op": "insert", "entity": "Page", "data": {"title": "new", "slug": "taken"}},
        {"op": "update", "entity": "Page", "id": id, "data": {"body": "text"}}]});
    a.call("transact", ops).unwrap();
    assert_eq!(push(&mut a, &mut server).len(), 1);
    pull(&mut a, &mut server);
    assert_eq!(a.rows("Page"), server.rows("Page"));
}

/// The next write after a refusal is under another peer id, even if the document was not open.
#[test]
fn a_document_that_was_not_open_writes_on_after_a_refusal() {
    let (mut a, _, mut server) = two();
    let id = a.insert("Page", json!({"title": "page"}));
    a.insert("Page", json!({"title": "mine", "slug": "mine"}));
    sync(std::slice::from_mut(&mut a), &mut server);
    server.insert("Page", json!({"title": "taken", "slug": "taken"}));
    a.update("Page", id, json!({"slug": "taken"}));
    // A write that fails closes the document.
    let clash = json!({"entity": "Page", "id": id, "patch": {"slug": "mine"}});
    assert_eq!(a.fails("update", clash), Code::UniqueViolation);
    let (_, commit) = a.engine.outbox(Seq(0), usize::MAX, 1).unwrap().pop().unwrap();
    let tombolo_core::Verdict::Rejected(rejection) = crate::world::judge(&mut server, &commit) else {
        panic!("it is taken")
    };
    pull(&mut a, &mut server);
    a.group(|engine: &mut Engine<Sqlite>| engine.reject(&rejection)).unwrap();
    a.update("Page", id, json!({"title": "page, edited"}));
    assert_eq!(push(&mut a, &mut server), []);
    assert_eq!(server.get("Page", id)["title"], "page, edited");
}
