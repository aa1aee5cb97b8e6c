//! Recorded keystrokes, each an update of its own, from an editor to the document and the rows.
//!
//! Needs the recordings in the folder that `TOMBOLO_INPUTS` names; says so where that is unset.

#![allow(clippy::unwrap_used)]

mod alone;
mod recording;
mod store;
mod together;
