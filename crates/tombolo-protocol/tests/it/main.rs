//! The bytes on the wire: pinned, round-tripped and attacked through the public interface.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod golden;
mod hostile;
mod round_trip;
mod sample;
