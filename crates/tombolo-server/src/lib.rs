//! The server: HTTP, WebSocket, sign-in, and the hub's driver.
//!
//! [`Server`] owns a data folder and listens; sessions are judged, told and closed by the hub of `tombolo-sync`, and
//! here is the loop that drives it. [`Accounts`] are in a database of their own beside the store's, so that tokens can
//! be made while the server runs.
//!
//! This crate deliberately knows no command line, and nothing of what the entities mean.
//!
//! ```no_run
//! use std::{path::Path, sync::Arc};
//! use tombolo_core::{Manifest, SystemClock, SystemRandom};
//! use tombolo_server::{Server, Settings};
//! # async fn example(manifest: Manifest) -> tombolo_core::Result<()> {
//! let settings = Settings::new(Arc::new(SystemClock), Box::new(SystemRandom));
//! let server = Server::bind(Path::new("data"), "127.0.0.1:0", Arc::new(manifest), settings).await?;
//! println!("listening on http://{}", server.local_addr());
//! server.run(std::future::pending()).await
//! # }
//! ```

mod accounts;
mod connection;
mod driver;
mod server;

pub use accounts::{Accounts, Issued};
pub use server::{Server, Settings};
pub use tombolo_sync::{Grant, Role};
