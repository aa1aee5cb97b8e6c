//! Goals 1, 2, 3 and 18: writes on one device against raw SQLite.

use crate::report::{Bound, Line, Times};
use rusqlite::{Connection, params};
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use tombolo_core::{Manifest, Operation, Result, RowId, SystemClock, SystemRandom};
use tombolo_sqlite::{Durability, Sqlite};
use tombolo_store::{DataStore, Engine, Role, Settings, Store};

pub(crate) const MANIFEST: &str = r#"{"manifest_version":1,"name":"bench","version":1,"entities":[
  {"name":"Task","fields":[
    {"name":"title","type":"string"},
    {"name":"status","type":"enum","values":["todo","doing","done"],"default":"todo"},
    {"name":"votes","type":"int","default":0},
    {"name":"due","type":"datetime","optional":true},
    {"name":"note","type":"string","optional":true}],
   "indexes":[{"name":"by_status","fields":["status","due"]}]},
  {"name":"Text","fields":[{"name":"text","type":"string","crdt":"text"}]}]}"#;

/// How many operations of each side are timed in turn, so that both see the same disk.
const TURN: usize = 50;

pub(crate) fn open(path: &Path, durability: Durability, role: Role) -> Result<Store<Sqlite>> {
    let manifest = Arc::new(Manifest::parse(MANIFEST)?);
    let database = Sqlite::open(path, &manifest, durability)?;
    let settings = Settings { manifest, role, clock: Arc::new(SystemClock), random: Box::new(SystemRandom) };
    Store::start(Engine::open(database, settings)?)
}

/// A table with the same columns and index, and nothing else.
struct Raw {
    connection: Connection,
    n: i64,
}

impl Raw {
    fn open(path: &Path, durability: Durability) -> rusqlite::Result<Self> {
        let connection = Connection::open(path)?;
        let synchronous = if durability == Durability::Full { "FULL" } else { "NORMAL" };
        connection.execute_batch(&format!(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous={synchronous}; \
             CREATE TABLE task (id BLOB NOT NULL PRIMARY KEY, space INTEGER NOT NULL, created_at INTEGER NOT NULL, \
             updated_at INTEGER NOT NULL, created_by BLOB NOT NULL, deleted_at INTEGER, title TEXT, status TEXT, \
             votes INTEGER, due INTEGER, note TEXT); \
             CREATE INDEX task_status ON task (status, due);"
        ))?;
        Ok(Self { connection, n: 0 })
    }

    fn insert(&mut self) -> rusqlite::Result<()> {
        self.n += 1;
        let id = RowId::mint(self.n, &mut SystemRandom);
        let mut statement = self
            .connection
            .prepare_cached("INSERT INTO task VALUES (?1, 1, ?2, ?2, ?3, NULL, ?4, 'todo', 0, ?2, ?5)")?;
        statement.execute(params![
            id.as_bytes(),
            self.n,
            [7_u8; 16],
            "Buy milk and bread",
            "from the corner shop"
        ])?;
        Ok(())
    }
}

fn insert(n: usize) -> Operation {
    let data = json!({"title": "Buy milk and bread", "due": tombolo_core::format_time(i64::try_from(n).unwrap_or(0)),
        "note": "from the corner shop"});
    Operation::Insert {
        entity: "Task".into(),
        data: data.as_object().cloned().unwrap_or_default(),
        options: tombolo_core::Options::default(),
    }
}

fn update(id: RowId, n: usize) -> Operation {
    let patch = json!({"votes": n});
    Operation::Update {
        entity: "Task".into(),
        id,
        patch: patch.as_object().cloned().unwrap_or_default(),
        options: tombolo_core::Options::default(),
    }
}

fn timed(times: &mut Times, f: impl FnOnce() -> Result<()>) -> Result<()> {
    let start = Instant::now();
    f()?;
    times.add(start.elapsed());
    Ok(())
}

fn raw_error(error: rusqlite::Error) -> tombolo_core::Error {
    tombolo_core::Error::new(tombolo_core::Code::StorageFailed, error.to_string())
}

