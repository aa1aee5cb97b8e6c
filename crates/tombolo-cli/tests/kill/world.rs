//! One replica, its server, and their ends.

use crate::check::{self, Documents, Still};
use crate::ledger::{Known, Ledger, check_log};
use crate::process::{Client, PATIENCE, Server, tombolo};
use crate::writer::Writer;
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tombolo_core::{CommitId, RowId};

/// The longest pause between the last acknowledgement before a kill and the kill.
const PAUSE_MAX_MICROS: usize = 4_000;
/// The longest life of a process that is killed while it starts.
const START_MAX_MICROS: usize = 60_000;
/// How many writes may be answered before a kill.
const ACKNOWLEDGED_MAX: usize = 40;
/// How many writes without an answer there may be.
const WINDOWS: [usize; 4] = [1, 4, 16, 64];
/// The name of the reply to something that is no write.
const ASIDE: u64 = 0;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Victim {
    Replica,
    Server,
    Both,
}

/// What happened in a world, or in several.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    pub(crate) cycles: usize,
    kills: usize,
    acknowledged: usize,
    accepted: usize,
    /// Writes that were not answered before a kill, and were there.
    kept: usize,
    /// Writes that were not answered before a kill, and were not there.
    gone: usize,
    starts: Vec<Duration>,
}

impl Figures {
    pub(crate) fn add(mut self, other: Self) -> Self {
        self.starts.extend(other.starts);
        Self {
            cycles: self.cycles + other.cycles,
            kills: self.kills + other.kills,
            acknowledged: self.acknowledged + other.acknowledged,
            accepted: self.accepted + other.accepted,
            kept: self.kept + other.kept,
            gone: self.gone + other.gone,
            starts: self.starts,
        }
    }

    /// The time from a start to the first answer that this part of all starts keep.
    pub(crate) fn start_at(&self, part: f64) -> Duration {
        let mut starts = self.starts.clone();
        starts.sort_unstable();
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
        let at = ((starts.len() - 1) as f64 * part) as usize;
        starts[at]
    }
}

impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { cycles, kills, acknowledged, accepted, kept, gone, .. } = self;
        write!(
            f,
            "{cycles} cycles with {kills} kills: {acknowledged} writes acknowledged, none lost; {accepted} seen \
             accepted by the server; of those without an answer {kept} were there and {gone} not; from start to \
             ready {:?} median, {:?} at most",
            self.start_at(0.5),
            self.start_at(1.0)
        )
    }
}

pub(crate) struct World {
    folder: TempDir,
    address: String,
    token: String,
    server: Option<Server>,
    client: Option<Client>,
    /// The last status of the running client.
    status: Json,
    writer: Writer,
    ledger: Ledger,
    at_replica: Known,
    at_server: Known,
    figures: Figures,
}

impl World {
    pub(crate) fn new(seed: u64, number: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("manifest.json"), check::MANIFEST).unwrap();
        // On an address of its own nobody else's connection takes the port while the server is away.
        let host = if cfg!(target_os = "linux") { 2 + number } else { 1 };
        let token = token(&folder.path().join("server"), "writer");
        let mut world = Self {
            folder,
            address: format!("127.0.0.{host}:0"),
            token,
            server: None,
            client: None,
            status: Json::Null,
            writer: Writer::new(seed),
            ledger: Ledger::default(),
            at_replica: Known::default(),
            at_server: Known::default(),
            figures: Figures::default(),
        };
        world.start_server();
        world.start_client();
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes, kills somebody, looks at what is left, and starts what was killed.
    pub(crate) fn cycle(&mut self) {
        let victim = match self.writer.below(5) {
            0 | 1 => Victim::Replica,
            2 | 3 => Victim::Server,
            _ => Victim::Both,
        };
        let before = self.ledger.writes.len();
        self.write_until_kill(victim);
        self.pause(PAUSE_MAX_MICROS);
        self.kill(victim);
        self.look(victim, before);
        if victim == Victim::Server {
            // The replica goes on without its server.
            let enough = self.ledger.acknowledged + 3;
            self.write_while(8, |world| world.ledger.acknowledged < enough);
        }
        if self.server.is_none() {
            self.start_server();
        }
        if self.client.is_none() {
            self.start_client();
        }
        self.figures.cycles += 1;
    }

    /// Writes until it is time to kill: after some answers or, if the server is to die, once it has taken something.
    fn write_until_kill(&mut self, victim: Victim) {
        let window = WINDOWS[self.writer.below(WINDOWS.len())];
        if victim == Victim::Replica {
            let enough = self.ledger.acknowledged + self.writer.below(ACKNOWLEDGED_MAX);
            return self.write_while(window, |world| world.ledger.acknowledged < enough);
        }
        let (taken, wanted) = (self.figures.accepted, 1 + self.writer.below(20));
        let enough = self.ledger.acknowledged + ACKNOWLEDGED_MAX;
        self.write_while(window, |world| {
            world.figures.accepted < taken + wanted && world.ledger.acknowledged < enough
        });
        // A replica that has lost its server calls again within a second or so.
        self.write_while(0, |world| world.figures.accepted == taken);
    }

