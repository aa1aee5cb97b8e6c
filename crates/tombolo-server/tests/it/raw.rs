//! Raw WebSockets.
