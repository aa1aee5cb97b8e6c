use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rusqlite::{Connection, ErrorCode, OptionalExtension as _, TransactionBehavior, params};
use sha2::{Digest as _, Sha256};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tombolo_core::{ActorId, Clock, Code, Error, Random, Result};
use tombolo_sync::{Grant, Role};

const FILE: &str = "accounts.sqlite";
const VERSION: i64 = 1;
const NAME_CHARS: usize = 64;
const TOKEN_BYTES: usize = 32;
/// How long one process waits for another one's write.
const PATIENCE: Duration = Duration::from_secs(5);

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS account (
    name       TEXT PRIMARY KEY,
    role       TEXT NOT NULL,
    created_at INTEGER NOT NULL
) WITHOUT ROWID;
-- The SHA-256 of each token: what is stored here opens nothing.
CREATE TABLE IF NOT EXISTS token (
    hash       BLOB PRIMARY KEY,
    account    TEXT NOT NULL,
    created_at INTEGER NOT NULL
) WITHOUT ROWID;
-- Which account a data folder writes for.
CREATE TABLE IF NOT EXISTS device (
    actor      BLOB PRIMARY KEY,
    account    TEXT NOT NULL,
    created_at INTEGER NOT NULL
) WITHOUT ROWID;";

/// Who may sign in. Any number of processes may have them open.
pub struct Accounts {
    connection: Connection,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Accounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Accounts")
    }
}

/// A fresh token.
#[derive(Clone, PartialEq, Eq)]
pub struct Issued {
    /// The token: 43 characters that are good in a URL. It is stored nowhere.
    pub token: String,
    /// What its account may do.
    pub role: Role,
    /// The account was made for it.
    pub new_account: bool,
}

impl std::fmt::Debug for Issued {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Issued").field("role", &self.role).finish_non_exhaustive()
    }
}

impl Accounts {
    /// Opens the accounts of a data folder, which exists; makes them if they are missing.
    ///
    /// # Errors
    /// `STORAGE_FAILED`, `STORAGE_FULL`, `FOLDER_READ_ONLY`; `MANIFEST_TOO_NEW` if a newer version wrote them.
    pub fn open(folder: &Path, clock: Arc<dyn Clock>) -> Result<Self> {
        let connection = Connection::open(folder.join(FILE)).map_err(storage)?;
        connection.busy_timeout(PATIENCE).map_err(storage)?;
        connection.execute_batch("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;").map_err(storage)?;
        let version: i64 =
            connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(storage)?;
        if version > VERSION {
            let message = "the accounts were written by a newer version of this program";
            return Err(Error::new(Code::ManifestTooNew, message));
        }
        if version < VERSION {
            let tables = format!("BEGIN IMMEDIATE; {TABLES} PRAGMA user_version={VERSION}; COMMIT;");
            connection.execute_batch(&tables).map_err(storage)?;
        }
        Ok(Self { connection, clock })
    }

    /// Makes a token, and the account if need be: an editor unless told. A role that is told replaces the account's.
    ///
    /// # Errors
    /// `INVALID_DATA` for a name that is empty, too long or has control characters; `STORAGE_FAILED`, `STORAGE_FULL`.
    pub fn token_for(&mut self, user: &str, role: Option<Role>, random: &mut dyn Random) -> Result<Issued> {
        if user.trim() != user
            || user.is_empty()
            || user.chars().count() > NAME_CHARS
            || user.contains(char::is_control)
        {
            let message =
                format!("an account's name has 1 to {NAME_CHARS} characters and no space around it");
            return Err(Error::new(Code::InvalidData, message).with("user", user));
        }
        let mut secret = [0; TOKEN_BYTES];
        random.fill(&mut secret);
        let token = URL_SAFE_NO_PAD.encode(secret);
        let now = self.clock.now();
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(storage)?;
        let known: Option<String> = transaction
            .query_row("SELECT role FROM account WHERE name = ?1", [user], |row| row.get(0))
            .optional()
            .map_err(storage)?;
        let new_account = known.is_none();
        let role = match (role, known) {
            (Some(role), _) => role,
            (None, Some(known)) => read_role(&known)?,
            (None, None) => Role::Editor,
        };
        let account = "INSERT INTO account (name, role, created_at) VALUES (?1, ?2, ?3) \
                       ON CONFLICT (name) DO UPDATE SET role = excluded.role";
        transaction.execute(account, params![user, role_name(role), now]).map_err(storage)?;
        let issue = "INSERT INTO token (hash, account, created_at) VALUES (?1, ?2, ?3)";
        transaction.execute(issue, params![hash(&token), user, now]).map_err(storage)?;
        transaction.commit().map_err(storage)?;
        Ok(Issued { token, role, new_account })
    }

    /// What a token proves.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` for one that was never made; `STORAGE_FAILED`.
    pub fn check(&self, token: &str) -> Result<Grant> {
        let find = "SELECT account.name, account.role FROM token JOIN account ON account.name = token.account \
                    WHERE token.hash = ?1";
        let found: Option<(String, String)> = self
            .connection
            .prepare_cached(find)
            .and_then(|mut find| {
                find.query_row([hash(token)], |row| Ok((row.get(0)?, row.get(1)?))).optional()
            })
            .map_err(storage)?;
        match found {
            Some((account, role)) => Ok(Grant { role: read_role(&role)?, account: account.into() }),
            None => {
                let message = "the server does not know this token; ask for a new one";
                Err(Error::new(Code::Unauthenticated, message))
            }
        }
    }

