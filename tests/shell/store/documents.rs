//! Documents as raw bytes, both ways.

use serde_json::{Value, json};
use tauri::http::HeaderMap;
use tauri::ipc::{InvokeBody, InvokeResponseBody};
use tombolo_core::{PeerId, limit};
use tombolo_crdt::Doc;

use super::{Shell, Window, acknowledge, call, insert, open, send, update};

/// A page's editor: its document, and the channel that it follows it on.
struct Editor<'s> {
    shell: &'s Shell,
    window: &'s Window,
    id: String,
    channel: u32,
    subscription: u64,
    doc: Doc,
}

impl<'s> Editor<'s> {
    fn open(shell: &'s Shell, window: &'s Window, id: &str, channel: u32) -> Self {
        let subscription = open(window, "follow", json!({"entity": "Page", "id": id}), channel).unwrap();
        let doc = Doc::new(PeerId(0));
        let mut editor = Self { shell, window, id: id.to_owned(), channel, subscription, doc };
        assert_eq!(editor.take(), 0, "the first piece is all of it");
        editor
    }

    /// Takes the next piece; gives its tag.
    fn take(&mut self) -> u8 {
        let InvokeResponseBody::Raw(piece) = self.shell.message(self.channel) else { panic!("no bytes") };
        match piece.split_at(1) {
            (&[0], rest) => {
                let (peer, bytes) = rest.split_at(8);
                let peer = PeerId(u64::from_le_bytes(peer.try_into().unwrap()));
                self.doc = Doc::open(peer, Some(bytes), []).unwrap();
            }
            (_, bytes) => assert!(self.doc.import(bytes).unwrap().update.is_some()),
        }
        acknowledge(self.window, self.subscription);
        piece[0]
    }

    fn title(&self) -> String {
        self.doc.text("title").unwrap()
    }

    fn write(&mut self, title: &str) {
        let ((), written) = self.doc.edit(|edit| edit.set_text("title", Some(title))).unwrap();
        let bytes = tombolo_crdt::unpack(&written.unwrap()).into_owned();
        let answer = apply(self.window, &json!({"entity": "Page", "id": self.id}), bytes).unwrap();
        assert_eq!(answer["receipt"]["state"], "local");
    }
}

fn headers(args: &str) -> HeaderMap {
    HeaderMap::from_iter([("tombolo-args".parse().unwrap(), args.parse().unwrap())])
}

fn apply(window: &Window, args: &Value, bytes: Vec<u8>) -> Result<Value, Value> {
    // More than need be is encoded: a page may do so.
    let encoded: String = args.to_string().bytes().map(|byte| format!("%{byte:02x}")).collect();
    let answer = send(window, "crdt_apply_update", InvokeBody::Raw(bytes), headers(&encoded));
    answer.map(|body| body.deserialize().unwrap())
}

#[test]
fn a_document_goes_out_and_comes_in_as_bytes() {
    let shell = Shell::open();
    let window = shell.window("main");
    let id = insert(&window, json!({"title": "one"}));
    let page = json!({"entity": "Page", "id": id});
    let snapshot = send(&window, "crdt_snapshot", InvokeBody::Json(page.clone()), HeaderMap::new());
    let InvokeResponseBody::Raw(bytes) = snapshot.unwrap() else { panic!("a snapshot is bytes") };
    let mut doc = Doc::open(PeerId(7), Some(&bytes), []).unwrap();
    let ((), written) = doc.edit(|edit| edit.set_text("title", Some("one · two"))).unwrap();
    apply(&window, &page, tombolo_crdt::unpack(&written.unwrap()).into_owned()).unwrap();
    assert_eq!(call(&window, "get_by_id", page).unwrap()["title"], "one · two");
    let body = json!({"entity": "Page", "id": id, "field": "body"});
    assert_eq!(call(&window, "crdt_snapshot", body), Ok(Value::Null), "nobody has written it");
}

