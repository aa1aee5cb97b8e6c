//! The public face: real pages, golden documents, folders, properties.

#![allow(clippy::unwrap_used)]

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

/// The number of cases, times `TOMBOLO_CASES` for a long run.
pub(crate) fn config(cases: u32) -> proptest::prelude::ProptestConfig {
    let times: u32 = std::env::var("TOMBOLO_CASES").ok().and_then(|times| times.parse().ok()).unwrap_or(1);
    proptest::prelude::ProptestConfig {
        cases: cases * times,
        failure_persistence: None,
        ..Default::default()
    }
}
