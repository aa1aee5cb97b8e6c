//! A checker that has never found anything proves nothing: each of these defects has to be found, and by the checker
//! that is there for it.

use crate::manifest;
use tombolo_sim::{Checker, Config, Faults, Sabotage, simulate};

/// Gives the seeds that found it, of so many.
fn check(sabotage: Sabotage, seeds: u64, faults: Faults, found_by: &[Checker]) {
    let manifest = manifest();
    let mut found = 0;
    for seed in 0..seeds {
        let config = Config { sabotage: Some(sabotage), faults, ..Config::troubled(seed) };
        if let Err(failure) = simulate(seed, &manifest, config, 10_000) {
            let checker = failure.violation.checker;
            assert!(found_by.contains(&checker), "found by the wrong checker:\n{failure}");
            found += 1;
        }
    }
    println!("{sabotage:?} was found in {found} of {seeds} worlds");
    assert!(found > seeds / 4, "{sabotage:?} was found in {found} of {seeds} worlds");
}

#[test]
fn an_acknowledgement_before_the_disk_has_the_commit_is_found() {
    check(Sabotage::AcknowledgesTooEarly, 10, Faults::NONE, &[Checker::Lost]);
}

#[test]
fn an_entry_of_the_log_that_is_skipped_is_found() {
    check(Sabotage::SkipsAnEntry, 10, Faults::NONE, &[Checker::Log]);
}

#[test]
fn a_refused_commit_that_is_only_taken_out_of_the_log_is_found() {
    check(Sabotage::ForgetsTheRefused, 30, Faults::ALL, &[Checker::Lost]);
}

#[test]
fn a_row_that_does_not_show_its_document_is_found() {
    check(Sabotage::WritesPastTheDocument, 5, Faults::NONE, &[Checker::Convergence]);
}
