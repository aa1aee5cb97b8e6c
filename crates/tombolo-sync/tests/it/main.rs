//! The two machines together: a small world of replicas, a hub, sockets and disks, all from one seed.

mod replica;
mod server;
mod world;

use tombolo_sync::SyncState;
use world::{Faults, World};

/// What a world goes through before it is healed, in milliseconds of its own time.
const TROUBLED_MS: i64 = 60_000;

fn check(seed: u64, replicas: usize, faults: Faults) -> World {
    let mut world = World::new(seed, replicas, faults);
    world.write_large(0);
    world.run_until(TROUBLED_MS);
    world.heal();
    // Half-open connections take 45 s to be found, twice in the worst case, then there is the backoff.
    let settled = world.run_until_settled(TROUBLED_MS + 180_000);
    assert!(settled, "seed {seed}: not settled: {}", world.describe());
    world.check_settled();
    world
}

#[test]
fn a_calm_world_settles_and_everything_is_used() {
    let world = check(1, 3, Faults::NONE);
    let seen = &world.seen;
    assert!(seen.accepted > 100 && seen.rejections > 0, "{seen:?}");
    assert!(seen.own > 100 && seen.full > 100 && seen.fragments > 0, "{seen:?}");
    assert_eq!((seen.connects, seen.disk_errors), (3, 0));
}

#[test]
fn pauses_and_a_slow_disk_need_no_new_connection() {
    let faults = Faults { pause: 50, slow: 100, ..Faults::NONE };
    for seed in 0..10 {
        let seen = check(seed, 3, faults).seen;
        assert!(seen.pauses > 3 && seen.rejections > 0, "{seen:?}");
        assert_eq!(seen.connects, 3, "seed {seed}");
    }
}

#[test]
fn troubled_worlds_settle() {
    let mut seen = world::Seen::default();
    for seed in 0..200 {
        seen.add(&check(seed, 2 + (seed % 4) as usize, Faults::ALL).seen);
    }
    println!("{seen:?}");
    assert!(seen.cuts > 200 && seen.half_open > 20 && seen.restarts > 200 && seen.server_restarts > 50);
    assert!(seen.rejections > 200 && seen.pauses > 20 && seen.disk_errors > 100 && seen.page_reads > 200);
    assert!(seen.own > 1_000 && seen.full > 10_000 && seen.pushed_again > 100);
}

#[test]
fn a_slow_reader_is_given_at_most_a_mebibyte_and_holds_nobody_up() {
    let mut world = World::new(7, 3, Faults::NONE);
    world.slow_down(0, 8 * 1024);
    world.large_commits = true;
    world.run_until(30_000);
    assert!(world.server.log.len() > 30);
    assert!(world.seen.most_in_driver <= 1024 * 1024, "{}", world.seen.most_in_driver);
    assert!(world.seen.most_in_driver > 512 * 1024, "it was not slow: {}", world.seen.most_in_driver);
    world.writing = false;
    world.run_until(35_000);
    for replica in &world.replicas[1..] {
        assert_eq!(replica.log.len(), world.server.log.len());
    }
    assert!(world.replicas[0].log.len() < world.server.log.len());
    world.heal();
    assert!(world.run_until_settled(200_000), "{}", world.describe());
    world.check_settled();
}

#[test]
fn a_large_outbox_drains_in_order() {
    let mut world = World::new(8, 1, Faults::NONE);
    world.writing = false;
    for _ in 0..3_000 {
        world.write_small(0);
    }
    assert!(world.run_until_settled(60_000), "{}", world.describe());
    world.check_settled();
    assert_eq!(world.server.log.len(), 3_000);
    assert_eq!(world.replicas[0].status.as_ref().unwrap().state, SyncState::Saved);
}

#[test]
fn a_seed_gives_one_run() {
    let run = || {
        let world = check(3, 3, Faults::ALL);
        (world.now, format!("{:?}", world.seen), world.server.log)
    };
    assert_eq!(run(), run());
}
