use crate::folder::{self, Data};
use crate::stdio;
use std::path::PathBuf;
use std::sync::Arc;
use tombolo_core::{Code, Error, Result, SystemClock, SystemRandom};
use tombolo_replica::{Replica, Server, Settings};

const TOKEN: &str = "TOMBOLO_TOKEN";

/// Keeps a data folder open, syncs it, and speaks JSON lines on standard input and output.
///
/// One request a line, answered by one line with the same id:
///
///   {"id": 1, "op": "insert", "args": {"entity": "Page", "data": {"title": "Hello"}}}
///   {"id": 1, "result": {"id": "…", "receipt": {…}}}   or   {"id": 1, "error": {"code": …}}
///
/// Requests are carried out in their order, and a read sees every write before it. `subscribe` with
/// {"op": "query_filtered", "args": {…}} makes a read live, `unsubscribe` with {"subscription": 1} ends that; with
/// {"op": "crdt_snapshot", "args": {…}} it follows a document: first "snapshot" with a "peer" to write under, then
/// "update" again and again, in base64. Lines with "event" come by themselves: "status" is how far the sync has come,
/// "commit" what became of a write, and "subscription" how a live read has changed. A line has 2 MiB at most.
///
/// Without a server everything stays here. A server that does not answer is tried again and again. Closing standard
/// input, or a signal to end, ends it cleanly.
#[derive(Debug, clap::Args)]
pub(crate) struct Client {
    #[command(flatten)]
    data: Data,
    /// The server to sync with, such as http://localhost:8787
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// A file that holds the token; otherwise TOMBOLO_TOKEN does
    #[arg(long, value_name = "FILE", conflicts_with = "token")]
    token_file: Option<PathBuf>,
    /// The token itself, which others can see in the list of processes: for tests
    #[arg(long)]
    token: Option<String>,
    /// Speak JSON lines
    #[arg(long)]
    stdio: bool,
}

impl Client {
    pub(crate) fn run(self) -> Result<()> {
        if !self.stdio {
            let message = "the client speaks JSON lines on standard input and output: say --stdio";
            return Err(Error::new(Code::InvalidQuery, message));
        }
        let server = self.server()?;
        let manifest = self.data.manifest()?;
        let runtime = folder::runtime()?;
        let settings = Settings { clock: Arc::new(SystemClock), random: Box::new(SystemRandom), server };
        let replica = runtime.block_on(Replica::open(&self.data.data, manifest, settings))?;
        stdio::run(&runtime, replica)
    }

    fn server(&self) -> Result<Option<Server>> {
        let Some(url) = &self.server else { return Ok(None) };
        let url = url.parse()?;
        let token = match (&self.token, &self.token_file) {
            (Some(token), _) => Some(token.clone()),
            (None, Some(file)) => Some(folder::read_text(file)?),
            (None, None) => std::env::var(TOKEN).ok(),
        };
        let token = token.map(|token| token.trim().to_owned()).filter(|token| !token.is_empty());
        let token = token.ok_or_else(|| {
            let message = format!("a server wants to know who you are: set {TOKEN}, or name a --token-file");
            Error::new(Code::Unauthenticated, message)
        })?;
        Ok(Some(Server { url, token: token.into() }))
    }
}
