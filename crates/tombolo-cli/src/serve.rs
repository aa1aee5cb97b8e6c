use crate::folder::{self, Data};
use crate::output;
use std::sync::Arc;
use tombolo_core::{Result, SystemClock, SystemRandom};
use tombolo_server::{Server, Settings};

/// Serves a data folder to devices until it is told to stop.
///
/// Prints the address once it listens. Who may sign in is decided with `tombolo token`, also while the server runs.
#[derive(Debug, clap::Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    data: Data,
    /// The address to listen on, such as 127.0.0.1:8787; port 0 takes any that is free
    #[arg(long, value_name = "ADDR")]
    listen: String,
}

impl Serve {
    pub(crate) fn run(self) -> Result<()> {
        let manifest = self.data.manifest()?;
        let mut settings = Settings::new(Arc::new(SystemClock), Box::new(SystemRandom));
        settings.after_commit = fault();
        folder::runtime()?.block_on(async {
            let stop = folder::asked_to_stop()?;
            let server = Server::bind(&self.data.data, &self.listen, manifest, settings).await?;
            output::line(&format!("listening on http://{}", server.local_addr()))?;
            server.run(stop).await?;
            output::line("stopped; everything that was pushed is on disk")
        })
    }
}

/// For tests, and in debug builds only: `TOMBOLO_FAULT=exit-before-ack:N` ends the process once N commits are durable,
/// before anybody is told.
fn fault() -> Option<Arc<dyn Fn(usize) + Send + Sync>> {
    use std::sync::atomic::{AtomicUsize, Ordering};
    if !cfg!(debug_assertions) {
        return None;
    }
    let fault = std::env::var("TOMBOLO_FAULT").ok()?;
    let limit: usize = fault.strip_prefix("exit-before-ack:")?.parse().ok()?;
    let durable = AtomicUsize::new(0);
    Some(Arc::new(move |commits| {
        if durable.fetch_add(commits, Ordering::AcqRel) + commits >= limit {
            std::process::exit(86);
        }
    }))
}
