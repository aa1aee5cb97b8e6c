//! The shell on Tauri's mock runtime: the real commands, permissions and configuration, without a display.
#![allow(clippy::unwrap_used, missing_docs)]

mod commands;
mod configuration;

use std::path::Path;

use serde_json::Value;
use tauri::{
    App, WebviewUrl, WebviewWindow, WebviewWindowBuilder,
    ipc::{CallbackFn, InvokeBody},
    test::{INVOKE_KEY, MockRuntime, get_ipc_response, mock_builder},
    webview::InvokeRequest,
};
use tempfile::TempDir;

/// The app as it ships, on a data folder that goes away with it.
struct Shell {
    app: App<MockRuntime>,
    data_dir: TempDir,
}

impl Shell {
    fn open() -> Self {
        let data_dir = tempfile::tempdir().unwrap();
        let app = build(&data_dir.path().join("data"));
        Self { app, data_dir }
    }

    fn window(&self, label: &str) -> WebviewWindow<MockRuntime> {
        WebviewWindowBuilder::new(&self.app, label, WebviewUrl::default()).build().unwrap()
    }
}

fn build(data_dir: &Path) -> App<MockRuntime> {
    tombolo_desktop::build(mock_builder(), tombolo_desktop::context(), data_dir.to_path_buf()).unwrap()
}

/// Calls `command` as the page in `window` would; `Err` is what its promise rejects with.
fn invoke(window: &WebviewWindow<MockRuntime>, command: &str, args: Value) -> Result<Value, Value> {
    let request = InvokeRequest {
        cmd: command.to_owned(),
        callback: CallbackFn(0),
        error: CallbackFn(1),
        url: if cfg!(any(windows, target_os = "android")) {
            "http://tauri.localhost"
        } else {
            "tauri://localhost"
        }
        .parse()
        .unwrap(),
        body: InvokeBody::Json(args),
        headers: Default::default(),
        invoke_key: INVOKE_KEY.to_owned(),
    };
    get_ipc_response(window, request).map(|body| body.deserialize().unwrap())
}
