use tombolo_core::Code;

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a document refuses something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The bytes are no update that this version can read.
    #[error("the update cannot be read: {reason}")]
    Decode {
        /// What is wrong with it.
        reason: String,
    },
    /// The update is well-formed but does not fit this document.
    #[error("the update does not apply: {reason}")]
    Apply {
        /// What is wrong with it.
        reason: String,
    },
    /// The update builds on operations that this document does not have.
    #[error("the update builds on operations that are not here")]
    MissingDependencies,
    /// The update is too large.
    #[error("the update has {bytes} bytes; {max} are allowed")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// An earlier failure left the document unusable: open it again.
    #[error("the document must be opened again after a failure")]
    Broken,
    /// Loro refused a local edit.
    #[error("the document refused the edit: {reason}")]
    Edit {
        /// Loro's words.
        reason: String,
    },
}

impl Error {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Error::Decode { .. } => Code::CrdtDecodeFailed,
            Error::Apply { .. } | Error::MissingDependencies => Code::CrdtApplyFailed,
            Error::TooLarge { .. } => Code::TooLarge,
            Error::Broken | Error::Edit { .. } => Code::Internal,
        }
    }

    pub(crate) fn decode(reason: impl ToString) -> Self {
        Error::Decode { reason: reason.to_string() }
    }

    pub(crate) fn apply(reason: impl ToString) -> Self {
        Error::Apply { reason: reason.to_string() }
    }

    pub(crate) fn edit(reason: impl ToString) -> Self {
        Error::Edit { reason: reason.to_string() }
    }
}

impl From<Error> for tombolo_core::Error {
    fn from(error: Error) -> Self {
        tombolo_core::Error::new(error.code(), error.to_string())
    }
}
