//! One app for each data folder: a second start brings the first one's window to the front.
//!
//! That is a courtesy. What keeps two apps from writing one folder is the store's own lock on it.

use std::{fs, path::Path};

use tauri::{AppHandle, Runtime, plugin::TauriPlugin};
use tauri_plugin_single_instance::Builder;

use crate::{layout::Place, windows};

/// To be registered before any other plugin, so that a second start touches nothing.
pub(crate) fn plugin<R: Runtime>(identifier: &str, data_dir: &Path) -> TauriPlugin<R> {
    Builder::new()
        .callback(|app: &AppHandle<R>, _args, _dir| {
            let open = windows::open(app, Place::Main);
            if let Err(error) = open {
                tracing::warn!(%error, "a second start found no window to show");
            }
        })
        .dbus_id(name(identifier, data_dir))
        .build()
}

/// The name that the first app of a data folder takes on the session's bus.
fn name(identifier: &str, data_dir: &Path) -> String {
    // Other spellings of one folder are one folder, once it is there. Where it cannot be made, the store says why.
    let folder = fs::create_dir_all(data_dir).and_then(|()| data_dir.canonicalize());
    let folder = folder.unwrap_or_else(|_| data_dir.to_path_buf());
    let digest = blake3::hash(folder.as_os_str().as_encoded_bytes()).to_hex();
    format!("{identifier}.data{}", &digest[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_folder_has_a_name_of_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let [one, other] = ["one", "other"].map(|folder| dir.path().join(folder));
        assert_ne!(name("org.example", &one), name("org.example", &other));
        assert_eq!(name("org.example", &one), name("org.example", &other.join("../one/.")));
        assert!(name("org.example", &one).starts_with("org.example.data"));
    }
}
