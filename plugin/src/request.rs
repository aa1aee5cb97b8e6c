//! What a page sends: arguments as JSON, or bytes with the arguments in a header.

use crate::live::Page;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value as Json};
use tauri::ipc::{InvokeBody, Request};
use tauri::{Runtime, Webview};
use tombolo_core::{Code, Error, Operation, Result, limit, too_large_update};

/// The header with the arguments of a request whose body is bytes: JSON, percent-encoded.
const ARGS: &str = "tombolo-args";
/// The longest such header.
const ARGS_BYTES: usize = 16 * 1024;

/// The operation of this name with the request's arguments.
///
/// # Errors
/// Those of [`Operation::from_json`].
pub(crate) fn operation(name: &str, request: &Request<'_>) -> Result<Operation> {
    Operation::from_json(name, arguments(request)?)
}

/// The same for an operation that takes bytes.
///
/// # Errors
/// `INVALID_QUERY` for a body that is not bytes and for a header that cannot be read; those of
/// [`Operation::with_bytes`].
pub(crate) fn operation_with_bytes(name: &str, request: &Request<'_>) -> Result<Operation> {
    let InvokeBody::Raw(bytes) = request.body() else {
        return Err(bad("bytes", "they are the body of the request"));
    };
    if bytes.len() > limit::UPDATE_BYTES {
        return Err(too_large_update(bytes.len()));
    }
    let header = request.headers().get(ARGS).ok_or_else(|| bad(ARGS, "the header is missing"))?;
    let text = header.to_str().ok().filter(|text| text.len() <= ARGS_BYTES);
    let text = text.and_then(|text| percent_decode_str(text).decode_utf8().ok());
    let args = text.and_then(|text| serde_json::from_str(&text).ok());
    let args: Json =
        args.ok_or_else(|| bad(ARGS, "the header is JSON, percent-encoded, of at most 16 KiB"))?;
    Operation::with_bytes(name, &args, bytes.clone())
}

/// The read that a page wants to be live: `{op, args}`. Its channel is there, too.
///
/// # Errors
/// `INVALID_QUERY`; those of [`Operation::from_json`].
pub(crate) fn read(request: &Request<'_>) -> Result<Operation> {
    let args = object(request)?;
    let op = args.get("op").and_then(Json::as_str);
    let op = op.ok_or_else(|| bad("op", "it names a read, such as query_filtered"))?;
    Operation::from_json(op, args.get("args").unwrap_or(&Json::Null))
}

/// The document that a page wants to follow, as the read of its bytes. Its channel is there, too.
///
/// # Errors
/// Those of [`Operation::from_json`].
pub(crate) fn document(request: &Request<'_>) -> Result<Operation> {
    let args = object(request)?.iter().filter(|(name, _)| *name != "channel");
    let args = args.map(|(name, value)| (name.clone(), value.clone())).collect();
    Operation::from_json("crdt_snapshot", &Json::Object(args))
}

/// A text among the arguments. What it says is not repeated.
///
/// # Errors
/// `INVALID_QUERY`.
pub(crate) fn text<'r>(request: &'r Request<'_>, name: &str) -> Result<&'r str> {
    object(request)?.get(name).and_then(Json::as_str).ok_or_else(|| bad(name, "it is a string"))
}

/// The subscription that is meant.
///
/// # Errors
/// `INVALID_QUERY`.
pub(crate) fn subscription(request: &Request<'_>) -> Result<u64> {
    let name = object(request)?.get("subscription").and_then(Json::as_u64);
    name.ok_or_else(|| bad("subscription", "it is the number that subscribe gave"))
}

/// Who asks.
pub(crate) fn page<R: Runtime>(webview: &Webview<R>) -> Page {
    Page { webview: webview.label().to_owned(), window: webview.window().label().to_owned() }
}

fn object<'r>(request: &'r Request<'_>) -> Result<&'r Map<String, Json>> {
    arguments(request)?.as_object().ok_or_else(|| bad("args", "the arguments are an object"))
}

fn arguments<'r>(request: &'r Request<'_>) -> Result<&'r Json> {
    match request.body() {
        InvokeBody::Json(args) => Ok(args),
        InvokeBody::Raw(_) => Err(bad("args", "the arguments are an object")),
    }
}

fn bad(path: &str, message: &str) -> Error {
    Error::new(Code::InvalidQuery, format!("{path}: {message}")).with("path", path)
}
