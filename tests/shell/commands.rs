//! Each command with good and with bad input.

use std::fs;

use serde_json::{Value, json};
use tauri::ipc::InvokeBody;

use crate::{Shell, invoke, invoke_with};

const PAGE: &str = "0190a6b2-7c1e-7000-8000-000000000001";
const OTHER: &str = "0190a6b2-7c1e-7000-8000-000000000002";

#[test]
fn manifest_answers_with_the_manifest_of_the_workspace_app() {
    let shell = Shell::open();
    let answer = shell.call("plugin:tombolo|manifest", json!({})).unwrap();

    let shipped: Value = serde_json::from_str(tombolo_desktop::MANIFEST).unwrap();
    assert_eq!(answer["manifest"], shipped);
    assert_eq!(answer["manifest"]["name"], "workspace");
    assert_eq!(answer["hash"].as_str().unwrap().len(), 64);
}

#[test]
fn the_data_folder_is_made_when_the_app_starts() {
    let shell = Shell::open();
    assert!(shell.home.path().join("data-0").is_dir());
}

#[test]
fn settings_are_the_usual_ones_at_first() {
    let shell = Shell::open();
    assert_eq!(
        shell.call("settings", json!({})).unwrap(),
        json!({"theme": "system", "zoom": 100, "sidebar_width": 248, "sidebar_collapsed": false, "last_page": null})
    );
}

#[test]
fn settings_are_kept_from_one_run_to_the_next() {
    let shell = Shell::open();
    for changes in [
        json!({"theme": "dark", "zoom": 150}),
        json!({"sidebar_width": 320, "sidebar_collapsed": true}),
        json!({"last_page": PAGE}),
        json!({}),
    ] {
        shell.call("set_settings", json!({ "changes": changes })).unwrap();
    }
    let expected = json!({"theme": "dark", "zoom": 150, "sidebar_width": 320, "sidebar_collapsed": true, "last_page": PAGE});
    assert_eq!(shell.call("settings", json!({})).unwrap(), expected);

    let shell = Shell::open_in(shell.end());
    assert_eq!(shell.call("settings", json!({})).unwrap(), expected);
    shell.call("set_settings", json!({"changes": {"last_page": null}})).unwrap();
    assert_eq!(shell.call("settings", json!({})).unwrap()["last_page"], Value::Null);
}

#[test]
fn settings_that_make_no_sense_are_refused_and_change_nothing() {
    let shell = Shell::open();
    for (args, code) in [
        (json!({}), "INVALID_QUERY"),
        (json!({"changes": null}), "INVALID_QUERY"),
        (json!({"changes": {"theme": "pink"}}), "INVALID_QUERY"),
        (json!({"changes": {"zoom": "large"}}), "INVALID_QUERY"),
        (json!({"changes": {"zoom": -1}}), "INVALID_QUERY"),
        (json!({"changes": {"zoom": 49}}), "INVALID_DATA"),
        (json!({"changes": {"zoom": 201}}), "INVALID_DATA"),
        (json!({"changes": {"theme": "dark", "sidebar_width": 199}}), "INVALID_DATA"),
        (json!({"changes": {"sidebar_width": 401}}), "INVALID_DATA"),
        (json!({"changes": {"last_page": "the first one"}}), "INVALID_QUERY"),
        (json!({"changes": {"wallpaper": "sea"}}), "INVALID_QUERY"),
        (json!({"changes": {}, "more": 1}), "INVALID_QUERY"),
    ] {
        let error = shell.call("set_settings", args.clone()).unwrap_err();
        assert_eq!(error["code"], code, "{args}: {error}");
        assert!(error["message"].is_string() && error["details"].is_object(), "{error}");
    }
    let raw = invoke_with(&shell.window("main"), "set_settings", InvokeBody::Raw(vec![0xff; 10]));
    assert_eq!(raw.unwrap_err()["code"], "INVALID_QUERY");

    assert_eq!(shell.call("settings", json!({})).unwrap()["theme"], "system");
    assert!(!shell.config("settings.json").exists());
}

#[test]
fn a_broken_settings_file_is_set_aside() {
    for broken in ["{\"theme\": \"dar", "[1]", "\u{0}", r#"{"zoom": 10000}"#, r#"{"theme": "pink"}"#] {
        let home = Shell::open().end();
        fs::create_dir_all(home.path().join("config")).unwrap();
        fs::write(home.path().join("config/settings.json"), broken).unwrap();

        let shell = Shell::open_in(home);
        assert_eq!(shell.call("settings", json!({})).unwrap()["zoom"], 100, "{broken}");
        assert_eq!(fs::read_to_string(shell.config("settings.json.broken")).unwrap(), broken);
        shell.call("set_settings", json!({"changes": {"zoom": 110}})).unwrap();
        assert_eq!(Shell::open_in(shell.end()).call("settings", json!({})).unwrap()["zoom"], 110);
    }
}

