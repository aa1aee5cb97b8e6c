//! The public face: real pages, golden documents, folders, properties.

#![allow(clippy::unwrap_used)]

use proptest::test_runner::{Config as ProptestConfig, RngSeed};

mod folders;
mod golden;
mod hostile;
mod properties;
mod vault;

/// Block ids in order.
pub(crate) fn counter() -> impl FnMut() -> String {
    let mut next = 0_u32;
    move || {
        next += 1;
        format!("b{next:07}")
    }
}

/// The same cases each time; `TOMBOLO_CASES` times as many from `TOMBOLO_SEED` for a long run.
pub(crate) fn config(cases: u32) -> ProptestConfig {
    let number = |name: &str| std::env::var(name).ok().and_then(|number| number.parse::<u32>().ok());
    ProptestConfig {
        cases: cases * number("TOMBOLO_CASES").unwrap_or(1),
        rng_seed: RngSeed::Fixed(number("TOMBOLO_SEED").unwrap_or(1).into()),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}
