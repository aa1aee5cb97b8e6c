//! The windows: how they are made, where they were, and what they never load.

use tauri::{
    AppHandle, Manager, PhysicalPosition, PhysicalSize, RunEvent, Runtime, Url, WebviewUrl, WebviewWindow,
    WebviewWindowBuilder, WindowEvent,
    plugin::{self, TauriPlugin},
    utils::config::Color,
};
use tombolo_core::{Code, Error, Result};

use crate::{
    layout::{Layout, PAGES_MAX, Place, Placement, Screen},
    settings::{Settings, Theme},
    state::Shell,
};

/// The page's ground before anything is painted on it, as `--bg` in the page's styles.
const GROUND_LIGHT: Color = Color(250, 253, 253, 255);
const GROUND_DARK: Color = Color(17, 25, 27, 255);

/// A window for one page is narrower than the main one, which has the tree beside the page. In logical pixels.
const PAGE_SIZE: (f64, f64) = (880.0, 760.0);

/// Keeps every window to the app's own page, and remembers where the windows are.
pub(crate) fn plugin<R: Runtime>() -> TauriPlugin<R> {
    plugin::Builder::new("windows")
        .on_navigation(|webview, url| {
            let own = is_own(url, webview.config().build.dev_url.as_ref().filter(|_| tauri::is_dev()));
            if !own {
                // The address may be somebody's content; that there was one is enough.
                tracing::warn!(scheme = url.scheme(), "a window was kept from leaving the app's page");
            }
            own
        })
        .on_event(|app, event| match event {
            RunEvent::WindowEvent { label, event, .. } => {
                if let Some(place) = Place::from_label(label) {
                    follow(app, place, event);
                }
            }
            RunEvent::Exit => app.state::<Shell>().inner().layout().keep(),
            _ => {}
        })
        .build()
}

/// Opens the main window, and the others that were open when the app ended last.
///
/// # Errors
/// If the main window cannot be made.
pub(crate) fn restore<R: Runtime>(app: &AppHandle<R>) -> tauri::Result<()> {
    let pages = {
        let mut layout = app.state::<Shell>().inner().layout();
        layout.note(Layout::bound);
        layout.get().pages.clone()
    };
    make(app, Place::Main)?;
    for window in pages {
        if let Err(error) = make(app, Place::Page(window.page)) {
            tracing::warn!(%error, "a window could not be opened again");
        }
    }
    Ok(())
}

/// Opens a window, or brings the one that is there to the front.
///
/// # Errors
/// `TOO_LARGE` if there are too many, `INTERNAL` if the system refuses.
pub(crate) fn open<R: Runtime>(app: &AppHandle<R>, place: Place) -> Result<()> {
    if bring_forward(app, place) {
        return Ok(());
    }
    {
        let mut layout = app.state::<Shell>().inner().layout();
        if place != Place::Main && layout.get().pages.len() >= PAGES_MAX {
            return Err(Error::new(Code::TooLarge, format!("there are {PAGES_MAX} page windows open")));
        }
        layout.update(|layout| layout.open(place));
    }
    match make(app, place) {
        // Two calls at once ask for one window.
        Err(tauri::Error::WindowLabelAlreadyExists(_) | tauri::Error::WebviewLabelAlreadyExists(_)) => Ok(()),
        Err(error) => {
            app.state::<Shell>().inner().layout().update(|layout| layout.close(place));
            Err(Error::new(Code::Internal, format!("the window could not be opened: {error}")))
        }
        Ok(()) => Ok(()),
    }
}

/// Brings a window to the front; `false` if it is not open.
pub(crate) fn bring_forward<R: Runtime>(app: &AppHandle<R>, place: Place) -> bool {
    let Some(window) = app.get_webview_window(&place.label()) else { return false };
    let steps = [window.unminimize(), window.show(), window.set_focus()];
    for error in steps.into_iter().filter_map(Result::err) {
        tracing::warn!(%error, "a window could not be brought to the front");
    }
    true
}

/// What settings change about every window.
pub(crate) fn dress<R: Runtime>(window: &WebviewWindow<R>, settings: &Settings) {
    let theme = match settings.theme {
        Theme::System => None,
        Theme::Light => Some(tauri::Theme::Light),
        Theme::Dark => Some(tauri::Theme::Dark),
    };
    let steps = [window.set_zoom(f64::from(settings.zoom) / 100.0), window.set_theme(theme)];
    for error in steps.into_iter().filter_map(Result::err) {
        tracing::warn!(%error, "a setting could not be applied to a window");
    }
}