#[test]
fn settings_that_cannot_be_kept_hold_and_say_so() {
    let shell = Shell::open();
    // A folder stands where the file is to be.
    fs::create_dir_all(shell.config("settings.json/in the way")).unwrap();
    let error = shell.call("set_settings", json!({"changes": {"zoom": 80}})).unwrap_err();
    assert_eq!(error["code"], "STORAGE_FAILED");
    assert_eq!(shell.call("settings", json!({})).unwrap()["zoom"], 80);
}

#[test]
fn a_page_has_one_window_of_its_own() {
    let shell = Shell::open();
    assert_eq!(shell.labels(), ["main"]);
    for id in [PAGE, OTHER, PAGE] {
        shell.call("open_page_window", json!({ "id": id })).unwrap();
    }
    let [page, other] = [PAGE, OTHER].map(|id| format!("page-{id}"));
    assert_eq!(shell.labels(), ["main", &page, &other]);
    let url = shell.window(&page).url().unwrap();
    assert_eq!(url.query(), Some(format!("page={PAGE}").as_str()));
    invoke(&shell.window(&page), "open_page_window", json!({ "id": OTHER })).unwrap();
    assert_eq!(shell.labels().len(), 3);
}

#[test]
fn a_window_needs_the_id_of_a_page() {
    let shell = Shell::open();
    for args in [
        json!({}),
        json!({"id": null}),
        json!({"id": 1}),
        json!({"id": "main"}),
        json!({"id": "../../index.html"}),
        json!({"id": PAGE.to_uppercase()}),
        json!({"id": PAGE, "label": "main"}),
    ] {
        let error = shell.call("open_page_window", args.clone()).unwrap_err();
        assert_eq!(error["code"], "INVALID_QUERY", "{args}: {error}");
    }
    assert_eq!(shell.labels(), ["main"]);
}

#[test]
fn there_is_a_bound_on_windows() {
    let shell = Shell::open();
    let open = |n: usize| {
        let id = format!("0190a6b2-7c1e-7000-8000-{n:012}");
        shell.call("open_page_window", json!({ "id": id }))
    };
    let opened = (0..100).take_while(|n| open(*n).is_ok()).count();
    assert_eq!(opened, 24);
    assert_eq!(open(opened).unwrap_err()["code"], "TOO_LARGE");
    assert_eq!(shell.labels().len(), 1 + opened);
    open(0).unwrap();
}

#[test]
fn the_windows_of_the_last_run_are_opened_again() {
    let shell = Shell::open();
    shell.call("open_page_window", json!({ "id": PAGE })).unwrap();
    let shell = Shell::open_in(shell.end());
    assert_eq!(shell.labels(), ["main", &format!("page-{PAGE}")]);
}

#[test]
fn a_file_of_windows_that_makes_no_sense_opens_the_main_one() {
    let far = json!({"x": i32::MIN, "y": i32::MAX, "width": u32::MAX, "height": 0, "maximized": true});
    for (windows, opened) in [
        (json!({"main": far, "pages": [{"page": PAGE, "placement": far}]}), 2),
        (json!({"main": null, "pages": []}), 1),
        (json!({"pages": [{"page": "main", "placement": null}]}), 1),
        (json!([1, 2, 3]), 1),
    ] {
        let home = Shell::open().end();
        fs::create_dir_all(home.path().join("config")).unwrap();
        fs::write(home.path().join("config/windows.json"), windows.to_string()).unwrap();
        assert_eq!(Shell::open_in(home).labels().len(), opened, "{windows}");
    }
}

#[test]
fn addresses_are_opened_outside_the_app() {
    let shell = Shell::open();
    shell.call("open_external", json!({"url": "https://example.org/a b"})).unwrap();
    assert_eq!(*shell.opened.lock().unwrap(), ["https://example.org/a%20b"]);

    let error = shell.call("open_external", json!({"url": "mailto:ann@example.org"})).unwrap_err();
    assert_eq!(error["code"], "INTERNAL", "no program for mail: {error}");
}

#[test]
fn what_is_no_address_of_the_web_or_of_mail_is_not_opened() {
    let shell = Shell::open();
    for (args, code) in [
        (json!({}), "INVALID_QUERY"),
        (json!({"url": 1}), "INVALID_QUERY"),
        (json!({"url": "https://example.org", "with": "sh"}), "INVALID_QUERY"),
        (json!({"url": "/usr/bin/env"}), "INVALID_DATA"),
        (json!({"url": "file:///etc/passwd"}), "INVALID_DATA"),
        (json!({"url": "javascript:alert(1)"}), "INVALID_DATA"),
        (json!({"url": format!("https://example.org/{}", "a".repeat(10_000))}), "INVALID_DATA"),
    ] {
        let error = shell.call("open_external", args.clone()).unwrap_err();
        assert_eq!(error["code"], code, "{args}: {error}");
    }
    assert!(shell.opened.lock().unwrap().is_empty());
}
