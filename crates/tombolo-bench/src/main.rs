//! Measures the product against baselines in the same run, and prints each ratio with its goal.
//!
//! The goals are numbered as in `docs/benchmarks.md`. Run it with `cargo xtask bench` on a quiet machine.

mod fanout;
mod local;
mod report;
mod typing;
mod wire;

use std::process::ExitCode;
use tombolo_core::Result;

/// The allocator of the product's binaries.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let chosen: Vec<String> = std::env::args().skip(1).collect();
    let wants = |name: &str| chosen.is_empty() || chosen.iter().any(|chosen| chosen == name);
    report::machine();
    let run = || -> Result<()> {
        if wants("writes") {
            local::writes(40)?.iter().for_each(report::Line::print);
        }
        if wants("bulk") {
            local::bulk(100_000)?.print();
        }
        if wants("typing") {
            typing::cost(2_000)?.iter().for_each(report::Line::print);
            typing::bytes(2_000)?.iter().for_each(report::Line::print);
        }
        if wants("outbox") {
            local::outbox(10_000)?.print();
        }
        if wants("fanout") {
            fanout::run(5, 100)?.print();
        }
        Ok(())
    };
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
