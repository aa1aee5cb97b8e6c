//! What the page may ask of the desktop around it. Each command rejects with `{code, message, details}`.
#![allow(
    clippy::let_underscore_must_use,
    reason = "what the command macro writes for async functions that borrow"
)]

use serde::{Deserialize, de::DeserializeOwned};
use tauri::{
    AppHandle, Manager, Runtime, State, Url,
    ipc::{InvokeBody, Request},
};
use tombolo_core::{Code, Error, Result, RowId};

use crate::{
    layout::Place,
    settings::{Changes, Settings},
    state::Shell,
    windows,
};

/// The longest address that is opened, in bytes.
const URL_MAX: usize = 8 * 1024;

/// What the page may send out of the app; anything else could start a program.
const SCHEMES: &[&str] = &["http", "https", "mailto"];

/// What is remembered about the app on this device.
#[tauri::command]
pub(crate) fn settings(shell: State<'_, Shell>) -> Settings {
    shell.settings().get().clone()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetSettings {
    changes: Changes,
}

/// Keeps the settings that are named and applies them to every window.
///
/// It runs in the order of the calls: the last word holds.
///
/// # Errors
/// `INVALID_QUERY`, `INVALID_DATA` for a value out of its bounds, `STORAGE_FAILED` if it holds but could not be kept.
#[tauri::command]
pub(crate) fn set_settings<R: Runtime>(
    app: AppHandle<R>,
    shell: State<'_, Shell>,
    request: Request<'_>,
) -> Result<()> {
    let SetSettings { changes } = arguments(&request)?;
    changes.check()?;
    let (settings, kept) = {
        let mut file = shell.settings();
        let kept = file.change(|settings| changes.apply(settings));
        (file.get().clone(), kept)
    };
    for window in app.webview_windows().values() {
        windows::dress(window, &settings);
    }
    kept.map_err(|error| Error::new(Code::StorageFailed, format!("the settings could not be kept: {error}")))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OpenPageWindow {
    id: RowId,
}

/// Shows a page in a window of its own, or brings that window to the front.
///
/// # Errors
/// `INVALID_QUERY`, `TOO_LARGE` if too many windows are open, `INTERNAL` if the system refuses.
#[tauri::command]
pub(crate) async fn open_page_window<R: Runtime>(app: AppHandle<R>, request: Request<'_>) -> Result<()> {
    let OpenPageWindow { id } = arguments(&request)?;
    windows::open(&app, Place::Page(id))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OpenExternal {
    url: String,
}

/// Opens a web or mail address in the program that the system has for it.
///
/// # Errors
/// `INVALID_QUERY`, `INVALID_DATA` for what is no such address, `INTERNAL` if the system has no program for it.
#[tauri::command(async)]
pub(crate) fn open_external(shell: State<'_, Shell>, request: Request<'_>) -> Result<()> {
    let OpenExternal { url } = arguments(&request)?;
    let url = external(&url)?;
    (shell.open_url)(url.as_str())
        .map_err(|error| Error::new(Code::Internal, format!("nothing opens this address: {error}")))
}

/// The address, if it is one of the web or of mail.
fn external(text: &str) -> Result<Url> {
    let refused = |message: &str| Error::new(Code::InvalidData, message).with("field", "url");
    if text.len() > URL_MAX {
        return Err(refused("the address is too long"));
    }
    let url = Url::parse(text).map_err(|error| refused(&format!("this is no address: {error}")))?;
    if !SCHEMES.contains(&url.scheme()) {
        return Err(refused("only addresses of the web and of mail are opened"));
    }
    Ok(url)
}

fn arguments<T: DeserializeOwned>(request: &Request<'_>) -> Result<T> {
    let InvokeBody::Json(arguments) = request.body() else {
        return Err(Error::new(Code::InvalidQuery, "the arguments are no object"));
    };
    T::deserialize(arguments).map_err(|error| Error::new(Code::InvalidQuery, error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_web_and_of_mail_leave_the_app() {
        for good in ["https://example.org/a?b=c#d", "http://localhost:8080/", "mailto:ann@example.org"] {
            assert_eq!(external(good).unwrap().as_str(), good);
        }
    }

    #[test]
    fn nothing_else_leaves_the_app() {
        let long = format!("https://example.org/{}", "a".repeat(URL_MAX));
        for bad in [
            "",
            "example.org",
            "--help",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "data:text/html,x",
            "tauri://localhost",
            "vscode://file/x",
            "smb://host/share",
            "https://",
            &long,
        ] {
            assert_eq!(external(bad).unwrap_err().code, Code::InvalidData, "{bad:.40}");
        }
    }
}
