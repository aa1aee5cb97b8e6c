//! The program `tombolo`: one module a command.
//!
//! What went wrong is told as `{"error": {"code", "message", "details"}}` on standard error, with exit status 1; a
//! command line that cannot be read exits with 2.

mod call;
mod client;
mod folder;
mod output;
mod pages;
mod serve;
mod stdio;
mod token;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Keeps data on this device and syncs it with a server.
///
/// A data folder belongs to one process at a time, and is either a device's or a server's. It remembers the manifest
/// that it was opened with; --manifest overrides that, and a new folder without it holds pages.
#[derive(Debug, Parser)]
#[command(name = "tombolo", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Serve),
    Token(token::Token),
    Call(call::Call),
    Client(client::Client),
    Import(pages::Import),
    Export(pages::Export),
}

/// Many small documents are opened and let go; the system's allocator is slow at that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Nothing else decides which cryptography is used, and this comes before anything that might.
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        return output::fail(&folder::internal("the cryptography was chosen twice"));
    }
    if std::env::var_os("RUST_LOG").is_some() {
        let filter = tracing_subscriber::EnvFilter::from_default_env();
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    }
    let done = match Arguments::parse().command {
        Command::Serve(serve) => serve.run(),
        Command::Token(token) => token.run(),
        Command::Call(call) => call.run(),
        Command::Client(client) => client.run(),
        Command::Import(import) => import.run(),
        Command::Export(export) => export.run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => output::fail(&error),
    }
}