    /// Sends writes, so many without an answer, and reads what the client says.
    fn write_while(&mut self, window: usize, goes_on: impl Fn(&Self) -> bool) {
        while goes_on(self) {
            while self.ledger.in_flight() < window {
                let next = self.writer.next();
                self.ledger.send(next.rows);
                let name = self.ledger.writes.len() as u64;
                self.client.as_mut().unwrap().send(name, next.op, &next.args);
            }
            let line = self.client.as_mut().unwrap().line();
            self.take(line);
        }
    }

    /// Takes a line of the client.
    fn take(&mut self, line: Json) {
        match line["event"].as_str() {
            Some("status") => self.status = line,
            Some("commit") => {
                assert!(line["status"] == "local" || line["status"] == "server", "{line}");
                let commit = commit(&line["commit"]);
                if line["status"] == "server" && self.ledger.accept(commit) {
                    self.figures.accepted += 1;
                }
            }
            Some(_) => {}
            None => {
                assert_eq!(line["id"], self.ledger.acknowledged + 1, "{line}");
                self.ledger.acknowledge(commit(&line["result"]["receipt"]["commit"]));
                self.figures.acknowledged += 1;
            }
        }
    }

    /// Waits a little without giving the processor away.
    fn pause(&mut self, max_micros: usize) {
        let end = Instant::now() + Duration::from_micros(self.writer.below(max_micros) as u64);
        while Instant::now() < end {
            std::hint::spin_loop();
        }
    }

    fn kill(&mut self, victim: Victim) {
        if victim != Victim::Replica {
            self.server.take().unwrap().kill();
            self.figures.kills += 1;
        }
        if victim != Victim::Server {
            for line in self.client.take().unwrap().kill() {
                self.take(line);
            }
            self.figures.kills += 1;
        }
    }

    /// Looks at what the dead have left.
    fn look(&mut self, victim: Victim, before: usize) {
        if victim != Victim::Server {
            self.look_at_replica(before);
        }
        // The server may have a commit whose answer was not read.
        let owed = self.ledger.accepted;
        if victim == Victim::Replica {
            let log = check::log(&check::read_only(&self.path("server")));
            return check_log(&self.ledger.writes, owed, &log).unwrap();
        }
        let touched = self.touched(before.min(self.at_server.writes));
        let seen = Still::open(&self.path("server")).unwrap().look(Documents::Of(&touched));
        let right = self.at_server.advance(&self.ledger.writes, owed, &seen);
        right.unwrap_or_else(|wrong| panic!("the server: {wrong}"));
    }

    /// The rows of the writes from this one on.
    fn touched(&self, from: usize) -> BTreeSet<RowId> {
        let writes = self.ledger.writes.iter().skip(from);
        writes.flat_map(|write| write.rows.iter().map(|(id, _)| *id)).collect()
    }

    fn look_at_replica(&mut self, before: usize) {
        let touched = self.touched(before);
        let seen = Still::open(&self.path("replica")).unwrap().look(Documents::Of(&touched));
        let owed = self.ledger.acknowledged;
        let right = self.at_replica.advance(&self.ledger.writes, owed, &seen);
        right.unwrap_or_else(|wrong| panic!("the replica: {wrong}"));
        self.figures.kept += seen.log.len() - owed;
        self.figures.gone += self.ledger.writes.len() - seen.log.len();
        self.ledger.settle(&seen);
        self.writer.go_on(&self.at_replica.rows);
    }

    /// Starts the server; sometimes it is killed while it starts.
    fn start_server(&mut self) {
        loop {
            let begun = Instant::now();
            let (folder, manifest) = (self.path("server"), self.path("manifest.json"));
            let mut server = Server::spawn(&folder, &manifest, &self.address);
            if !self.address.ends_with(":0") && self.writer.below(8) == 0 {
                self.pause(START_MAX_MICROS);
                server.kill();
                self.figures.kills += 1;
                self.look(Victim::Server, self.ledger.writes.len());
                continue;
            }
            self.address = server.ready();
            self.figures.starts.push(begun.elapsed());
            self.server = Some(server);
            return;
        }
    }

    /// Starts the client; sometimes it is killed while it starts.
    fn start_client(&mut self) {
        loop {
            let begun = Instant::now();
            let (folder, manifest) = (self.path("replica"), self.path("manifest.json"));
            self.client = Some(Client::spawn(&folder, &manifest, &self.address, &self.token));
            self.status = Json::Null;
            if self.writer.below(8) == 0 {
                self.pause(START_MAX_MICROS);
                self.kill(Victim::Replica);
                self.look_at_replica(self.ledger.writes.len());
                continue;
            }
            self.ask("list", &json!({"entity": "Page", "limit": 1}));
            self.figures.starts.push(begun.elapsed());
            if let Some(id) = self.writer.choose_typed() {
                let snapshot = self.ask("crdt_snapshot", &json!({"entity": "Page", "id": id}));
                self.writer.open_editor(id, snapshot.as_str().unwrap());
            }
            return;
        }
    }

