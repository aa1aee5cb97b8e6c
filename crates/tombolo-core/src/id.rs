use crate::{Code, Error, Millis, Random, Result};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

/// A place in one replica's or one server's log. The first commit has 1; 0 is "before everything".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seq(pub u64);

impl Seq {
    /// The next place.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Loro's name for one uninterrupted writer of one document: random, fresh for each process and document,
/// never stored for reuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PeerId(pub u64);

impl PeerId {
    /// A fresh id. Loro reserves the largest number.
    pub fn mint(random: &mut dyn Random) -> Self {
        Self(random.u64() >> 1)
    }
}

/// A row's id: a UUID, version 7 when minted here, written in lower case with hyphens.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RowId(Uuid);

impl RowId {
    /// A fresh id whose order follows the clock roughly; correctness never depends on that.
    pub fn mint(now: Millis, random: &mut dyn Random) -> Self {
        let bytes = random.bytes16();
        let mut tail = [0; 10];
        tail.copy_from_slice(&bytes[..10]);
        let millis = u64::try_from(now).unwrap_or(0);
        Self(uuid::Builder::from_unix_timestamp_millis(millis, &tail).into_uuid())
    }

    /// The 16 bytes, in network order.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// The id with these bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }
}

impl FromStr for RowId {
    type Err = Error;

    /// # Errors
    /// `INVALID_DATA` if the text is not a UUID in lower case with hyphens.
    fn from_str(text: &str) -> Result<Self> {
        Uuid::try_parse(text).ok().map(Self).filter(|id| id.to_string() == text).ok_or_else(|| {
            Error::new(
                Code::InvalidData,
                format!("{text:?} is not a row id (a UUID in lower case with hyphens)"),
            )
            .with("field", "id")
        })
    }
}

impl fmt::Display for RowId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl fmt::Debug for RowId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for RowId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize16(self.as_bytes(), self, serializer)
    }
}

impl<'de> Deserialize<'de> for RowId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize16(deserializer, Self::from_bytes)
    }
}

/// Text for people, 16 raw bytes for machines.
fn serialize16<S: serde::Serializer>(
    bytes: &[u8; 16],
    text: &impl fmt::Display,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    if serializer.is_human_readable() { serializer.collect_str(text) } else { bytes.serialize(serializer) }
}

fn deserialize16<'de, D: serde::Deserializer<'de>, T: FromStr<Err = Error>>(
    deserializer: D,
    from_bytes: impl FnOnce([u8; 16]) -> T,
) -> Result<T, D::Error> {
    if deserializer.is_human_readable() {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    } else {
        <[u8; 16]>::deserialize(deserializer).map(from_bytes)
    }
}

macro_rules! random_id {
    ($(#[doc = $doc:literal])+ $name:ident) => {
        $(#[doc = $doc])+
        ///
        /// 128 random bits; 32 hexadecimal digits in text.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name([u8; 16]);

        impl $name {
            /// A fresh id.
            pub fn mint(random: &mut dyn Random) -> Self {
                Self(random.bytes16())
            }

            /// The 16 bytes.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }

            /// The id with these bytes.
            #[must_use]
            pub fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }
        }

        impl FromStr for $name {
            type Err = Error;

            /// # Errors
            /// `INVALID_DATA` if the text is not 32 hexadecimal digits in lower case.
            fn from_str(text: &str) -> Result<Self> {
                let digit = |c: u8| match c {
                    b'0'..=b'9' => Some(c - b'0'),
                    b'a'..=b'f' => Some(c - b'a' + 10),
                    _ => None,
                };
                let mut bytes = [0; 16];
                let pairs = text.as_bytes().chunks_exact(2);
                let valid = text.len() == 32
                    && pairs.zip(&mut bytes).all(|(pair, byte)| {
                        match (digit(pair[0]), digit(pair[1])) {
                            (Some(high), Some(low)) => { *byte = high << 4 | low; true }
                            _ => false,
                        }
                    });
                valid.then_some(Self(bytes)).ok_or_else(|| {
                    Error::new(Code::InvalidData, format!("{text:?} is not an id of 32 hexadecimal digits"))
                })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serialize16(&self.0, self, serializer)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserialize16(deserializer, Self::from_bytes)
            }
        }
    };
}

random_id! {
    /// Names one commit on every peer, for ever: the key of idempotent pushes.
    CommitId
}
random_id! {
    /// Names a space on every peer: a unit of sharing with its own log.
    SpaceId
}
random_id! {
    /// Names a server on every peer, for as long as its data lives.
    ServerId
}
random_id! {
    /// Names who writes: minted with a data folder; the server knows which account it belongs to.
    ActorId
}
random_id! {
    /// Names one life of a server's log: a restored server has a new one.
    Epoch
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SeededRandom;

    #[test]
    fn ids_survive_text_and_json() {
        let mut random = SeededRandom::new(1);
        let row = RowId::mint(1_795_512_600_123, &mut random);
        assert_eq!(row.to_string().parse::<RowId>().unwrap(), row);
        assert_eq!(row.to_string().as_bytes()[14], b'7');
        let commit = CommitId::mint(&mut random);
        assert_eq!(commit.to_string().parse::<CommitId>().unwrap(), commit);
        let json = serde_json::to_string(&(row, commit)).unwrap();
        assert_eq!(serde_json::from_str::<(RowId, CommitId)>(&json).unwrap(), (row, commit));
    }

    #[test]
    fn bad_ids_are_refused() {
        for text in ["", "x", "0195F3E0-0000-7000-8000-000000000000", "0195f3e0000070008000000000000000"] {
            assert_eq!(text.parse::<RowId>().unwrap_err().code, Code::InvalidData, "{text}");
        }
        for text in ["", "g0000000000000000000000000000000", "000", "éééééééééééééééé"] {
            assert_eq!(text.parse::<CommitId>().unwrap_err().code, Code::InvalidData, "{text}");
        }
    }
}
