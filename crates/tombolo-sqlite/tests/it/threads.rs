use crate::world::{TestClock, manifest};
use serde_json::json;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier};
use tombolo_core::{Clock, Code, Operation, SeededRandom};
use tombolo_sqlite::{Durability, Folder, Sqlite};
use tombolo_store::{DataStore, Engine, Role, Settings, Store, Why};

fn store(folder: &Folder) -> Store<Sqlite> {
    let database = Sqlite::open(&folder.database(), &manifest(), Durability::Full).unwrap();
    let clock: Arc<dyn Clock> = Arc::new(TestClock(AtomicI64::new(1)));
    let random = Box::new(SeededRandom::new(1));
    let settings = Settings { manifest: manifest(), role: Role::Replica, clock, random };
    Store::start(Engine::open(database, settings).unwrap()).unwrap()
}

fn call(store: &dyn DataStore, name: &str, args: serde_json::Value) -> serde_json::Value {
    store.execute(Operation::from_json(name, &args).unwrap()).unwrap().into_json()
}

#[test]
fn everybody_reads_their_own_writes() {
    let directory = tempfile::tempdir().unwrap();
    let folder = Folder::open(directory.path()).unwrap();
    let store = store(&folder);
    let start = Barrier::new(8);
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (store, start) = (&store, &start);
            scope.spawn(move || {
                start.wait();
                for n in 0..25 {
                    let title = format!("{thread}-{n}");
                    let id = call(store, "insert", json!({"entity": "Page", "data": {"title": title}}))["id"]
                        .clone();
                    assert_eq!(call(store, "get_by_id", json!({"entity": "Page", "id": id}))["title"], title);
                }
            });
        }
    });
    assert_eq!(call(&store, "list", json!({"entity": "Page"})).as_array().unwrap().len(), 200);
}

#[test]
fn what_was_acknowledged_is_there_after_opening_again() {
    let directory = tempfile::tempdir().unwrap();
    let id = {
        let folder = Folder::open(directory.path()).unwrap();
        let store = store(&folder);
        let id = call(&store, "insert", json!({"entity": "Page", "data": {"title": "a"}}))["id"].clone();
        let long = "long ".repeat(10_000);
        call(&store, "update", json!({"entity": "Page", "id": id, "patch": {"title": long}}));
        call(&store, "update", json!({"entity": "Page", "id": id, "patch": {"title": format!("{long}end")}}));
        id
    };
    let folder = Folder::open(directory.path()).unwrap();
    let row = call(&store(&folder), "get_by_id", json!({"entity": "Page", "id": id}));
    assert!(row["title"].as_str().unwrap().ends_with("long end"));
}

#[test]
fn a_live_query_tells_differences() {
    let directory = tempfile::tempdir().unwrap();
    let folder = Folder::open(directory.path()).unwrap();
    let store = store(&folder);
    let query = json!({"entity": "Kind", "filter": {"state": "todo", "$order": {"label": "asc"}}});
    let mut live = store.subscribe(Operation::from_json("query_filtered", &query).unwrap()).unwrap();
    assert!(live.is_stale());
    assert_eq!(live.next().unwrap().unwrap().revision, 1);
    assert!(live.next().unwrap().is_none());
    let (wake, woken) = channel();
    store.watch(Box::new(move |committed| wake.send(committed.clone()).unwrap()));
    let insert = |label: &str| {
        call(&store, "insert", json!({"entity": "Kind", "data": {"label": label}}))["id"].clone()
    };
    let (b, a) = (insert("b"), insert("a"));
    assert!(woken.recv().unwrap().entities.contains("Kind"));
    let difference = live.next().unwrap().unwrap();
    assert_eq!(difference.added.len(), 2, "two commits, one difference");
    assert_eq!(difference.moved[0].id, a.as_str().unwrap());
    call(&store, "update", json!({"entity": "Kind", "id": b, "patch": {"state": "done"}}));
    let difference = live.next().unwrap().unwrap();
    assert_eq!(difference.removed[0].why, Why::NoLongerMatches);
    call(&store, "delete", json!({"entity": "Kind", "id": a}));
    assert_eq!(live.next().unwrap().unwrap().removed[0].why, Why::Deleted);
    call(&store, "insert", json!({"entity": "Page", "data": {"title": "elsewhere"}}));
    assert!(!live.is_stale(), "another entity does not concern it");
}

#[test]
fn a_live_read_shows_what_the_read_shows() {
    let directory = tempfile::tempdir().unwrap();
    let folder = Folder::open(directory.path()).unwrap();
    let store = store(&folder);
    let live = |name: &str, args: serde_json::Value| {
        store.subscribe(Operation::from_json(name, &args).unwrap()).unwrap()
    };
    let body = json!({"markdown": "**one**"});
    let data = json!({"title": "a", "body": body});
    let id = call(&store, "insert", json!({"entity": "Page", "data": data}))["id"].clone();
    call(&store, "insert", json!({"entity": "Page", "data": {"title": "b"}}));
    let mut page = live("list_after", json!({"entity": "Page", "limit": 1}));
    assert_eq!(page.next().unwrap().unwrap().added.len(), 1);
    let mut row = live("get_by_id", json!({"entity": "Page", "id": id, "richtext": "markdown"}));
    let shown = row.next().unwrap().unwrap().added[0]["body"].clone();
    assert_eq!(shown.as_str().unwrap().trim_end(), "**one**");
    let body = json!({"markdown": "*two*"});
    call(&store, "update", json!({"entity": "Page", "id": id, "patch": {"body": body}}));
    let shown = row.next().unwrap().unwrap().changed[0]["body"].clone();
    assert_eq!(shown.as_str().unwrap().trim_end(), "*two*");
}