#[test]
fn bytes_that_are_no_update_are_refused_and_the_store_goes_on() {
    let shell = Shell::open();
    let window = shell.window("main");
    let id = insert(&window, json!({"title": "one"}));
    let page = json!({"entity": "Page", "id": id});
    let twice = json!({"entity": "Page", "id": id, "bytes": ""});
    let code = |answer: Result<Value, Value>| answer.unwrap_err()["code"].clone();
    assert_eq!(code(apply(&window, &page, b"what is this".to_vec())), "CRDT_DECODE_FAILED");
    assert_eq!(code(apply(&window, &page, vec![0; limit::UPDATE_BYTES + 1])), "TOO_LARGE");
    assert_eq!(code(apply(&window, &json!({"entity": "Page"}), vec![1])), "INVALID_QUERY");
    assert_eq!(code(apply(&window, &twice, vec![1])), "INVALID_QUERY");
    assert_eq!(code(call(&window, "crdt_apply_update", page)), "INVALID_QUERY", "bytes are no JSON");
    let raw = |headers| send(&window, "crdt_apply_update", InvokeBody::Raw(vec![1]), headers).unwrap_err();
    for header in ["", "%", "%ff", "[]", "%7B", &"a".repeat(20_000)] {
        assert_eq!(raw(headers(header))["code"], "INVALID_QUERY", "{header:.40}");
    }
    assert_eq!(raw(HeaderMap::new())["code"], "INVALID_QUERY");
    let list = send(&window, "list", InvokeBody::Raw(vec![1]), HeaderMap::new());
    assert_eq!(list.unwrap_err()["code"], "INVALID_QUERY");
    update(&window, &id, json!({"title": "two"}));
}

#[test]
fn two_windows_edit_one_document() {
    let shell = Shell::open();
    let (one, two) = (shell.window("main"), shell.window("page-2"));
    let id = insert(&one, json!({"title": "a"}));
    let mut first = Editor::open(&shell, &one, &id, 1);
    let mut second = Editor::open(&shell, &two, &id, 2);
    first.write("ab");
    assert_eq!(second.take(), 1, "what was added");
    second.write("abc");
    assert_eq!(first.take(), 1);
    update(&one, &id, json!({"title": "abcd"}));
    assert_eq!((first.take(), second.take()), (1, 1));
    assert_eq!((first.title(), second.title()), ("abcd".to_owned(), "abcd".to_owned()));
    assert_eq!(call(&one, "get_by_id", json!({"entity": "Page", "id": id})).unwrap()["title"], "abcd");
}

#[test]
fn a_formatted_text_can_be_followed_before_it_is_written_and_other_fields_cannot() {
    let shell = Shell::open();
    let window = shell.window("main");
    let id = insert(&window, json!({"title": "a"}));
    let follow = |args: Value, channel| open(&window, "follow", args, channel);
    let subscription = follow(json!({"entity": "Page", "id": id, "field": "body"}), 1).unwrap();
    let InvokeResponseBody::Raw(piece) = shell.message(1) else { panic!("no bytes") };
    assert_eq!(Doc::open(PeerId(1), Some(&piece[9..]), []).unwrap().len_ops().unwrap(), 0);
    acknowledge(&window, subscription);
    update(&window, &id, json!({"body": {"markdown": "**hello**"}}));
    assert!(matches!(shell.message(1), InvokeResponseBody::Raw(piece) if piece[0] == 1));

    let refused = follow(json!({"entity": "Page", "id": id, "field": "title"}), 2).unwrap_err();
    assert_eq!(refused["code"], "INVALID_DATA");
    assert_eq!(follow(json!({"entity": "Page"}), 2).unwrap_err()["code"], "INVALID_QUERY");
    follow(json!({"entity": "Page", "id": "0195f3e0-0000-7000-8000-000000000000"}), 3).unwrap();
    assert_eq!(shell.json_message(3)["error"]["code"], "ROW_NOT_FOUND");
}
