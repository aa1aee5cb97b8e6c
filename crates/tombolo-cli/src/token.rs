use crate::{folder, output};
use clap::ValueEnum;
use std::path::PathBuf;
use std::sync::Arc;
use tombolo_core::{Result, SystemClock, SystemRandom};
use tombolo_server::{Accounts, Issued};

/// Makes a token with which a device signs in, and the account if need be.
///
/// Works while the server runs. The token is the last line of the output and is stored nowhere: whoever has it may
/// sign in.
#[derive(Debug, clap::Args)]
pub(crate) struct Token {
    /// The server's data folder; made if it is missing, in a folder that exists
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Whose token it is
    #[arg(long, value_name = "NAME")]
    user: String,
    /// What the account may do from here on; a new one is an editor unless told
    #[arg(long)]
    role: Option<Role>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Role {
    /// Reads, writes and governs
    Owner,
    /// Reads and writes
    Editor,
    /// Reads and comments
    Commenter,
    /// Reads
    Viewer,
}

impl From<Role> for tombolo_server::Role {
    fn from(role: Role) -> Self {
        match role {
            Role::Owner => Self::Owner,
            Role::Editor => Self::Editor,
            Role::Commenter => Self::Commenter,
            Role::Viewer => Self::Viewer,
        }
    }
}

impl Token {
    pub(crate) fn run(self) -> Result<()> {
        folder::make(&self.data)?;
        let mut accounts = Accounts::open(&self.data, Arc::new(SystemClock))?;
        let issued = accounts.token_for(&self.user, self.role.map(Into::into), &mut SystemRandom)?;
        let Issued { token, role, new_account } = issued;
        let account = if new_account { "new account" } else { "account" };
        let role = format!("{role:?}").to_lowercase();
        output::line(&format!(
            "A token for the {account} {}, whose role is {role}; it is shown this once:",
            self.user
        ))?;
        output::line(&token)
    }
}
