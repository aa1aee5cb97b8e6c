//! Data folders, manifests, and the files that name them.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tombolo_core::{Code, Error, Manifest, Result, SystemClock, SystemRandom};
use tombolo_sqlite::{Folder, remembered};
use tombolo_store::{DataStore, Store};

/// What a new folder holds.
const DEFAULT_MANIFEST: &str = include_str!("../../../ui/manifest.json");
/// The largest file that is read as a whole; a manifest may have as much.
const FILE_BYTES: u64 = 4 * 1024 * 1024;
const DATABASE: &str = "store.sqlite";

/// Which data folder, and what it holds.
#[derive(Debug, clap::Args)]
pub(crate) struct Data {
    /// The data folder; made if it is missing, in a folder that exists
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// What the folder holds, as JSON; without it, what it held last
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
}

impl Data {
    /// The manifest to open the folder with. Nothing is made.
    ///
    /// # Errors
    /// `FILE_UNREADABLE`, `MANIFEST_INVALID`; `STORAGE_FAILED` if the folder cannot be there.
    pub(crate) fn manifest(&self) -> Result<Arc<Manifest>> {
        check_parent(&self.data)?;
        let manifest = match &self.manifest {
            Some(file) => Manifest::parse(&read_text(file)?)?,
            None => match remembered(&self.data.join(DATABASE))? {
                Some(remembered) => Manifest::parse(&remembered.manifest)?,
                None => Manifest::parse(DEFAULT_MANIFEST)?,
            },
        };
        Ok(Arc::new(manifest))
    }

    /// Opens the folder's store for one command. What the command wrote is on disk before the folder is let go.
    ///
    /// # Errors
    /// Those of [`Data::manifest`], of the store, and of the command.
    pub(crate) fn with_store<T>(&self, command: impl FnOnce(&dyn DataStore) -> Result<T>) -> Result<T> {
        let manifest = self.manifest()?;
        let folder = Folder::open(&self.data)?;
        let (clock, random) = (Arc::new(SystemClock), Box::new(SystemRandom));
        let store = Store::start(folder.engine(None, manifest, clock, random)?)?;
        let done = command(&store);
        drop(store);
        drop(folder);
        done
    }
}

/// A missing folder is made, but not the path to it: that is a slip of the pen more often than a wish.
///
/// # Errors
/// `STORAGE_FAILED`.
pub(crate) fn check_parent(folder: &Path) -> Result<()> {
    let parent = match folder.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => return Ok(()),
    };
    if folder.exists() || parent.is_dir() {
        return Ok(());
    }
    let message = format!(
        "{} is not there to hold {}; make it first, or mend the path",
        parent.display(),
        folder.display()
    );
    Err(Error::new(Code::StorageFailed, message).with("folder", folder.display().to_string()))
}

/// Makes a folder if it is missing, in a folder that exists.
///
/// # Errors
/// `STORAGE_FAILED`, `STORAGE_FULL`, `FOLDER_READ_ONLY`.
pub(crate) fn make(folder: &Path) -> Result<()> {
    use std::io::ErrorKind;
    check_parent(folder)?;
    std::fs::create_dir_all(folder).map_err(|error| {
        let code = match error.kind() {
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => Code::FolderReadOnly,
            ErrorKind::StorageFull => Code::StorageFull,
            _ => Code::StorageFailed,
        };
        Error::new(code, format!("{} cannot be made: {error}", folder.display()))
            .with("folder", folder.display().to_string())
    })
}

/// A file as text.
///
/// # Errors
/// `FILE_UNREADABLE`.
pub(crate) fn read_text(path: &Path) -> Result<String> {
    let unreadable = |why: String| {
        Error::new(Code::FileUnreadable, format!("{} cannot be read: {why}", path.display()))
            .with("file", path.display().to_string())
    };
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(|error| unreadable(error.to_string()))?;
    let read = file.take(FILE_BYTES + 1).read_to_string(&mut text);
    read.map_err(|error| unreadable(error.to_string()))?;
    if text.len() as u64 > FILE_BYTES {
        return Err(unreadable("it is larger than 4 MiB".to_owned()));
    }
    Ok(text)
}

pub(crate) fn internal(message: &str) -> Error {
    Error::new(Code::Internal, message)
}

/// The async runtime of a command.
///
/// # Errors
/// `INTERNAL` if the system gives no threads.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    // Work on the disk waits its turn: more threads would only wait at the same disk.
    builder.max_blocking_threads(16).enable_all();
    builder.build().map_err(|error| internal(&format!("no threads can be started: {error}")))
}

/// From here on the system's wish that the process end is noted; the future is done when it comes. Call on a runtime.
///
/// # Errors
/// `INTERNAL` if the system does not let a process listen for it.
pub(crate) fn asked_to_stop() -> Result<impl Future<Output = ()>> {
    let deaf = |error: std::io::Error| internal(&format!("signals cannot be listened for: {error}"));
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate()).map_err(deaf)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(deaf)?;
        Ok(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        })
    }
    #[cfg(windows)]
    {
        let mut interrupt = tokio::signal::windows::ctrl_c().map_err(deaf)?;
        Ok(async move {
            interrupt.recv().await;
        })
    }
}
