use serde_json::{Value, json};

use crate::{Shell, invoke};

#[test]
fn manifest_answers_with_the_manifest_of_the_workspace_app() {
    let shell = Shell::open();
    let answer = invoke(&shell.window("main"), "plugin:tombolo|manifest", json!({})).unwrap();

    let shipped: Value = serde_json::from_str(tombolo_desktop::MANIFEST).unwrap();
    assert_eq!(answer["manifest"], shipped);
    assert_eq!(answer["manifest"]["name"], "workspace");
    assert_eq!(answer["hash"].as_str().unwrap().len(), 64);
}

#[test]
fn page_windows_have_the_same_permissions_as_the_main_one() {
    let shell = Shell::open();
    invoke(&shell.window("page-1"), "plugin:tombolo|manifest", json!({})).unwrap();
}

#[test]
fn a_window_that_no_capability_names_is_refused() {
    let shell = Shell::open();
    let refusal = invoke(&shell.window("stranger"), "plugin:tombolo|manifest", json!({})).unwrap_err();
    assert!(refusal.to_string().contains("not allowed"), "{refusal}");
}

#[test]
fn commands_of_the_system_are_refused() {
    let shell = Shell::open();
    let window = shell.window("main");
    for command in [
        "plugin:app|version",
        "plugin:window|close",
        "plugin:webview|create_webview",
        "plugin:path|resolve_directory",
    ] {
        let refusal = invoke(&window, command, json!({})).unwrap_err();
        assert!(refusal.to_string().contains("not allowed"), "{command}: {refusal}");
    }
}

#[test]
fn the_data_folder_is_made_when_the_app_starts() {
    let shell = Shell::open();
    assert!(shell.data_dir.path().join("data").is_dir());
}
