use crate::world::{judge, manifest, open, peer, pull, push, sync, with_clock};
use serde_json::json;
use tombolo_core::{Code, Commit, CommitId, PeerId, SeededRandom, Seq, Verdict};
use tombolo_crdt::Doc;
use tombolo_sqlite::Sqlite;
use tombolo_store::backend::Read as _;
use tombolo_store::{Engine, Role};

#[test]
fn two_folders_that_had_pages_become_one() {
    let mut server = peer(Role::Server, 9);
    let mut peers = vec![peer(Role::Replica, 1), peer(Role::Replica, 2)];
    let a = peers[0].insert("Page", json!({"title": "mine", "body": {"markdown": "- one\n- two"}}));
    let b = peers[1].insert("Page", json!({"title": "theirs", "stars": 3}));
    sync(&mut peers, &mut server);
    peers[1].update("Page", a, json!({"title": "mine too"}));
    peers[0].update("Page", b, json!({"stars": 4}));
    sync(&mut peers, &mut server);
    let expected = server.rows("Page");
    assert_eq!(expected.as_array().unwrap().len(), 2);
    for p in &mut peers {
        assert_eq!(p.rows("Page"), expected);
        assert_eq!(p.get("Page", a)["body"], "one\ntwo");
    }
}

#[test]
fn concurrent_typing_in_one_field_merges() {
    let mut server = peer(Role::Server, 9);
    let mut peers = vec![peer(Role::Replica, 1), peer(Role::Replica, 2)];
    let id = peers[0].insert("Page", json!({"title": "hello world"}));
    sync(&mut peers, &mut server);
    peers[0].update("Page", id, json!({"title": "hello brave world"}));
    peers[1].update("Page", id, json!({"title": "hello world!"}));
    sync(&mut peers, &mut server);
    for p in &mut peers {
        assert_eq!(p.get("Page", id)["title"], "hello brave world!");
    }
}

#[test]
fn a_push_that_is_repeated_is_one_commit() {
    let mut server = peer(Role::Server, 9);
    let mut client = peer(Role::Replica, 1);
    client.insert("Page", json!({"title": "once"}));
    pull(&mut client, &mut server);
    let (_, commit) = client.engine.outbox(Seq(0), usize::MAX, 1).unwrap().pop().unwrap();
    let first = judge(&mut server, &commit);
    assert_eq!(judge(&mut server, &commit), first);
    assert!(matches!(first, Verdict::Accepted { seq: Seq(1), .. }));
    pull(&mut client, &mut server);
    assert_eq!(client.waiting(), 0);
    assert_eq!(server.rows("Page"), client.rows("Page"));
}

#[test]
fn a_wrong_clock_does_not_sort_first_for_ever() {
    let mut server = peer(Role::Server, 9);
    let ahead = 1_795_512_600_000 + 10 * 365 * 86_400_000;
    let mut client = with_clock(Role::Replica, 1, ahead);
    let id = client.insert("Page", json!({"title": "from the future"}));
    assert!(client.get("Page", id)["created_at"].as_str().unwrap().starts_with("2036"));
    sync(std::slice::from_mut(&mut client), &mut server);
    assert!(client.get("Page", id)["created_at"].as_str().unwrap().starts_with("2026"));
    assert_eq!(client.rows("Page"), server.rows("Page"));
}

#[test]
fn a_folder_stays_with_its_server() {
    let mut client = peer(Role::Replica, 1);
    client.insert("Page", json!({"title": "x"}));
    sync(std::slice::from_mut(&mut client), &mut peer(Role::Server, 9));
    let other = peer(Role::Server, 10).engine.space().unwrap();
    let before = client.engine.space().unwrap();
    let bind = |engine: &mut Engine<Sqlite>| engine.bind("other", other.id.unwrap(), other.epoch.unwrap());
    assert_eq!(client.group(bind).unwrap_err().code, Code::Conflict);
    assert_eq!(client.engine.space().unwrap(), before);
}

