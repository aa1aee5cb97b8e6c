//! Stores in real folders, and what they hold in the end.

use crate::recording::{FIELD, Recording};
use rusqlite::{Connection, OpenFlags};
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use tombolo_core::{Manifest, Operation, Options, PeerId, RowId, SystemClock, SystemRandom};
use tombolo_crdt::Doc;
use tombolo_sqlite::{Durability, Folder, Sqlite};
use tombolo_store::{Answer, DataStore, Engine, Role, Settings, Store};

const MANIFEST: &str = r#"{"manifest_version":1,"name":"typing","version":1,"entities":[
  {"name":"Text","fields":[{"name":"text","type":"string","crdt":"text"}]}]}"#;

pub(crate) fn manifest() -> Arc<Manifest> {
    Arc::new(Manifest::parse(MANIFEST).unwrap())
}

/// The row that everybody types into.
pub(crate) fn row() -> RowId {
    RowId::from_bytes([7; 16])
}

/// Opens a folder as the product does. The folder is let go last.
pub(crate) fn open(path: &Path, role: Role) -> (Store<Sqlite>, Folder) {
    let folder = Folder::open(path).unwrap();
    let database = Sqlite::open(&folder.database(), &manifest(), Durability::Full).unwrap();
    let settings =
        Settings { manifest: manifest(), role, clock: Arc::new(SystemClock), random: Box::new(SystemRandom) };
    (Store::start(Engine::open(database, settings).unwrap()).unwrap(), folder)
}

pub(crate) fn apply(bytes: Vec<u8>) -> Operation {
    let options = Options::default();
    Operation::CrdtApplyUpdate { entity: "Text".into(), id: row(), field: None, bytes, options }
}

/// Another connection to a folder's database.
pub(crate) fn read_only(folder: &Path) -> Connection {
    Connection::open_with_flags(folder.join("store.sqlite"), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap()
}

/// The text as a row, as a document, and as it is in the database's file.
pub(crate) fn check(recording: &Recording, who: &str, store: &dyn DataStore, folder: &Path) {
    let read = |op| {
        let operation = Operation::from_json(op, &json!({"entity": "Text", "id": row()})).unwrap();
        store.execute(operation).unwrap()
    };
    let Answer::Json(shown) = read("get_by_id") else { panic!("a row is JSON") };
    recording.check(&format!("the row of {who}"), shown[FIELD].as_str().unwrap());
    let Answer::Bytes(Some(snapshot)) = read("crdt_snapshot") else { panic!("there is a document") };
    let doc = Doc::open(PeerId(1), Some(&snapshot), []).unwrap();
    recording.check(&format!("the document of {who}"), &doc.text(FIELD).unwrap());
    let stored: String =
        read_only(folder).query_row("SELECT f_text FROM row_Text", [], |row| row.get(0)).unwrap();
    recording.check(&format!("the database of {who}"), &stored);
}
