//! Requests, one after the other.

use super::events;
use super::lines::{LINE_BYTES, Line};
use super::live::Live;
use super::output::Output;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value as Json, json};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use tombolo_core::{Code, Error, Operation, Result};
use tombolo_store::{Answer, DataStore};

/// Takes requests and sees to their answers.
pub(super) struct Requests {
    store: Arc<dyn DataStore>,
    output: Arc<Output>,
    live: Arc<Live>,
    writes: Arc<Writes>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request<'l> {
    /// Echoed as it was written.
    #[serde(borrow)]
    id: Option<&'l RawValue>,
    op: String,
    #[serde(default)]
    args: Json,
}

/// What is left of a request that cannot be understood.
#[derive(Deserialize)]
struct Named<'l> {
    #[serde(borrow)]
    id: Option<&'l RawValue>,
}

/// The writes that are not answered.
#[derive(Debug, Default)]
struct Writes {
    open: Mutex<usize>,
    none: Condvar,
}

impl Writes {
    fn begin(&self) {
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) += 1;
    }

    fn end(&self) {
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.none.notify_all();
    }

    fn wait(&self) {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.none.wait_while(open, |open| *open > 0).unwrap_or_else(PoisonError::into_inner));
    }
}

impl Requests {
    pub(super) fn new(store: Arc<dyn DataStore>, output: Arc<Output>, live: Arc<Live>) -> Self {
        Self { store, output, live, writes: Arc::default() }
    }

    /// Takes one request; false if nobody reads the answers any more.
    pub(super) fn take(&self, line: Line<'_>) -> bool {
        if !self.output.reserve() {
            return false;
        }
        let line = match line {
            Line::Whole(line) => line,
            Line::TooLong => {
                let message = format!("a line has {LINE_BYTES} bytes at most");
                self.answer("null", Err(Error::new(Code::TooLarge, message)));
                return true;
            }
        };
        match parse::<Request<'_>>(line) {
            Ok(request) => {
                let id = request.id.map_or("null", RawValue::get);
                if let Err(error) = self.carry_out(id, &request.op, &request.args) {
                    self.answer(id, Err(error));
                }
            }
            Err(error) => {
                let named = parse::<Named<'_>>(line).ok();
                let id = named.and_then(|named| named.id).map_or("null", RawValue::get);
                self.answer(id, Err(error));
            }
        }
        true
    }

    /// Waits until everything is answered.
    pub(super) fn finish(&self) {
        self.writes.wait();
        self.output.settle();
    }

    fn carry_out(&self, id: &str, op: &str, args: &Json) -> Result<()> {
        match op {
            "subscribe" => {
                let read = self.read_of(args)?;
                self.writes.wait();
                self.live.add(self.store.as_ref(), read, |result| self.answer(id, Ok(result)))
            }
            "unsubscribe" => {
                let name = args.get("subscription").and_then(Json::as_u64).ok_or_else(|| {
                    let message = "subscription: it is the number that subscribe gave";
                    Error::new(Code::InvalidQuery, message).with("path", "subscription")
                })?;
                self.answer(id, Ok(json!({"unsubscribed": self.live.remove(name)})));
                Ok(())
            }
            _ => {
                let operation = Operation::from_json(op, args)?;
                match operation.writes() {
                    true => self.write(id, operation),
                    false => {
                        self.writes.wait();
                        let answer = self.store.execute(operation)?;
                        self.answer(id, Ok(answer.into_json()));
                    }
                }
                Ok(())
            }
        }
    }

    fn read_of(&self, args: &Json) -> Result<Operation> {
        let object = args.as_object().filter(|args| args.keys().all(|key| key == "op" || key == "args"));
        let op = object.and_then(|args| args.get("op")).and_then(Json::as_str).ok_or_else(|| {
            let message = "subscribe takes {\"op\": \"query_filtered\", \"args\": {…}} or another read";
            Error::new(Code::InvalidQuery, message).with("path", "op")
        })?;
        Operation::from_json(op, args.get("args").unwrap_or(&Json::Null))
    }

    fn write(&self, id: &str, operation: Operation) {
        let (id, output, writes) = (id.to_owned(), Arc::clone(&self.output), Arc::clone(&self.writes));
        self.writes.begin();
        self.store.submit(
            operation,
            Box::new(move |result| {
                let result = result.map(Answer::into_json);
                let mut lines = lines_of(&id, &result);
                if let Ok(answer) = &result
                    && let Some(commit) = answer["receipt"].get("commit").filter(|commit| !commit.is_null())
                {
                    lines.push('\n');
                    lines.push_str(&events::local(&answer["receipt"]["seq"], commit).to_string());
                }
                output.answer(lines);
                writes.end();
            }),
        );
    }

    fn answer(&self, id: &str, result: Result<Json>) {
        self.output.answer(lines_of(id, &result));
    }
}

fn parse<'l, T: Deserialize<'l>>(line: &'l [u8]) -> Result<T> {
    let bad = |why: String| {
        let message = format!("a request is {{\"id\": …, \"op\": …, \"args\": {{…}}}}: {why}");
        Error::new(Code::InvalidQuery, message)
    };
    // A list of the three would be read, too.
    match line.trim_ascii_start().starts_with(b"{") {
        true => serde_json::from_slice(line).map_err(|error| bad(error.to_string())),
        false => Err(bad("this line is no object".to_owned())),
    }
}

fn lines_of(id: &str, result: &Result<Json>) -> String {
    match result {
        Ok(result) => format!("{{\"id\":{id},\"result\":{result}}}"),
        Err(error) => format!("{{\"id\":{id},\"error\":{}}}", json!(error)),
    }
}
