//! Three people who type at once, each on a device of their own, and the server between them.

use crate::recording::{Recording, typed};
use crate::store;
use rusqlite::{Connection, OptionalExtension as _};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tombolo_core::{CommitId, PeerId, SystemClock, SystemRandom};
use tombolo_crdt::Doc;
use tombolo_replica::{Replica, Server as Remote, Settings};
use tombolo_server::{Accounts, Server};
use tombolo_store::{DataStore, Role};

const AGENTS: usize = 3;
/// Waiting longer than this without any progress is a failure.
const PATIENCE: Duration = Duration::from_secs(30);

/// For each agent, how many of its transactions a transaction builds on.
type Past = [usize; AGENTS];

/// One agent's transactions in their order: the place in the recording, and what it builds on.
type Part = Vec<(usize, Past)>;

/// Reads what each transaction's author had seen.
fn parts(recording: &Recording) -> [Part; AGENTS] {
    let mut parts: [Part; AGENTS] = Default::default();
    let mut with_itself: Vec<Past> = Vec::with_capacity(recording.txns.len());
    for (n, txn) in recording.txns.iter().enumerate() {
        let mut past = Past::default();
        for parent in &txn.parents {
            let merged = past.iter().zip(with_itself[*parent]).map(|(one, other)| other.max(*one));
            past = merged.collect::<Vec<_>>().try_into().unwrap();
        }
        assert_eq!(past[txn.agent], parts[txn.agent].len(), "everybody knows what they typed themselves");
        parts[txn.agent].push((n, past));
        past[txn.agent] += 1;
        with_itself.push(past);
    }
    parts
}

/// What the agents' threads know of each other.
#[derive(Default)]
struct Shared {
    published: Mutex<Published>,
    changed: Condvar,
}

/// An update that is durable on its author's device.
type Durable = (CommitId, Arc<[u8]>);

/// What is durable, by agent and turn.
#[derive(Default)]
struct Published {
    by_agent: [BTreeMap<usize, Durable>; AGENTS],
    refused: Option<tombolo_core::Error>,
}

impl Shared {
    /// Waits until `look` gives something; looks again after every commit anywhere.
    fn wait<T>(&self, what: &str, mut look: impl FnMut(&Published) -> Option<T>) -> T {
        let mut published = self.published.lock().unwrap();
        loop {
            assert!(published.refused.is_none(), "{:?}", published.refused);
            if let Some(found) = look(&published) {
                return found;
            }
            let (held, waited) = self.changed.wait_timeout(published, PATIENCE).unwrap();
            assert!(!waited.timed_out(), "nothing has happened while waiting for {what}");
            published = held;
        }
    }

    fn publish(&self, agent: usize, turn: usize, update: Arc<[u8]>, answer: tombolo_core::Result<CommitId>) {
        let mut published = self.published.lock().unwrap();
        match answer {
            Ok(commit) => {
                published.by_agent[agent].insert(turn, (commit, update));
            }
            Err(error) => published.refused = Some(error),
        }
        self.changed.notify_all();
    }
}

struct Device {
    replica: Replica,
    store: Arc<dyn DataStore>,
    folder: TempDir,
    log: Connection,
}

impl Device {
    async fn open(url: &str, token: &str, shared: &Arc<Shared>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = Some(Remote { url: url.parse().unwrap(), token: token.into() });
        let settings = Settings { clock: Arc::new(SystemClock), random: Box::new(SystemRandom), server };
        let replica = Replica::open(folder.path(), store::manifest(), settings).await.unwrap();
        let store = replica.store();
        let shared = Arc::clone(shared);
        store.watch(Box::new(move |_| {
            // With the lock, so that nobody misses it between looking and waiting.
            drop(shared.published.lock().unwrap());
            shared.changed.notify_all();
        }));
        let log = store::read_only(folder.path());
        Self { replica, store, folder, log }
    }

    fn has(&self, commit: CommitId) -> bool {
        let mut statement = self.log.prepare_cached("SELECT 1 FROM log WHERE id = ?1").unwrap();
        statement.query_row([commit.as_bytes()], |_| Ok(())).optional().unwrap().is_some()
    }

    fn commits(&self) -> usize {
        count(&self.log)
    }
}

