//! What happened, the last of it in words and all of it in numbers.

use std::collections::VecDeque;
use tombolo_core::Millis;

/// How many lines are kept.
const LINES: usize = 4_000;

#[derive(Debug, Default)]
pub(crate) struct Trace {
    lines: VecDeque<String>,
}

impl Trace {
    pub(crate) fn note(&mut self, now: Millis, line: std::fmt::Arguments<'_>) {
        if self.lines.len() == LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(format!("{now:>8} {line}"));
    }

    /// The last lines.
    pub(crate) fn tail(&self, lines: usize) -> String {
        let skip = self.lines.len().saturating_sub(lines);
        self.lines.iter().skip(skip).map(String::as_str).collect::<Vec<_>>().join("\n")
    }
}

macro_rules! seen {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// What happened in a world, counted: proof that a simulation simulates something.
        #[derive(Debug, Default, Clone, PartialEq, Eq)]
        pub struct Seen {
            $($(#[doc = $doc])+ pub $name: u64,)+
        }

        impl Seen {
            /// Adds what happened in another world.
            pub fn add(&mut self, other: &Self) {
                $(self.$name += other.$name;)+
            }
        }
    };
}

seen! {
    /// Writes that a replica acknowledged to its caller.
    acked,
    /// Writes that a replica refused to its caller.
    refused_locally,
    /// Commits that the server accepted.
    accepted,
    /// Commits that were pushed again after they had been accepted.
    pushed_again,
    /// Refusals that became drafts.
    rejections,
    /// Commits that were written again after a refusal.
    rewritten,
    /// Pauses that the server asked for.
    pauses,
    /// Connections that were opened.
    connects,
    /// Connections that the network dropped.
    cuts,
    /// Connections that went silent.
    half_open,
    /// Replicas cut off for a while.
    partitions,
    /// Frames that were dropped, doubled or swapped.
    bad_frames,
    /// Replicas that were restarted.
    restarts,
    /// Restarts between a commit on the disk and the news of it, or before the commit.
    torn,
    /// Servers that were restarted.
    server_restarts,
    /// Faults that a disk was given.
    disk_faults,
    /// Operations that such a fault failed.
    disk_errors,
    /// Clocks that were set wrong.
    clock_jumps,
    /// Updates that an editor sent.
    editor_updates,
    /// Documents that were folded into a base.
    folds,
    /// Characters that were typed.
    typed,
    /// Virtual milliseconds that it took to settle after everything was healed.
    settling_ms,
}
