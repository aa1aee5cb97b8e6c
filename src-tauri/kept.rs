//! One JSON file in which the app remembers something between its runs.

use std::{
    fs::{self, File},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use serde::{Serialize, de::DeserializeOwned};

/// The most that is read. What the app writes stays far below.
const BYTES_MAX: u64 = 256 * 1024;

/// A value and the file that holds it.
#[derive(Debug)]
pub(crate) struct Kept<T> {
    path: PathBuf,
    value: T,
}

impl<T: Serialize + DeserializeOwned + Default + PartialEq> Kept<T> {
    /// What `path` holds. A file that cannot be understood is set aside as `<name>.broken`, so that whoever edited it
    /// gets it back, and the defaults hold; nothing that is kept here may keep the window from opening.
    pub(crate) fn open(path: PathBuf) -> Self {
        let value = match read(&path) {
            Ok(value) => value,
            Err(error) if error.kind() == io::ErrorKind::NotFound => T::default(),
            Err(error) => {
                tracing::warn!(file = %path.display(), %error, "the file is set aside");
                if let Err(error) = fs::rename(&path, path.with_added_extension("broken")) {
                    tracing::warn!(file = %path.display(), %error, "the file could not be set aside");
                }
                T::default()
            }
        };
        Self { path, value }
    }

    pub(crate) fn get(&self) -> &T {
        &self.value
    }

    /// Takes the change at once and keeps it on disk, where it replaces the file as a whole.
    ///
    /// # Errors
    /// If it could not be written; then it holds until the app ends.
    pub(crate) fn change(&mut self, change: impl FnOnce(&mut T)) -> io::Result<()>
    where
        T: Clone,
    {
        let before = self.value.clone();
        change(&mut self.value);
        if self.value == before {
            return Ok(());
        }
        self.write()
    }

    /// Takes the change without a write; the next one that is kept carries it to the disk.
    pub(crate) fn note(&mut self, change: impl FnOnce(&mut T)) {
        change(&mut self.value);
    }

    /// # Errors
    /// If it could not be written.
    pub(crate) fn write(&self) -> io::Result<()> {
        let text = serde_json::to_vec_pretty(&self.value)?;
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        let draft = self.path.with_added_extension("new");
        File::create(&draft)?.write_all(&text)?;
        // Not forced to the disk itself: after a power cut, settings of a minute ago, or the usual ones, will do.
        fs::rename(&draft, &self.path)
    }
}

fn read<T: DeserializeOwned>(path: &Path) -> io::Result<T> {
    let mut text = Vec::new();
    File::open(path)?.take(BYTES_MAX + 1).read_to_end(&mut text)?;
    if text.len() as u64 > BYTES_MAX {
        return Err(io::Error::other("the file is too large"));
    }
    Ok(serde_json::from_slice(&text)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(path: &Path) -> Kept<Vec<u8>> {
        Kept::open(path.to_path_buf())
    }

    #[test]
    fn what_was_changed_is_there_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("made/if/need/be.json");
        let mut kept = open(&path);
        assert_eq!(*kept.get(), Vec::<u8>::new());
        kept.change(|bytes| bytes.push(7)).unwrap();
        assert_eq!(*open(&path).get(), [7]);

        let files: Vec<_> = fs::read_dir(path.parent().unwrap()).unwrap().collect();
        assert_eq!(files.len(), 1, "{files:?}");
    }

    #[test]
    fn a_note_reaches_the_disk_with_the_next_write() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("kept.json");
        let mut kept = open(&path);
        kept.note(|bytes| bytes.push(1));
        assert!(!path.exists());
        kept.write().unwrap();
        assert_eq!(*open(&path).get(), [1]);
    }

    #[test]
    fn a_broken_file_is_set_aside_and_the_defaults_hold() {
        let too_long = " ".repeat(BYTES_MAX as usize) + "[1]";
        for broken in ["", "[1", r#""text""#, "\u{0}\u{1}", "[300]", &too_long] {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("kept.json");
            fs::write(&path, broken).unwrap();
            assert_eq!(*open(&path).get(), Vec::<u8>::new(), "{broken:.20}");
            assert!(!path.exists());
            assert_eq!(fs::read_to_string(dir.path().join("kept.json.broken")).unwrap(), broken);
        }
    }

    #[test]
    fn a_change_that_cannot_be_kept_holds_and_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a-file");
        fs::write(&file, "").unwrap();
        let mut kept = open(&file.join("kept.json"));
        kept.change(|bytes| bytes.push(1)).unwrap_err();
        assert_eq!(*kept.get(), [1]);
    }
}
