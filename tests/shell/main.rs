//! The shell on Tauri's mock runtime: the real commands, permissions and configuration, without a display.
#![allow(clippy::unwrap_used, missing_docs)]

mod commands;
mod configuration;
mod permissions;
mod store;

use std::{
    io,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use serde_json::Value;
use tauri::{
    App, Manager, WebviewUrl, WebviewWindow, WebviewWindowBuilder,
    ipc::{CallbackFn, InvokeBody},
    test::{INVOKE_KEY, MockRuntime, get_ipc_response, mock_builder},
    webview::InvokeRequest,
};
use tempfile::TempDir;
use tombolo_desktop::{Folders, Options};

/// The app as it ships, on folders that go away with it.
struct Shell {
    app: App<MockRuntime>,
    home: TempDir,
    /// What was opened outside the app; the system of these tests knows no program for mail.
    opened: Arc<Mutex<Vec<String>>>,
}

impl Shell {
    fn open() -> Self {
        Self::open_in(tempfile::tempdir().unwrap())
    }

    /// The app with what another one remembered. The data folder is a new one: the other app may still hold its own.
    fn open_in(home: TempDir) -> Self {
        let data = (0..).map(|n| home.path().join(format!("data-{n}"))).find(|data| !data.exists());
        let opened = Arc::<Mutex<Vec<String>>>::default();
        let folders = Folders::new(data, Some(home.path().join("config"))).unwrap();
        let open_url = Box::new({
            let opened = Arc::clone(&opened);
            move |url: &str| {
                if url.starts_with("mailto:") {
                    return Err(io::Error::from(io::ErrorKind::NotFound));
                }
                opened.lock().unwrap().push(url.to_owned());
                Ok(())
            }
        });
        let options = Options { folders, open_url, single_instance: false };
        let app = tombolo_desktop::build(mock_builder(), tombolo_desktop::context(), options).unwrap();
        Self { app, home, opened }
    }

    /// Ends the app and gives the folder of its folders.
    fn end(self) -> TempDir {
        self.home
    }

    fn config(&self, file: &str) -> PathBuf {
        self.home.path().join("config").join(file)
    }

    fn labels(&self) -> Vec<String> {
        let mut labels: Vec<_> = self.app.webview_windows().into_keys().collect();
        labels.sort();
        labels
    }

    /// The window of that label, made if the app did not open it.
    fn window(&self, label: &str) -> WebviewWindow<MockRuntime> {
        self.app.get_webview_window(label).unwrap_or_else(|| {
            WebviewWindowBuilder::new(&self.app, label, WebviewUrl::default()).build().unwrap()
        })
    }

    /// Calls `command` as the page in the main window would.
    fn call(&self, command: &str, args: Value) -> Result<Value, Value> {
        invoke(&self.window("main"), command, args)
    }
}

/// Calls `command` as the page in `window` would; `Err` is what its promise rejects with.
fn invoke(window: &WebviewWindow<MockRuntime>, command: &str, args: Value) -> Result<Value, Value> {
    invoke_with(window, command, InvokeBody::Json(args))
}

fn invoke_with(window: &WebviewWindow<MockRuntime>, command: &str, body: InvokeBody) -> Result<Value, Value> {
    let origin = if cfg!(any(windows, target_os = "android")) {
        "http://tauri.localhost"
    } else {
        "tauri://localhost"
    };
    let request = InvokeRequest {
        cmd: command.to_owned(),
        callback: CallbackFn(0),
        error: CallbackFn(1),
        url: origin.parse().unwrap(),
        body,
        headers: Default::default(),
        invoke_key: INVOKE_KEY.to_owned(),
    };
    get_ipc_response(window, request).map(|body| body.deserialize().unwrap())
}
