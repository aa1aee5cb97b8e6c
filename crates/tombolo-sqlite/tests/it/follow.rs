//! Following a document, as a page with an editor does.

use crate::world::{Peer, TestClock, judge, manifest, peer};
use serde_json::{Value as Json, json};
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use tombolo_core::{Code, DocRef, LogEntry, Operation, PeerId, Result, RowId, SeededRandom, Seq, Verdict};
use tombolo_crdt::Doc;
use tombolo_sqlite::Sqlite;
use tombolo_store::backend::Read as _;
use tombolo_store::{DataStore, Engine, Feed, Incoming, Piece, Role, Settings, Store};

struct Device(Store<Sqlite>);

impl Device {
    fn new(seed: u64) -> Self {
        let database = Sqlite::in_memory(&manifest()).unwrap();
        let clock = Arc::new(TestClock(AtomicI64::new(1_795_512_600_000)));
        let random = Box::new(SeededRandom::new(seed));
        let settings = Settings { manifest: manifest(), role: Role::Replica, clock, random };
        Self(Store::start(Engine::open(database, settings).unwrap()).unwrap())
    }

    fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Engine<Sqlite>) -> Result<T> + Send + 'static,
    ) -> T {
        self.0.submitter().run(job).unwrap()
    }

    fn call(&self, name: &str, args: Json) -> Result<Json> {
        self.0.execute(Operation::from_json(name, &args)?).map(tombolo_store::Answer::into_json)
    }

    fn insert(&self, data: Json) -> RowId {
        let answer = self.call("insert", json!({"entity": "Page", "data": data})).unwrap();
        answer["id"].as_str().unwrap().parse().unwrap()
    }

    fn update(&self, id: RowId, patch: Json) {
        self.call("update", json!({"entity": "Page", "id": id, "patch": patch})).unwrap();
    }

    fn push(&self, server: &mut Peer) -> bool {
        let (_, commit) = self.0.submitter().outbox(Seq(0), usize::MAX, 1).unwrap().pop().unwrap();
        match judge(server, &commit) {
            Verdict::Accepted { .. } => {
                self.pull(server);
                true
            }
            Verdict::Rejected(rejection) => {
                self.run(move |engine| engine.reject(&rejection));
                false
            }
        }
    }

    fn pull(&self, server: &mut Peer) {
        let space = server.engine.space().unwrap();
        let (id, epoch) = (space.id.unwrap(), space.epoch.unwrap());
        let cursor = self.run(move |engine| {
            engine.bind("server", id, epoch)?;
            Ok(engine.space()?.cursor)
        });
        let entries: Vec<LogEntry> = server.engine.log_after(cursor, usize::MAX, usize::MAX >> 1).unwrap();
        self.run(move |engine| {
            engine.apply(epoch, &entries.into_iter().map(Incoming::Entry).collect::<Vec<_>>())
        });
    }
}

/// A page's editor: what it was told, and what it types.
struct Editor {
    feed: Box<dyn Feed>,
    doc: Doc,
    at: DocRef,
    snapshots: usize,
    /// The bytes of the last piece.
    last: usize,
}

impl Editor {
    fn open(device: &Device, id: RowId, field: Option<&str>) -> Self {
        let at = DocRef { entity: "Page".into(), row: id, field: field.map(str::to_owned) };
        let feed = device.0.follow(&at).unwrap();
        let mut editor = Self { feed, doc: Doc::new(PeerId(0)), at, snapshots: 0, last: 0 };
        assert!(editor.feed.is_stale());
        assert!(editor.read());
        assert_eq!(editor.snapshots, 1);
        editor
    }

    /// Reads one piece; says whether there was one.
    fn read(&mut self) -> bool {
        let Some(piece) = self.feed.next().unwrap() else { return false };
        match piece {
            Piece::Snapshot { peer, bytes } => {
                self.doc = Doc::open(peer, Some(&bytes), []).unwrap();
                self.snapshots += 1;
                self.last = bytes.len();
            }
            Piece::Update { bytes } => {
                self.last = bytes.len();
                assert!(self.doc.import(&bytes).unwrap().update.is_some(), "an update brings something");
            }
        }
        true
    }

    fn title(&self) -> String {
        self.doc.text("title").unwrap()
    }

