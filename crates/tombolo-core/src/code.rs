use serde::{Deserialize, Serialize};

/// When a caller may try the same thing again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// The same call fails again until its arguments or the data change.
    Never,
    /// The same call may succeed after a while.
    AfterDelay,
    /// The same call may succeed once the connection has been made or the sign-in renewed.
    AfterRejoin,
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal, $http:literal, $retry:ident;)+) => {
        /// The stable reason for an error. Callers branch on it; codes are only ever added.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Code {
            $($(#[doc = $doc])+ #[serde(rename = $name)] $variant,)+
        }

        impl Code {
            /// Every code, in the order in which they were added.
            pub const ALL: &'static [Code] = &[$(Code::$variant),+];

            /// The code as callers see it, such as `ROW_NOT_FOUND`.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$variant => $name,)+ }
            }

            /// The HTTP status of an answer with this code.
            #[must_use]
            pub fn http_status(self) -> u16 {
                match self { $(Code::$variant => $http,)+ }
            }

            /// Whether trying again can help.
            #[must_use]
            pub fn retry(self) -> Retry {
                match self { $(Code::$variant => Retry::$retry,)+ }
            }

            /// What the code means, in a sentence.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Code::$variant => concat!($($doc),+).trim_ascii(),)+ }
            }
        }
    };
}

codes! {
    /// The manifest has no entity of that name.
    EntityNotFound = "ENTITY_NOT_FOUND", 404, Never;
    /// There is no row with that id.
    RowNotFound = "ROW_NOT_FOUND", 404, Never;
    /// The entity has no field of that name.
    FieldNotFound = "FIELD_NOT_FOUND", 400, Never;
    /// The entity has no relation of that name.
    RelationNotFound = "RELATION_NOT_FOUND", 400, Never;
    /// A value has the wrong type or breaks a constraint.
    InvalidData = "INVALID_DATA", 400, Never;
    /// A query, or the arguments of an operation, cannot be understood.
    InvalidQuery = "INVALID_QUERY", 400, Never;
    /// Another row already has this value in a unique field.
    UniqueViolation = "UNIQUE_VIOLATION", 409, Never;
    /// An operation of a transaction is malformed; nothing was written.
    TxInvalidOp = "TX_INVALID_OP", 400, Never;
    /// A transaction cannot be opened inside another one through this edge.
    NestedTransaction = "NESTED_TRANSACTION", 400, Never;
    /// The entity declares no search.
    SearchNotConfigured = "SEARCH_NOT_CONFIGURED", 400, Never;
    /// This version does not offer that.
    NotSupported = "NOT_SUPPORTED", 501, Never;
    /// The row's document has not arrived on this device yet.
    NotLoaded = "NOT_LOADED", 409, AfterDelay;
    /// The bytes are no well-formed document update.
    CrdtDecodeFailed = "CRDT_DECODE_FAILED", 400, Never;
    /// A well-formed update does not apply to this document.
    CrdtApplyFailed = "CRDT_APPLY_FAILED", 409, Never;
    /// A policy forbids this.
    PolicyDenied = "POLICY_DENIED", 403, Never;
    /// There is no valid sign-in or token.
    Unauthenticated = "UNAUTHENTICATED", 401, AfterRejoin;
    /// The call contradicts what is already there.
    Conflict = "CONFLICT", 409, Never;
    /// Something exceeds its size limit.
    TooLarge = "TOO_LARGE", 413, Never;
    /// The account has used up its quota.
    QuotaExceeded = "QUOTA_EXCEEDED", 507, AfterDelay;
    /// Too many calls in a short time.
    RateLimited = "RATE_LIMITED", 429, AfterDelay;
    /// The disk is full; nothing was written.
    StorageFull = "STORAGE_FULL", 507, AfterDelay;
    /// The disk failed; nothing was written.
    StorageFailed = "STORAGE_FAILED", 500, AfterDelay;
    /// The manifest has an error; details list each with its path.
    ManifestInvalid = "MANIFEST_INVALID", 400, Never;
    /// The data was written by a newer version of the app.
    ManifestTooNew = "MANIFEST_TOO_NEW", 409, Never;
    /// A defect in this program.
    Internal = "INTERNAL", 500, Never;
    /// Another process is using the data folder.
    FolderInUse = "FOLDER_IN_USE", 409, AfterDelay;
    /// The data folder cannot be written.
    FolderReadOnly = "FOLDER_READ_ONLY", 403, Never;
    /// Another process is listening on that address.
    AddressInUse = "ADDRESS_IN_USE", 409, AfterDelay;
    /// The server does not answer.
    ServerUnreachable = "SERVER_UNREACHABLE", 503, AfterDelay;
    /// A file cannot be read or is not valid text.
    FileUnreadable = "FILE_UNREADABLE", 400, Never;
    /// The two sides share no version of the protocol.
    ProtocolUnsupported = "PROTOCOL_UNSUPPORTED", 400, Never;
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_only_ever_added() {
        let table: Vec<String> = Code::ALL
            .iter()
            .map(|code| format!("{code} {} {:?}", code.http_status(), code.retry()))
            .collect();
        insta::assert_snapshot!(table.join("\n"));
    }

    #[test]
    fn a_code_is_its_name_in_json() {
        for code in Code::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
            assert!(code.meaning().ends_with('.'));
        }
    }
}
