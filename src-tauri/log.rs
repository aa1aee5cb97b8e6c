//! The log file: what went wrong on this device, for whoever helps. No content and no token is ever written to it.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    panic,
    path::{Path, PathBuf},
    sync::Mutex,
};

use tracing_subscriber::EnvFilter;

/// Everything that others say about their errors, and what we say about our work.
const LEVELS: &str = "warn,tombolo=info,tauri_plugin_tombolo=info";

/// A file grows to this size and is then kept once more beside the new one.
const BYTES_MAX: u64 = 1024 * 1024;

/// Writes the log of this process to `dir`, made if need be.
///
/// # Errors
/// If there is no file to write to; the app works without it.
pub fn start(dir: &Path) -> io::Result<()> {
    let file = Rolling::open(dir, BYTES_MAX)?;
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(LEVELS))
        .with_ansi(false)
        .with_writer(Mutex::new(file))
        .try_init()
        .map_err(io::Error::other)?;
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        // Its message may hold what somebody wrote.
        let place = panic.location().map(ToString::to_string);
        tracing::error!(place, "a thread panicked");
        usual(panic);
    }));
    Ok(())
}

/// A file of bounded size, with the one before it.
struct Rolling {
    path: PathBuf,
    file: File,
    size: u64,
    limit: u64,
}

impl Rolling {
    fn open(dir: &Path, limit: u64) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        let path = dir.join("tombolo.log");
        let file = OpenOptions::new().create(true).append(true).open(&path)?;
        let size = file.metadata()?.len();
        Ok(Self { path, file, size, limit })
    }

    fn roll(&mut self) -> io::Result<()> {
        fs::rename(&self.path, self.path.with_extension("1.log"))?;
        self.file = OpenOptions::new().create(true).append(true).open(&self.path)?;
        self.size = 0;
        Ok(())
    }
}

impl Write for Rolling {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.size > 0 && self.size + line.len() as u64 > self.limit {
            self.roll()?;
        }
        let written = self.file.write(line)?;
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_never_grows_beyond_two_files() {
        let dir = tempfile::tempdir().unwrap();
        for _ in 0..3 {
            let mut log = Rolling::open(dir.path(), 100).unwrap();
            for line in 0..50 {
                log.write_all(format!("line {line}\n").as_bytes()).unwrap();
            }
        }
        let mut files: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap()).collect();
        files.sort_by_key(|file| file.file_name());
        let names: Vec<_> = files.iter().map(|file| file.file_name().into_string().unwrap()).collect();
        assert_eq!(names, ["tombolo.1.log", "tombolo.log"]);
        assert!(files.iter().all(|file| file.metadata().unwrap().len() <= 100));
        assert!(fs::read_to_string(dir.path().join("tombolo.log")).unwrap().ends_with("line 49\n"));
    }

    #[test]
    fn a_line_longer_than_the_limit_is_written_all_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let mut log = Rolling::open(dir.path(), 10).unwrap();
        log.write_all(&[b'x'; 30]).unwrap();
        log.write_all(b"y").unwrap();
        assert_eq!(fs::read(dir.path().join("tombolo.1.log")).unwrap().len(), 30);
        assert_eq!(fs::read(dir.path().join("tombolo.log")).unwrap(), b"y");
    }
}
