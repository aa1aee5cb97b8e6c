//! Signing in to a server, and what pages are told of the session.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};
use tombolo_core::{Manifest, SystemClock, SystemRandom};
use tombolo_server::{Accounts, Server, Settings};

use super::{Shell, Window, acknowledge, call, insert, open};

const TOKEN: &str = "tbl_not_to_be_seen";
/// Nobody listens there.
const NOWHERE: &str = "http://127.0.0.1:1";

/// Waits until the page is told a status as wanted; gives every one on the way.
fn status_until(shell: &Shell, window: &Window, channel: u32, wanted: impl Fn(&Value) -> bool) -> Vec<Value> {
    let subscription = open(window, "sync_status", json!({}), channel).unwrap();
    let mut told = Vec::new();
    loop {
        told.push(shell.json_message(channel));
        if told.last().is_some_and(&wanted) {
            call(window, "unsubscribe", json!({"subscription": subscription})).unwrap();
            return told;
        }
        acknowledge(window, subscription);
    }
}

fn connect(window: &Window, url: &str, token: &str) -> Result<Value, Value> {
    call(window, "connect", json!({"url": url, "token": token}))
}

fn server(window: &Window) -> Value {
    call(window, "server", json!({})).unwrap()
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn holds_token(file: &PathBuf) -> bool {
    fs::read(file).unwrap().windows(TOKEN.len()).any(|bytes| bytes == TOKEN.as_bytes())
}

#[test]
fn without_a_server_everything_is_on_this_device() {
    let shell = Shell::open();
    let window = shell.window("main");
    let told = status_until(&shell, &window, 1, |status| status["state"] == "local");
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["waiting"], 0);
    assert_eq!(server(&window), json!({"url": null, "account": "none", "remembered": false}));
}

#[test]
fn an_address_or_a_token_that_makes_no_sense_changes_nothing() {
    let shell = Shell::open();
    let window = shell.window("main");
    for (args, code) in [
        (json!({"url": "nowhere", "token": TOKEN}), "INVALID_QUERY"),
        (json!({"url": NOWHERE, "token": ""}), "INVALID_DATA"),
        (json!({"url": NOWHERE, "token": format!("{TOKEN}\n{TOKEN}")}), "INVALID_DATA"),
        (json!({"url": NOWHERE}), "INVALID_QUERY"),
        (json!({"token": TOKEN}), "INVALID_QUERY"),
        (json!({"url": [TOKEN], "token": {"a": TOKEN}}), "INVALID_QUERY"),
    ] {
        let error = call(&window, "connect", args).unwrap_err();
        assert_eq!(error["code"], code);
        assert!(!error.to_string().contains(TOKEN), "{error}");
    }
    assert_eq!(server(&window)["account"], "none");
    assert!(!files(shell.home.path()).iter().any(holds_token));
}

#[test]
fn a_sign_in_is_kept_outside_the_data_used_at_the_next_start_and_forgotten() {
    let shell = Shell::open();
    let window = shell.window("main");
    assert_eq!(connect(&window, NOWHERE, TOKEN), Ok(Value::Null));
    let mut seen = status_until(&shell, &window, 1, |status| status["state"] == "offline");
    assert_eq!(server(&window), json!({"url": NOWHERE, "account": "unknown", "remembered": true}));
    assert_eq!(call(&window, "retry_now", json!({})), Ok(Value::Null));
    drop(window);

    let shell = Shell::open_in(shell.end());
    let window = shell.window("main");
    seen.extend(status_until(&shell, &window, 1, |status| status["state"] == "offline"));
    seen.push(server(&window));
    assert_eq!(server(&window)["url"], NOWHERE);
    assert!(!json!(seen).to_string().contains(TOKEN), "the token never comes back");
    let with_token = || files(shell.home.path()).into_iter().filter(holds_token).collect::<Vec<_>>();
    let kept = with_token();
    assert_eq!(kept.len(), 1);
    assert!(!kept[0].starts_with(shell.home.path().join("data")), "{}", kept[0].display());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&kept[0]).unwrap().permissions().mode() & 0o777, 0o600);
    }

    assert_eq!(call(&window, "disconnect", json!({})), Ok(Value::Null));
    status_until(&shell, &window, 2, |status| status["state"] == "local");
    assert_eq!(server(&window)["url"], Value::Null);
    assert_eq!(with_token(), Vec::<PathBuf>::new());
}

#[test]
fn what_is_written_reaches_the_server_and_the_page_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = Arc::new(Manifest::parse(tombolo_desktop::MANIFEST).unwrap());
    let settings = Settings::new(Arc::new(SystemClock), Box::new(SystemRandom));
    let bound = Server::bind(folder.path(), "127.0.0.1:0", manifest, settings);
    let serving = tauri::async_runtime::block_on(bound).unwrap();
    let url = format!("http://{}", serving.local_addr());
    let mut accounts = Accounts::open(folder.path(), Arc::new(SystemClock)).unwrap();
    let token = accounts.token_for("ann", None, &mut SystemRandom).unwrap().token;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tauri::async_runtime::spawn(serving.run(async { stopped.await.unwrap_or_default() }));

    let shell = Shell::open();
    let window = shell.window("main");
    let commits = open(&window, "commits", json!({}), 1).unwrap();
    let page = json!({"entity": "Page", "data": {"title": "a"}});
    let written = call(&window, "insert", page).unwrap();
    connect(&window, &url, TOKEN).unwrap();
    let told = status_until(&shell, &window, 2, |status| status["state"] == "refused");
    let refused = told.last().unwrap();
    assert_eq!((&refused["code"], &refused["waiting"]), (&json!("UNAUTHENTICATED"), &json!(1)));
    assert_eq!(server(&window)["account"], "refused");

    connect(&window, &url, &token).unwrap();
    let news = shell.json_message(1);
    assert_eq!(news[0]["commit"], written["receipt"]["commit"]);
    assert_eq!((&news[0]["status"], &news[0]["seq"]), (&json!("server"), &written["receipt"]["seq"]));
    acknowledge(&window, commits);
    status_until(&shell, &window, 3, |status| status["state"] == "saved");
    assert_eq!(server(&window)["account"], "accepted");
    insert(&window, json!({"title": "b"}));
    assert_eq!(shell.json_message(1)[0]["status"], "server");

    call(&window, "disconnect", json!({})).unwrap();
    stop.send(()).unwrap();
    tauri::async_runtime::block_on(serving).unwrap().unwrap();
}
