//! Whole journeys with real processes, real disks and real sockets.

#![allow(clippy::unwrap_used)]

mod folders;
mod input;
mod journeys;
mod stdio;
mod world;
