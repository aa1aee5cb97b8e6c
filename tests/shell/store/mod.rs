//! The store as a page reaches it: commands, channels and raw bytes, under the app's own permissions.

mod documents;
mod live;
mod operations;
mod sync;

use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use serde_json::{Value, json};
use tauri::{
    App, Manager, WebviewUrl, WebviewWindow, WebviewWindowBuilder,
    http::HeaderMap,
    ipc::{CallbackFn, InvokeBody, InvokeResponseBody},
    test::{INVOKE_KEY, MockRuntime, get_ipc_response, mock_builder},
    webview::InvokeRequest,
};
use tempfile::TempDir;
use tombolo_desktop::{Folders, Options};

/// Waiting longer than this is a failure.
const PATIENCE: Duration = Duration::from_secs(30);
/// Messages that no test leaves unread.
const MESSAGES: usize = 1_000;

type Window = WebviewWindow<MockRuntime>;

/// The app as it ships, on folders that go away with it.
struct Shell {
    app: App<MockRuntime>,
    home: TempDir,
    /// What goes to the pages' channels, each with the channel's number.
    messages: Receiver<(u32, InvokeResponseBody)>,
}

impl Shell {
    fn open() -> Self {
        Self::open_in(tempfile::tempdir().unwrap())
    }

    /// The app in folders that another one may have left.
    fn open_in(home: TempDir) -> Self {
        let (sender, messages) = sync_channel(MESSAGES);
        let builder = mock_builder().channel_interceptor(move |_, channel, _, message| {
            sender.send((channel.0, message.clone())).is_ok()
        });
        let folders = Folders::new(Some(home.path().join("data")), Some(home.path().join("config"))).unwrap();
        let options = Options { folders, open_url: Box::new(|_| Ok(())), single_instance: false };
        let app = tombolo_desktop::build(builder, tombolo_desktop::context(), options).unwrap();
        Self { app, home, messages }
    }

    /// Ends the app and gives its folders.
    fn end(self) -> TempDir {
        self.app.cleanup_before_exit();
        self.home
    }

    /// The window of that label, made if the app did not open it.
    fn window(&self, label: &str) -> Window {
        self.app.get_webview_window(label).unwrap_or_else(|| {
            WebviewWindowBuilder::new(&self.app, label, WebviewUrl::default()).build().unwrap()
        })
    }

    /// The next message of a channel; others' are passed over.
    fn message(&self, channel: u32) -> InvokeResponseBody {
        loop {
            let (to, message) = self.messages.recv_timeout(PATIENCE).expect("a message comes");
            if to == channel {
                return message;
            }
        }
    }

    fn json_message(&self, channel: u32) -> Value {
        self.message(channel).deserialize().unwrap()
    }
}

/// Calls an operation as the page in `window` would; `Err` is what its promise rejects with.
fn call(window: &Window, operation: &str, args: Value) -> Result<Value, Value> {
    let answer = send(window, operation, InvokeBody::Json(args), HeaderMap::new());
    answer.map(|body| body.deserialize().unwrap())
}

fn send(
    window: &Window,
    operation: &str,
    body: InvokeBody,
    headers: HeaderMap,
) -> Result<InvokeResponseBody, Value> {
    let origin = if cfg!(any(windows, target_os = "android")) {
        "http://tauri.localhost"
    } else {
        "tauri://localhost"
    };
    let request = InvokeRequest {
        cmd: format!("plugin:tombolo|{operation}"),
        callback: CallbackFn(0),
        error: CallbackFn(1),
        url: origin.parse().unwrap(),
        body,
        headers,
        invoke_key: INVOKE_KEY.to_owned(),
    };
    get_ipc_response(window, request)
}

/// Opens a subscription on a channel of the page; gives its name.
fn open(window: &Window, operation: &str, mut args: Value, channel: u32) -> Result<u64, Value> {
    args["channel"] = json!(format!("__CHANNEL__:{channel}"));
    call(window, operation, args).map(|name| name.as_u64().unwrap())
}

fn acknowledge(window: &Window, subscription: u64) {
    assert_eq!(call(window, "acknowledge", json!({"subscription": subscription})), Ok(Value::Null));
}

fn insert(window: &Window, data: Value) -> String {
    let answer = call(window, "insert", json!({"entity": "Page", "data": data})).unwrap();
    answer["id"].as_str().unwrap().to_owned()
}

fn update(window: &Window, id: &str, patch: Value) {
    let answer = call(window, "update", json!({"entity": "Page", "id": id, "patch": patch})).unwrap();
    assert_eq!(answer["updated"], true);
}
