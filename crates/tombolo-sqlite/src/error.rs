use rusqlite::ErrorCode;
use tombolo_core::{Code, Error, Result};

/// What a failure of SQLite means to callers.
pub(crate) fn storage(error: rusqlite::Error) -> Error {
    let code = match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => Code::StorageFull,
        Some(ErrorCode::ReadOnly) => Code::FolderReadOnly,
        _ => Code::StorageFailed,
    };
    let what = match code {
        Code::StorageFull => "the disk is full; nothing was written",
        Code::FolderReadOnly => "the data folder cannot be written",
        _ => "the database failed; nothing was written",
    };
    Error::new(code, format!("{what} ({error})"))
}

pub(crate) trait Context {
    /// Says what was being done.
    fn context(self, doing: &str) -> Self;
}

impl<T> Context for Result<T> {
    fn context(self, doing: &str) -> Self {
        self.map_err(|error| Error { message: format!("{doing}: {}", error.message), ..error })
    }
}
