//! Processes of the program, driven as scripts would.

use serde_json::{Value as Json, json};
use std::collections::VecDeque;
use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Waiting longer than this is a failure.
pub(crate) const PATIENCE: Duration = Duration::from_secs(40);

pub(crate) const MANIFEST: &str = r#"{"manifest_version":1,"name":"test","version":1,"entities":[
  {"name":"Page","fields":[
    {"name":"title","type":"string","crdt":"text","max_length":500},
    {"name":"slug","type":"string","optional":true,"unique":true},
    {"name":"stars","type":"int","default":0},
    {"name":"body","type":"richtext","optional":true}]}]}"#;

fn tombolo() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tombolo"));
    command.env_remove("TOMBOLO_TOKEN").env_remove("RUST_LOG").env_remove("TOMBOLO_FAULT");
    command
}

/// Runs the program to its end.
pub(crate) fn run<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Output {
    run_with(args, "")
}

/// The same with something on standard input.
pub(crate) fn run_with<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>, input: &str) -> Output {
    let mut command = tombolo();
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A program that fails early reads nothing.
    stdin.write_all(input.as_bytes()).unwrap_or_default();
    drop(stdin);
    child.wait_with_output().unwrap()
}

/// The error of a run that failed.
pub(crate) fn error(output: &Output) -> Json {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(output.stdout.is_empty());
    let wrapped: Json = serde_json::from_str(&stderr).unwrap_or_else(|_| panic!("no error object: {stderr}"));
    wrapped["error"].clone()
}

/// A folder for everything a test makes.
pub(crate) struct World(TempDir);

impl World {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("manifest.json"), MANIFEST).unwrap();
        Self(folder)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    /// A token of a server's folder.
    pub(crate) fn token(&self, folder: &str, user: &str) -> String {
        self.token_with(folder, user, &[])
    }

    pub(crate) fn token_with(&self, folder: &str, user: &str, more: &[&str]) -> String {
        let data = self.text(folder);
        let output = run([&["token", "--data", &data, "--user", user], more].concat());
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap().lines().last().unwrap().to_owned()
    }

    /// The answer of one operation on a folder.
    pub(crate) fn call(&self, folder: &str, op: &str, args: &Json) -> Json {
        let output = run(["call", "--data", &self.text(folder), op, &args.to_string()]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    pub(crate) fn serve(&self, folder: &str, listen: &str) -> Server {
        self.serve_with(folder, listen, &[])
    }

    pub(crate) fn serve_with(&self, folder: &str, listen: &str, env: &[(&str, &str)]) -> Server {
        let mut command = tombolo();
        command.args(["serve", "--data", &self.text(folder), "--listen", listen]);
        command.args(["--manifest", &self.text("manifest.json")]).envs(env.iter().copied());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("listening on ").expect("the server listens").to_owned();
        Server { child, url, _stdout: stdout }
    }

    pub(crate) fn client(&self, folder: &str, server: Option<(&str, &str)>) -> Client {
        let mut command = tombolo();
        command.args(["client", "--stdio", "--data", &self.text(folder)]);
        command.args(["--manifest", &self.text("manifest.json")]);
        if let Some((url, token)) = server {
            command.args(["--server", url]).env("TOMBOLO_TOKEN", token);
        }
        Client::start(command)
    }
}

pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) url: String,
    _stdout: BufReader<std::process::ChildStdout>,
}

impl Server {
    pub(crate) fn address(&self) -> &str {
        self.url.strip_prefix("http://").unwrap()
    }

    /// Asks it to stop; gives the address.
    pub(crate) fn stop(mut self) -> String {
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(asked.success());
        assert!(self.child.wait().unwrap().success());
        self.address().to_owned()
    }

    /// Waits until it ends by itself.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().unwrap_or_default();
        self.child.wait().map(drop).unwrap_or_default();
    }
}

/// A replica behind JSON lines.
pub(crate) struct Client {
    pub(crate) child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<(Instant, Json)>,
    /// What came while something else was waited for.
    held: VecDeque<(Instant, Json)>,
    last_id: u64,
}

