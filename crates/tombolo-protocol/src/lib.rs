//! What goes over the socket: frames, their bytes and their limits.

mod close;
mod frame;

pub use close::CloseCode;
pub use frame::{
    ClientFrame, Cursor, Hello, HelloSpace, Log, LogItem, Pause, Push, Refused, Rejected, Role, ServerFrame,
    ServerId, SpaceIndex, Welcome, WelcomeSpace,
};