    /// Checks a token for a data folder, and notes at its first sign-in which account the folder writes for.
    ///
    /// # Errors
    /// As [`Accounts::check`]; `CONFLICT` if the folder writes for another account.
    pub fn sign_in(&mut self, token: &str, actor: ActorId) -> Result<Grant> {
        let grant = self.check(token)?;
        let find = "SELECT account FROM device WHERE actor = ?1";
        let owner: Option<String> = self
            .connection
            .prepare_cached(find)
            .and_then(|mut find| find.query_row([actor.as_bytes()], |row| row.get(0)).optional())
            .map_err(storage)?;
        match owner {
            Some(owner) if *owner == *grant.account => Ok(grant),
            Some(_) => {
                let message =
                    "this data folder belongs to another account; choose another folder for this one";
                Err(Error::new(Code::Conflict, message))
            }
            None => {
                let note = "INSERT INTO device (actor, account, created_at) VALUES (?1, ?2, ?3)";
                let now = self.clock.now();
                self.connection
                    .execute(note, params![actor.as_bytes(), &*grant.account, now])
                    .map_err(storage)?;
                Ok(grant)
            }
        }
    }
}

/// A token is 256 random bits, so a plain hash cannot be searched backwards.
fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

const ROLES: [(Role, &str); 4] = [
    (Role::Owner, "owner"),
    (Role::Editor, "editor"),
    (Role::Commenter, "commenter"),
    (Role::Viewer, "viewer"),
];

fn role_name(role: Role) -> &'static str {
    ROLES.iter().find(|(known, _)| *known == role).map_or("viewer", |(_, name)| name)
}

fn read_role(name: &str) -> Result<Role> {
    let role = ROLES.iter().find(|(_, known)| *known == name).map(|(role, _)| *role);
    role.ok_or_else(|| Error::new(Code::StorageFailed, format!("the accounts have an unknown role {name:?}")))
}

fn storage(error: rusqlite::Error) -> Error {
    let code = match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => Code::StorageFull,
        Some(ErrorCode::ReadOnly) => Code::FolderReadOnly,
        _ => Code::StorageFailed,
    };
    Error::new(code, format!("the accounts cannot be used: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tombolo_core::{Millis, SeededRandom};

    struct Noon;

    impl Clock for Noon {
        fn now(&self) -> Millis {
            1_795_512_600_000
        }
    }

    fn accounts(folder: &Path) -> Accounts {
        Accounts::open(folder, Arc::new(Noon)).unwrap()
    }

    #[test]
    fn a_token_proves_its_account() {
        let folder = tempfile::tempdir().unwrap();
        let mut random = SeededRandom::new(1);
        let issued = accounts(folder.path()).token_for("ann", None, &mut random).unwrap();
        assert_eq!((issued.role, issued.new_account, issued.token.len()), (Role::Editor, true, 43));
        let mut accounts = accounts(folder.path());
        assert_eq!(
            accounts.check(&issued.token).unwrap(),
            Grant { role: Role::Editor, account: "ann".into() }
        );
        let second = accounts.token_for("ann", Some(Role::Viewer), &mut random).unwrap();
        assert!(!second.new_account && second.token != issued.token);
        assert_eq!(
            accounts.check(&issued.token).unwrap().role,
            Role::Viewer,
            "both tokens are of one account"
        );
        assert_eq!(accounts.token_for("ann", None, &mut random).unwrap().role, Role::Viewer);
        for wrong in ["", "x", &issued.token[1..]] {
            assert_eq!(accounts.check(wrong).unwrap_err().code, Code::Unauthenticated);
        }
    }

    #[test]
    fn tokens_are_not_in_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let mut accounts = accounts(folder.path());
        let token = accounts.token_for("ann", None, &mut SeededRandom::new(2)).unwrap().token;
        for entry in std::fs::read_dir(folder.path()).unwrap() {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            assert!(!bytes.windows(token.len()).any(|window| window == token.as_bytes()));
        }
    }

    #[test]
    fn a_data_folder_writes_for_one_account() {
        let folder = tempfile::tempdir().unwrap();
        let mut accounts = accounts(folder.path());
        let mut random = SeededRandom::new(3);
        let ann = accounts.token_for("ann", None, &mut random).unwrap().token;
        let bob = accounts.token_for("bob", None, &mut random).unwrap().token;
        let actor = ActorId::mint(&mut random);
        assert_eq!(&*accounts.sign_in(&ann, actor).unwrap().account, "ann");
        assert_eq!(accounts.sign_in(&bob, actor).unwrap_err().code, Code::Conflict);
        assert_eq!(&*accounts.sign_in(&ann, actor).unwrap().account, "ann");
        assert_eq!(&*accounts.sign_in(&bob, ActorId::mint(&mut random)).unwrap().account, "bob");
    }

    #[test]
    fn names_are_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let mut accounts = accounts(folder.path());
        for name in ["", " ann", "a\nb", &"x".repeat(65)] {
            let error = accounts.token_for(name, None, &mut SeededRandom::new(4)).unwrap_err();
            assert_eq!(error.code, Code::InvalidData, "{name:?}");
        }
    }

    #[test]
    fn accounts_of_a_newer_version_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        accounts(folder.path()).connection.execute_batch("PRAGMA user_version=2").unwrap();
        let error = Accounts::open(folder.path(), Arc::new(Noon)).unwrap_err();
        assert_eq!(error.code, Code::ManifestTooNew);
    }
}
