//! What is in a folder that nobody has open.

use crate::ledger::{Row, Rows, Seen};
use rusqlite::{Connection, OpenFlags};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;
use tombolo_core::{CommitId, DocRef, Entity, Manifest, PeerId, RowId, Value};
use tombolo_crdt::Doc;
use tombolo_sqlite::{Durability, Sqlite};
use tombolo_store::backend::{self, Read as _, Select};

pub(crate) const MANIFEST: &str = r#"{"manifest_version":1,"name":"kill","version":1,"entities":[
  {"name":"Page","fields":[
    {"name":"title","type":"string","crdt":"text"},
    {"name":"stars","type":"int","optional":true},
    {"name":"body","type":"richtext","optional":true}]}]}"#;

const DATABASE: &str = "store.sqlite";
const WAL: &str = "store.sqlite-wal";
/// Shared memory of the processes that had it open.
const INDEX: &str = "store.sqlite-shm";

/// Which documents are opened and compared with their rows.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Documents<'r> {
    Of(&'r BTreeSet<RowId>),
    All,
}

/// What a dead process has left in its folder, as a copy: what is to be made good there is left to its successor.
#[derive(Debug)]
pub(crate) struct Still {
    log: Connection,
    database: Sqlite,
    manifest: Arc<Manifest>,
    _folder: TempDir,
}

impl Still {
    /// Copies a folder's database and checks the whole file.
    pub(crate) fn open(path: &Path) -> tombolo_core::Result<Self> {
        let folder = tempfile::tempdir().unwrap();
        copy(path, folder.path());
        let manifest = Arc::new(Manifest::parse(MANIFEST)?);
        let database = Sqlite::open(&folder.path().join(DATABASE), &manifest, Durability::Full)?;
        database.integrity_check()?;
        Ok(Self { log: read_only(folder.path()), database, manifest, _folder: folder })
    }

    fn entity(&self) -> &Entity {
        self.manifest.entity("Page").unwrap()
    }

    /// Every row, in the trash or not, as the database holds it.
    pub(crate) fn stored(&self) -> Vec<backend::Row> {
        self.database.select(self.entity(), &Select { trashed: true, ..Select::default() }).unwrap()
    }

    /// The rows and the log; panics if a row is not what its documents say.
    pub(crate) fn look(&self, documents: Documents<'_>) -> Seen {
        let dirty: BTreeSet<DocRef> =
            self.database.dirty().unwrap().into_iter().map(|(_, doc)| doc).collect();
        let mut rows = Rows::new();
        for stored in self.stored() {
            let mut row = shown(&stored);
            let wanted = match documents {
                Documents::Of(some) => some.contains(&stored.id),
                Documents::All => true,
            };
            if wanted || dirty.iter().any(|doc| doc.row == stored.id) {
                let written = self.written(stored.id);
                // A large text may be noted as one that the row does not show yet.
                for doc in dirty.iter().filter(|doc| doc.row == stored.id) {
                    match doc.field {
                        None => row.title.clone_from(&written.title),
                        Some(_) => row.body.clone_from(&written.body),
                    }
                }
                assert_eq!(row, written, "row {} is what its documents say", stored.id);
            }
            rows.insert(stored.id, row);
        }
        Seen { rows, log: log(&self.log) }
    }

    /// A row as its documents say it.
    fn written(&self, id: RowId) -> Row {
        let doc = self.document(id, None).expect("the row has a document");
        let view = doc.row().unwrap();
        let field = |name: &str| self.entity().field(name).unwrap();
        let body = self.document(id, Some("body"));
        Row {
            title: doc.text("title").unwrap(),
            stars: int(&view.value(field("stars"))),
            body: body.map(|body| body.richtext_plain().unwrap()),
            trashed: view.deleted_at().is_some(),
        }
    }

    fn document(&self, row: RowId, field: Option<&str>) -> Option<Doc> {
        let doc = DocRef { entity: "Page".into(), row, field: field.map(str::to_owned) };
        let stored = self.database.load_doc(self.database.doc_key(&doc).unwrap()?).unwrap();
        let updates = stored.parts.iter().map(|part| part.bytes.as_slice());
        Some(Doc::open(PeerId(1), stored.base.as_deref(), updates).unwrap())
    }
}

fn shown(row: &backend::Row) -> Row {
    let [title, stars, body] = row.values.as_slice() else { panic!("a page has three fields") };
    Row {
        title: text(title).expect("a title"),
        stars: int(stars),
        body: text(body),
        trashed: row.trashed && row.deleted_at.is_some(),
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.clone()),
        _ => None,
    }
}

fn int(value: &Value) -> Option<i64> {
    match value {
        Value::Int(number) => Some(*number),
        _ => None,
    }
}

/// Puts the database that is in one folder, and that nobody has open, into another one.
pub(crate) fn copy(from: &Path, to: &Path) {
    for name in [DATABASE, WAL, INDEX] {
        let (from, to) = (from.join(name), to.join(name));
        match from.exists() && name != INDEX {
            true => std::fs::copy(from, to).map(drop).unwrap(),
            false if to.exists() => std::fs::remove_file(to).unwrap(),
            false => {}
        }
    }
}

/// Another connection to a folder's database, whoever has it open.
pub(crate) fn read_only(folder: &Path) -> Connection {
    let connection =
        Connection::open_with_flags(folder.join(DATABASE), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    connection.busy_timeout(crate::process::PATIENCE).unwrap();
    connection
}

/// The commits in the log's order.
pub(crate) fn log(database: &Connection) -> Vec<CommitId> {
    let mut statement = database.prepare_cached("SELECT id FROM log ORDER BY seq").unwrap();
    let ids = statement.query_map([], |row| row.get::<_, [u8; 16]>(0)).unwrap();
    ids.map(|id| CommitId::from_bytes(id.unwrap())).collect()
}

/// How many commits there are.
pub(crate) fn commits(database: &Connection) -> usize {
    count(database, "SELECT count(*) FROM log")
}

/// How many commits wait for the server.
pub(crate) fn waiting(database: &Connection) -> usize {
    count(database, "SELECT count(*) FROM log WHERE state = 0")
}

fn count(database: &Connection, sql: &str) -> usize {
    let count: i64 = database.query_row(sql, [], |row| row.get(0)).unwrap();
    usize::try_from(count).unwrap()
}
