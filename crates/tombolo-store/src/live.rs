//! Live queries: a read that says again and again how its result has changed.
//!
//! A subscription is pulled: a commit only marks it as stale, and whoever reads it gets one difference from what it
//! gave last, however many commits lie between. So a slow consumer costs nothing and loses nothing.

use serde::Serialize;
use serde_json::{Map, Value as Json, json};
use std::collections::{HashMap, HashSet};
use tombolo_core::Result;

/// A live query.
pub trait Subscription: Send {
    /// Whether a commit may have changed the result since it was read last.
    fn is_stale(&self) -> bool;

    /// Reads the result again and gives the difference; none if there is none. The first call gives every row as added.
    ///
    /// # Errors
    /// Those of the read.
    fn next(&mut self) -> Result<Option<Difference>>;
}

/// How a result has changed.
///
/// To follow: take out `removed` and every row of `moved`, put the rows of `changed` in their places, then for each
/// of `moved`, in order, put the row right after `after`, or first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// Counts the results of this subscription from 1.
    pub revision: u64,
    /// Rows that were not in the result; `moved` says where they go.
    pub added: Vec<Json>,
    /// Rows that read differently now.
    pub changed: Vec<Json>,
    /// Rows that left the result.
    pub removed: Vec<Removed>,
    /// The places of new rows and of those that are elsewhere now.
    pub moved: Vec<Moved>,
}

impl Difference {
    /// What every edge tells of it: `{revision, rows, coverage}` of the first result, where every row is new, and
    /// `{revision, added, changed, removed, moved, coverage}` of a later one.
    #[must_use]
    pub fn into_message(self) -> Map<String, Json> {
        let Self { revision, added, changed, removed, moved } = self;
        let coverage = "complete";
        let message = match revision {
            1 => json!({"revision": revision, "rows": added, "coverage": coverage}),
            _ => json!({
                "revision": revision, "added": added, "changed": changed, "removed": removed, "moved": moved,
                "coverage": coverage,
            }),
        };
        match message {
            Json::Object(message) => message,
            _ => Map::new(),
        }
    }
}

/// A row that left a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Removed {
    /// Its id.
    pub id: String,
    /// Why it left.
    pub why: Why,
}

/// Why a row left a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Why {
    /// It is in the trash or gone.
    #[serde(rename = "deleted")]
    Deleted,
    /// The filter does not let it through any more.
    #[serde(rename = "no longer matches")]
    NoLongerMatches,
    /// Others have pushed it past the limit.
    #[serde(rename = "outside the window")]
    OutsideTheWindow,
}

/// The place of a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Moved {
    /// The row.
    pub id: String,
    /// The row before it; none if it is the first.
    pub after: Option<String>,
}

fn id(row: &Json) -> &str {
    row["id"].as_str().unwrap_or("")
}

/// The difference between two results; none if they are equal. `why` is asked of each row that left.
pub(crate) fn difference(
    old: &[Json],
    new: &[Json],
    revision: u64,
    why: impl Fn(&str) -> Result<Why>,
) -> Result<Option<Difference>> {
    let old_at: HashMap<&str, usize> = old.iter().enumerate().map(|(n, row)| (id(row), n)).collect();
    let new_ids: HashSet<&str> = new.iter().map(id).collect();
    let mut added = Vec::new();
    let mut changed = Vec::new();
    for row in new {
        match old_at.get(id(row)) {
            None => added.push(row.clone()),
            Some(n) if old[*n] != *row => changed.push(row.clone()),
            Some(_) => {}
        }
    }
    let gone = old.iter().map(id).filter(|id| !new_ids.contains(id));
    let removed =
        gone.map(|id| Ok(Removed { id: id.to_owned(), why: why(id)? })).collect::<Result<Vec<_>>>()?;
    let stay = unmoved(new.iter().map(|row| old_at.get(id(row)).copied()));
    let mut moved = Vec::new();
    for (n, row) in new.iter().enumerate() {
        if !stay.contains(&n) {
            let after = n.checked_sub(1).map(|before| id(&new[before]).to_owned());
            moved.push(Moved { id: id(row).to_owned(), after });
        }
    }
    let same = added.is_empty() && changed.is_empty() && removed.is_empty() && moved.is_empty();
    Ok((!same).then_some(Difference { revision, added, changed, removed, moved }))
}

/// The rows that need no move: a longest run of rows that stand in their old order.
fn unmoved(old_places: impl Iterator<Item = Option<usize>>) -> HashSet<usize> {
    // Patience sorting: `tails[k]` ends the run of length k + 1 with the smallest old place.
    let mut tails: Vec<(usize, usize)> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::new();
    for (n, place) in old_places.enumerate() {
        before.push(None);
        let Some(place) = place else { continue };
        let k = tails.partition_point(|(tail, _)| *tail < place);
        before[n] = k.checked_sub(1).map(|k| tails[k].1);
        match tails.get_mut(k) {
            Some(tail) => *tail = (place, n),
            None => tails.push((place, n)),
        }
    }
    let mut stay = HashSet::new();
    let mut at = tails.last().map(|(_, n)| *n);
    while let Some(n) = at {
        stay.insert(n);
        at = before[n];
    }
    stay
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use tombolo_core::{Random, SeededRandom};

    /// Follows a difference as its documentation says.
    fn follow(rows: &[Json], difference: &Difference) -> Vec<Json> {
        let mut rows = rows.to_vec();
        let mut all: HashMap<String, Json> =
            rows.iter().chain(&difference.added).map(|row| (id(row).to_owned(), row.clone())).collect();
        all.extend(difference.changed.iter().map(|row| (id(row).to_owned(), row.clone())));
        rows.retain(|row| {
            !difference.removed.iter().any(|removed| removed.id == id(row))
                && !difference.moved.iter().any(|moved| moved.id == id(row))
        });
        let mut ids: Vec<String> = rows.iter().map(|row| id(row).to_owned()).collect();
        for moved in &difference.moved {
            let at =
                moved.after.as_ref().map_or(0, |after| ids.iter().position(|id| id == after).unwrap() + 1);
            ids.insert(at, moved.id.clone());
        }
        ids.iter().map(|id| all[id].clone()).collect()
    }

    #[test]
    fn following_a_difference_gives_the_new_result() {
        let mut random = SeededRandom::new(11);
        for _ in 0..500 {
            let mut result = || {
                let mut rows: Vec<Json> = Vec::new();
                for _ in 0..random.u64() % 12 {
                    let (id, value) = (random.u64() % 12, random.u64() % 2);
                    let row = json!({"id": id.to_string(), "value": value});
                    if !rows.iter().any(|other| other["id"] == row["id"]) {
                        rows.push(row);
                    }
                }
                rows
            };
            let (old, new) = (result(), result());
            match difference(&old, &new, 2, |_| Ok(Why::Deleted)).unwrap() {
                None => assert_eq!(old, new),
                Some(difference) => assert_eq!(follow(&old, &difference), new),
            }
        }
    }

    #[test]
    fn one_row_that_moves_is_one_move() {
        let rows = |ids: &[u8]| ids.iter().map(|id| json!({"id": id.to_string()})).collect::<Vec<_>>();
        let difference = difference(&rows(&[1, 2, 3, 4]), &rows(&[2, 3, 4, 1]), 2, |_| Ok(Why::Deleted));
        let moved = difference.unwrap().unwrap().moved;
        assert_eq!(moved, [Moved { id: "1".into(), after: Some("4".into()) }]);
    }
}
