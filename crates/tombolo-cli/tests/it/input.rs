//! What people get wrong: each mistake has its code, and a sentence that helps.

use crate::world::{World, error, run};
use serde_json::{Value as Json, json};

/// Manifests with one mistake each, and the diagnostic that names it.
fn broken_manifests() -> Vec<(String, &'static str)> {
    let whole = |entities: Json| {
        json!({"manifest_version": 1, "name": "n", "version": 1, "entities": entities}).to_string()
    };
    let entity = |more: Json| {
        let mut entity = json!({"name": "E", "fields": [{"name": "a", "type": "string"}, {"name": "up", "type": "id(E)"}]});
        entity.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        whole(json!([entity]))
    };
    let field = |field: Json| whole(json!([{"name": "E", "fields": [field]}]));
    let many: Vec<Json> = (0..501).map(|n| json!({"name": format!("e{n}"), "fields": []})).collect();
    vec![
        ("{".to_owned(), "not_json"),
        ("{}".to_owned(), "missing"),
        (format!("\"{}\"", "x".repeat(4 * 1024 * 1024 - 2)), "wrong_type"),
        (json!({"manifest_version": 9, "name": "n", "version": 1, "entities": [{"name": "E", "fields": []}]}).to_string(), "unsupported_version"),
        (whole(json!(many)), "too_many"),
        (whole(json!([{"name": "E", "fields": []}, {"name": "e", "fields": []}])), "duplicate"),
        (entity(json!({"nope": 1})), "unknown_key"),
        (entity(json!({"name": "9"})), "bad_name"),
        (entity(json!({"crdt": false})), "not_supported"),
        (entity(json!({"indexes": [{"name": "i", "fields": ["b"]}]})), "unknown_field"),
        (entity(json!({"relations": [{"name": "r", "target": "X", "field": "up"}]})), "unknown_entity"),
        (entity(json!({"relations": [{"name": "r", "target": "E", "field": "a"}]})), "relation_field"),
        (entity(json!({"relations": [{"name": "r", "target": "E", "field": "up", "tree": true}]})), "tree_relation"),
        (entity(json!({"relations": [{"name": "r", "target": "E", "field": "up", "on_delete": "x"}]})), "unknown_on_delete"),
        (
            whole(json!([{"name": "E", "fields": [
                {"name": "up", "type": "id(E)", "optional": true}, {"name": "in", "type": "id(E)", "optional": true}],
                "relations": [{"name": "r", "target": "E", "field": "up", "tree": true},
                              {"name": "s", "target": "E", "field": "in", "tree": true}]}])),
            "two_trees",
        ),
        (field(json!({"name": "id", "type": "string"})), "reserved_name"),
        (field(json!({"name": "a", "type": "strin"})), "unknown_type"),
        (field(json!({"name": "a", "type": "enum"})), "enum_values"),
        (field(json!({"name": "a", "type": "int", "crdt": "text"})), "crdt_not_allowed"),
        (field(json!({"name": "a", "type": "int", "crdt": "nope"})), "unknown_crdt"),
        (field(json!({"name": "a", "type": "string", "crdt": "text", "unique": true})), "unique_text"),
        (field(json!({"name": "a", "type": "int", "default": "x"})), "default_invalid"),
        (field(json!({"name": "a", "type": "richtext", "default": "x"})), "default_not_allowed"),
        (field(json!({"name": "a", "type": "int", "max_length": 3})), "option_not_allowed"),
    ]
}

#[test]
fn a_broken_manifest_is_named_and_opens_nothing() {
    let world = World::new();
    let (data, file) = (world.text("data"), world.text("broken.json"));
    for (n, (manifest, code)) in broken_manifests().into_iter().enumerate() {
        std::fs::write(&file, &manifest).unwrap();
        let command: &[&str] = match n % 3 {
            0 => &["serve", "--listen", "127.0.0.1:0"],
            1 => &["client", "--stdio"],
            _ => &["call", "manifest"],
        };
        let output = run([command, &["--data", &data, "--manifest", &file]].concat());
        let error = error(&output);
        assert_eq!(error["code"], "MANIFEST_INVALID", "{error}");
        let diagnostics = error["details"]["diagnostics"].as_array().unwrap();
        let named = diagnostics.iter().find(|diagnostic| diagnostic["code"] == code);
        let named = named.unwrap_or_else(|| panic!("no {code} in {error}"));
        for key in ["path", "message", "hint"] {
            assert!(!named[key].as_str().unwrap().is_empty(), "{named}");
        }
        assert!(!world.path("data").exists(), "a manifest with an error makes no folder");
    }
}

