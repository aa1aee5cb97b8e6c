//! The store's backend on SQLite, and the lock on a data folder.
//!
//! SQL lives here and nowhere else; what rows, commits and documents mean is the store's business. One connection
//! writes (`synchronous=FULL`, WAL); others read.
//!
//! ```
//! use tombolo_sqlite::Sqlite;
//! # let manifest = tombolo_core::Manifest::parse(r#"{"manifest_version":1,"name":"n","version":1,
//! #     "entities":[{"name":"E","fields":[]}]}"#)?;
//! let database = Sqlite::in_memory(&manifest)?;
//! # Ok::<(), tombolo_core::Error>(())
//! ```

mod error;
mod folder;
mod read;
mod remembered;
mod rows;
mod schema;
mod write;

pub use folder::Folder;
pub use remembered::{Remembered, remembered};

use error::{Context, storage};
use rows::EntitySql;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tombolo_core::{Code, Entity, Error, Manifest, Result};

/// Statements kept prepared on each connection.
const PREPARED_STATEMENTS: usize = 256;
/// Older versions can corrupt a WAL that two connections checkpoint and write at once.
const SQLITE_VERSION_MIN: i32 = 3_051_003;

/// How hard a commit is pressed onto the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// Each commit is synced: it survives a power cut.
    #[default]
    Full,
    /// The log is synced at checkpoints only: a power cut may undo the newest commits. For measurements.
    Normal,
}

/// The writing connection.
#[derive(Debug)]
pub struct Sqlite {
    connection: Connection,
    depth: usize,
    shared: Arc<Shared>,
    actors: HashMap<tombolo_core::ActorId, i64>,
}

/// A read-only connection.
#[derive(Debug)]
pub struct Reader {
    connection: Connection,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    in_memory: bool,
    entities: HashMap<String, EntitySql>,
}

impl Sqlite {
    /// Opens the database file, makes it if it is missing, and brings its tables to the manifest.
    ///
    /// # Errors
    /// `STORAGE_FAILED`, `STORAGE_FULL`, `FOLDER_READ_ONLY`; `MANIFEST_TOO_NEW` if a newer version wrote it;
    /// `MANIFEST_INVALID` if the manifest narrows what is stored.
    pub fn open(path: &Path, manifest: &Manifest, durability: Durability) -> Result<Self> {
        let connection = Connection::open(path).map_err(storage)?;
        Self::with(connection, path.to_owned(), false, manifest, durability)
    }

    /// A database that lives as long as its connections, for tests and simulations.
    ///
    /// # Errors
    /// `STORAGE_FAILED`.
    pub fn in_memory(manifest: &Manifest) -> Result<Self> {
        static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
        let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let name = format!("file:tombolo-{number}?mode=memory&cache=shared");
        let flags =
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_URI;
        let connection = Connection::open_with_flags(&name, flags).map_err(storage)?;
        Self::with(connection, name.into(), true, manifest, Durability::Normal)
    }

    fn with(
        mut connection: Connection,
        path: PathBuf,
        in_memory: bool,
        manifest: &Manifest,
        durability: Durability,
    ) -> Result<Self> {
        assert_version(rusqlite::version_number())?;
        prepare_once(&connection)?;
        let synchronous = match durability {
            Durability::Full => "FULL",
            Durability::Normal => "NORMAL",
        };
        connection
            .execute_batch(&format!(
                "PRAGMA journal_mode=WAL; PRAGMA synchronous={synchronous}; PRAGMA fullfsync=1; \
                 PRAGMA checkpoint_fullfsync=1; PRAGMA cache_size=-16384; PRAGMA journal_size_limit=67108864;"
            ))
            .map_err(storage)?;
        schema::migrate(&mut connection, manifest)?;
        let entities = schema::entities(&connection, manifest)?.into_iter().collect();
        let shared = Arc::new(Shared { path, in_memory, entities });
        Ok(Self { connection, depth: 0, shared, actors: HashMap::new() })
    }

    /// Runs statements as they are: for faults in tests and for figures, not for the product.
    ///
    /// # Errors
    /// `STORAGE_FAILED`.
    pub fn execute_batch(&self, sql: &str) -> Result<()> {
        self.connection.execute_batch(sql).map_err(storage)
    }

    /// The size of the database in bytes, free pages not counted.
    ///
    /// # Errors
    /// `STORAGE_FAILED`.
    pub fn size_bytes(&self) -> Result<u64> {
        let read = |pragma: &str| {
            self.connection
                .query_row(&format!("PRAGMA {pragma}"), [], |row| row.get::<_, i64>(0))
                .map_err(storage)
        };
        let pages = read("page_count")? - read("freelist_count")?;
        Ok((pages * read("page_size")?).unsigned_abs())
    }

    /// Checks the whole file.
    ///
    /// # Errors
    /// `STORAGE_FAILED` with what SQLite found.
    pub fn integrity_check(&self) -> Result<()> {
        let found: String =
            self.connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).map_err(storage)?;
        match found.as_str() {
            "ok" => Ok(()),
            _ => Err(Error::new(Code::StorageFailed, format!("the database is damaged: {found}"))),
        }
    }
}

impl Shared {
    fn sql(&self, entity: &Entity) -> Result<&EntitySql> {
        self.sql_of(&entity.name)
    }

    fn sql_of(&self, name: &str) -> Result<&EntitySql> {
        self.entities
            .get(name)
            .ok_or_else(|| Error::new(Code::Internal, format!("{name} is not in the database's manifest")))
    }

    fn open_reader(self: &Arc<Self>) -> Result<Reader> {
        // A shared in-memory database has table locks instead of snapshots; its readers may look past them.
        let (flags, pragma) = match self.in_memory {
            true => {
                (OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_URI, "PRAGMA read_uncommitted=1")
            }
            false => (OpenFlags::SQLITE_OPEN_READ_ONLY, "PRAGMA query_only=1"),
        };
        let connection = Connection::open_with_flags(&self.path, flags).map_err(storage)?;
        prepare_once(&connection)?;
        connection.busy_timeout(std::time::Duration::from_secs(5)).map_err(storage)?;
        connection.execute_batch(pragma).map_err(storage)?;
        Ok(Reader { connection, shared: Arc::clone(self) })
    }
}

/// Keeps statements prepared: without the planner's guarantee of stable plans, each new value bound to one has it
/// prepared again.
fn prepare_once(connection: &Connection) -> Result<()> {
    connection.set_prepared_statement_cache_capacity(PREPARED_STATEMENTS);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(drop).map_err(storage)
}

fn assert_version(version: i32) -> Result<()> {
    if version >= SQLITE_VERSION_MIN {
        return Ok(());
    }
    Err(Error::new(
        Code::StorageFailed,
        format!("SQLite {version} is too old; 3.51.3 is the oldest that is safe"),
    ))
    .context("opening the database")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_sqlite_is_refused() {
        assert!(assert_version(rusqlite::version_number()).is_ok());
        assert_eq!(assert_version(3_051_002).unwrap_err().code, Code::StorageFailed);
    }
}
