//! The store on SQLite: operations, sync between engines without a network, refusals, faults.

#![allow(clippy::unwrap_used)]

mod follow;
mod found;
mod operations;
mod reject;
mod sync;
mod threads;
mod tree;
mod world;
