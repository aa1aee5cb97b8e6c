//! The JSON lines themselves.

use crate::world::{World, run, run_with};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value as Json, json};
use std::io::{Read as _, Write as _};
use std::process::Stdio;
use tombolo_core::PeerId;
use tombolo_crdt::Doc;

#[test]
fn requests_are_answered_with_their_own_ids() {
    let world = World::new();
    let mut client = world.client("data", None);
    let list = r#""op":"list","args":{"entity":"Page"}"#;
    for id in [r#""text""#, "null", "1.50", "[1, {\"a\":2}]", "123456789012345678901234567890"] {
        client.line(format!("{{\"id\":{id},{list}}}").as_bytes());
        let (_, line) = client.first(|line| line.get("result").is_some());
        assert_eq!(line["id"], serde_json::from_str::<Json>(id).unwrap());
    }
    client.line(format!("{{{list}}}").as_bytes());
    let (_, line) = client.first(|line| line.get("result").is_some());
    assert_eq!(line["id"], Json::Null);
    client.close();
}

#[test]
fn what_cannot_be_understood_is_refused_and_the_next_is_taken() {
    let world = World::new();
    let mut client = world.client("data", None);
    let long = "x".repeat(2 * 1024 * 1024 + 1);
    for (line, id, code) in [
        ("{", json!(null), "INVALID_QUERY"),
        ("[1]", json!(null), "INVALID_QUERY"),
        (r#"{"id":1}"#, json!(1), "INVALID_QUERY"),
        (r#"{"id":2,"op":"list","more":1}"#, json!(2), "INVALID_QUERY"),
        (r#"{"id":3,"op":"nope"}"#, json!(3), "INVALID_QUERY"),
        (r#"{"id":4,"op":"search"}"#, json!(4), "NOT_SUPPORTED"),
        (r#"{"id":5,"op":"list","args":{"entity":"Nope"}}"#, json!(5), "ENTITY_NOT_FOUND"),
        (r#"{"id":6,"op":"subscribe","args":{}}"#, json!(6), "INVALID_QUERY"),
        (
            r#"{"id":7,"op":"subscribe","args":{"op":"insert","args":{"entity":"Page","data":{}}}}"#,
            json!(7),
            "NOT_SUPPORTED",
        ),
        (r#"{"id":8,"op":"unsubscribe","args":{}}"#, json!(8), "INVALID_QUERY"),
        (&long, json!(null), "TOO_LARGE"),
    ] {
        client.line(line.as_bytes());
        let (_, answer) = client.first(|line| line.get("error").is_some());
        assert_eq!((&answer["id"], &answer["error"]["code"]), (&id, &json!(code)), "{answer}");
    }
    client.line(b"\xff\xfe");
    client.first(|line| line["error"]["code"] == "INVALID_QUERY");
    client.insert(&json!({"title": "still here"}));
    client.close();
}

#[test]
fn a_read_sees_every_write_before_it() {
    let world = World::new();
    let mut client = world.client("data", None);
    let mut reads = Vec::new();
    for n in 1..=50 {
        client.send("insert", &json!({"entity": "Page", "data": {"title": n.to_string()}}));
        reads.push((n, client.send("list", &json!({"entity": "Page"}))));
    }
    for (n, id) in reads {
        assert_eq!(client.answer(id).unwrap().as_array().unwrap().len(), n);
    }
    client.close();
}

#[test]
fn what_was_answered_is_there_after_the_end_of_input() {
    let world = World::new();
    let lines: String = (0..300)
        .map(|n| {
            json!({"id": n, "op": "insert", "args": {"entity": "Page", "data": {"title": "t"}}}).to_string()
                + "\n"
        })
        .collect();
    let manifest = world.text("manifest.json");
    let data = world.text("data");
    let output = run_with(["client", "--stdio", "--data", &data, "--manifest", &manifest], &lines);
    assert!(output.status.success());
    let answers = String::from_utf8(output.stdout).unwrap();
    assert_eq!(answers.lines().filter(|line| line.contains("\"result\"")).count(), 300);
    let rows = world.call("data", "list", &json!({"entity": "Page"}));
    assert_eq!(rows.as_array().unwrap().len(), 300);
}

#[test]
fn a_subscription_gives_the_result_and_then_differences() {
    let world = World::new();
    let mut client = world.client("data", None);
    let first = client.insert(&json!({"title": "a"}));
    let read =
        json!({"op": "query_filtered", "args": {"entity": "Page", "filter": {"$order": {"title": "asc"}}}});
    let result = client.call("subscribe", &read);
    assert_eq!(result["subscription"], 1);
    assert_eq!((&result["revision"], &result["coverage"]), (&json!(1), &json!("complete")));
    assert_eq!(result["rows"][0]["id"], first);
    let second = client.insert(&json!({"title": "b"}));
    let (_, event) = client.first(|line| line["event"] == "subscription");
    assert_eq!((&event["subscription"], &event["revision"]), (&json!(1), &json!(2)));
    assert_eq!(event["added"][0]["id"], second);
    assert_eq!(event["moved"], json!([{"id": second, "after": first}]));
    assert_eq!(event["coverage"], "complete");
    client.call("delete", &json!({"entity": "Page", "id": first}));
    let (_, event) = client.first(|line| line["event"] == "subscription");
    assert_eq!(event["removed"], json!([{"id": first, "why": "deleted"}]));
    assert_eq!(client.call("unsubscribe", &json!({"subscription": 1}))["unsubscribed"], true);
    assert_eq!(client.call("unsubscribe", &json!({"subscription": 1}))["unsubscribed"], false);
    client.insert(&json!({"title": "c"}));
    let next = client.call("subscribe", &read);
    assert_eq!(next["subscription"], 2);
    assert_eq!(next["rows"].as_array().unwrap().len(), 2);
    client.insert(&json!({"title": "d"}));
    let (_, event) = client.first(|line| line["event"] == "subscription");
    assert_eq!(event["subscription"], 2, "the ended one says nothing");
    client.close();
}

#[test]
fn a_device_without_a_server_says_so() {
    let world = World::new();
    let mut client = world.client("data", None);
    let (_, status) = client.status(|_| true);
    assert_eq!((&status["state"], &status["waiting"]), (&json!("local"), &json!(0)));
    let answer = client.call("insert", &json!({"entity": "Page", "data": {"title": "a"}}));
    let local = client.commit(&answer["receipt"]["commit"], "local");
    assert_eq!(local["seq"], answer["receipt"]["seq"]);
    client.status(|status| status["state"] == "local" && status["waiting"] == 1);
    client.close();
}

#[test]
fn calls_print_their_answers() {
    let world = World::new();
    let data = world.text("data");
    let output = run_with(
        ["call", "--data", &data, "insert", "-"],
        r#"{"entity":"Page","data":{"title":"from a pipe"}}"#,
    );
    assert!(output.status.success());
    let rows = world.call("data", "list", &json!({"entity": "Page"}));
    assert_eq!(rows[0]["title"], "from a pipe");
    assert!(rows[0].get("body").is_some(), "a new folder holds the workspace's pages");
    let manifest = run(["call", "--data", &data, "manifest"]);
    let manifest: Json = serde_json::from_slice(&manifest.stdout).unwrap();
    assert_eq!(manifest["manifest"]["name"], "workspace");
}

#[test]
fn a_folder_remembers_its_manifest() {
    let world = World::new();
    let mut client = world.client("data", None);
    client.insert(&json!({"title": "a", "stars": 3}));
    client.close();
    assert_eq!(world.call("data", "list", &json!({"entity": "Page"}))[0]["stars"], 3);
}

#[test]
#[cfg(unix)]
fn a_signal_ends_it_even_if_nobody_reads() {
    let world = World::new();
    let data = world.text("data");
    let mut client = world.client("data", None);
    client.insert(&json!({"title": "x".repeat(500)}));
    client.close();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_tombolo"));
    command.args(["client", "--stdio", "--data", &data]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let insert = json!({"id": 1, "op": "insert", "args": {"entity": "Page", "data": {"title": "last"}}});
    // More answers than a pipe holds.
    let list = json!({"id": 2, "op": "list", "args": {"entity": "Page"}}).to_string() + "\n";
    stdin.write_all(format!("{insert}\n{}", list.repeat(200)).as_bytes()).unwrap();
    let mut first = [0; 100];
    child.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
    let id = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert!(child.wait().unwrap().success());
    assert_eq!(world.call("data", "list", &json!({"entity": "Page"})).as_array().unwrap().len(), 2);
}

#[test]
fn a_document_is_followed_in_pieces() {
    let world = World::new();
    let mut client = world.client("data", None);
    let id = client.insert(&json!({"title": "one"}));
    let document = json!({"op": "crdt_snapshot", "args": {"entity": "Page", "id": id}});
    let first = client.call("subscribe", &document);
    let bytes = |text: &Json| BASE64.decode(text.as_str().unwrap()).unwrap();
    let peer = PeerId(first["peer"].as_str().unwrap().parse().unwrap());
    let mut doc = Doc::open(peer, Some(&bytes(&first["snapshot"])), []).unwrap();
    client.update(&id, &json!({"title": "one two"}));
    let (_, event) = client.first(|line| line["event"] == "subscription");
    assert_eq!(event["subscription"], first["subscription"]);
    doc.import(&bytes(&event["update"])).unwrap();
    assert_eq!(doc.text("title").unwrap(), "one two");

    let ((), update) = doc.edit(|edit| edit.set_text("title", Some("one two three"))).unwrap();
    let args = json!({"entity": "Page", "id": id, "bytes": BASE64.encode(update.unwrap())});
    client.call("crdt_apply_update", &args);
    assert_eq!(client.call("get_by_id", &json!({"entity": "Page", "id": id}))["title"], "one two three");
    client.update(&id, &json!({"title": "one two three four"}));
    let (_, event) = client.first(|line| line["event"] == "subscription");
    doc.import(&bytes(&event["update"])).unwrap();
    assert_eq!(doc.text("title").unwrap(), "one two three four");
    assert_eq!(client.call("unsubscribe", &first)["unsubscribed"], true);

    let text = json!({"op": "crdt_snapshot", "args": {"entity": "Page", "id": id, "field": "title"}});
    assert_eq!(client.refused("subscribe", &text)["code"], "INVALID_DATA");
    let nobody = json!({"op": "crdt_snapshot", "args": {"entity": "Page", "id": "0195f3e0-0000-7000-8000-000000000000"}});
    assert_eq!(client.refused("subscribe", &nobody)["code"], "ROW_NOT_FOUND");
    client.close();
}
