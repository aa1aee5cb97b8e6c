//! Which window may call what.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{Shell, invoke};

/// The shell's own commands, with arguments that they would answer without an error.
fn commands() -> [(&'static str, Value); 4] {
    [
        ("settings", json!({})),
        ("set_settings", json!({"changes": {}})),
        ("open_page_window", json!({"id": "0190a6b2-7c1e-7000-8000-000000000001"})),
        ("open_external", json!({"url": "https://example.org"})),
    ]
}

#[track_caller]
fn assert_refused(answer: Result<Value, Value>, command: &str) {
    let refusal = answer.unwrap_err().to_string();
    assert!(refusal.contains("not allowed") || refusal.contains("not found"), "{command}: {refusal}");
}

#[test]
fn every_window_of_the_app_may_call_the_shell_and_the_store() {
    let shell = Shell::open();
    for label in ["main", "page-1"] {
        let window = shell.window(label);
        invoke(&window, "plugin:tombolo|manifest", json!({})).unwrap();
        for (command, args) in commands() {
            invoke(&window, command, args).unwrap();
        }
    }
}

#[test]
fn a_window_that_no_capability_names_is_refused_everything() {
    let shell = Shell::open();
    let stranger = shell.window("stranger");
    assert_refused(invoke(&stranger, "plugin:tombolo|manifest", json!({})), "manifest");
    for (command, args) in commands() {
        assert_refused(invoke(&stranger, command, args), command);
    }
    assert_eq!(shell.labels(), ["main", "stranger"]);
    assert!(shell.opened.lock().unwrap().is_empty());
}

#[test]
fn commands_of_the_system_are_refused() {
    let shell = Shell::open();
    for command in [
        "plugin:app|version",
        "plugin:event|listen",
        "plugin:image|from_path",
        "plugin:menu|new",
        "plugin:path|resolve_directory",
        "plugin:resources|close",
        "plugin:tray|new",
        "plugin:webview|create_webview",
        "plugin:webview|set_webview_zoom",
        "plugin:window|close",
        "plugin:window|set_title",
        "plugin:windows|open",
        "plugin:single-instance|open",
        "plugin:fs|read_text_file",
        "plugin:shell|execute",
        "no_such_command",
    ] {
        assert_refused(shell.call(command, json!({})), command);
    }
}

/// Everything that the compiled capabilities let a window call: what the tests above do not think of.
#[test]
fn what_is_compiled_in_grants_only_the_store_and_the_shell() {
    let granted = std::fs::read_to_string(
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("gen/schemas/capabilities.json"),
    )
    .unwrap();
    let granted: Value = serde_json::from_str(&granted).unwrap();
    let names: BTreeSet<_> = granted.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, BTreeSet::from(["workspace"]));
    assert_eq!(granted["workspace"]["windows"], json!(["main", "page-*"]));
    assert_eq!(granted["workspace"].get("webviews"), None);
}
