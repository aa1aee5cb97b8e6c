use tombolo_core::Code;

/// Why a WebSocket is closed: the number of its close frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CloseCode(pub u16);

impl CloseCode {
    /// The work is done.
    pub const NORMAL: Self = Self(1000);
    /// This side is going away; try again later.
    pub const AWAY: Self = Self(1001);
    /// A well-formed frame came where the sequence does not allow it.
    pub const PROTOCOL: Self = Self(1002);
    /// A text message came; all messages are binary.
    pub const TEXT: Self = Self(1003);
    /// A message could not be decoded.
    pub const MALFORMED: Self = Self(1007);
    /// Too many frames that nobody asked for.
    pub const FLOOD: Self = Self(1008);
    /// A message is larger than allowed.
    pub const TOO_LARGE: Self = Self(1009);
    /// The server has a problem of its own; try again later.
    pub const INTERNAL: Self = Self(1011);
    /// The two sides share no version of the protocol, or of the manifest.
    pub const UNSUPPORTED: Self = Self(4400);
    /// There is no valid sign-in or token.
    pub const UNAUTHENTICATED: Self = Self(4401);
    /// The account may not be here.
    pub const DENIED: Self = Self(4403);
    /// The other side said nothing for too long.
    pub const SILENT: Self = Self(4408);
    /// The folder belongs to another server or space.
    pub const CONFLICT: Self = Self(4409);
    /// The other side reads too slowly.
    pub const SLOW: Self = Self(4429);

    /// The close code that goes with a refusal of this code.
    #[must_use]
    pub fn of(code: Code) -> Self {
        match code {
            Code::Unauthenticated => Self::UNAUTHENTICATED,
            Code::PolicyDenied => Self::DENIED,
            Code::Conflict => Self::CONFLICT,
            Code::ProtocolUnsupported | Code::ManifestTooNew => Self::UNSUPPORTED,
            Code::TooLarge => Self::TOO_LARGE,
            _ => Self::INTERNAL,
        }
    }

    /// The code of the refusal that a close frame alone tells of; none if reconnecting may help.
    #[must_use]
    pub fn refusal(self) -> Option<Code> {
        match self {
            Self::UNSUPPORTED => Some(Code::ProtocolUnsupported),
            Self::UNAUTHENTICATED => Some(Code::Unauthenticated),
            Self::DENIED => Some(Code::PolicyDenied),
            Self::CONFLICT => Some(Code::Conflict),
            _ => None,
        }
    }
}