fn count(log: &Connection) -> usize {
    let count: i64 = log.query_row("SELECT count(*) FROM log", [], |row| row.get(0)).unwrap();
    usize::try_from(count).unwrap()
}

/// Types one agent's part on its device.
fn type_part(
    recording: &Recording,
    parts: &[Part; AGENTS],
    agent: usize,
    device: &Device,
    shared: &Arc<Shared>,
) {
    let mut editor = Doc::new(PeerId(10 + agent as u64));
    let mut seen = Past::default();
    for (turn, (n, past)) in parts[agent].iter().enumerate() {
        let mut news = Vec::new();
        for other in (0..AGENTS).filter(|other| *other != agent) {
            let Some(last) = (seen[other]..past[other]).last() else { continue };
            // The device has to have it first: then it can take what builds on it.
            let what = format!("turn {last} of agent {other} on the device of {agent}");
            news.extend(shared.wait(&what, |published| {
                let (commit, _) = published.by_agent[other].get(&last)?;
                let arrived = published.by_agent[other].range(seen[other]..=last);
                let arrived = arrived.map(|(turn, (_, update))| (parts[other][*turn].0, Arc::clone(update)));
                device.has(*commit).then(|| arrived.collect::<Vec<_>>())
            }));
            seen[other] = past[other];
        }
        // In the recording nothing comes before what it builds on.
        news.sort_by_key(|(place, _)| *place);
        for (_, update) in news {
            editor.import(&update).unwrap();
        }
        let update: Arc<[u8]> = typed(&mut editor, &recording.txns[*n].patches).into();
        let operation = store::apply(update.to_vec());
        let shared = Arc::clone(shared);
        let done = move |answer: tombolo_core::Result<tombolo_store::Answer>| {
            let commit = answer.map(|answer| {
                serde_json::from_value(answer.into_json()["receipt"]["commit"].take()).unwrap()
            });
            shared.publish(agent, turn, update, commit);
        };
        device.store.submit(operation, Box::new(done));
    }
}

struct Running {
    url: String,
    stop: oneshot::Sender<()>,
    task: JoinHandle<tombolo_core::Result<()>>,
}

async fn serve(folder: &Path) -> Running {
    let settings = tombolo_server::Settings::new(Arc::new(SystemClock), Box::new(SystemRandom));
    let server = Server::bind(folder, "127.0.0.1:0", store::manifest(), settings).await.unwrap();
    let url = format!("http://{}", server.local_addr());
    let (stop, stopped) = oneshot::channel();
    let task = tokio::spawn(server.run(async { stopped.await.unwrap_or_default() }));
    Running { url, stop, task }
}

#[test]
fn three_devices_and_the_server_end_in_one_text() {
    let Some(recording) = Recording::read("clownschool") else { return };
    let parts = parts(&recording);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let of_server = tempfile::tempdir().unwrap();
    let server = runtime.block_on(serve(of_server.path()));
    let mut accounts = Accounts::open(of_server.path(), Arc::new(SystemClock)).unwrap();
    let shared = Arc::new(Shared::default());
    let devices: Vec<Device> = (0..AGENTS)
        .map(|agent| {
            let user = format!("agent{agent}");
            let token = accounts.token_for(&user, None, &mut SystemRandom).unwrap().token;
            runtime.block_on(Device::open(&server.url, &token, &shared))
        })
        .collect();
    std::thread::scope(|scope| {
        for (agent, device) in devices.into_iter().enumerate() {
            let (recording, parts, shared) = (&recording, &parts, &shared);
            let runtime = runtime.handle().clone();
            scope.spawn(move || {
                type_part(recording, parts, agent, &device, shared);
                let all = recording.txns.len();
                shared.wait("the rest", |_| (device.commits() == all).then_some(()));
                let who = format!("agent {agent}");
                store::check(recording, &who, device.store.as_ref(), device.folder.path());
                assert!(runtime.block_on(device.replica.status().wait_for(|s| s.waiting == 0)).is_ok());
                drop(device.store);
                runtime.block_on(device.replica.close()).unwrap();
            });
        }
    });
    server.stop.send(()).unwrap();
    runtime.block_on(server.task).unwrap().unwrap();
    assert_eq!(count(&store::read_only(of_server.path())), recording.txns.len());
    let (store, _held) = store::open(of_server.path(), Role::Server);
    store::check(&recording, "the server", &store, of_server.path());
}
