//! Generates the permissions of every command.

/// One permission pair `allow-x`, `deny-x` is generated for each; `tests/permissions.rs` holds them against the sources.
const COMMANDS: &[&str] = &[
    "manifest",
    "insert",
    "get_by_id",
    "list",
    "list_after",
    "query_filtered",
    "update",
    "delete",
    "restore",
    "transact",
    "drafts",
    "draft_discard",
    "crdt_snapshot",
    "crdt_apply_update",
    "subscribe",
    "follow",
    "acknowledge",
    "unsubscribe",
    "sync_status",
    "commits",
    "connect",
    "disconnect",
    "server",
    "retry_now",
];

fn main() {
    tauri_plugin::Builder::new(COMMANDS).build();
}
