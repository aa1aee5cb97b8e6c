use std::{io, path::PathBuf};

use serde::Serialize;
use serde_json::{Value, json};

/// Why the plugin could not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The host's manifest is not valid JSON.
    #[error("the app's manifest is not valid: {0}")]
    Manifest(#[source] serde_json::Error),

    /// The data folder could not be made.
    #[error("the data folder {} could not be made: {source}", path.display())]
    Folder {
        /// The folder that was asked for.
        path: PathBuf,
        /// What the system answered.
        source: io::Error,
    },
}

impl Error {
    /// The stable code that callers match on.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Manifest(_) => "MANIFEST_INVALID",
            Self::Folder { .. } => "STORAGE_FAILED",
        }
    }

    fn details(&self) -> Value {
        match self {
            Self::Manifest(source) => json!({ "line": source.line(), "column": source.column() }),
            Self::Folder { path, .. } => json!({ "path": path }),
        }
    }
}

/// What a command rejects with, and what every other edge wraps as `{"error": …}`.
#[derive(Debug, Serialize)]
pub struct ErrorObject {
    /// Stable `SCREAMING_SNAKE` text, for programs.
    pub code: &'static str,
    /// A sentence for people; never matched on.
    pub message: String,
    /// Names the path, field or index at fault, or null.
    pub details: Value,
}

impl From<Error> for ErrorObject {
    fn from(error: Error) -> Self {
        Self { code: error.code(), message: error.to_string(), details: error.details() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_serializes_to_code_message_and_details() {
        let source = serde_json::from_str::<Value>("{\n  \"name\" 7}").unwrap_err();
        let object = serde_json::to_value(ErrorObject::from(Error::Manifest(source))).unwrap();
        assert_eq!(object["code"], "MANIFEST_INVALID");
        assert_eq!(object["details"], json!({ "line": 2, "column": 10 }));
        assert!(object["message"].is_string());
        assert_eq!(object.as_object().unwrap().len(), 3);
    }
}
