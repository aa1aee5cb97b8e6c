use crate::Code;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// A result whose error can be shown at any edge.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The error object of every edge: `{code, message, details}`.
///
/// `message` is for people and is never matched on; `details` names the place: path, field, index.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Error {
    /// The stable reason.
    pub code: Code,
    /// One sentence that helps the person who reads it.
    pub message: String,
    /// Where it happened: an object, possibly empty.
    #[serde(default)]
    pub details: Json,
}

impl Error {
    /// An error without details.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), details: Json::Object(serde_json::Map::new()) }
    }

    /// The same error with one more detail.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Json>) -> Self {
        if let Json::Object(details) = &mut self.details {
            details.insert(key.to_owned(), value.into());
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_object_has_three_keys() {
        let error = Error::new(Code::InvalidData, "title is too long").with("field", "title");
        insta::assert_json_snapshot!(error, @r#"
        {
          "code": "INVALID_DATA",
          "message": "title is too long",
          "details": {
            "field": "title"
          }
        }
        "#);
    }
}
