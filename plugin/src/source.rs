//! What a subscription of a page reads from.

use serde_json::{Value as Json, json};
use tauri::ipc::InvokeResponseBody;
use tokio::sync::broadcast::error::TryRecvError;
use tokio::sync::{broadcast, watch};
use tombolo_core::{Result, Retry};
use tombolo_replica::{News, SyncStatus};
use tombolo_store::{Difference, Feed, Piece, Subscription};

/// Commits that one message tells of at most.
const NEWS: usize = 256;
/// The first byte of a piece: all of the document, after the peer id as 8 bytes, little-endian.
const SNAPSHOT: u8 = 0;
/// The first byte of a piece: what was added.
const UPDATE: u8 = 1;

/// A source that is read when the page has taken what was read before: whatever happened between is one message.
pub(crate) enum Source {
    /// A live read.
    Rows(Box<dyn Subscription>),
    /// A document that is followed.
    Document(Box<dyn Feed>),
    /// How far the sync has come: always the latest.
    Status(watch::Receiver<SyncStatus>),
    /// What becomes of commits: the receiver holds a bounded number of them.
    Commits(broadcast::Receiver<News>),
}

impl Source {
    /// Whether each reading costs what there is and not what has changed.
    pub(crate) fn is_read_whole(&self) -> bool {
        matches!(self, Source::Rows(_))
    }

    /// What there is to tell; none if nothing has changed. Blocks the thread.
    ///
    /// # Errors
    /// Those of the read: the source has ended.
    pub(crate) fn next(&mut self) -> Result<Option<InvokeResponseBody>> {
        match self {
            Source::Rows(subscription) => {
                let difference = subscription.next()?;
                Ok(difference
                    .map(|difference| json_body(&Json::Object(Difference::into_message(difference)))))
            }
            Source::Document(feed) => match feed.next() {
                // The disk may be well again at the next commit.
                Err(error) if error.code.retry() == Retry::AfterDelay => {
                    tracing::warn!(%error, "a document could not be read for its follower");
                    Ok(None)
                }
                piece => Ok(piece?.map(|piece| InvokeResponseBody::Raw(encode(&piece)))),
            },
            Source::Status(status) => match status.has_changed() {
                Ok(true) => Ok(Some(json_body(&json!(&*status.borrow_and_update())))),
                // It says the same as before, or the session has ended with the app.
                Ok(false) | Err(_) => Ok(None),
            },
            Source::Commits(news) => {
                let told = read(news);
                Ok((!told.is_empty()).then(|| json_body(&Json::Array(told))))
            }
        }
    }
}

/// The news that wait. A page that lags too far behind misses the oldest.
fn read(news: &mut broadcast::Receiver<News>) -> Vec<Json> {
    let mut told = Vec::new();
    while told.len() < NEWS {
        match news.try_recv() {
            Ok(commit) => told.push(commit.to_json()),
            Err(TryRecvError::Lagged(_)) => {}
            Err(TryRecvError::Empty | TryRecvError::Closed) => break,
        }
    }
    told
}

pub(crate) fn json_body(json: &Json) -> InvokeResponseBody {
    InvokeResponseBody::Json(json.to_string())
}

/// A piece as a page reads it.
fn encode(piece: &Piece) -> Vec<u8> {
    match piece {
        Piece::Snapshot { peer, bytes } => [&[SNAPSHOT], peer.0.to_le_bytes().as_slice(), bytes].concat(),
        Piece::Update { bytes } => [&[UPDATE], bytes.as_slice()].concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tombolo_core::{CommitId, PeerId, Seq};
    use tombolo_replica::Fate;

    #[test]
    fn a_piece_has_its_tag_and_a_snapshot_its_peer_in_front() {
        let snapshot = Piece::Snapshot { peer: PeerId(0x0102), bytes: vec![7, 8] };
        assert_eq!(encode(&snapshot), [0, 2, 1, 0, 0, 0, 0, 0, 0, 7, 8]);
        assert_eq!(encode(&Piece::Update { bytes: vec![9] }), [1, 9]);
    }

    #[test]
    fn news_are_told_in_bounded_messages_and_the_oldest_may_be_missed() {
        let (sender, receiver) = broadcast::channel(512);
        let mut source = Source::Commits(receiver);
        assert!(source.next().unwrap().is_none());
        for n in 0..600 {
            let fate = Fate::Accepted { server_seq: Seq(n) };
            sender.send(News { commit: CommitId::from_bytes([1; 16]), seq: Seq(n), fate }).unwrap();
        }
        let mut told: Vec<Json> = Vec::new();
        while let Some(message) = source.next().unwrap() {
            let message: Vec<Json> = message.deserialize().unwrap();
            assert!(message.len() <= NEWS);
            told.extend(message);
        }
        assert_eq!(told.len(), 512);
        assert_eq!(told[511]["server_seq"], 599);
    }
}
