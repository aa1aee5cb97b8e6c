//! The two processes.

use serde_json::{Value as Json, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

/// Waiting longer than this is a failure.
pub(crate) const PATIENCE: Duration = Duration::from_secs(40);

pub(crate) fn tombolo() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tombolo"));
    command.env_remove("TOMBOLO_TOKEN").env_remove("RUST_LOG").env_remove("TOMBOLO_FAULT");
    command.env_remove("TOMBOLO_LONG");
    command
}

/// A process that is killed, if it still runs, when it is dropped.
#[derive(Debug)]
struct Killed(Child);

impl Killed {
    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Killed {
    fn drop(&mut self) {
        self.0.kill().unwrap_or_default();
        self.0.wait().map(drop).unwrap_or_default();
    }
}

#[derive(Debug)]
pub(crate) struct Server {
    child: Killed,
    stdout: BufReader<std::process::ChildStdout>,
}

impl Server {
    pub(crate) fn spawn(folder: &Path, manifest: &Path, listen: &str) -> Self {
        let mut command = tombolo();
        command.arg("serve").arg("--data").arg(folder).arg("--manifest").arg(manifest);
        let mut child = command.args(["--listen", listen]).stdout(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self { child: Killed(child), stdout }
    }

    /// Waits until it listens; gives the address.
    pub(crate) fn ready(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line.trim().strip_prefix("listening on http://").expect("the server listens").to_owned()
    }

    pub(crate) fn kill(mut self) {
        self.child.kill();
    }
}

/// A replica behind JSON lines.
#[derive(Debug)]
pub(crate) struct Client {
    child: Killed,
    stdin: ChildStdin,
    lines: Receiver<Json>,
}

impl Client {
    pub(crate) fn spawn(folder: &Path, manifest: &Path, address: &str, token: &str) -> Self {
        let mut command = tombolo();
        command.args(["client", "--stdio", "--data"]).arg(folder).arg("--manifest").arg(manifest);
        command.args(["--server", &format!("http://{address}")]).env("TOMBOLO_TOKEN", token);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let stdin = child.stdin.take().unwrap();
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            // What a killed process has not written to its end was not said.
            while stdout.read_line(&mut line).is_ok() && line.ends_with('\n') {
                if sender.send(serde_json::from_str(&line).unwrap()).is_err() {
                    return;
                }
                line.clear();
            }
        });
        Self { child: Killed(child), stdin, lines }
    }

    pub(crate) fn send(&mut self, id: u64, op: &str, args: &Json) {
        let line = json!({"id": id, "op": op, "args": args}).to_string() + "\n";
        self.stdin.write_all(line.as_bytes()).unwrap();
    }

    /// The next line.
    #[track_caller]
    pub(crate) fn line(&mut self) -> Json {
        self.line_within(PATIENCE).expect("the client says something")
    }

    /// The next line, if there is one in time.
    #[track_caller]
    pub(crate) fn line_within(&mut self, time: Duration) -> Option<Json> {
        match self.lines.recv_timeout(time) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => panic!("the client has ended"),
        }
    }

    /// Kills it; gives what it had said before.
    pub(crate) fn kill(mut self) -> Vec<Json> {
        self.child.kill();
        self.lines.iter().collect()
    }
}
