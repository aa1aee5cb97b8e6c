//! The rare frames: plain records in postcard.

use crate::error::{Result, malformed};
use crate::message::{Kind, head, seal_small};
use crate::{Hello, Pause, Refused, Rejected, SpaceIndex, Welcome, limit};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tombolo_core::{Code, CommitId, Rejection, Status};

/// Codes travel as text, so that an older client can read the message of a newer code.
#[derive(Serialize, Deserialize)]
struct WireRefused {
    code: String,
    message: String,
}

#[derive(Serialize, Deserialize)]
struct WireRejected {
    space: SpaceIndex,
    generation: u32,
    commit: CommitId,
    status: Status,
    code: String,
    message: String,
}

fn record(kind: Kind, record: &impl Serialize) -> Vec<u8> {
    let bytes = postcard::to_extend(record, head(kind, false));
    seal_small(bytes.expect("these records have only shapes that postcard writes"))
}

/// Reads a record; `open_ended` ones may be followed by what a later version adds.
fn read<T: DeserializeOwned>(body: &[u8], open_ended: bool, what: &'static str) -> Result<T> {
    match postcard::take_from_bytes(body) {
        Ok((record, rest)) if open_ended || rest.is_empty() => Ok(record),
        _ => malformed(what),
    }
}

fn code(text: &str) -> Code {
    Code::ALL.iter().copied().find(|code| code.as_str() == text).unwrap_or(Code::Internal)
}

/// Messages are for people: a very long one helps nobody.
fn clip(message: &str) -> String {
    message.chars().take(limit::MESSAGE_CHARS).collect()
}

pub(crate) fn put_hello(hello: &Hello) -> Vec<u8> {
    record(Kind::Hello, hello)
}

pub(crate) fn read_hello(body: &[u8]) -> Result<Hello> {
    let hello: Hello = read(body, true, "a hello")?;
    if hello.protocols.len() > limit::HELLO_ITEMS || hello.spaces.len() > limit::HELLO_ITEMS {
        return malformed("a hello with too many items");
    }
    Ok(hello)
}

pub(crate) fn put_welcome(welcome: &Welcome) -> Vec<u8> {
    record(Kind::Welcome, welcome)
}

pub(crate) fn read_welcome(body: &[u8]) -> Result<Welcome> {
    let welcome: Welcome = read(body, false, "a welcome")?;
    if welcome.spaces.len() > limit::HELLO_ITEMS {
        return malformed("a welcome with too many items");
    }
    Ok(welcome)
}

pub(crate) fn put_refused(refused: &Refused) -> Vec<u8> {
    let wire = WireRefused { code: refused.code.as_str().to_owned(), message: clip(&refused.message) };
    record(Kind::Refused, &wire)
}

pub(crate) fn read_refused(body: &[u8]) -> Result<Refused> {
    let wire: WireRefused = read(body, true, "a refusal")?;
    Ok(Refused { code: code(&wire.code), message: wire.message })
}

pub(crate) fn put_rejected(rejected: &Rejected) -> Vec<u8> {
    let Rejection { commit, status, code, message } = &rejected.rejection;
    let wire = WireRejected {
        space: rejected.space,
        generation: rejected.generation,
        commit: *commit,
        status: *status,
        code: code.as_str().to_owned(),
        message: clip(message),
    };
    record(Kind::Rejected, &wire)
}

pub(crate) fn read_rejected(body: &[u8]) -> Result<Rejected> {
    let wire: WireRejected = read(body, false, "a rejection")?;
    Ok(Rejected {
        space: wire.space,
        generation: wire.generation,
        rejection: Rejection {
            commit: wire.commit,
            status: wire.status,
            code: code(&wire.code),
            message: wire.message,
        },
    })
}

pub(crate) fn put_pause(pause: &Pause) -> Vec<u8> {
    record(Kind::Pause, pause)
}

pub(crate) fn read_pause(body: &[u8]) -> Result<Pause> {
    read(body, false, "a pause")
}