impl Client {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in stdout.lines() {
                let line = line.unwrap();
                let json = serde_json::from_str(&line).unwrap_or_else(|_| panic!("not JSON: {line}"));
                if sender.send((Instant::now(), json)).is_err() {
                    return;
                }
            }
        });
        Self { stdin: child.stdin.take(), child, lines, held: VecDeque::new(), last_id: 0 }
    }

    /// Sends a line as it is.
    pub(crate) fn line(&mut self, line: &[u8]) {
        let stdin = self.stdin.as_mut().unwrap();
        stdin.write_all(line).unwrap();
        stdin.write_all(b"\n").unwrap();
    }

    pub(crate) fn send(&mut self, op: &str, args: &Json) -> u64 {
        self.last_id += 1;
        let line = json!({"id": self.last_id, "op": op, "args": args}).to_string();
        self.line(line.as_bytes());
        self.last_id
    }

    /// The first line that is as wanted; what came before it is held, not lost.
    pub(crate) fn first(&mut self, wanted: impl Fn(&Json) -> bool) -> (Instant, Json) {
        if let Some(at) = self.held.iter().position(|(_, line)| wanted(line)) {
            return self.held.remove(at).unwrap();
        }
        let until = Instant::now() + PATIENCE;
        loop {
            match self.lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok((at, line)) if wanted(&line) => return (at, line),
                Ok(other) => self.held.push_back(other),
                Err(error) => {
                    let last: Vec<_> =
                        self.held.iter().rev().take(5).map(|(_, line)| line.to_string()).collect();
                    panic!("nothing came ({error}); last came {last:#?}");
                }
            }
        }
    }

    /// Takes whatever comes within a moment.
    pub(crate) fn anything(&mut self) {
        match self.lines.recv_timeout(Duration::from_millis(20)) {
            Ok(line) => self.held.push_back(line),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => panic!("the client has ended"),
        }
    }

    pub(crate) fn answer(&mut self, id: u64) -> Result<Json, Json> {
        let (_, mut line) = self.first(|line| line["id"] == id && line.get("event").is_none());
        match line.get("error") {
            Some(error) => Err(error.clone()),
            None => Ok(line["result"].take()),
        }
    }

    pub(crate) fn call(&mut self, op: &str, args: &Json) -> Json {
        let id = self.send(op, args);
        self.answer(id).unwrap_or_else(|error| panic!("{op} {args}: {error}"))
    }

    /// The error of an operation that is refused.
    pub(crate) fn refused(&mut self, op: &str, args: &Json) -> Json {
        let id = self.send(op, args);
        self.answer(id).expect_err("it is refused")
    }

    pub(crate) fn insert(&mut self, data: &Json) -> String {
        let answer = self.call("insert", &json!({"entity": "Page", "data": data}));
        answer["id"].as_str().unwrap().to_owned()
    }

    pub(crate) fn update(&mut self, id: &str, patch: &Json) {
        self.call("update", &json!({"entity": "Page", "id": id, "patch": patch}));
    }

    /// All pages by id, those in the trash as well.
    pub(crate) fn rows(&mut self) -> Vec<Json> {
        let [here, gone] =
            all().map(|filter| self.call("query_filtered", &json!({"entity": "Page", "filter": filter})));
        sorted(&here, &gone)
    }

    /// Waits for a status, throwing earlier ones away.
    pub(crate) fn status(&mut self, wanted: impl Fn(&Json) -> bool) -> (Instant, Json) {
        loop {
            let (at, status) = self.first(|line| line["event"] == "status");
            if wanted(&status) {
                return (at, status);
            }
        }
    }

    /// Waits until the server has everything and everything of the server is here.
    pub(crate) fn saved(&mut self) -> Instant {
        self.status(|status| status["state"] == "saved" && status["waiting"] == 0).0
    }

    /// Waits until a commit is as far as that.
    pub(crate) fn commit(&mut self, commit: &Json, status: &str) -> Json {
        self.first(|line| line["event"] == "commit" && line["commit"] == *commit && line["status"] == status)
            .1
    }

    /// Closes standard input and waits for a clean end.
    pub(crate) fn close(mut self) {
        drop(self.stdin.take());
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}");
    }

    /// Ends it as the power does.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.child.kill().unwrap_or_default();
        self.child.wait().map(drop).unwrap_or_default();
    }
}

/// Filters for everything and for the trash.
pub(crate) fn all() -> [Json; 2] {
    [json!({"deleted_at": {"$null": true}}), json!({"deleted_at": {"$null": false}})]
}

pub(crate) fn sorted(here: &Json, gone: &Json) -> Vec<Json> {
    let mut rows: Vec<Json> =
        [here, gone].into_iter().flat_map(|rows| rows.as_array().unwrap().clone()).collect();
    rows.sort_by_key(|row| row["id"].to_string());
    rows
}

/// Resident memory of a process in bytes.
#[cfg(target_os = "linux")]
pub(crate) fn resident(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

/// Copies a folder with everything in it.
pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}
