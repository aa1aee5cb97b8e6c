//! Two state machines without I/O: [`Client`], a client's session with its server, and [`Hub`], a server's sessions.
//!
//! Both have the same face: `handle(input, now)` tells what happened, `poll()` says what to do, `deadline()` when to
//! hand in `Timer`, and `wants_input()` whether to read the socket. They ask for storage with an action and learn of
//! it by an input. A driver is one loop: it waits for a message, an answer, a hint or the deadline, hands it in, and
//! carries out what `poll` gives. Sockets preserve the order of messages; answers of the store may come at any time.
//!
//! This crate deliberately knows no socket, no store, no clock and no async runtime. `now` is a monotonic clock in
//! milliseconds, and all randomness comes from the seed.
//!
//! ```
//! use tombolo_core::{ActorId, Epoch, Seq, ServerId, SpaceId};
//! use tombolo_sync::{Client, ClientAction, ClientConfig, ClientInput, Counts, Grant, Hub, HubAction, HubConfig};
//! use tombolo_sync::{HubInput, HubSpace, Role, SessionId, SyncState};
//!
//! let space = HubSpace { space: SpaceId::from_bytes([1; 16]), epoch: Epoch::from_bytes([2; 16]), head: Seq(0) };
//! let server = ServerId::from_bytes([3; 16]);
//! let mut hub = Hub::new(HubConfig { server, manifest_version: 1, spaces: vec![space] });
//! let config =
//!     ClientConfig { actor: ActorId::from_bytes([4; 16]), manifest_version: 1, manifest_hash: String::new() };
//! let mut client = Client::new(config, 5);
//!
//! let (session, now) = (SessionId(1), 0);
//! client.handle(ClientInput::Start { token: "secret".into(), binding: None, counts: Counts::default() }, now);
//! let mut state = SyncState::Local;
//! loop {
//!     while let Some(action) = client.poll() {
//!         match action {
//!             ClientAction::Connect => {
//!                 hub.handle(HubInput::Opened { session }, now);
//!                 client.handle(ClientInput::Opened, now);
//!             }
//!             ClientAction::Send(bytes) => hub.handle(HubInput::Received { session, bytes }, now),
//!             ClientAction::Bind(binding) => {
//!                 client.handle(ClientInput::Bound { space: binding.space, result: Ok(()) }, now);
//!             }
//!             ClientAction::ReadOutbox { space, .. } => {
//!                 client.handle(ClientInput::OutboxRead { space, result: Ok(Default::default()) }, now);
//!             }
//!             ClientAction::Report(status) => state = status.state,
//!             other => panic!("nothing to store here: {other:?}"),
//!         }
//!     }
//!     let Some(action) = hub.poll() else { break };
//!     match action {
//!         HubAction::Authenticate { session, .. } => {
//!             let grant = Grant { role: Role::Editor, account: "ann".into() };
//!             hub.handle(HubInput::Authenticated { session, result: Ok(grant) }, now);
//!         }
//!         HubAction::Send { bytes, .. } => {
//!             hub.handle(HubInput::Sent { session, bytes: bytes.len() }, now);
//!             client.handle(ClientInput::Received(bytes.to_vec()), now);
//!         }
//!         other => panic!("nothing to judge here: {other:?}"),
//!     }
//! }
//! assert_eq!(state, SyncState::Saved);
//! ```

mod client;
mod hub;
mod timing;

pub use client::{
    Applied, Binding, Client, ClientAction, ClientConfig, ClientInput, Counts, Outbox, SyncState, SyncStatus,
};
pub use hub::{Grant, Hub, HubAction, HubConfig, HubInput, HubSpace, LogPage, SessionId};
pub use tombolo_protocol::{CloseCode, LogItem, Role};
