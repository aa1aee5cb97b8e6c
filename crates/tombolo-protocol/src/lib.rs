//! What goes over the socket: frames, their bytes and their limits.
//!
//! One frame is one binary message of a WebSocket, or several fragments of it. The format is described in
//! `docs/protocol.md` and pinned by golden bytes. A codec holds what one session has sent and got so far: commits
//! lean on what was named before, so that a keystroke costs about 25 bytes beside its update. The log is encoded
//! once for all sessions.
//!
//! This crate deliberately knows no socket, no store and no meaning of an update's bytes.
//!
//! ```
//! use tombolo_core::{ActorId, Epoch, Seq, SpaceId};
//! use tombolo_protocol::{ClientCodec, ClientFrame, Hello, HelloSpace, PROTOCOLS, ServerCodec};
//! let actor = ActorId::from_bytes([1; 16]);
//! let hello = Hello {
//!     protocols: PROTOCOLS.to_vec(),
//!     manifest_version: 1,
//!     manifest_hash: String::new(),
//!     token: "secret".to_owned(),
//!     actor,
//!     spaces: vec![HelloSpace { space: None, cursor: None }],
//! };
//! let message = ClientCodec::new(actor, 1).hello(&hello);
//! assert_eq!(ServerCodec::new().decode(&message)?, Some(ClientFrame::Hello(hello)));
//! # Ok::<(), tombolo_protocol::ProtocolError>(())
//! ```

mod client;
mod close;
mod commit;
mod control;
mod error;
mod frame;
pub mod limit;
mod log;
mod message;
mod recent;
mod server;
mod wire;

pub use client::{ClientCodec, PING, PONG};
pub use close::CloseCode;
pub use error::ProtocolError;
pub use frame::{
    ClientFrame, Cursor, Hello, HelloSpace, Log, LogItem, Pause, Push, Refused, Rejected, Role, ServerFrame,
    SpaceIndex, Welcome, WelcomeSpace,
};
pub use log::{Acknowledged, Chained, LogEncoder, Shared, encode_fresh, encode_own, frame_len};
pub use server::ServerCodec;

/// The versions of the protocol that this crate speaks, best first.
pub const PROTOCOLS: &[u16] = &[1];
