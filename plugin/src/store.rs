//! What the commands speak to.

use std::{fs, path::Path};

use serde_json::{Value, json};
use tombolo_core::{Code, Error, Manifest};

/// The opened data folder of this app.
#[derive(Debug)]
pub(crate) struct Store {
    manifest: Manifest,
}

impl Store {
    /// Opens the data folder, made if need be, under the host's manifest.
    ///
    /// # Errors
    /// `MANIFEST_INVALID`; `STORAGE_FAILED` where the folder cannot be made.
    pub(crate) fn open(manifest: &str, data_dir: &Path) -> Result<Self, Error> {
        let manifest = Manifest::parse(manifest)?;
        fs::create_dir_all(data_dir).map_err(|error| {
            let message = format!("the data folder {} could not be made: {error}", data_dir.display());
            Error::new(Code::StorageFailed, message).with("path", data_dir.to_string_lossy().into_owned())
        })?;
        Ok(Self { manifest })
    }

    /// Answers the operation `manifest`: `{manifest, hash}`, the manifest as it was written.
    pub(crate) fn manifest(&self) -> Result<Value, Error> {
        Ok(json!({ "manifest": self.manifest.source(), "hash": self.manifest.hash() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = r#"{"manifest_version": 1, "name": "notes", "version": 1, "entities": [
        {"name": "Note", "fields": [{"name": "title", "type": "string"}]}]}"#;

    #[test]
    fn the_manifest_comes_back_with_its_hash() {
        let dir = tempfile::tempdir().unwrap();
        let answer = Store::open(MANIFEST, dir.path()).unwrap().manifest().unwrap();
        assert_eq!(answer["manifest"]["name"], "notes");
        assert_eq!(answer["hash"], Manifest::parse(MANIFEST).unwrap().hash());
    }

    #[test]
    fn a_bad_manifest_is_refused_before_the_folder_is_made() {
        let dir = tempfile::tempdir().unwrap();
        let data_dir = dir.path().join("data");
        assert_eq!(Store::open("{}", &data_dir).unwrap_err().code, Code::ManifestInvalid);
        assert!(!data_dir.exists());
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        let error = Store::open(MANIFEST, &file.join("data")).unwrap_err();
        assert_eq!(error.code, Code::StorageFailed);
        assert!(error.details["path"].as_str().unwrap().ends_with("data"));
    }
}
