//! A replica's disk, which survives restarts, and its machine, which does not.

use tombolo_core::{ActorId, Code, Commit, CommitId, Error, Random, Rejection, SeededRandom, Seq};
use tombolo_sync::{
    Applied, Binding, Client, ClientConfig, ClientInput, Counts, LogItem, Outbox, SyncStatus,
};

pub(crate) struct Replica {
    pub(crate) actor: ActorId,
    pub(crate) machine: Client,
    /// Grows with each restart; what was meant for an earlier life is dropped.
    pub(crate) life: u64,
    /// Which attempt to connect is current.
    pub(crate) attempt: u64,
    pub(crate) link: Option<u64>,
    pub(crate) status: Option<SyncStatus>,
    pub(crate) local_head: u64,
    /// The outbox: place in the local log, commit.
    pub(crate) outbox: Vec<(Seq, Commit)>,
    /// Every commit that was ever written here, until it is in the log or in a draft.
    pub(crate) acknowledged: Vec<CommitId>,
    pub(crate) drafts: Vec<CommitId>,
    /// Ids that were written again under others.
    pub(crate) rewritten: Vec<CommitId>,
    pub(crate) binding: Option<Binding>,
    /// The server's log as it came: sequence numbers are indexes plus one.
    pub(crate) log: Vec<CommitId>,
}

impl Replica {
    pub(crate) fn new(actor: ActorId, seed: u64) -> Self {
        Self {
            actor,
            machine: machine(actor, seed),
            life: 0,
            attempt: 0,
            link: None,
            status: None,
            local_head: 0,
            outbox: Vec::new(),
            acknowledged: Vec::new(),
            drafts: Vec::new(),
            rewritten: Vec::new(),
            binding: None,
            log: Vec::new(),
        }
    }

    pub(crate) fn restart(&mut self, seed: u64) {
        self.life += 1;
        self.link = None;
        self.machine = machine(self.actor, seed);
    }

    pub(crate) fn start(&self) -> ClientInput {
        ClientInput::Start { token: "token".to_owned(), binding: self.binding, counts: self.counts() }
    }

    pub(crate) fn counts(&self) -> Counts {
        Counts { waiting: self.outbox.len() as u64, drafts: 0 }
    }

    pub(crate) fn write(&mut self, commit: Commit) {
        self.local_head += 1;
        self.outbox.push((Seq(self.local_head), commit));
    }

    pub(crate) fn bind(&mut self, binding: Binding) -> Result<(), Error> {
        if self.binding.is_some_and(|bound| bound.space != binding.space) {
            return Err(Error::new(Code::Conflict, "bound to another space"));
        }
        self.binding = Some(binding);
        Ok(())
    }

    pub(crate) fn read_outbox(&self, after: Seq, max_commits: usize, max_bytes: usize) -> Outbox {
        let mut bytes = 0;
        let behind = self.outbox.iter().filter(|(seq, _)| *seq > after);
        let commits: Vec<_> = behind
            .clone()
            .take(max_commits)
            .take_while(|(_, commit)| {
                let first = bytes == 0;
                bytes += commit.len_bytes();
                first || bytes <= max_bytes
            })
            .cloned()
            .collect();
        Outbox { more: commits.len() < behind.count(), commits }
    }

    pub(crate) fn apply(&mut self, items: &[LogItem], server: &[tombolo_core::LogEntry]) -> Applied {
        for item in items {
            assert_eq!(item.seq().0, self.log.len() as u64 + 1, "gap-free, exactly once");
            let entry = &server[self.log.len()];
            match item {
                LogItem::Full(full) => assert_eq!(full, entry),
                LogItem::Own { received, id, .. } => {
                    assert_eq!((received, id), (&entry.received, &entry.commit.id));
                    let (_, first) = self.outbox.first().expect("an own commit is in the outbox");
                    assert_eq!(first.id, *id, "acknowledged in order");
                }
            }
            self.log.push(item.id());
            if let Some(at) = self.outbox.iter().position(|(_, commit)| commit.id == item.id()) {
                let (_, commit) = self.outbox.remove(at);
                assert_eq!(commit, entry.commit, "the server never writes its own version");
                self.acknowledged.push(item.id());
            }
        }
        let cursor = Seq(self.log.len() as u64);
        self.binding.as_mut().expect("bound").cursor = cursor;
        Applied { cursor, counts: self.counts() }
    }

    /// The refused commit becomes a draft; what follows it is written again.
    pub(crate) fn store_rejection(&mut self, rejection: &Rejection, random: &mut SeededRandom) -> Counts {
        let (_, first) = self.outbox.first().expect("the refused commit is in the outbox");
        assert_eq!(first.id, rejection.commit, "all before the refused one is acknowledged");
        self.drafts.push(rejection.commit);
        for (_, mut commit) in std::mem::take(&mut self.outbox).into_iter().skip(1) {
            self.rewritten.push(commit.id);
            commit.replaces = Some(commit.id);
            commit.id = CommitId::from_bytes(random.bytes16());
            self.write(commit);
        }
        self.counts()
    }
}

fn machine(actor: ActorId, seed: u64) -> Client {
    Client::new(ClientConfig { actor, manifest_version: 2, manifest_hash: "hash".to_owned() }, seed)
}