#[test]
fn a_stale_copy_of_a_folder_does_not_diverge() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let start = |name: &str, seed| {
        let database = Sqlite::open(&path(name), &manifest(), tombolo_sqlite::Durability::Normal).unwrap();
        open(database, Role::Replica, seed, 1_795_512_600_000)
    };
    let mut server = peer(Role::Server, 9);
    let mut original = start("a.sqlite", 1);
    let id = original.insert("Page", json!({"title": "base"}));
    sync(std::slice::from_mut(&mut original), &mut server);
    original.update("Page", id, json!({"title": "base, waiting"}));
    let copied = path("b.sqlite");
    original.engine.backend().execute_batch(&format!("VACUUM INTO '{}'", copied.display())).unwrap();
    let mut copy = start("b.sqlite", 2);
    original.update("Page", id, json!({"title": "base, waiting A"}));
    copy.update("Page", id, json!({"title": "base, waiting B"}));
    let mut both = [original, copy];
    sync(&mut both, &mut server);
    let expected = server.rows("Page");
    assert!(expected[0]["title"].as_str().unwrap().contains('A'));
    assert!(expected[0]["title"].as_str().unwrap().contains('B'));
    assert_eq!(expected[0]["title"].as_str().unwrap().matches("waiting").count(), 1);
    for p in &mut both {
        assert_eq!(p.rows("Page"), expected);
    }
}

#[test]
fn operations_under_taken_ids_are_refused() {
    let mut server = peer(Role::Server, 9);
    let mut client = peer(Role::Replica, 1);
    let id = client.insert("Page", json!({"title": "x"}));
    sync(std::slice::from_mut(&mut client), &mut server);
    let snapshot = |p: &mut crate::world::Peer| {
        let key =
            p.engine.backend().doc_key(&tombolo_core::DocRef { entity: "Page".into(), row: id, field: None });
        p.engine.backend().load_doc(key.unwrap().unwrap()).unwrap().parts[0].bytes.clone()
    };
    let base = snapshot(&mut server);
    let twin = |text: &str| {
        let mut doc = Doc::open(PeerId(77), None, [base.as_slice()]).unwrap();
        doc.edit(|edit| edit.set_text("title", Some(text))).unwrap().1.unwrap()
    };
    let commit = |n: u8, bytes: Vec<u8>| Commit {
        id: CommitId::from_bytes([n; 16]),
        actor: tombolo_core::ActorId::mint(&mut SeededRandom::new(5)),
        manifest_version: 1,
        time: 1,
        origin: None,
        replaces: None,
        parts: vec![tombolo_core::Part {
            doc: tombolo_core::DocRef { entity: "Page".into(), row: id, field: None },
            bytes,
        }],
    };
    let accepted = |verdict: &Verdict| matches!(verdict, Verdict::Accepted { .. });
    assert!(accepted(&judge(&mut server, &commit(1, twin("x one")))));
    assert!(
        accepted(&judge(&mut server, &commit(2, twin("x one")))),
        "the same operations again are no fork"
    );
    let Verdict::Rejected(forked) = judge(&mut server, &commit(3, twin("x two"))) else {
        panic!("a fork passed")
    };
    assert_eq!(forked.status, tombolo_core::Status::Forked);
    pull(&mut client, &mut server);
    assert_eq!(client.get("Page", id)["title"], "x one");
}

