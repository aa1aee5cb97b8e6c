//! What was written, and whether a folder shows it.

use std::collections::BTreeMap;
use tombolo_core::{CommitId, RowId};

/// A row as far as the writer knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) title: String,
    pub(crate) stars: Option<i64>,
    /// The plain text.
    pub(crate) body: Option<String>,
    pub(crate) trashed: bool,
}

pub(crate) type Rows = BTreeMap<RowId, Row>;

/// One write: a commit of its own.
#[derive(Debug, Clone)]
pub(crate) struct Write {
    /// The rows that it changes, as they are after it.
    pub(crate) rows: Vec<(RowId, Row)>,
    /// Its commit, once known.
    pub(crate) commit: Option<CommitId>,
}

/// Every write of the only writer, in order.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) writes: Vec<Write>,
    /// How many of them were answered.
    pub(crate) acknowledged: usize,
    /// How many of them the server is known to have.
    pub(crate) accepted: usize,
}

/// What a folder held when nobody had it open.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) rows: Rows,
    /// The commits in the log's order.
    pub(crate) log: Vec<CommitId>,
}

/// What a folder is known to hold: the rows after so many writes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    pub(crate) rows: Rows,
    pub(crate) writes: usize,
}

impl Ledger {
    /// Notes a write that was sent.
    pub(crate) fn send(&mut self, rows: Vec<(RowId, Row)>) {
        self.writes.push(Write { rows, commit: None });
    }

    /// How many writes were sent and not answered.
    pub(crate) fn in_flight(&self) -> usize {
        self.writes.len() - self.acknowledged
    }

    /// Notes the answer to the oldest write that has none.
    pub(crate) fn acknowledge(&mut self, commit: CommitId) {
        self.writes[self.acknowledged].commit = Some(commit);
        self.acknowledged += 1;
    }

    /// Notes that the server has a commit; says whether that is news.
    pub(crate) fn accept(&mut self, commit: CommitId) -> bool {
        let at = self.writes.iter().rposition(|write| write.commit == Some(commit));
        let accepted = at.map_or(0, |at| at + 1);
        let news = accepted > self.accepted;
        self.accepted = self.accepted.max(accepted);
        news
    }

    /// Goes on from what the writer's folder holds: a write that is there counts as acknowledged, the others never
    /// happened.
    pub(crate) fn settle(&mut self, seen: &Seen) {
        self.writes.truncate(seen.log.len());
        for (write, commit) in self.writes.iter_mut().zip(&seen.log) {
            write.commit = Some(*commit);
        }
        self.acknowledged = self.writes.len();
    }
}

impl Known {
    /// Moves on to what a folder shows: each write whole or not at all, none of the first `owed` missing, none made up.
    ///
    /// # Errors
    /// What is wrong with the folder.
    pub(crate) fn advance(&mut self, writes: &[Write], owed: usize, seen: &Seen) -> Result<(), String> {
        check_log(writes, owed, &seen.log)?;
        let all = seen.log.len();
        if all < self.writes {
            return Err(format!("{all} commits are left of {}", self.writes));
        }
        for write in &writes[self.writes..all] {
            self.rows.extend(write.rows.iter().cloned());
        }
        self.writes = all;
        let ids = self.rows.keys().chain(seen.rows.keys());
        match ids.into_iter().find(|id| self.rows.get(id) != seen.rows.get(id)) {
            None => Ok(()),
            Some(id) => {
                Err(format!("row {id} is {:?} and should be {:?}", seen.rows.get(id), self.rows.get(id)))
            }
        }
    }
}

/// Whether a log holds the commits of a beginning of these writes, at least `owed` of them.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn check_log(writes: &[Write], owed: usize, log: &[CommitId]) -> Result<(), String> {
    if log.len() < owed {
        return Err(format!("{} commits are there, and {owed} were acknowledged", log.len()));
    }
    if log.len() > writes.len() {
        return Err(format!("{} commits are there, and {} were written", log.len(), writes.len()));
    }
    let known = writes.iter().map(|write| write.commit);
    match known.zip(log).position(|(known, logged)| known.is_some_and(|known| known != *logged)) {
        None => Ok(()),
        Some(n) => Err(format!("commit {n} is {}, and {:?} was acknowledged", log[n], writes[n].commit)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u8) -> RowId {
        RowId::from_bytes([n; 16])
    }

    fn commit(n: u8) -> CommitId {
        CommitId::from_bytes([n; 16])
    }

    fn row(stars: i64) -> Row {
        Row { title: "t".into(), stars: Some(stars), body: None, trashed: false }
    }

    /// Three writes, of which the last changes two rows: the first two are acknowledged.
    fn ledger() -> Ledger {
        let mut ledger = Ledger::default();
        ledger.send(vec![(id(1), row(1))]);
        ledger.send(vec![(id(2), row(2))]);
        ledger.send(vec![(id(1), row(0)), (id(2), row(3))]);
        ledger.acknowledge(commit(1));
        ledger.acknowledge(commit(2));
        ledger
    }

    fn judge(log: &[u8], rows: &[(u8, i64)]) -> Result<(), String> {
        let ledger = ledger();
        let seen = Seen {
            rows: rows.iter().map(|(n, stars)| (id(*n), row(*stars))).collect(),
            log: log.iter().map(|n| commit(*n)).collect(),
        };
        Known::default().advance(&ledger.writes, ledger.acknowledged, &seen)
    }

    #[test]
    fn what_was_acknowledged_must_be_there() {
        judge(&[1, 2], &[(1, 1), (2, 2)]).unwrap();
        judge(&[1], &[(1, 1)]).unwrap_err();
        judge(&[], &[]).unwrap_err();
        judge(&[1, 2], &[(1, 1)]).unwrap_err();
        judge(&[1, 3], &[(1, 1), (2, 2)]).unwrap_err();
        judge(&[2, 1], &[(1, 1), (2, 2)]).unwrap_err();
    }

    #[test]
    fn what_was_not_answered_is_there_whole_or_not_at_all() {
        judge(&[1, 2, 3], &[(1, 0), (2, 3)]).unwrap();
        judge(&[1, 2, 3], &[(1, 0), (2, 2)]).unwrap_err();
        judge(&[1, 2], &[(1, 1), (2, 3)]).unwrap_err();
        judge(&[1, 2, 3, 4], &[(1, 0), (2, 3)]).unwrap_err();
        judge(&[1, 2], &[(1, 1), (2, 2), (3, 3)]).unwrap_err();
    }

    #[test]
    fn a_folder_never_goes_back() {
        let mut ledger = ledger();
        let seen = |log: &[u8]| Seen {
            rows: [(id(1), row(0)), (id(2), row(3))].into(),
            log: log.iter().map(|n| commit(*n)).collect(),
        };
        let mut known = Known::default();
        known.advance(&ledger.writes, 2, &seen(&[1, 2, 3])).unwrap();
        ledger.settle(&seen(&[1, 2, 3]));
        assert_eq!(ledger.acknowledged, 3);
        assert!(ledger.accept(commit(3)) && !ledger.accept(commit(2)));
        known.advance(&ledger.writes, 0, &seen(&[1, 2])).unwrap_err();
    }
}
