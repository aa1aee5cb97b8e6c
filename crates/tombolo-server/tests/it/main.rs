//! Sessions over real sockets on the loopback, with replicas and with raw WebSockets.

#![allow(clippy::unwrap_used)]

mod raw;
mod sessions;
mod world;
