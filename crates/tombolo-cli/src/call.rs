use crate::folder::Data;
use crate::output;
use serde_json::Value as Json;
use std::io::Read as _;
use tombolo_core::{Code, Error, Operation, Result};

/// The most that is read from standard input: a transaction of the largest size, in base64.
const INPUT_BYTES: u64 = 16 * 1024 * 1024;

/// Runs one operation on a data folder and prints its answer as JSON.
///
/// The operations are those of every other edge: list, get_by_id, insert, update, delete, transact and so on. Nothing
/// is sent: what was written in a device's folder goes to the server when `tombolo client` runs.
#[derive(Debug, clap::Args)]
pub(crate) struct Call {
    #[command(flatten)]
    data: Data,
    /// The operation, such as list
    operation: String,
    /// Its arguments as JSON, such as '{"entity": "Page"}'; - reads them from standard input
    #[arg(value_name = "JSON")]
    arguments: Option<String>,
}

impl Call {
    pub(crate) fn run(self) -> Result<()> {
        let arguments = match self.arguments.as_deref() {
            None => Json::Null,
            Some("-") => parse(&read_input()?)?,
            Some(text) => parse(text)?,
        };
        let operation = Operation::from_json(&self.operation, &arguments)?;
        let answer = self.data.with_store(|store| store.execute(operation))?;
        output::line(&answer.into_json().to_string())
    }
}

fn parse(text: &str) -> Result<Json> {
    serde_json::from_str(text)
        .map_err(|error| Error::new(Code::InvalidQuery, format!("the arguments are not JSON: {error}")))
}

fn read_input() -> Result<String> {
    let mut text = String::new();
    let read = std::io::stdin().lock().take(INPUT_BYTES + 1).read_to_string(&mut text);
    read.map_err(|error| {
        Error::new(Code::FileUnreadable, format!("standard input cannot be read as text: {error}"))
    })?;
    if text.len() as u64 > INPUT_BYTES {
        return Err(Error::new(Code::TooLarge, "the arguments have 16 MiB at most"));
    }
    Ok(text)
}