#[test]
fn hostile_bytes_change_nothing() {
    let Ok(inputs) = std::env::var("TOMBOLO_INPUTS") else {
        eprintln!("skipped: TOMBOLO_INPUTS is not set");
        return;
    };
    std::panic::set_hook(Box::new(|_| {}));
    let mut p = peer(Role::Replica, 1);
    let mut server = peer(Role::Server, 9);
    let page = p.insert("Page", json!({"title": "kept"}));
    let mut files: Vec<_> =
        std::fs::read_dir(format!("{inputs}/hostile")).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 30);
    for round in 0..3 {
        for file in &files {
            let bytes = std::fs::read(file).unwrap();
            let fresh = tombolo_core::RowId::from_bytes([round + 100; 16]);
            if file.ends_with("valid.bin") {
                continue;
            }
            for row in [page, fresh] {
                let operation = tombolo_core::Operation::CrdtApplyUpdate {
                    entity: "Page".into(),
                    id: row,
                    field: None,
                    bytes: bytes.clone(),
                    options: tombolo_core::Options::default(),
                };
                let error = p.group(|engine| engine.execute(&operation)).unwrap_err();
                assert!(
                    [Code::CrdtDecodeFailed, Code::CrdtApplyFailed, Code::TooLarge].contains(&error.code),
                    "{} {error}",
                    file.display()
                );
                p.update("Page", page, json!({"title": "kept"}));
                let commit = Commit {
                    id: CommitId::mint(&mut SeededRandom::new(u64::from(round))),
                    actor: p.engine.actor(),
                    manifest_version: 1,
                    time: 1,
                    origin: None,
                    replaces: None,
                    parts: vec![tombolo_core::Part {
                        doc: tombolo_core::DocRef { entity: "Page".into(), row, field: None },
                        bytes: bytes.clone(),
                    }],
                };
                assert!(matches!(judge(&mut server, &commit), Verdict::Rejected(_)));
            }
            assert_eq!(p.rows("Page").as_array().unwrap().len(), 1, "{}", file.display());
        }
    }
    p.update("Page", page, json!({"title": "kept and edited"}));
    sync(std::slice::from_mut(&mut p), &mut server);
    assert_eq!(server.rows("Page").as_array().unwrap().len(), 1);
    let valid = std::fs::read(format!("{inputs}/hostile/valid.bin")).unwrap();
    let operation = tombolo_core::Operation::CrdtApplyUpdate {
        entity: "Page".into(),
        id: tombolo_core::RowId::from_bytes([7; 16]),
        field: None,
        bytes: valid,
        options: tombolo_core::Options::default(),
    };
    p.group(|engine| engine.execute(&operation)).unwrap();
}

#[test]
fn a_failing_table_leaves_nothing_behind() {
    for table in ["log", "part", "doc", "row_Page"] {
        let mut server = peer(Role::Server, 9);
        let mut client = peer(Role::Replica, 1);
        let id = client.insert("Page", json!({"title": "before"}));
        sync(std::slice::from_mut(&mut client), &mut server);
        client.update("Page", id, json!({"title": "waiting"}));
        client.insert("Page", json!({"title": "waiting, too"}));
        let waiting = client.engine.outbox(Seq(0), usize::MAX, 2).unwrap();
        for p in [&mut client, &mut server] {
            let fault = format!(
                "CREATE TEMP TRIGGER fault_i BEFORE INSERT ON main.{table} BEGIN SELECT RAISE(ABORT, 'fault'); END; \
                 CREATE TEMP TRIGGER fault_u BEFORE UPDATE ON main.{table} BEGIN SELECT RAISE(ABORT, 'fault'); END;"
            );
            p.engine.backend_mut().execute_batch(&fault).unwrap();
        }
        let before = (client.rows("Page"), client.engine.backend().head().unwrap());
        let insert = client.call("insert", json!({"entity": "Page", "data": {"title": "new"}}));
        let update = client.call("update", json!({"entity": "Page", "id": id, "patch": {"title": "after"}}));
        assert!(insert.is_err() || update.is_err(), "the fault on {table} was not felt");
        if insert.is_err() && update.is_err() {
            assert_eq!((client.rows("Page"), client.engine.backend().head().unwrap()), before);
        }
        let on_server = (server.rows("Page"), server.engine.space().unwrap());
        let judged = waiting.iter().map(|(_, commit)| server.group(|engine| engine.judge(commit)));
        assert!(judged.filter(Result::is_err).count() > 0, "the server did not feel the fault on {table}");
        if table != "doc" {
            assert_eq!((server.rows("Page"), server.engine.space().unwrap()), on_server);
        }
        for p in [&mut client, &mut server] {
            p.engine.backend_mut().execute_batch("DROP TRIGGER fault_i; DROP TRIGGER fault_u;").unwrap();
        }
        client.update("Page", id, json!({"title": "after all"}));
        push(&mut client, &mut server);
        assert_eq!(server.get("Page", id)["title"], "after all");
        assert_eq!(client.rows("Page"), server.rows("Page"));
    }
}

