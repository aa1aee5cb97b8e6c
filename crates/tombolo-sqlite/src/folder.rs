use crate::{Durability, Sqlite, remembered};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tombolo_core::{Clock, Code, Error, Manifest, Random, Result};
use tombolo_store::{Engine, Role, Settings};

/// A data folder that this process owns for as long as the value lives.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Makes the folder if it is missing, and takes it.
    ///
    /// # Errors
    /// `FOLDER_IN_USE`, naming the process that owns it; `FOLDER_READ_ONLY`; `STORAGE_FAILED`.
    pub fn open(path: &Path) -> Result<Self> {
        std::fs::create_dir_all(path).map_err(|error| unusable(path, &error))?;
        let lock = path.join("store.lock");
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&lock)
            .map_err(|error| unusable(path, &error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(in_use(path, &mut file)),
            Err(TryLockError::Error(error)) => return Err(unusable(path, &error)),
        }
        let mut note = || -> std::io::Result<()> {
            file.set_len(0)?;
            file.rewind()?;
            write!(file, "{} {}", std::process::id(), program())
        };
        note().map_err(|error| unusable(path, &error))?;
        Ok(Self { path: path.to_owned(), _lock: file })
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens the engine of what lies in the folder, and makes that if there is nothing yet.
    ///
    /// Without a `role` it is what it was, and a device's if it is new.
    ///
    /// # Errors
    /// `CONFLICT` if it is a server's folder and a device's was asked for, or the other way about; those of
    /// [`Sqlite::open`] and of [`Engine::open`].
    pub fn engine(
        &self,
        role: Option<Role>,
        manifest: Arc<Manifest>,
        clock: Arc<dyn Clock>,
        random: Box<dyn Random>,
    ) -> Result<Engine<Sqlite>> {
        let was = remembered(&self.database())?.map(|remembered| remembered.role);
        if let (Some(was), Some(role)) = (was, role)
            && was != role
        {
            let (whose, wanted) = match was {
                Role::Server => ("a server's", "this device"),
                Role::Replica => ("a device's", "the server"),
            };
            let path = self.path.display().to_string();
            let message = format!("{path} is {whose} data folder; choose another for {wanted}");
            return Err(Error::new(Code::Conflict, message).with("folder", path));
        }
        let database = Sqlite::open(&self.database(), &manifest, Durability::Full)?;
        let role = role.or(was).unwrap_or(Role::Replica);
        Engine::open(database, Settings { manifest, role, clock, random })
    }

    /// The store's database in it.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.path.join("store.sqlite")
    }
}

fn program() -> String {
    let name =
        std::env::current_exe().ok().and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
    name.unwrap_or_default()
}

fn in_use(path: &Path, lock: &mut File) -> Error {
    let mut note = String::new();
    // Another platform may refuse to read a locked file; then the process stays unnamed.
    let owner = match lock.take(200).read_to_string(&mut note) {
        Ok(n) if n > 0 => note,
        _ => "another process".to_owned(),
    };
    let (pid, name) = owner.split_once(' ').unwrap_or((owner.as_str(), ""));
    let error = Error::new(
        Code::FolderInUse,
        format!(
            "{} is in use by process {pid} {name}; close it first, or choose another folder",
            path.display()
        ),
    )
    .with("folder", path.display().to_string());
    match pid.parse::<u32>() {
        Ok(pid) => error.with("process", pid),
        Err(_) => error,
    }
}

fn unusable(path: &Path, error: &std::io::Error) -> Error {
    use std::io::ErrorKind;
    let code = match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => Code::FolderReadOnly,
        ErrorKind::StorageFull => Code::StorageFull,
        _ => Code::StorageFailed,
    };
    Error::new(code, format!("{} cannot be used as a data folder: {error}", path.display()))
        .with("folder", path.display().to_string())
}
