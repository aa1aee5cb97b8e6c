//! What a world is like.

use crate::node::Storage;

/// What goes wrong, how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Faults {
    /// A connection is cut, a process restarted, a clock set or a disk made to fail once in so many milliseconds.
    pub chaos_every_ms: Option<u64>,
    /// Of 1,000 frames, so many are dropped, doubled or swapped with the one before. A WebSocket never does that;
    /// the machines must answer with a new connection and never with wrong data.
    pub bad_frames: u64,
    /// Of 1,000 pushes, so many are told to wait.
    pub pauses: u64,
    /// Of 1,000 transactions, so many are torn: the process ends before they commit, or before anybody is told.
    pub torn: u64,
    /// Clocks start wrong, by up to ten years either way.
    pub skewed_clocks: bool,
}

impl Faults {
    /// Nothing goes wrong but a network that takes its time.
    pub const NONE: Self =
        Self { chaos_every_ms: None, bad_frames: 0, pauses: 0, torn: 0, skewed_clocks: false };
    /// Everything that can happen to a product in the field.
    pub const ALL: Self =
        Self { chaos_every_ms: Some(1_500), bad_frames: 0, pauses: 20, torn: 15, skewed_clocks: true };
    /// Streams that lose, double and swap frames, and nothing else.
    pub const BAD_FRAMES: Self = Self { bad_frames: 30, ..Self::NONE };
}

/// A defect that the driver between machines and engines has on purpose, to prove that a checker finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sabotage {
    /// The server acknowledges before its commit is durable, and then its power fails.
    AcknowledgesTooEarly,
    /// The replica moves its cursor past an entry of the log that it did not apply.
    SkipsAnEntry,
    /// The replica takes a refused commit out of its log and leaves the documents as they are.
    ForgetsTheRefused,
    /// The replica writes into a row past the document that it shows.
    WritesPastTheDocument,
}

/// What a world is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    /// How many replicas there are.
    pub replicas: usize,
    /// What goes wrong.
    pub faults: Faults,
    /// Random writes on every replica, once in about so many milliseconds.
    pub write_every_ms: Option<u64>,
    /// The most rows that the random writes make.
    pub rows: usize,
    /// Where the databases lie.
    pub storage: Storage,
    /// A defect of the driver.
    pub sabotage: Option<Sabotage>,
}

impl Default for Config {
    /// Two replicas in a calm world that write nothing by themselves.
    fn default() -> Self {
        Self {
            replicas: 2,
            faults: Faults::NONE,
            write_every_ms: None,
            rows: 10,
            storage: Storage::Memory,
            sabotage: None,
        }
    }
}

impl Config {
    /// The troubled world of a seed: two to four replicas, few or more rows, now and then on real files.
    #[must_use]
    pub fn troubled(seed: u64) -> Self {
        Self {
            replicas: 2 + usize::try_from(seed % 3).unwrap_or(0),
            faults: Faults::ALL,
            write_every_ms: Some(600),
            rows: [4, 8, 2, 12][usize::try_from(seed / 3 % 4).unwrap_or(0)],
            storage: if seed % 50 == 49 { Storage::File } else { Storage::Memory },
            sabotage: None,
        }
    }
}