    fn type_title(&mut self, device: &Device, title: &str) -> Result<Json> {
        let ((), update) = self.doc.edit(|edit| edit.set_text("title", Some(title))).unwrap();
        self.apply(device, &update.unwrap())
    }

    /// Sends an update as a page does: as Loro exports it.
    fn apply(&self, device: &Device, update: &[u8]) -> Result<Json> {
        let args = json!({"entity": self.at.entity, "id": self.at.row});
        let bytes = tombolo_crdt::unpack(update).into_owned();
        let operation = Operation::with_bytes("crdt_apply_update", &args, bytes)?;
        device.0.execute(operation).map(tombolo_store::Answer::into_json)
    }
}

#[test]
fn a_follower_is_told_what_was_added_and_commits_between_are_merged() {
    let device = Device::new(1);
    let long = "long ".repeat(20_000);
    let id = device.insert(json!({"title": long}));
    let mut editor = Editor::open(&device, id, None);
    assert!(!editor.read() && !editor.feed.is_stale());
    device.update(id, json!({"title": format!("{long}one")}));
    device.update(id, json!({"title": format!("{long}one two"), "stars": 3}));
    assert!(editor.feed.is_stale());
    assert!(editor.read());
    assert_eq!(editor.title(), format!("{long}one two"));
    assert!(editor.last < 500, "{} bytes for a few characters of a large document", editor.last);
    assert!(!editor.read() && editor.snapshots == 1);
    let other = device.insert(json!({"title": "other"}));
    device.update(other, json!({"title": "another"}));
    assert!(!editor.feed.is_stale(), "another document does not concern it");
}

#[test]
fn a_follower_is_not_told_what_it_wrote_itself() {
    let device = Device::new(1);
    let id = device.insert(json!({"title": "a"}));
    let (mut one, mut two) = (Editor::open(&device, id, None), Editor::open(&device, id, None));
    one.type_title(&device, "ab").unwrap();
    assert!(one.feed.is_stale());
    assert!(!one.read(), "it has its own operations");
    assert!(two.read());
    two.type_title(&device, "abc").unwrap();
    one.type_title(&device, "abx").unwrap();
    assert!(one.read() && two.read());
    assert_eq!(one.title(), two.title());
    assert_eq!(one.title().len(), 4);
    assert_eq!((one.snapshots, two.snapshots), (1, 1));
}

#[test]
fn edits_from_the_server_are_told() {
    let mut server = peer(Role::Server, 9);
    let (a, b) = (Device::new(1), Device::new(2));
    let id = a.insert(json!({"title": "shared"}));
    assert!(a.push(&mut server));
    b.pull(&mut server);
    let mut editor = Editor::open(&a, id, None);
    b.update(id, json!({"title": "shared by both"}));
    assert!(b.push(&mut server));
    editor.type_title(&a, "well shared").unwrap();
    a.pull(&mut server);
    assert!(editor.read());
    assert_eq!(editor.title(), "well shared by both");
    assert!(a.push(&mut server), "what the editor wrote reaches the server");
    assert!(!editor.read() && editor.snapshots == 1);
}

#[test]
fn a_refusal_begins_the_document_anew() {
    let mut server = peer(Role::Server, 9);
    let (a, b) = (Device::new(1), Device::new(2));
    let id = a.insert(json!({"title": "page"}));
    assert!(a.push(&mut server));
    b.insert(json!({"title": "other", "slug": "taken"}));
    assert!(b.push(&mut server));
    let mut editor = Editor::open(&a, id, None);
    a.update(id, json!({"slug": "taken"}));
    assert!(editor.read());
    a.update(id, json!({"title": "page, edited"}));
    assert!(!a.push(&mut server));
    assert!(editor.read());
    assert_eq!(editor.snapshots, 2);
    assert_eq!(editor.title(), "page, edited");
    assert_eq!(editor.doc.row().unwrap().values.get("slug"), None);
    editor.type_title(&a, "page, edited again").unwrap();
    assert!(a.push(&mut server) && a.push(&mut server));
    assert!(!editor.read());
}