#[test]
fn a_folder_has_one_owner() {
    let directory = tempfile::tempdir().unwrap();
    let first = Folder::open(directory.path()).unwrap();
    let error = Folder::open(directory.path()).unwrap_err();
    assert_eq!(error.code, tombolo_core::Code::FolderInUse);
    assert_eq!(error.details["process"], std::process::id());
    drop(first);
    Folder::open(directory.path()).unwrap();
}

#[test]
fn a_store_ends_although_handles_are_left() {
    let directory = tempfile::tempdir().unwrap();
    let folder = Folder::open(directory.path()).unwrap();
    let store = store(&folder);
    let handle = store.submitter();
    let written = call(&store, "insert", json!({"entity": "Page", "data": {"title": "a"}}));
    assert_eq!(written["receipt"]["state"], "local");
    drop(store);
    let list = Operation::from_json("insert", &json!({"entity": "Page", "data": {"title": "b"}})).unwrap();
    assert_eq!(handle.execute(list).unwrap_err().code, tombolo_core::Code::Internal);
}

#[test]
fn whoever_runs_a_group_calls_back_in_the_order_of_the_log_and_never_twice_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let folder = Folder::open(directory.path()).unwrap();
    let store = store(&folder);
    let (told, seqs) = channel();
    let calling = Arc::new(AtomicBool::new(false));
    let start = Barrier::new(8);
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (store, start, told, calling) = (&store, &start, told.clone(), Arc::clone(&calling));
            scope.spawn(move || {
                start.wait();
                for n in 0..25 {
                    let args = json!({"entity": "Page", "data": {"title": format!("{thread}-{n}")}});
                    // Half of them block and may run the group themselves; the others leave it to whoever comes.
                    if thread % 2 == 0 {
                        call(store, "insert", args);
                        continue;
                    }
                    let (told, calling) = (told.clone(), Arc::clone(&calling));
                    let done = move |answer: tombolo_core::Result<tombolo_store::Answer>| {
                        assert!(!calling.swap(true, Ordering::SeqCst), "two callbacks at once");
                        let seq = answer.unwrap().into_json()["receipt"]["seq"].as_u64().unwrap();
                        told.send(seq).unwrap();
                        calling.store(false, Ordering::SeqCst);
                    };
                    store.submit(Operation::from_json("insert", &args).unwrap(), Box::new(done));
                }
            });
        }
    });
    drop(told);
    let seqs: Vec<u64> = seqs.iter().take(100).collect();
    assert_eq!(seqs.len(), 100);
    assert!(seqs.is_sorted(), "{seqs:?}");
    assert_eq!(call(&store, "list", json!({"entity": "Page"})).as_array().unwrap().len(), 200);
}

#[test]
fn a_write_that_panics_stops_the_store_and_leaves_the_disk_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    {
        let folder = Folder::open(directory.path()).unwrap();
        let store = store(&folder);
        call(&store, "insert", json!({"entity": "Page", "data": {"title": "before"}}));
        let submitter = store.submitter();
        let panicked = submitter.run(|engine| -> tombolo_core::Result<()> {
            engine.execute(&Operation::from_json(
                "insert",
                &json!({"entity": "Page", "data": {"title": "x"}}),
            )?)?;
            panic!("a bug")
        });
        assert_eq!(panicked.unwrap_err().code, Code::Internal);
        let after =
            Operation::from_json("insert", &json!({"entity": "Page", "data": {"title": "y"}})).unwrap();
        assert_eq!(store.execute(after).unwrap_err().code, Code::Internal);
    }
    let folder = Folder::open(directory.path()).unwrap();
    let rows = call(&store(&folder), "list", json!({"entity": "Page"}));
    let titles: Vec<&str> =
        rows.as_array().unwrap().iter().map(|row| row["title"].as_str().unwrap()).collect();
    assert_eq!(titles, ["before"]);
}

#[test]
fn a_live_read_of_some_fields_is_told_of_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let folder = Folder::open(directory.path()).unwrap();
    let store = store(&folder);
    let id = call(&store, "insert", json!({"entity": "Page", "data": {"title": "a"}}))["id"].clone();
    let read = json!({"entity": "Page", "filter": {"$order": {"title": "asc"}}, "fields": ["title"]});
    let mut live = store.subscribe(Operation::from_json("query_filtered", &read).unwrap()).unwrap();
    assert_eq!(live.next().unwrap().unwrap().added, [json!({"id": id, "title": "a"})]);
    // So long that its projection waits until somebody reads it.
    let body = json!({"markdown": "long ".repeat(10_000)});
    for _ in 0..2 {
        call(&store, "update", json!({"entity": "Page", "id": id, "patch": {"body": body}}));
        assert!(live.next().unwrap().is_none());
    }
    call(&store, "update", json!({"entity": "Page", "id": id, "patch": {"title": "b"}}));
    assert_eq!(live.next().unwrap().unwrap().changed, [json!({"id": id, "title": "b"})]);
    let whole = call(&store, "get_by_id", json!({"entity": "Page", "id": id}));
    assert!(
        whole["body"].as_str().unwrap().starts_with("long long"),
        "a read that shows it has it caught up"
    );
}