#[test]
fn acknowledged_commits_are_folded_into_the_base() {
    let mut server = peer(Role::Server, 9);
    let mut client = peer(Role::Replica, 1);
    let id = client.insert("Page", json!({"title": ""}));
    for n in 0..100 {
        client.update("Page", id, json!({"title": "x".repeat(n)}));
    }
    assert!(!client.engine.has_maintenance(), "what waits is not folded");
    sync(std::slice::from_mut(&mut client), &mut server);
    for p in [&mut client, &mut server] {
        while p.engine.has_maintenance() {
            p.engine.maintain().unwrap();
        }
        let doc = tombolo_core::DocRef { entity: "Page".into(), row: id, field: None };
        let key = p.engine.backend().doc_key(&doc).unwrap().unwrap();
        let stored = p.engine.backend().load_doc(key).unwrap();
        assert!(stored.base.is_some() && stored.parts.len() < 64, "{} parts are left", stored.parts.len());
    }
    assert_eq!(server.engine.log_after(Seq(0), usize::MAX, 1_000).unwrap().len(), 100);
    let mut late = peer(Role::Replica, 3);
    client.update("Page", id, json!({"title": "after the fold"}));
    push(&mut client, &mut server);
    pull(&mut late, &mut server);
    assert_eq!(late.get("Page", id)["title"], "after the fold");
    assert_eq!(late.rows("Page"), client.rows("Page"));
}

#[test]
fn a_text_that_merging_made_too_long_stays_and_may_be_shortened() {
    const MAX: usize = 50;
    let mut server = peer(Role::Server, 9);
    let mut peers = vec![peer(Role::Replica, 1), peer(Role::Replica, 2)];
    let id = peers[0].insert("Kind", json!({"label": "a", "note": "x".repeat(MAX / 5 * 4)}));
    sync(&mut peers, &mut server);
    let text = "x".repeat(MAX / 5 * 4);
    peers[0].update("Kind", id, json!({"note": format!("{text}{}", "a".repeat(MAX / 5))}));
    peers[1].update("Kind", id, json!({"note": format!("{}{text}", "b".repeat(MAX / 5))}));
    for p in &mut peers {
        assert_eq!(push(p, &mut server), [], "each author kept to the limit");
    }
    sync(&mut peers, &mut server);
    let both = MAX / 5 * 6;
    for p in &mut peers {
        assert_eq!(p.get("Kind", id)["note"].as_str().unwrap().len(), both);
    }
    let grown = json!({"entity": "Kind", "id": id, "patch": {"note": "y".repeat(MAX + 1)}});
    assert_eq!(peers[0].fails("update", grown), Code::InvalidData);
    let mut editor = {
        let doc = tombolo_core::DocRef { entity: "Kind".into(), row: id, field: None };
        let backend = peers[0].engine.backend();
        let stored = backend.load_doc(backend.doc_key(&doc).unwrap().unwrap()).unwrap();
        let updates = stored.parts.iter().map(|part| part.bytes.as_slice());
        Doc::open(PeerId(50), stored.base.as_deref(), updates).unwrap()
    };
    let mut type_in = |p: &mut crate::world::Peer, at, deleted, inserted: &str| {
        let (_, update) = editor.edit(|edit| edit.splice_text("note", at, deleted, inserted)).unwrap();
        let operation = tombolo_core::Operation::CrdtApplyUpdate {
            entity: "Kind".into(),
            id,
            field: None,
            bytes: update.unwrap(),
            options: tombolo_core::Options::default(),
        };
        p.group(|engine| engine.execute(&operation)).map(drop).map_err(|error| error.code)
    };
    assert_eq!(type_in(&mut peers[0], 0, 5, ""), Ok(()), "shortening is allowed");
    assert_eq!(type_in(&mut peers[0], 0, 0, "z"), Err(Code::InvalidData), "growing is not");
    assert!(push(&mut peers[0], &mut server).is_empty());
    assert_eq!(server.get("Kind", id)["note"].as_str().unwrap().len(), both - 5);
}

#[test]
fn a_wide_text_takes_the_time_that_the_server_heard_of() {
    let mut server = peer(Role::Server, 9);
    let ahead = 1_795_512_600_000 + 10 * 365 * 86_400_000;
    let mut client = with_clock(Role::Replica, 1, ahead);
    let id = client.insert("Page", json!({"title": "wide ".repeat(10_000)}));
    client.update("Page", id, json!({"title": "wide ".repeat(10_001)}));
    assert!(client.engine.has_dirty(), "it is projected later");
    sync(std::slice::from_mut(&mut client), &mut server);
    assert!(client.get("Page", id)["updated_at"].as_str().unwrap().starts_with("2026"));
    assert_eq!(client.rows("Page"), server.rows("Page"));
}
