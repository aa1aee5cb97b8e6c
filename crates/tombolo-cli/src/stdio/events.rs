//! The replica's status and what becomes of commits, as lines.

use super::output::Output;
use serde_json::{Value as Json, json};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};
use tombolo_core::Seq;
use tombolo_replica::{Fate, News, SyncStatus};

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
                Ok(told) => output.event(commit(&told).to_string()),
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            },
            changed = status.changed() => match changed {
                Ok(()) => {
                    let line = status_line(&status.borrow_and_update());
                    output.event(line);
                }
                Err(_) => return,
            },
        }
    }
}

fn status_line(status: &SyncStatus) -> String {
    let mut line = json!({"event": "status"});
    if let (Json::Object(line), Ok(Json::Object(status))) = (&mut line, serde_json::to_value(status)) {
        line.extend(status);
    }
    line.to_string()
}

/// The event of a commit that was written here.
pub(super) fn local(seq: &Json, commit: &Json) -> Json {
    json!({"event": "commit", "seq": seq, "commit": commit, "status": "local"})
}

fn commit(News { commit, seq, fate }: &News) -> Json {
    let Seq(seq) = seq;
    match fate {
        Fate::Accepted { server_seq } => {
            json!({"event": "commit", "seq": seq, "commit": commit, "status": "server", "server_seq": server_seq})
        }
        Fate::Refused { code, message } => {
            json!({"event": "commit", "seq": seq, "commit": commit, "status": "refused", "code": code, "message": message})
        }
        Fate::Rewritten { replaces } => {
            json!({"event": "commit", "seq": seq, "commit": commit, "status": "local", "replaces": replaces})
        }
    }
}
