//! The server's disk, which survives restarts, and its machine, which does not.

use std::collections::BTreeMap;
use tombolo_core::{
    Code, Commit, CommitId, Epoch, LogEntry, Millis, Rejection, Seq, ServerId, SpaceId, Status, Verdict,
};
use tombolo_sync::{Hub, HubConfig, HubSpace};

pub(crate) fn space() -> SpaceId {
    SpaceId::from_bytes([7; 16])
}

pub(crate) struct Server {
    /// None while it is down.
    pub(crate) hub: Option<Hub>,
    pub(crate) life: u64,
    pub(crate) log: Vec<LogEntry>,
    known: BTreeMap<CommitId, usize>,
    /// When the last `Committed` is told: they keep their order.
    pub(crate) told_until: Millis,
}

pub(crate) struct Judgement {
    pub(crate) verdicts: Vec<(CommitId, Verdict)>,
    pub(crate) committed: Vec<LogEntry>,
}

impl Server {
    pub(crate) fn new() -> Self {
        let mut server = Self { hub: None, life: 0, log: Vec::new(), known: BTreeMap::new(), told_until: 0 };
        server.up();
        server
    }

    pub(crate) fn up(&mut self) {
        let head = Seq(self.log.len() as u64);
        let space = HubSpace { space: space(), epoch: Epoch::from_bytes([8; 16]), head };
        let server = ServerId::from_bytes([9; 16]);
        self.hub = Some(Hub::new(HubConfig { server, manifest_version: 2, spaces: vec![space] }));
    }

    pub(crate) fn down(&mut self) {
        self.life += 1;
        self.hub = None;
    }

    pub(crate) fn judge(
        &mut self,
        commits: Vec<Commit>,
        now: Millis,
        mut pauses: impl FnMut() -> bool,
    ) -> Judgement {
        let mut judgement = Judgement { verdicts: Vec::new(), committed: Vec::new() };
        for commit in commits {
            let id = commit.id;
            if let Some(at) = self.known.get(&id) {
                let entry = &self.log[*at];
                let verdict = Verdict::Accepted { seq: entry.seq, received: entry.received };
                judgement.verdicts.push((id, verdict));
                continue;
            }
            let refusal = if pauses() {
                Some((Status::RateLimited, Code::RateLimited))
            } else if is_bad(&commit) {
                Some((Status::Denied, Code::PolicyDenied))
            } else {
                None
            };
            if let Some((status, code)) = refusal {
                let rejection = Rejection { commit: id, status, code, message: "no".to_owned() };
                judgement.verdicts.push((id, Verdict::Rejected(rejection)));
                break;
            }
            let entry = LogEntry { seq: Seq(self.log.len() as u64 + 1), received: now, commit };
            self.known.insert(id, self.log.len());
            self.log.push(entry.clone());
            judgement.verdicts.push((id, Verdict::Accepted { seq: entry.seq, received: now }));
            judgement.committed.push(entry);
        }
        judgement
    }

    pub(crate) fn page(&self, after: Seq, max_bytes: usize, max_entries: usize) -> Vec<LogEntry> {
        let mut bytes = 0;
        let behind = self.log.iter().skip(after.0 as usize).take(max_entries);
        let page = behind.take_while(|entry| {
            let first = bytes == 0;
            bytes += entry.commit.len_bytes();
            first || bytes <= max_bytes
        });
        page.cloned().collect()
    }
}

pub(crate) fn is_bad(commit: &Commit) -> bool {
    commit.parts[0].bytes.first() == Some(&b'!')
}
