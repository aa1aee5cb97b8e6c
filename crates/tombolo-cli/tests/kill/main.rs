//! A replica that writes, and its server, killed again and again: what was acknowledged is there afterwards.
//!
//! Real processes, folders and sockets. 300 times, or 2,000 where `TOMBOLO_LONG` is 1. What is written and when somebody
//! is killed follow from the seeds as far as a number of acknowledgements and a pause can say it.

#![allow(clippy::unwrap_used)]

mod check;
mod ledger;
mod process;
mod world;
mod writer;

use std::time::{Duration, Instant};
use world::{Figures, World};

/// Worlds at once: while one waits for its replica to call the server again, the others go on.
const SEEDS: [u64; 6] = [11, 23, 37, 41, 53, 67];
/// The slowest start that is accepted on a machine that has other things to do.
const START_MAX: Duration = Duration::from_secs(10);
/// What nineteen of twenty starts have to keep.
const START: Duration = Duration::from_secs(2);

fn cycles() -> usize {
    let long = std::env::var_os("TOMBOLO_LONG").is_some_and(|value| value == "1");
    if long { 2_000 } else { 300 }
}

#[test]
fn nothing_acknowledged_is_lost() {
    let begun = Instant::now();
    let all = cycles();
    let figures: Vec<Figures> = std::thread::scope(|scope| {
        let worlds = SEEDS.iter().enumerate().map(|(n, seed)| {
            let cycles = (all + n) / SEEDS.len();
            scope.spawn(move || {
                let mut world = World::new(*seed, n);
                (0..cycles).for_each(|_| world.cycle());
                world.end()
            })
        });
        let worlds: Vec<_> = worlds.collect();
        worlds.into_iter().map(|world| world.join().unwrap()).collect()
    });
    let sum = figures.into_iter().fold(Figures::default(), Figures::add);
    eprintln!("{sum} in {:.0} s", begun.elapsed().as_secs_f64());
    assert_eq!(sum.cycles, all);
    assert!(sum.start_at(0.95) < START, "{:?}", sum.start_at(0.95));
    assert!(sum.start_at(1.0) < START_MAX, "{:?}", sum.start_at(1.0));
}

#[test]
fn a_forgotten_write_is_noticed() {
    let wrong = World::new(5, SEEDS.len()).forget().unwrap_err();
    assert!(wrong.contains("were acknowledged"), "{wrong}");
}
