//! Random worlds against the oracle.

use super::oracle::{Faults, faults};
use super::world::{World, gone, world};
use super::{rewritten, served, value};
use crate::tests::long;
use crate::{Doc, Rewritten};
use tombolo_core::PeerId;

/// Rewrites the world and checks everything but the oracle's faults, which it gives.
fn judged(world: &World) -> Faults {
    let rewrite = rewritten(&world.acknowledged, &world.commits, 11);
    let gone = gone(world);
    let first = gone.first().copied().unwrap_or(usize::MAX);
    for (index, outcome) in rewrite.commits.iter().enumerate() {
        match outcome {
            Rewritten::Unchanged => assert!(index < first, "{index} is after a refused one"),
            Rewritten::Written(_) => assert!(index > first && !gone.contains(&index), "{index} is not gone"),
            Rewritten::Dropped => assert!(world.commits[index].refused, "{index} was not refused"),
            Rewritten::Depends => assert!(gone.contains(&index), "{index} does not depend"),
        }
    }
    let server = served(&world.acknowledged, &world.commits, &rewrite);
    assert_eq!(value(&server), value(&rewrite.doc), "the server's document");
    assert_eq!(server.version().unwrap(), rewrite.doc.version().unwrap());
    let deltas =
        [&server, &rewrite.doc].map(|doc| doc.guard(|loro| Ok(loro.get_text("t").to_delta())).unwrap());
    assert_eq!(deltas[0], deltas[1], "the server's marks");
    faults(world, &rewrite.doc)
}

#[test]
fn worlds_without_their_refused_commits() {
    let count = if long() { 3_000 } else { 500 };
    let (mut inherited, mut several, mut dependent) = (0, 0, 0);
    let mut wrong = Vec::new();
    for seed in 0..count {
        let world = world(seed);
        let refused = world.commits.iter().filter(|commit| commit.refused).count();
        several += usize::from(refused > 1);
        dependent += gone(&world).len() - refused;
        let faults = judged(&world);
        inherited += faults.inherited;
        if faults.any() {
            wrong.push((seed, faults));
        }
    }
    eprintln!(
        "{count} worlds ({several} with several refusals, {dependent} dependent commits): {} wrong; \
         {inherited} characters typed inside a refused mark keep it",
        wrong.len()
    );
    assert!(several > 10 && dependent > 10, "the worlds are too tame");
    assert!(wrong.is_empty(), "{} wrong: {:#?}", wrong.len(), &wrong[..wrong.len().min(8)]);
}

/// The oracle must tell a wrong document from a right one: what each commit changed, applied as it is, is wrong.
#[test]
fn the_oracle_sees_what_a_plain_replay_breaks() {
    let mut wrong = [0; 4];
    let count = 100;
    for seed in 0..count {
        let world = world(seed);
        let naive = replayed(&world);
        let faults = faults(&world, &naive);
        let parts = [faults.text, faults.map, faults.list, faults.marks > 0];
        wrong.iter_mut().zip(parts).for_each(|(count, part)| *count += u64::from(part));
    }
    eprintln!("a plain replay of {count} worlds: {wrong:?} wrong in text, map, list, marks");
    assert!(wrong[0] > count / 2, "text");
    assert!(wrong[1..].iter().all(|wrong| *wrong > 0), "{wrong:?}");
}

fn replayed(world: &World) -> Doc {
    let new = world.acknowledged.copy(PeerId(11)).unwrap();
    let gone = gone(world);
    for (index, (before, after)) in world.steps.iter().enumerate() {
        if gone.contains(&index) {
            continue;
        }
        let difference = world.full.guard(|full| Ok(full.diff(before, after).unwrap())).unwrap();
        new.guard(|new| {
            // Half of what makes it wrong is that it cannot be applied at all.
            if new.apply_diff(difference).is_ok() {
                new.commit();
            }
            Ok(())
        })
        .unwrap();
    }
    new
}
