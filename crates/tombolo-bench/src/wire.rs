//! What goes over the wire.

use tombolo_core::{Commit, Result};
use tombolo_protocol::ClientCodec;

/// The bytes of pushing these commits, each in a frame of its own.
pub(crate) fn bytes_of(commits: &[Commit]) -> Result<u64> {
    let Some(first) = commits.first() else { return Ok(0) };
    let mut codec = ClientCodec::new(first.actor, first.manifest_version);
    let messages = commits.iter().flat_map(|commit| codec.push(0, 0, std::slice::from_ref(commit)));
    Ok(messages.map(|message| message.len() as u64).sum())
}