#[test]
fn a_refusal_of_the_followers_own_write_begins_the_document_anew_although_that_was_never_told() {
    let mut server = peer(Role::Server, 9);
    let (a, b) = (Device::new(1), Device::new(2));
    let id = a.insert(json!({"title": "page"}));
    assert!(a.push(&mut server));
    b.insert(json!({"title": "other", "slug": "taken"}));
    assert!(b.push(&mut server));
    let mut editor = Editor::open(&a, id, None);
    let ((), update) =
        editor.doc.edit(|edit| edit.set("slug", &tombolo_core::Value::Text("taken".into()))).unwrap();
    editor.apply(&a, &update.unwrap()).unwrap();
    assert!(!a.push(&mut server));
    let late = editor.type_title(&a, "on what is gone").unwrap_err();
    assert_eq!(late.code, Code::CrdtApplyFailed);
    assert!(editor.read());
    assert_eq!((editor.snapshots, editor.title().as_str()), (2, "page"));
    editor.type_title(&a, "page, after all").unwrap();
    assert!(a.push(&mut server));
}

#[test]
fn a_row_that_is_refused_ends_its_feeds() {
    let mut server = peer(Role::Server, 9);
    let (a, b) = (Device::new(1), Device::new(2));
    b.insert(json!({"title": "other", "slug": "taken"}));
    assert!(b.push(&mut server));
    let id = a.insert(json!({"title": "new", "slug": "taken", "body": "text"}));
    let (mut row, mut body) = (Editor::open(&a, id, None), Editor::open(&a, id, Some("body")));
    assert!(!a.push(&mut server));
    assert_eq!(row.feed.next().unwrap_err().code, Code::RowNotFound);
    assert_eq!(body.feed.next().unwrap_err().code, Code::RowNotFound);
}

#[test]
fn folding_changes_nothing_for_a_follower() {
    let mut server = peer(Role::Server, 9);
    let device = Device::new(1);
    let id = device.insert(json!({"title": ""}));
    let mut editor = Editor::open(&device, id, None);
    let mut title = String::new();
    for n in 0..100 {
        title.push_str(&n.to_string());
        device.update(id, json!({"title": title}));
    }
    while !device.0.submitter().outbox(Seq(0), usize::MAX, 1).unwrap().is_empty() {
        assert!(device.push(&mut server));
    }
    // The writer's thread folds when it has nothing else to do.
    while device.run(|engine| Ok(engine.has_maintenance())) {}
    let doc = editor.at.clone();
    let stored = device.run(move |engine| {
        let key = engine.backend().doc_key(&doc)?.unwrap();
        engine.backend().load_doc(key)
    });
    assert!(stored.base.is_some() && stored.parts.len() < 100);
    assert!(editor.read());
    device.update(id, json!({"title": format!("{title}, folded")}));
    assert!(editor.read());
    assert_eq!(editor.title(), format!("{title}, folded"));
    assert_eq!(editor.snapshots, 1);
}

#[test]
fn a_formatted_text_is_empty_until_somebody_writes_it() {
    let device = Device::new(1);
    let id = device.insert(json!({"title": "a"}));
    let mut editor = Editor::open(&device, id, Some("body"));
    assert_eq!(editor.doc.len_ops().unwrap(), 0);
    device.update(id, json!({"body": {"markdown": "**hello**"}}));
    assert!(editor.read());
    assert_eq!(editor.doc.richtext_plain().unwrap(), "hello");
    assert_eq!(editor.snapshots, 1);
}

#[test]
fn what_is_no_document_cannot_be_followed() {
    let device = Device::new(1);
    let id = device.insert(json!({"title": "a"}));
    let follow = |entity: &str, field: Option<&str>| {
        let doc = DocRef { entity: entity.into(), row: id, field: field.map(str::to_owned) };
        device.0.follow(&doc).map(|_| ()).unwrap_err().code
    };
    assert_eq!(follow("Nothing", None), Code::EntityNotFound);
    assert_eq!(follow("Page", Some("nothing")), Code::FieldNotFound);
    assert_eq!(follow("Page", Some("title")), Code::InvalidData);
    let stranger = DocRef { entity: "Kind".into(), row: id, field: None };
    assert_eq!(device.0.follow(&stranger).unwrap().next().unwrap_err().code, Code::RowNotFound);
}
