//! The replica's status and what becomes of commits, as lines.

use super::output::Output;
use serde_json::{Value as Json, json};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};
use tombolo_replica::{News, SyncStatus};

/// Forwards both until the replica is closed. A status that nobody could read in time is left out; so are the oldest
/// of more than some thousand commits.
pub(super) async fn forward(
    mut status: watch::Receiver<SyncStatus>,
    mut news: broadcast::Receiver<News>,
    output: &Output,
) {
    status.mark_changed();
    loop {
        tokio::select! {
            // What became of a commit is told before the status that follows from it.
            biased;
            told = news.recv() => match told {
                Ok(told) => output.event(event("commit", told.to_json())),
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            },
            changed = status.changed() => match changed {
                Ok(()) => {
                    let said = json!(&*status.borrow_and_update());
                    output.event(event("status", said));
                }
                Err(_) => return,
            },
        }
    }
}

fn event(name: &str, said: Json) -> String {
    let mut line = json!({"event": name});
    if let (Json::Object(line), Json::Object(said)) = (&mut line, said) {
        line.extend(said);
    }
    line.to_string()
}

/// The event of a commit that was written here.
pub(super) fn local(seq: &Json, commit: &Json) -> Json {
    json!({"event": "commit", "seq": seq, "commit": commit, "status": "local"})
}