#[test]
fn a_manifest_that_cannot_be_read_is_named() {
    let world = World::new();
    let not_text = world.text("not-text.json");
    std::fs::write(&not_text, b"\xff\xfe\x00").unwrap();
    let large = world.text("large.json");
    std::fs::write(&large, vec![b' '; 4 * 1024 * 1024 + 1]).unwrap();
    for file in [&world.text("missing.json"), &not_text, &large, &world.text("")] {
        let output = run(["call", "--data", &world.text("data"), "--manifest", file, "manifest"]);
        let error = error(&output);
        assert_eq!((&error["code"], &error["details"]["file"]), (&json!("FILE_UNREADABLE"), &json!(file)));
    }
}

#[test]
fn wrong_operations_are_refused_and_write_nothing() {
    let world = World::new();
    let mut client = world.client("data", None);
    let id = client.insert(&json!({"title": "kept"}));
    let insert = |data: Json| json!({"entity": "Page", "data": data});
    for (op, args, code) in [
        ("insert", json!({"entity": "Nope", "data": {}}), "ENTITY_NOT_FOUND"),
        ("insert", insert(json!({"title": "x", "nope": 1})), "FIELD_NOT_FOUND"),
        ("insert", insert(json!({"title": 1})), "INVALID_DATA"),
        ("insert", insert(json!({})), "INVALID_DATA"),
        ("insert", insert(json!({"title": "x", "stars": "many"})), "INVALID_DATA"),
        ("insert", insert(json!({"title": "x".repeat(501)})), "INVALID_DATA"),
        ("insert", insert(json!({"title": "x", "id": "no-uuid"})), "INVALID_DATA"),
        ("insert", insert(json!({"title": "x", "id": id})), "CONFLICT"),
        ("update", json!({"entity": "Page", "id": id, "patch": {"nope": 1}}), "FIELD_NOT_FOUND"),
        ("update", json!({"entity": "Page", "id": id}), "INVALID_QUERY"),
        ("query_filtered", json!({"entity": "Page", "filter": {"nope": 1}}), "INVALID_QUERY"),
        ("list", json!({"entity": "Page", "limit": 0}), "INVALID_QUERY"),
        ("list", json!({"entity": "Page", "more": 1}), "INVALID_QUERY"),
        (
            "transact",
            json!({"ops": [{"op": "insert", "entity": "Page", "data": {"title": "x"}}, {"op": "nope"}]}),
            "TX_INVALID_OP",
        ),
        ("crdt_apply_update", json!({"entity": "Page", "id": id, "bytes": "%%%"}), "INVALID_QUERY"),
    ] {
        let error = client.refused(op, &args);
        assert_eq!(error["code"], code, "{op} {args}: {error}");
        assert!(error["message"].as_str().unwrap().len() > 10);
    }
    assert_eq!(client.rows().len(), 1);
    client.close();
    let output = run(["call", "--data", &world.text("data"), "list", "{"]);
    assert_eq!(error(&output)["code"], "INVALID_QUERY");
    let output = run(["call", "--data", &world.text("data"), "list", r#"{"entity":"Nope"}"#]);
    assert_eq!(error(&output)["code"], "ENTITY_NOT_FOUND");
}

#[test]
fn a_folder_in_use_names_its_owner() {
    let world = World::new();
    let client = world.client("data", None);
    let mut client = client;
    client.insert(&json!({"title": "open"}));
    let data = world.text("data");
    for command in [
        &["serve", "--listen", "127.0.0.1:0"][..],
        &["client", "--stdio"],
        &["call", "list", r#"{"entity":"Page"}"#],
    ] {
        let error = error(&run([command, &["--data", &data]].concat()));
        assert_eq!(
            (&error["code"], &error["details"]["process"]),
            (&json!("FOLDER_IN_USE"), &json!(client.child.id()))
        );
        assert!(error["message"].as_str().unwrap().contains(&client.child.id().to_string()));
    }
    let id = client.child.id();
    client.kill();
    assert!(id > 0 && world.call("data", "list", &json!({"entity": "Page"})).as_array().unwrap().len() == 1);
}

#[test]
fn a_folder_that_cannot_be_is_named() {
    let world = World::new();
    std::fs::write(world.path("file"), "").unwrap();
    let mut wrong = vec![
        (world.text("missing/data"), "STORAGE_FAILED"),
        (world.text("file/data"), "STORAGE_FAILED"),
        (world.text("file"), "STORAGE_FAILED"),
    ];
    if cfg!(target_os = "linux") {
        // Nobody may make a folder there, whoever it is.
        wrong.push(("/sys/tombolo".to_owned(), "FOLDER_READ_ONLY"));
    }
    for (data, code) in wrong {
        for command in [
            &["serve", "--listen", "127.0.0.1:0"][..],
            &["client", "--stdio"],
            &["call", "manifest"],
            &["token", "--user", "ann"],
        ] {
            let error = error(&run([command, &["--data", &data]].concat()));
            assert_eq!(error["code"], code, "{command:?} {error}");
            assert_eq!(error["details"]["folder"], data);
        }
    }
}

#[test]
fn a_database_that_is_none_is_left_alone() {
    let world = World::new();
    std::fs::create_dir(world.path("data")).unwrap();
    let damage = "this is no database, but it is longer than the head of one".repeat(100);
    std::fs::write(world.path("data/store.sqlite"), &damage).unwrap();
    let error = error(&run(["call", "--data", &world.text("data"), "manifest"]));
    assert_eq!(error["code"], "STORAGE_FAILED");
    assert_eq!(std::fs::read_to_string(world.path("data/store.sqlite")).unwrap(), damage);
}

#[test]
fn an_address_is_named() {
    let world = World::new();
    let server = world.serve("server", "127.0.0.1:0");
    for (listen, code) in
        [(server.address(), "ADDRESS_IN_USE"), ("nowhere", "INVALID_QUERY"), ("192.0.2.1:1", "INVALID_QUERY")]
    {
        let error = error(&run(["serve", "--data", &world.text("other"), "--listen", listen]));
        assert_eq!((&error["code"], &error["details"]["address"]), (&json!(code), &json!(listen)));
    }
}

#[test]
fn a_server_address_and_a_token_are_checked() {
    let world = World::new();
    let data = world.text("data");
    let token = world.text("token");
    std::fs::write(&token, "\n").unwrap();
    let url = "http://localhost:1";
    for (more, code) in [
        (&["--server", "localhost:1", "--token", "x"][..], "INVALID_QUERY"),
        (&["--server", "ftp://localhost", "--token", "x"], "INVALID_QUERY"),
        (&["--server", url], "UNAUTHENTICATED"),
        (&["--server", url, "--token-file", &token], "UNAUTHENTICATED"),
        (&["--server", url, "--token-file", &data], "FILE_UNREADABLE"),
    ] {
        let error = error(&run([&["client", "--stdio", "--data", &data], more].concat()));
        assert_eq!(error["code"], code, "{more:?}");
        assert!(!world.path("data").exists());
    }
    assert_eq!(error(&run(["client", "--data", &data]))["code"], "INVALID_QUERY", "--stdio has to be said");
}

#[test]
fn a_wrong_token_is_refused_and_a_server_that_is_away_is_tried_again() {
    let world = World::new();
    let server = world.serve("server", "127.0.0.1:0");
    world.token("server", "ann");
    let mut client = world.client("data", Some((&server.url, "wrong")));
    let (_, status) = client.status(|status| status["state"] == "refused");
    assert_eq!(status["code"], "UNAUTHENTICATED");
    assert!(status["message"].as_str().unwrap().contains("token"));
    client.insert(&json!({"title": "kept"}));
    client.close();
    let address = server.stop();
    let mut client = world.client("data", Some((&format!("http://{address}"), "wrong")));
    let (_, status) = client.status(|status| status["state"] == "offline");
    assert_eq!(status["code"], "SERVER_UNREACHABLE");
    assert!(status["retry_in_ms"].as_u64().unwrap() <= 30_000);
    client.status(|status| status["state"] == "connecting");
    assert_eq!(client.rows().len(), 1);
    client.close();
}

#[test]
fn every_command_explains_itself() {
    for command in [&[][..], &["serve"], &["token"], &["call"], &["client"]] {
        let output = run([command, &["--help"]].concat());
        assert!(output.status.success());
        assert!(String::from_utf8(output.stdout).unwrap().contains("Usage: tombolo"), "{command:?}");
    }
    assert_eq!(run(["nope"]).status.code(), Some(2));
}
