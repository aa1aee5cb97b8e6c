use crate::error::storage;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _};
use std::path::Path;
use tombolo_core::Result;
use tombolo_store::Role;

/// What a database says about itself before it is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remembered {
    /// The manifest that it was opened with last, as JSON.
    pub manifest: String,
    /// What it is part of.
    pub role: Role,
}

/// Looks into a database without changing it. None if there is no file, or nothing was ever stored in it.
///
/// # Errors
/// `STORAGE_FAILED` for a file that is no database.
pub fn remembered(path: &Path) -> Result<Option<Remembered>> {
    if !path.exists() {
        return Ok(None);
    }
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(storage)?;
    connection.busy_timeout(std::time::Duration::from_secs(5)).map_err(storage)?;
    let tables = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN ('meta', 'space')";
    let tables: i64 = connection.query_row(tables, [], |row| row.get(0)).map_err(storage)?;
    if tables < 2 {
        return Ok(None);
    }
    // Only a server's space has a name that no server gave it.
    let read = "SELECT CAST(m.value AS TEXT), s.id IS NOT NULL AND s.server IS NULL \
                FROM meta m, space s WHERE m.key = 'manifest' ORDER BY s.key LIMIT 1";
    let read = connection.query_row(read, [], |row| {
        let role = if row.get(1)? { Role::Server } else { Role::Replica };
        Ok(Remembered { manifest: row.get(0)?, role })
    });
    read.optional().map_err(storage)
}
