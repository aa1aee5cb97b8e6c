//! Engines on in-memory databases, and a network that is a function call.

use serde_json::{Value as Json, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tombolo_core::{
    Clock, Code, Commit, LogEntry, Manifest, Millis, Operation, Rejection, Result, RowId, SeededRandom, Seq,
    Verdict,
};
use tombolo_sqlite::Sqlite;
use tombolo_store::backend::Read as _;
use tombolo_store::{Engine, Incoming, Role, Settings};

pub(crate) const MANIFEST: &str = r#"{"manifest_version":1,"name":"test","version":1,"entities":[
  {"name":"Page","fields":[
    {"name":"title","type":"string","crdt":"text","max_length":2000000},
    {"name":"slug","type":"string","optional":true,"unique":true},
    {"name":"stars","type":"int","default":0},
    {"name":"parent","type":"id(Page)","optional":true},
    {"name":"body","type":"richtext","optional":true}],
   "relations":[{"name":"parent","target":"Page","field":"parent","tree":true}]},
  {"name":"Kind","fields":[
    {"name":"label","type":"string","max_length":5},
    {"name":"size","type":"float","optional":true},
    {"name":"done","type":"bool","default":false},
    {"name":"due","type":"datetime","optional":true},
    {"name":"state","type":"enum","values":["todo","done"],"default":"todo"},
    {"name":"blob","type":"bytes","optional":true},
    {"name":"page","type":"id(Page)","optional":true},
    {"name":"note","type":"string","crdt":"text","optional":true,"max_length":50}],
   "indexes":[{"name":"by_state","fields":["state","due"]}]},
  {"name":"Setting","local":true,"fields":[{"name":"value","type":"string"}]}]}"#;

pub(crate) struct TestClock(pub(crate) AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Millis {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

pub(crate) struct Peer {
    pub(crate) engine: Engine<Sqlite>,
}

pub(crate) fn manifest() -> Arc<Manifest> {
    Arc::new(Manifest::parse(MANIFEST).unwrap())
}

pub(crate) fn peer(role: Role, seed: u64) -> Peer {
    with_clock(role, seed, 1_795_512_600_000)
}

pub(crate) fn with_clock(role: Role, seed: u64, now: Millis) -> Peer {
    let manifest = manifest();
    open(Sqlite::in_memory(&manifest).unwrap(), role, seed, now)
}

pub(crate) fn open(database: Sqlite, role: Role, seed: u64, now: Millis) -> Peer {
    let clock: Arc<dyn Clock> = Arc::new(TestClock(AtomicI64::new(now)));
    let settings = Settings { manifest: manifest(), role, clock, random: Box::new(SeededRandom::new(seed)) };
    Peer { engine: Engine::open(database, settings).unwrap() }
}

impl Peer {
    /// Runs one job in a group of its own.
    pub(crate) fn group<T>(&mut self, job: impl FnOnce(&mut Engine<Sqlite>) -> Result<T>) -> Result<T> {
        self.engine.begin().unwrap();
        let result = job(&mut self.engine);
        self.engine.commit().unwrap();
        result
    }

    pub(crate) fn call(&mut self, name: &str, args: Json) -> Result<Json> {
        let operation = Operation::from_json(name, &args)?;
        if !operation.writes() {
            return self.read(&operation);
        }
        self.group(|engine| engine.execute(&operation)).map(tombolo_store::Answer::into_json)
    }

    /// Reads through the engine's own connection, with projections caught up.
    fn read(&mut self, operation: &Operation) -> Result<Json> {
        self.engine.catch_up_now()?;
        tombolo_store::read(self.engine.backend(), self.engine.manifest(), operation)
            .map(tombolo_store::Answer::into_json)
    }

    pub(crate) fn fails(&mut self, name: &str, args: Json) -> Code {
        let before = self.engine.backend().head().unwrap();
        let error = self.call(name, args).unwrap_err();
        assert_eq!(self.engine.backend().head().unwrap(), before, "a failed write left something");
        error.code
    }

    pub(crate) fn insert(&mut self, entity: &str, data: Json) -> RowId {
        let answer = self.call("insert", json!({"entity": entity, "data": data})).unwrap();
        answer["id"].as_str().unwrap().parse().unwrap()
    }

    pub(crate) fn update(&mut self, entity: &str, id: RowId, patch: Json) {
        let answer = self.call("update", json!({"entity": entity, "id": id, "patch": patch})).unwrap();
        assert_eq!(answer["updated"], true);
    }

    pub(crate) fn get(&mut self, entity: &str, id: RowId) -> Json {
        self.call("get_by_id", json!({"entity": entity, "id": id})).unwrap()
    }

    /// All rows of an entity, in the trash or not, without what differs between replicas before acknowledgement.
    pub(crate) fn rows(&mut self, entity: &str) -> Json {
        let all = json!({"entity": entity, "filter": {"deleted_at": {"$null": true}}});
        let gone = json!({"entity": entity, "filter": {"deleted_at": {"$null": false}}});
        let (all, gone) =
            (self.call("query_filtered", all).unwrap(), self.call("query_filtered", gone).unwrap());
        let mut rows: Vec<Json> =
            all.as_array().unwrap().iter().chain(gone.as_array().unwrap()).cloned().collect();
        rows.sort_by_key(|row| row["id"].to_string());
        Json::Array(rows)
    }

    pub(crate) fn waiting(&self) -> u64 {
        self.engine.backend().pending_count().unwrap()
    }

    pub(crate) fn drafts(&mut self) -> Json {
        self.call("drafts", json!({})).unwrap()
    }
}

/// Pushes everything that waits, one commit at a time as a session would; refusals are stored. Gives the refusals.
pub(crate) fn push(client: &mut Peer, server: &mut Peer) -> Vec<Rejection> {
    let mut refused = Vec::new();
    loop {
        let next = client.engine.outbox(Seq(0), usize::MAX, 1).unwrap().pop();
        let Some((_, commit)) = next else { return refused };
        match judge(server, &commit) {
            Verdict::Accepted { seq, .. } => {
                pull(client, server);
                assert!(client.engine.space().unwrap().cursor >= seq);
            }
            Verdict::Rejected(rejection) => {
                client.group(|engine| engine.reject(&rejection)).unwrap();
                refused.push(rejection);
            }
        }
    }
}

pub(crate) fn judge(server: &mut Peer, commit: &Commit) -> Verdict {
    server.group(|engine| engine.judge(commit)).unwrap().verdict
}

/// Applies the server's log from the client's cursor on.
pub(crate) fn pull(client: &mut Peer, server: &mut Peer) {
    let space = server.engine.space().unwrap();
    let (id, epoch) = (space.id.unwrap(), space.epoch.unwrap());
    client.group(|engine| engine.bind("server", id, epoch)).unwrap();
    let cursor = client.engine.space().unwrap().cursor;
    let entries: Vec<LogEntry> = server.engine.log_after(cursor, usize::MAX, usize::MAX >> 1).unwrap();
    let entries: Vec<Incoming> = entries.into_iter().map(Incoming::Entry).collect();
    client.group(|engine| engine.apply(epoch, &entries)).unwrap();
}

/// Pushes and pulls until nobody has anything to say.
pub(crate) fn sync(clients: &mut [Peer], server: &mut Peer) {
    for client in &mut *clients {
        pull(client, server);
        push(client, server);
    }
    for client in &mut *clients {
        pull(client, server);
        assert_eq!(client.waiting(), 0);
    }
}
