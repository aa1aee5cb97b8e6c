//! An engine on a disk that outlives it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use tombolo_core::{Clock, Code, Error, Manifest, Millis, Result, SeededRandom};
use tombolo_sqlite::{Durability, Sqlite};
use tombolo_store::{Engine, Role, Settings};

/// The wall clock at the beginning of every world.
const EPOCH: Millis = 1_795_512_600_000;

/// The world's time as one device sees it.
#[derive(Debug)]
pub(crate) struct SkewedClock {
    time: Arc<AtomicI64>,
    skew: AtomicI64,
}

impl SkewedClock {
    pub(crate) fn set_skew(&self, skew: Millis) {
        self.skew.store(skew, Ordering::Relaxed);
    }
}

impl Clock for SkewedClock {
    fn now(&self) -> Millis {
        EPOCH + self.time.load(Ordering::Relaxed) + self.skew.load(Ordering::Relaxed)
    }
}

/// Where a node's database lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// In memory: fast.
    Memory,
    /// A file in a temporary folder, with its write-ahead log.
    File,
}

/// What keeps the database while no engine has it open.
#[derive(Debug)]
enum Keeper {
    Memory { _connection: rusqlite::Connection },
    File { _folder: tempfile::TempDir },
}

/// An engine, its clock and its disk.
pub(crate) struct Node {
    /// None only while it is being opened again.
    engine: Option<Engine<Sqlite>>,
    pub(crate) clock: Arc<SkewedClock>,
    manifest: Arc<Manifest>,
    role: Role,
    place: PathBuf,
    _keeper: Keeper,
}

impl Node {
    pub(crate) fn new(
        manifest: &Arc<Manifest>,
        role: Role,
        storage: Storage,
        time: &Arc<AtomicI64>,
        seed: u64,
    ) -> Result<Self> {
        let (place, keeper) = place(storage)?;
        let clock = Arc::new(SkewedClock { time: Arc::clone(time), skew: AtomicI64::new(0) });
        let engine = open(&place, manifest, role, &clock, seed)?;
        Ok(Self { engine: Some(engine), clock, manifest: Arc::clone(manifest), role, place, _keeper: keeper })
    }

    /// Loses everything but the disk: an open transaction, open documents, injected faults.
    pub(crate) fn restart(&mut self, seed: u64) -> Result<()> {
        // The old connection must be gone before the new one looks for an open transaction.
        self.engine = None;
        self.engine = Some(open(&self.place, &self.manifest, self.role, &self.clock, seed)?);
        Ok(())
    }

    /// Runs a job as the store's writer does: in a group that is committed whether the job succeeds or leaves
    /// nothing.
    pub(crate) fn group<T>(&mut self, job: impl FnOnce(&mut Engine<Sqlite>) -> Result<T>) -> Result<T> {
        let engine = self.engine_mut();
        engine.begin()?;
        let result = job(engine);
        engine.commit()?;
        result
    }

    pub(crate) fn engine(&self) -> &Engine<Sqlite> {
        self.engine.as_ref().expect("a node is used while it is open")
    }

    pub(crate) fn engine_mut(&mut self) -> &mut Engine<Sqlite> {
        self.engine.as_mut().expect("a node is used while it is open")
    }
}

fn place(storage: Storage) -> Result<(PathBuf, Keeper)> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let failed = |error: &dyn std::fmt::Display| Error::new(Code::StorageFailed, error.to_string());
    match storage {
        Storage::Memory => {
            let name =
                format!("file:tombolo-sim-{}?mode=memory&cache=shared", NEXT.fetch_add(1, Ordering::Relaxed));
            // Memory that is shared lives as long as one connection has it open.
            let connection = rusqlite::Connection::open(&name).map_err(|error| failed(&error))?;
            Ok((name.into(), Keeper::Memory { _connection: connection }))
        }
        Storage::File => {
            let folder = tempfile::tempdir().map_err(|error| failed(&error))?;
            Ok((folder.path().join("tombolo.sqlite"), Keeper::File { _folder: folder }))
        }
    }
}

fn settings(manifest: &Arc<Manifest>, role: Role, clock: &Arc<SkewedClock>, seed: u64) -> Settings {
    Settings {
        manifest: Arc::clone(manifest),
        role,
        clock: Arc::clone(clock) as Arc<dyn Clock>,
        random: Box::new(SeededRandom::new(seed)),
    }
}

fn open(
    place: &std::path::Path,
    manifest: &Arc<Manifest>,
    role: Role,
    clock: &Arc<SkewedClock>,
    seed: u64,
) -> Result<Engine<Sqlite>> {
    let database = Sqlite::open(place, manifest, Durability::Normal)?;
    Engine::open(database, settings(manifest, role, clock, seed))
}
