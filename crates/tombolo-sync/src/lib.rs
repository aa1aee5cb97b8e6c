//! Two state machines without I/O: the client's session and the server's hub.

mod client;
mod hub;
mod timing;

pub use client::{
    Applied, Binding, Client, ClientAction, ClientConfig, ClientInput, Counts, Outbox, SyncState, SyncStatus,
};
pub use hub::{Grant, Hub, HubAction, HubConfig, HubInput, HubSpace, LogPage, SessionId};
pub use tombolo_protocol::{CloseCode, LogItem, Role, ServerId};
