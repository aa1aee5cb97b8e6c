//! Generates the permissions of every command.

/// One permission pair `allow-x`, `deny-x` is generated for each; `tests/permissions.rs` holds them against the sources.
const COMMANDS: &[&str] = &["manifest"];

fn main() {
    tauri_plugin::Builder::new(COMMANDS).build();
}