pub(crate) fn writes(rounds: usize) -> Result<Vec<Line>> {
    let mut lines = Vec::new();
    for (name, durability) in [("NORMAL", Durability::Normal), ("FULL", Durability::Full)] {
        let folder =
            tempfile::tempdir().map_err(|e| raw_error(rusqlite::Error::InvalidPath(e.to_string().into())))?;
        let store = open(&folder.path().join("store.sqlite"), durability, Role::Replica)?;
        let mut raw = Raw::open(&folder.path().join("raw.sqlite"), durability).map_err(raw_error)?;
        let first = store.execute(insert(0))?.into_json();
        let id: RowId = first["id"].as_str().unwrap_or_default().parse()?;
        let (mut raws, mut inserts, mut edits) = (Times::default(), Times::default(), Times::default());
        for n in 0..rounds {
            for _ in 0..TURN {
                timed(&mut raws, || raw.insert().map_err(raw_error))?;
            }
            for k in 0..TURN {
                timed(&mut inserts, || store.execute(insert(n * TURN + k)).map(drop))?;
            }
            for k in 0..TURN {
                timed(&mut edits, || store.execute(update(id, n * TURN + k + 1)).map(drop))?;
            }
        }
        let baseline = format!("{:.0}/s raw", raws.rate());
        for (goal, what, times, bound) in
            [("1", "durable insert", inserts, 0.7), ("2", "durable edit of an open row", edits, 0.9)]
        {
            lines.push(Line {
                goal,
                what: format!("{what}, {name}"),
                figure: format!("{:.0}/s", times.rate()),
                baseline: baseline.clone(),
                ratio: Some((times.rate() / raws.rate(), Bound::AtLeast(bound))),
            });
        }
    }
    Ok(lines)
}

/// A local write with many commits waiting, against none.
pub(crate) fn outbox(waiting: usize) -> Result<Line> {
    let folder =
        tempfile::tempdir().map_err(|e| raw_error(rusqlite::Error::InvalidPath(e.to_string().into())))?;
    let full = open(&folder.path().join("full.sqlite"), Durability::Normal, Role::Replica)?;
    let empty = open(&folder.path().join("empty.sqlite"), Durability::Normal, Role::Server)?;
    for n in 0..waiting {
        full.execute(insert(n))?;
        empty.execute(insert(n))?;
    }
    let (mut with, mut without) = (Times::default(), Times::default());
    for n in 0..2_000 {
        timed(&mut with, || full.execute(insert(n)).map(drop))?;
        timed(&mut without, || empty.execute(insert(n)).map(drop))?;
    }
    let ratio = with.median().as_secs_f64() / without.median().as_secs_f64();
    Ok(Line {
        goal: "18",
        what: format!("local write, {waiting} commits waiting"),
        figure: format!("{:.0} µs", with.median().as_secs_f64() * 1e6),
        baseline: format!("{:.0} µs, none waiting", without.median().as_secs_f64() * 1e6),
        ratio: Some((ratio, Bound::AtMost(1.2))),
    })
}

/// Many rows in transactions of a thousand.
pub(crate) fn bulk(rows: usize) -> Result<Line> {
    let folder =
        tempfile::tempdir().map_err(|e| raw_error(rusqlite::Error::InvalidPath(e.to_string().into())))?;
    let store = open(&folder.path().join("store.sqlite"), Durability::Full, Role::Replica)?;
    let op = json!({"op": "insert", "entity": "Task", "data": {"title": "Buy milk and bread",
        "due": "2026-11-24T10:00:00Z", "note": "from the corner shop"}});
    let start = Instant::now();
    for _ in 0..rows / 1_000 {
        let ops = vec![op.clone(); 1_000];
        store.execute(Operation::Transact { ops, options: tombolo_core::Options::default() })?;
    }
    #[allow(clippy::cast_precision_loss)]
    let rate = rows as f64 / start.elapsed().as_secs_f64();
    Ok(Line {
        goal: "3",
        what: format!("bulk insert of {rows} rows, 1,000 a transaction"),
        figure: format!("{rate:.0} rows/s"),
        baseline: "–".into(),
        ratio: Some((rate, Bound::AtLeast(25_000.0))),
    })
}