fn make<R: Runtime>(app: &AppHandle<R>, place: Place) -> tauri::Result<()> {
    let shell = app.state::<Shell>();
    let settings = shell.settings().get().clone();
    let placement = shell.layout().get().placement(place);

    let mut config = app.config().app.windows.first().cloned().unwrap_or_default();
    config.label = place.label();
    if let Place::Page(page) = place {
        config.url = WebviewUrl::App(format!("index.html?page={page}").into());
        (config.width, config.height) = PAGE_SIZE;
    }
    // It appears once it is where it belongs.
    config.visible = false;
    let window = WebviewWindowBuilder::from_config(app, &config)?
        .on_document_title_changed(|window, title| {
            if let Err(error) = window.set_title(&title) {
                tracing::warn!(%error, "a window could not be named");
            }
        })
        .build()?;

    dress(&window, &settings);
    let dark = match settings.theme {
        Theme::System => window.theme().is_ok_and(|theme| theme == tauri::Theme::Dark),
        theme => theme == Theme::Dark,
    };
    let ground = if dark { GROUND_DARK } else { GROUND_LIGHT };
    let painted = window.set_background_color(Some(ground));
    let put = placement.map_or(Ok(()), |placement| put(&window, placement));
    for error in [painted, put].into_iter().filter_map(Result::err) {
        tracing::warn!(%error, "a window could not be set up as it was");
    }
    window.show()
}

fn put<R: Runtime>(window: &WebviewWindow<R>, placement: Placement) -> tauri::Result<()> {
    let screens: Vec<_> = window.available_monitors()?.iter().map(screen).collect();
    if placement.is_seen_on(&screens) {
        window.set_size(PhysicalSize::new(placement.width, placement.height))?;
        window.set_position(PhysicalPosition::new(placement.x, placement.y))?;
    }
    if placement.maximized { window.maximize() } else { Ok(()) }
}

fn screen(monitor: &tauri::Monitor) -> Screen {
    let (position, size) = (monitor.position(), monitor.size());
    Screen { x: position.x, y: position.y, width: size.width, height: size.height }
}

fn follow<R: Runtime>(app: &AppHandle<R>, place: Place, event: &WindowEvent) {
    let shell = app.state::<Shell>();
    match event {
        WindowEvent::Moved(_) | WindowEvent::Resized(_) => {
            let Some(window) = app.get_webview_window(&place.label()) else { return };
            // A window that goes away has no place any more, which is no news.
            if let Ok(placement) = measure(&window) {
                shell.layout().note(|layout| layout.moved(place, placement));
            }
        }
        WindowEvent::Focused(false) => shell.layout().keep(),
        WindowEvent::Destroyed => {
            // With the last window the app ends; the next start opens what was open then.
            let others = app.webview_windows().into_keys().any(|label| label != place.label());
            if others {
                shell.layout().update(|layout| layout.close(place));
            } else {
                shell.layout().keep();
            }
        }
        _ => {}
    }
}

fn measure<R: Runtime>(window: &WebviewWindow<R>) -> tauri::Result<Placement> {
    let (position, size) = (window.outer_position()?, window.inner_size()?);
    Ok(Placement {
        x: position.x,
        y: position.y,
        width: size.width,
        height: size.height,
        maximized: window.is_maximized()?,
    })
}

/// Whether `url` is the app's own page: what Tauri serves from the binary, or the development server.
fn is_own(url: &Url, dev_url: Option<&Url>) -> bool {
    let served = match url.scheme() {
        "tauri" => url.host_str() == Some("localhost"),
        // So are they named where a web view knows no schemes but the web's.
        "http" | "https" if cfg!(any(windows, target_os = "android")) => {
            url.host_str() == Some("tauri.localhost") && url.port().is_none()
        }
        _ => false,
    };
    served || dev_url.is_some_and(|dev_url| dev_url.origin() == url.origin())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(url: &str) -> bool {
        is_own(&url.parse().unwrap(), None)
    }

    #[test]
    #[cfg(not(windows))]
    fn a_window_stays_on_the_apps_own_page() {
        assert!(own("tauri://localhost"));
        assert!(own("tauri://localhost/index.html?page=1#2"));
        for foreign in [
            "https://example.org",
            "http://tauri.localhost",
            "tauri://example.org/",
            "file:///etc/passwd",
            "data:text/html,hello",
            "javascript:alert(1)",
            "about:blank",
            "blob:tauri://localhost/1",
            "asset://localhost/etc/passwd",
        ] {
            assert!(!own(foreign), "{foreign}");
        }
    }

    #[test]
    fn a_development_server_counts_only_where_there_is_one() {
        let page: Url = "http://localhost:5173/index.html".parse().unwrap();
        let server: Url = "http://localhost:5173".parse().unwrap();
        let other: Url = "http://localhost:8080".parse().unwrap();
        assert!(is_own(&page, Some(&server)));
        assert!(!is_own(&page, Some(&other)));
        assert!(!is_own(&page, None));
    }
}
