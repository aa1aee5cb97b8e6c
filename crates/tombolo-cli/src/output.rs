//! What commands print.

use serde_json::json;
use std::io::Write as _;
use std::process::ExitCode;
use tombolo_core::{Code, Error, Result};

/// Prints a line to standard output at once, so that whoever reads a pipe sees it.
///
/// # Errors
/// `FILE_UNREADABLE` if nobody takes it.
pub(crate) fn line(text: &str) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    let written = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
    written.map_err(|error| {
        Error::new(Code::FileUnreadable, format!("standard output cannot be written: {error}"))
    })
}

/// Prints what went wrong, and gives the exit status that says so.
pub(crate) fn fail(error: &Error) -> ExitCode {
    eprintln!("{}", json!({ "error": error }));
    ExitCode::FAILURE
}