    /// Asks the client something while no write is under way.
    fn ask(&mut self, op: &str, args: &Json) -> Json {
        self.client.as_mut().unwrap().send(ASIDE, op, args);
        loop {
            let mut line = self.client.as_mut().unwrap().line();
            if line["event"].is_null() && line["id"] == ASIDE {
                assert!(line["error"].is_null(), "{line}");
                return line["result"].take();
            }
            self.take(line);
        }
    }

    /// Lets everything settle and compares everything with everything.
    pub(crate) fn end(mut self) -> Figures {
        self.write_while(0, |world| world.ledger.in_flight() > 0);
        self.settle("replica");
        let of_writer = self.all_rows();
        let (begun, token) = (Instant::now(), token(&self.path("server"), "late"));
        let (folder, manifest) = (self.path("late"), self.path("manifest.json"));
        let late = Client::spawn(&folder, &manifest, &self.address, &token);
        let writer = self.client.replace(late);
        self.ask("list", &json!({"entity": "Page", "limit": 1}));
        self.figures.starts.push(begun.elapsed());
        self.settle("late");
        assert!(self.all_rows() == of_writer, "the second replica reads as the first");
        let late = self.client.take().unwrap();
        late.kill();
        self.client = writer;
        self.kill(Victim::Both);
        self.look_at_all();
        self.figures
    }

    /// Waits until a replica has everything, and the server has everything of it.
    fn settle(&mut self, name: &str) {
        let folders = ["server", name].map(|name| check::read_only(&self.path(name)));
        let all = self.ledger.writes.len();
        let (mut there, mut since) = ([0; 2], Instant::now());
        loop {
            let now = folders.each_ref().map(check::commits);
            if now == [all; 2]
                && check::waiting(&folders[1]) == 0
                && self.status["state"] == "saved"
                && self.status["waiting"] == 0
            {
                return;
            }
            if now != there {
                (there, since) = (now, Instant::now());
            }
            assert!(since.elapsed() < PATIENCE, "{name} stays at {there:?} of {all}: {}", self.status);
            if let Some(line) = self.client.as_mut().unwrap().line_within(Duration::from_millis(200)) {
                self.take(line);
            }
        }
    }

    /// All rows as the client shows them.
    fn all_rows(&mut self) -> Vec<Json> {
        [true, false]
            .into_iter()
            .flat_map(|here| {
                let filter = json!({"deleted_at": {"$null": here}, "$order": {"id": "asc"}});
                let rows = self.ask("query_filtered", &json!({"entity": "Page", "filter": filter}));
                rows.as_array().unwrap().clone()
            })
            .collect()
    }

    /// Has a replica lose its last acknowledged write behind everybody's back; gives what the check says to that.
    pub(crate) fn forget(mut self) -> Result<(), String> {
        self.write_while(4, |world| world.ledger.acknowledged < 10);
        self.write_while(0, |world| world.ledger.in_flight() > 0);
        self.kill(Victim::Replica);
        self.look_at_replica(0);
        let (replica, kept) = (self.path("replica"), tempfile::tempdir().unwrap());
        check::copy(&replica, kept.path());
        self.start_client();
        let enough = self.ledger.acknowledged + 1;
        self.write_while(1, |world| world.ledger.acknowledged < enough);
        self.kill(Victim::Replica);
        check::copy(kept.path(), &replica);
        let seen = Still::open(&replica).unwrap().look(Documents::All);
        self.at_replica.advance(&self.ledger.writes, self.ledger.acknowledged, &seen)
    }

    /// Every row of every folder, with all documents.
    fn look_at_all(&mut self) {
        let all = self.ledger.writes.len();
        let mut first = None;
        for name in ["replica", "server", "late"] {
            let still = Still::open(&self.path(name)).unwrap();
            let seen = still.look(Documents::All);
            let mut known = self.at_server.clone();
            let right = known.advance(&self.ledger.writes, all, &seen);
            right.unwrap_or_else(|wrong| panic!("{name} in the end: {wrong}"));
            let stored = still.stored();
            assert!(
                *first.get_or_insert_with(|| stored.clone()) == stored,
                "{name} has the first one's rows"
            );
        }
    }
}

fn commit(json: &Json) -> CommitId {
    serde_json::from_value(json.clone()).unwrap_or_else(|_| panic!("{json} is a commit"))
}

/// A token of a server's folder for a new user.
fn token(server: &Path, user: &str) -> String {
    let output = tombolo().args(["token", "--user", user, "--data"]).arg(server).output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().lines().last().unwrap().to_owned()
}
