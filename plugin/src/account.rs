//! The sign-in that is kept between runs: a server's address and a token, in a file that only its owner can read.

use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};
use tombolo_core::{ActorId, Code, Error, Result};
use tombolo_replica::{Server, ServerUrl};

/// The longest token.
const TOKEN_BYTES: usize = 4 * 1024;
/// The longest address.
const URL_BYTES: usize = 2 * 1024;
const FILE_BYTES: u64 = 16 * 1024;

/// Who signs in where. The token appears in no message.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Account {
    /// The address as it was given.
    pub(crate) url: String,
    token: String,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Account {
    /// # Errors
    /// `INVALID_QUERY` for what is no address, `INVALID_DATA` for what is no token.
    pub(crate) fn new(url: &str, token: &str) -> Result<Self> {
        let (url, token) = (url.trim(), token.trim());
        let bad = |field: &str, message: &str| Error::new(Code::InvalidData, message).with("field", field);
        if url.len() > URL_BYTES {
            return Err(bad("url", "the address is too long"));
        }
        if token.is_empty() || token.len() > TOKEN_BYTES || token.chars().any(char::is_control) {
            return Err(bad("token", "a token is one line, as the server printed it"));
        }
        url.parse::<ServerUrl>()?;
        Ok(Self { url: url.to_owned(), token: token.to_owned() })
    }

    /// What the replica syncs with.
    ///
    /// # Errors
    /// `INVALID_QUERY`.
    pub(crate) fn server(&self) -> Result<Server> {
        Ok(Server { url: self.url.parse()?, token: self.token.clone().into() })
    }
}

/// The file of one data folder's sign-in. It is named after the actor that was minted with the data, so that several
/// data folders can share a folder of secrets, and a data folder can be moved.
#[derive(Debug, Clone)]
pub(crate) struct Keep {
    file: PathBuf,
}

impl Keep {
    pub(crate) fn new(secrets_dir: &Path, actor: ActorId) -> Self {
        Self { file: secrets_dir.join(format!("account-{actor}.json")) }
    }

    /// The sign-in that was kept, if there is one that can be read.
    ///
    /// # Errors
    /// `FILE_UNREADABLE`.
    pub(crate) fn read(&self) -> Result<Option<Account>> {
        let unreadable = |why: String| {
            let message = format!("the sign-in in {} cannot be read: {why}", self.file.display());
            Error::new(Code::FileUnreadable, message)
        };
        let file = match File::open(&self.file) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(error.to_string())),
        };
        let mut text = String::new();
        file.take(FILE_BYTES).read_to_string(&mut text).map_err(|error| unreadable(error.to_string()))?;
        // What serde says of a text can quote it.
        let kept: Account =
            serde_json::from_str(&text).map_err(|_| unreadable("it is damaged".to_owned()))?;
        Account::new(&kept.url, &kept.token).map(Some)
    }

    /// Keeps a sign-in in place of what was kept before. Blocks the thread.
    ///
    /// # Errors
    /// `STORAGE_FAILED`, `STORAGE_FULL`, `FOLDER_READ_ONLY`: what was kept before is there still.
    pub(crate) fn write(&self, account: &Account) -> Result<()> {
        let text = serde_json::to_string(account)
            .map_err(|error| Error::new(Code::Internal, format!("a sign-in cannot be written: {error}")))?;
        self.replace(&text).map_err(|error| self.failed(&error))
    }

    /// Forgets the sign-in. Blocks the thread.
    ///
    /// # Errors
    /// `STORAGE_FAILED`, `FOLDER_READ_ONLY`: it is there still.
    pub(crate) fn forget(&self) -> Result<()> {
        match fs::remove_file(&self.file) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(self.failed(&error)),
            _ => Ok(()),
        }
    }

    fn replace(&self, text: &str) -> std::io::Result<()> {
        let folder = self.file.parent().unwrap_or(Path::new("."));
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder)?;
        let new = self.file.with_extension("new");
        // One that a crash has left behind may have been made readable since.
        match fs::remove_file(&new) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, &self.file)
    }

    fn failed(&self, error: &std::io::Error) -> Error {
        let code = match error.kind() {
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => Code::FolderReadOnly,
            ErrorKind::StorageFull => Code::StorageFull,
            _ => Code::StorageFailed,
        };
        Error::new(code, format!("the sign-in cannot be kept in {}: {error}", self.file.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "tbl_secret";

    fn keep(dir: &Path) -> Keep {
        Keep::new(&dir.join("secrets"), ActorId::from_bytes([7; 16]))
    }

    #[test]
    fn a_sign_in_is_kept_for_its_owner_alone_and_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let keep = keep(dir.path());
        assert!(keep.read().unwrap().is_none());
        keep.write(&Account::new("http://a", "first").unwrap()).unwrap();
        keep.write(&Account::new(" http://localhost:8787 ", &format!("{TOKEN}\n")).unwrap()).unwrap();
        let kept = keep.read().unwrap().unwrap();
        assert_eq!((kept.url.as_str(), kept.token.as_str()), ("http://localhost:8787", TOKEN));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!((mode(&keep.file), mode(keep.file.parent().unwrap())), (0o600, 0o700));
        }
        assert_eq!(fs::read_dir(dir.path().join("secrets")).unwrap().count(), 1);
        keep.forget().unwrap();
        keep.forget().unwrap();
        assert!(keep.read().unwrap().is_none());
    }

    #[test]
    fn a_damaged_file_is_no_sign_in_and_is_not_quoted() {
        let dir = tempfile::tempdir().unwrap();
        let keep = keep(dir.path());
        fs::create_dir_all(keep.file.parent().unwrap()).unwrap();
        for text in ["", "{", r#"{"url": 5, "token": "tbl_secret"}"#, "tbl_secret"] {
            fs::write(&keep.file, text).unwrap();
            let error = match keep.read() {
                Err(error) => error,
                Ok(kept) => panic!("{text} was read as {kept:?}"),
            };
            assert!(!format!("{error:?}").contains(TOKEN), "{error}");
        }
    }

    #[test]
    fn what_is_no_address_or_no_token_is_refused() {
        let code = |url: &str, token: &str| Account::new(url, token).map(|_| ()).unwrap_err().code;
        assert_eq!(code("localhost", TOKEN), Code::InvalidQuery);
        assert_eq!(code("http://ann:secret@a", TOKEN), Code::InvalidQuery);
        for token in ["", "  ", "a\nb", &"x".repeat(TOKEN_BYTES + 1)] {
            assert_eq!(code("http://a", token), Code::InvalidData);
        }
        assert_eq!(code(&format!("http://{}", "a".repeat(URL_BYTES)), TOKEN), Code::InvalidData);
        let shown = format!("{:?}", Account::new("http://a", TOKEN).unwrap());
        assert!(!shown.contains(TOKEN), "{shown}");
    }
}
