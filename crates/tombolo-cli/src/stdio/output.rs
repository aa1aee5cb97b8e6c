//! The one queue in front of standard output.

use std::collections::VecDeque;
use std::io::Write;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Answers that are owed and not written; the next request is not taken before.
const ANSWERS: usize = 256;
/// Bytes that are not written; the next request is not taken before.
const BYTES: usize = 8 * 1024 * 1024;
/// Events that are not written; whoever has more waits.
const EVENTS: usize = 64;

/// Lines on their way out. Answers never wait here, because room for them is reserved before the work begins.
#[derive(Debug, Default)]
pub(super) struct Output {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    lines: VecDeque<(Kind, String)>,
    /// Answers that are reserved or queued.
    answers: usize,
    /// Events that are queued.
    events: usize,
    /// Bytes that are queued or being written.
    bytes: usize,
    writing: bool,
    ended: bool,
    /// Nobody reads any more.
    broken: bool,
}

impl State {
    fn is_settled(&self) -> bool {
        self.broken || (self.answers == 0 && self.lines.is_empty() && !self.writing)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Answer,
    Event,
}

impl Output {
    /// Waits for room for one answer. False if nobody reads any more.
    pub(super) fn reserve(&self) -> bool {
        let mut state = self.wait(|state| state.broken || (state.answers < ANSWERS && state.bytes < BYTES));
        state.answers += 1;
        !state.broken
    }

    /// Queues the answer that [`Output::reserve`] made room for. Never waits.
    pub(super) fn answer(&self, line: String) {
        self.queue(self.lock(), Kind::Answer, line);
    }

    /// Queues an event, once there is room.
    pub(super) fn event(&self, line: String) {
        let mut state = self.wait(|state| state.broken || state.events < EVENTS);
        state.events += 1;
        self.queue(state, Kind::Event, line);
    }

    /// Waits until every answer that is owed is written.
    pub(super) fn settle(&self) {
        drop(self.wait(State::is_settled));
    }

    /// The same, but not for ever.
    pub(super) fn settle_within(&self, patience: Duration) {
        let waited = self.changed.wait_timeout_while(self.lock(), patience, |state| !state.is_settled());
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// Has [`Output::write_to`] return once everything is written.
    pub(super) fn end(&self) {
        self.lock().ended = true;
        self.changed.notify_all();
    }

    /// Writes until the end.
    pub(super) fn write_to(&self, mut out: impl Write) {
        loop {
            let mut state = self.wait(|state| state.ended || !state.lines.is_empty());
            let lines = std::mem::take(&mut state.lines);
            if lines.is_empty() {
                return;
            }
            state.writing = true;
            drop(state);
            let mut text = String::with_capacity(lines.iter().map(|(_, line)| line.len() + 1).sum());
            for (_, line) in &lines {
                text.push_str(line);
                text.push('\n');
            }
            let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
            let mut state = self.lock();
            state.writing = false;
            state.bytes -= lines.iter().map(|(_, line)| line.len()).sum::<usize>();
            state.answers -= lines.iter().filter(|(kind, _)| *kind == Kind::Answer).count();
            state.events -= lines.iter().filter(|(kind, _)| *kind == Kind::Event).count();
            state.broken = written.is_err();
            let broken = state.broken;
            drop(state);
            self.changed.notify_all();
            if broken {
                return;
            }
        }
    }

    fn queue(&self, mut state: MutexGuard<'_, State>, kind: Kind, line: String) {
        if !state.broken {
            state.bytes += line.len();
            state.lines.push_back((kind, line));
        }
        drop(state);
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait(&self, until: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let waited = self.changed.wait_while(self.lock(), |state| !until(state));
        waited.unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

    /// Takes bytes only as they are asked for.
    struct Slow(SyncSender<Vec<u8>>);

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let sent = self.0.send(bytes.to_vec());
            sent.map(|()| bytes.len()).map_err(|_| std::io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn started(output: &std::sync::Arc<Output>) -> (Receiver<Vec<u8>>, std::thread::JoinHandle<()>) {
        let (sender, receiver) = sync_channel(0);
        let output = std::sync::Arc::clone(output);
        (receiver, std::thread::spawn(move || output.write_to(Slow(sender))))
    }

    #[test]
    fn lines_keep_their_order_and_are_all_written() {
        let output = std::sync::Arc::new(Output::default());
        let (read, writer) = started(&output);
        assert!(output.reserve());
        output.answer("one".into());
        output.event("two".into());
        output.end();
        let mut text = Vec::new();
        text.extend(read.into_iter().flatten());
        writer.join().unwrap();
        assert_eq!(text, b"one\ntwo\n");
    }

    #[test]
    fn a_reader_that_stops_holds_back_requests_and_not_answers() {
        let output = std::sync::Arc::new(Output::default());
        for _ in 0..ANSWERS {
            assert!(output.reserve());
        }
        let waiting = std::sync::Arc::clone(&output);
        let reserved = std::thread::spawn(move || waiting.reserve());
        for n in 0..ANSWERS {
            output.answer(n.to_string());
        }
        assert!(!reserved.is_finished(), "there is no room before something is written");
        let (read, writer) = started(&output);
        read.recv().unwrap();
        assert!(reserved.join().unwrap());
        output.answer("last".into());
        output.end();
        assert_eq!(read.into_iter().flatten().collect::<Vec<u8>>(), b"last\n");
        writer.join().unwrap();
    }

    #[test]
    fn nobody_waits_for_a_reader_that_is_gone() {
        let output = std::sync::Arc::new(Output::default());
        let (read, writer) = started(&output);
        drop(read);
        output.event("lost".into());
        writer.join().unwrap();
        for _ in 0..2 * EVENTS {
            output.event("lost".into());
        }
        assert!(!output.reserve());
        output.settle();
    }
}
