//! What the commands speak to.

use std::{fs, path::Path};

use serde_json::Value;

use crate::error::Error;

/// The opened data folder of this app.
#[derive(Debug)]
pub(crate) struct Store {
    manifest: Value,
}

impl Store {
    /// Opens the data folder, made if need be, under the host's manifest.
    pub(crate) fn open(manifest: &str, data_dir: &Path) -> Result<Self, Error> {
        let manifest = serde_json::from_str(manifest).map_err(Error::Manifest)?;
        fs::create_dir_all(data_dir)
            .map_err(|source| Error::Folder { path: data_dir.to_path_buf(), source })?;
        Ok(Self { manifest })
    }

    /// Answers the operation `manifest`.
    pub(crate) fn manifest(&self) -> Result<Value, Error> {
        Ok(self.manifest.clone())
    }
}
