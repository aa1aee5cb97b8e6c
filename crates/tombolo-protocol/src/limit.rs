//! Bounds on what travels. A message that breaks one ends its session.

use tombolo_core::{Commit, limit};

/// The largest binary message. Larger frames are cut into fragments.
pub const FRAME_BYTES: usize = 256 * 1024;
/// The largest frame, put together and decompressed: a commit of the largest size and the names of its documents.
pub const MESSAGE_BYTES: usize = limit::COMMIT_BYTES + 2 * 1024 * 1024;
/// The largest message before the welcome.
pub const HELLO_BYTES: usize = 64 * 1024;
/// The most fragmented messages that may be under way in one direction of a session.
pub const OPEN_BATCHES: usize = 4;
/// The most commits in one frame.
pub const FRAME_ITEMS: usize = 4096;
/// The most parts in all commits of one frame.
pub const FRAME_PARTS: usize = 2 * limit::COMMIT_PARTS;
/// The longest name of an entity or field, in bytes.
pub const NAME_BYTES: usize = 255;
/// The most spaces or versions in a hello or a welcome.
pub const HELLO_ITEMS: usize = 64;
/// The longest sentence in a refusal, in characters; longer ones are cut.
pub const MESSAGE_CHARS: usize = 1000;
/// Bodies up to this size are never compressed.
pub const COMPRESS_BYTES: usize = 512;

/// What a push frame holds at most, unless one commit alone is larger.
pub(crate) const PUSH_BYTES: usize = 1024 * 1024;
/// What a frame of the log holds at most, unless one commit alone is larger.
pub(crate) const LOG_BYTES: usize = 192 * 1024;
/// A kind, a batch, an offset and a total.
pub(crate) const FRAGMENT_HEAD_BYTES: usize = 1 + 1 + 4 + 4;
/// What one commit and one part cost beside their bytes, for cutting into frames: an estimate.
const COMMIT_HEAD_BYTES: usize = 64;
const PART_HEAD_BYTES: usize = 40;

/// How many of these commits fit a frame of so many bytes; at least one if there is one.
pub(crate) fn frame_of<'a>(commits: impl Iterator<Item = &'a Commit>, max_bytes: usize) -> usize {
    let (mut count, mut bytes, mut parts) = (0, 0, 0);
    for commit in commits {
        bytes += COMMIT_HEAD_BYTES + commit.len_bytes() + commit.parts.len() * PART_HEAD_BYTES;
        parts += commit.parts.len();
        if count > 0 && (bytes > max_bytes || parts > limit::COMMIT_PARTS || count == FRAME_ITEMS / 4) {
            break;
        }
        count += 1;
    }
    count
}
