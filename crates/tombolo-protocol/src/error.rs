use crate::CloseCode;
use tombolo_core::Code;

/// Why bytes from the other side are not understood. The session is over: what follows cannot be decoded either.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolError {
    /// The message ends in the middle of something.
    #[error("a message ends in the middle of {what}")]
    Truncated {
        /// What was being read.
        what: &'static str,
    },
    /// Something has a value that it cannot have.
    #[error("a message is malformed: {what}")]
    Malformed {
        /// What is wrong.
        what: &'static str,
    },
    /// A frame came where the sequence does not allow it.
    #[error("a frame came out of order: {what}")]
    Unexpected {
        /// What is wrong.
        what: &'static str,
    },
    /// A length is above its limit.
    #[error("{what} has {size}; {max} is the most")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// Its length, as it was declared: bytes or items.
        size: u64,
        /// The limit.
        max: u64,
    },
}

impl ProtocolError {
    /// The code of the error object.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Truncated { .. } | Self::Malformed { .. } | Self::Unexpected { .. } => Code::InvalidData,
            Self::TooLarge { .. } => Code::TooLarge,
        }
    }

    /// The number of the close frame that answers it.
    #[must_use]
    pub fn close_code(&self) -> CloseCode {
        match self {
            Self::Truncated { .. } | Self::Malformed { .. } => CloseCode::MALFORMED,
            Self::Unexpected { .. } => CloseCode::PROTOCOL,
            Self::TooLarge { .. } => CloseCode::TOO_LARGE,
        }
    }
}

impl From<ProtocolError> for tombolo_core::Error {
    fn from(error: ProtocolError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

pub(crate) type Result<T, E = ProtocolError> = std::result::Result<T, E>;

pub(crate) fn malformed<T>(what: &'static str) -> Result<T> {
    Err(ProtocolError::Malformed { what })
}

/// Checks a declared length before anything is done with it.
pub(crate) fn at_most(what: &'static str, size: u64, max: usize) -> Result<usize> {
    match usize::try_from(size) {
        Ok(size) if size <= max => Ok(size),
        _ => Err(ProtocolError::TooLarge { what, size, max: max as u64 }),
    }
}
