//! What is printed: each figure beside its baseline from the same run, and the machine.

use std::time::Duration;

/// Times of one kind of operation.
#[derive(Debug, Default)]
pub(crate) struct Times(Vec<Duration>);

impl Times {
    pub(crate) fn add(&mut self, time: Duration) {
        self.0.push(time);
    }

    pub(crate) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// The time below which this share of operations stays.
    pub(crate) fn quantile(&self, share: f64) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
        let at = ((sorted.len().saturating_sub(1)) as f64 * share).round() as usize;
        sorted.get(at).copied().unwrap_or_default()
    }

    pub(crate) fn median(&self) -> Duration {
        self.quantile(0.5)
    }

    pub(crate) fn sum(&self) -> Duration {
        self.0.iter().sum()
    }

    /// Operations a second.
    pub(crate) fn rate(&self) -> f64 {
        #[allow(clippy::cast_precision_loss)]
        let count = self.0.len() as f64;
        count / self.sum().as_secs_f64()
    }
}

/// One line of the report.
pub(crate) struct Line {
    pub(crate) goal: &'static str,
    pub(crate) what: String,
    pub(crate) figure: String,
    pub(crate) baseline: String,
    /// The ratio, or the figure itself, with the goal's bound: met or missed.
    pub(crate) ratio: Option<(f64, Bound)>,
}

/// What a ratio has to be.
#[derive(Clone, Copy)]
pub(crate) enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

impl Line {
    pub(crate) fn print(&self) {
        let verdict = match self.ratio {
            None => String::new(),
            Some((ratio, Bound::AtLeast(goal))) => {
                format!("{ratio:.2} (goal ≥ {goal}) {}", if ratio >= goal { "met" } else { "MISSED" })
            }
            Some((ratio, Bound::AtMost(goal))) => {
                format!("{ratio:.2} (goal ≤ {goal}) {}", if ratio <= goal { "met" } else { "MISSED" })
            }
        };
        println!("| {} | {} | {} | {} | {verdict} |", self.goal, self.what, self.figure, self.baseline);
    }
}

/// Prints what the figures were taken on.
pub(crate) fn machine() {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpuinfo = read("/proc/cpuinfo");
    let model =
        cpuinfo.lines().find(|line| line.starts_with("model name")).and_then(|line| line.split(": ").nth(1));
    let meminfo = read("/proc/meminfo");
    let memory = meminfo.lines().next().and_then(|line| line.split_whitespace().nth(1)).unwrap_or("?");
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    println!(
        "Machine: {} × {cores}, {memory} KiB of memory, {} {}, SQLite {}",
        model.unwrap_or("unknown"),
        std::env::consts::OS,
        read("/proc/sys/kernel/osrelease").trim(),
        rusqlite::version(),
    );
    println!("\n| goal | what | figure | baseline | ratio |\n|---|---|---|---|---|");
}
