use crate::{Code, CommitId, Error, Fields, Result, RowId, Seq, limit};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Serialize;
use serde_json::{Map, Value as Json};
use std::collections::BTreeSet;

/// How far a write has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WriteState {
    /// On this disk.
    Local,
    /// On the server's disk.
    Server,
}

/// The proof that a write is durable, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Receipt {
    /// The commit; none if there was nothing to write.
    pub commit: Option<CommitId>,
    /// The head of this replica's log with the write in it.
    pub seq: Seq,
    /// How far it has come.
    pub state: WriteState,
}

/// How a read shows formatted texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RichtextForm {
    /// As plain text.
    #[default]
    Plain,
    /// As Markdown.
    Markdown,
    /// As the JSON form of the document.
    Document,
}

/// What a caller may say about a write.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Options {
    /// A label kept in the commit, such as a session, an import or an agent.
    pub origin: Option<String>,
    /// The same key again gets the same answer, and writes nothing.
    pub idempotency_key: Option<String>,
}

/// An operation of the DataStore contract with its arguments, as every edge offers it.
#[expect(missing_docs, reason = "the fields are the arguments, named as the contract names them")]
#[derive(Debug, Clone, PartialEq)]
pub enum Operation {
    /// The manifest with its hash.
    Manifest,
    /// A new row; `data` may carry its id.
    Insert { entity: String, data: Map<String, Json>, options: Options },
    /// A row, in the trash or not.
    GetById { entity: String, id: RowId, richtext: RichtextForm, fields: Fields },
    /// Rows by id.
    List { entity: String, limit: usize, fields: Fields },
    /// Rows by id, a page at a time.
    ListAfter { entity: String, after: Option<RowId>, limit: usize, fields: Fields },
    /// The rows that a filter lets through.
    QueryFiltered { entity: String, filter: Json, fields: Fields },
    /// Changes the named fields of a row.
    Update { entity: String, id: RowId, patch: Map<String, Json>, options: Options },
    /// Puts a row into the trash.
    Delete { entity: String, id: RowId, options: Options },
    /// Takes a row out of the trash.
    Restore { entity: String, id: RowId, options: Options },
    /// Several writes, all or nothing. The operations are as the caller wrote them.
    Transact { ops: Vec<Json>, options: Options },
    /// The writes that the server refused.
    Drafts,
    /// Forgets a draft.
    DraftDiscard { id: CommitId },
    /// A document's bytes; `field` names a rich-text field's document.
    CrdtSnapshot { entity: String, id: RowId, field: Option<String> },
    /// Applies an update of a document; `field` names a rich-text field's document.
    CrdtApplyUpdate { entity: String, id: RowId, field: Option<String>, bytes: Vec<u8>, options: Options },
}

impl Operation {
    /// Whether the operation may write.
    #[must_use]
    pub fn writes(&self) -> bool {
        !matches!(
            self,
            Operation::Manifest
                | Operation::GetById { .. }
                | Operation::List { .. }
                | Operation::ListAfter { .. }
                | Operation::QueryFiltered { .. }
                | Operation::Drafts
                | Operation::CrdtSnapshot { .. }
        )
    }

    /// Reads an operation from its name and its arguments.
    ///
    /// # Errors
    /// `INVALID_QUERY` for an unknown name, a missing, unknown or mistyped argument; `INVALID_DATA` for a bad id;
    /// `NOT_SUPPORTED` for an operation of the contract that this version does not offer; `TOO_LARGE`.
    pub fn from_json(name: &str, args: &Json) -> Result<Self> {
        let empty = Map::new();
        let object = match args {
            Json::Null => &empty,
            Json::Object(object) => object,
            _ => return Err(bad("args", "the arguments are an object")),
        };
        Self::read(name, Args { object, bytes: None, used: Vec::new() })
    }

    /// The same for an operation whose `bytes` come beside its arguments, as they are.
    ///
    /// # Errors
    /// Those of [`Operation::from_json`]; `INVALID_QUERY` for an operation that takes no bytes.
    pub fn with_bytes(name: &str, args: &Json, bytes: Vec<u8>) -> Result<Self> {
        let Json::Object(object) = args else { return Err(bad("args", "the arguments are an object")) };
        if object.contains_key("bytes") {
            return Err(bad("bytes", "they are the body, and no argument"));
        }
        let operation = Self::read(name, Args { object, bytes: Some(bytes), used: Vec::new() })?;
        match operation {
            Operation::CrdtApplyUpdate { .. } => Ok(operation),
            _ => Err(bad("bytes", &format!("{name} takes no bytes"))),
        }
    }

    fn read(name: &str, mut args: Args<'_>) -> Result<Self> {
        let operation = args.operation(name)?;
        args.finish(name)?;
        Ok(operation)
    }
}

/// The operations of the contract that come with later versions.
const LATER: [&str; 21] = [
    "purge",
    "lookup",
    "link",
    "unlink",
    "query_graph",
    "aggregate",
    "draft",
    "draft_resend",
    "outbox_confirm",
    "outbox_discard",
    "search",
    "history",
    "at",
    "revert",
    "conflicts",
    "sql",
    "undo",
    "redo",
    "explain",
    "receipt",
    "coverage",
];

struct Args<'j> {
    object: &'j Map<String, Json>,
    /// What came beside the arguments.
    bytes: Option<Vec<u8>>,
    used: Vec<&'static str>,
}

impl Args<'_> {
    fn operation(&mut self, name: &str) -> Result<Operation> {
        Ok(match name {
            "manifest" => Operation::Manifest,
            "insert" => Operation::Insert {
                entity: self.text("entity")?,
                data: self.map("data")?,
                options: self.options()?,
            },
            "get_by_id" => Operation::GetById {
                entity: self.text("entity")?,
                id: self.id()?,
                richtext: self.richtext_form()?,
                fields: self.fields()?,
            },
            "list" => {
                Operation::List { entity: self.text("entity")?, limit: self.limit()?, fields: self.fields()? }
            }
            "list_after" => Operation::ListAfter {
                entity: self.text("entity")?,
                after: match self.optional_text("after")? {
                    Some(id) => Some(id.parse()?),
                    None => None,
                },
                limit: self.limit()?,
                fields: self.fields()?,
            },
            "query_filtered" => Operation::QueryFiltered {
                entity: self.text("entity")?,
                filter: self.get("filter").cloned().unwrap_or(Json::Null),
                fields: self.fields()?,
            },
            "update" => Operation::Update {
                entity: self.text("entity")?,
                id: self.id()?,
                patch: self.map("patch")?,
                options: self.options()?,
            },
            "delete" => {
                Operation::Delete { entity: self.text("entity")?, id: self.id()?, options: self.options()? }
            }
            "restore" => {
                Operation::Restore { entity: self.text("entity")?, id: self.id()?, options: self.options()? }
            }
            "transact" => Operation::Transact { ops: self.ops()?, options: self.options()? },
            "drafts" => Operation::Drafts,
            "draft_discard" => Operation::DraftDiscard { id: self.text("id")?.parse()? },
            "crdt_snapshot" => Operation::CrdtSnapshot {
                entity: self.text("entity")?,
                id: self.id()?,
                field: self.optional_text("field")?,
            },
            "crdt_apply_update" => Operation::CrdtApplyUpdate {
                entity: self.text("entity")?,
                id: self.id()?,
                field: self.optional_text("field")?,
                bytes: self.bytes()?,
                options: self.options()?,
            },
            _ if LATER.contains(&name) => {
                return Err(Error::new(Code::NotSupported, format!("this version does not offer {name}"))
                    .with("op", name));
            }
            _ => {
                return Err(Error::new(Code::InvalidQuery, format!("there is no operation {name:?}"))
                    .with("op", name));
            }
        })
    }

    fn get(&mut self, key: &'static str) -> Option<&Json> {
        self.used.push(key);
        self.object.get(key).filter(|value| !value.is_null())
    }

    fn text(&mut self, key: &'static str) -> Result<String> {
        self.optional_text(key)?.ok_or_else(|| bad(key, "it is missing"))
    }

    fn optional_text(&mut self, key: &'static str) -> Result<Option<String>> {
        match self.get(key) {
            None => Ok(None),
            Some(Json::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(bad(key, "it is a string")),
        }
    }

    fn map(&mut self, key: &'static str) -> Result<Map<String, Json>> {
        match self.get(key) {
            None => Err(bad(key, "it is missing")),
            Some(Json::Object(map)) => Ok(map.clone()),
            Some(_) => Err(bad(key, "it is an object")),
        }
    }

    fn id(&mut self) -> Result<RowId> {
        self.text("id")?.parse()
    }

    fn richtext_form(&mut self) -> Result<RichtextForm> {
        match self.optional_text("richtext")?.as_deref() {
            None | Some("plain") => Ok(RichtextForm::Plain),
            Some("markdown") => Ok(RichtextForm::Markdown),
            Some("document") => Ok(RichtextForm::Document),
            Some(_) => Err(bad("richtext", "it is plain, markdown or document")),
        }
    }

    fn fields(&mut self) -> Result<Fields> {
        let Some(json) = self.get("fields") else { return Ok(Fields::default()) };
        let names = json.as_array().and_then(|names| {
            names.iter().map(|name| name.as_str().map(str::to_owned)).collect::<Option<BTreeSet<_>>>()
        });
        names.map(Fields::Only).ok_or_else(|| bad("fields", "it is a list of names of fields"))
    }

    fn limit(&mut self) -> Result<usize> {
        match self.get("limit") {
            None => Ok(crate::DEFAULT_LIMIT),
            Some(json) => json
                .as_u64()
                .and_then(|n| usize::try_from(n).ok())
                .filter(|n| (1..=crate::MAX_LIMIT).contains(n))
                .ok_or_else(|| bad("limit", "it is a number from 1 to 10000")),
        }
    }

    fn ops(&mut self) -> Result<Vec<Json>> {
        match self.get("ops") {
            Some(Json::Array(ops)) if ops.len() > limit::TRANSACTION_OPERATIONS => Err(Error::new(
                Code::TooLarge,
                format!("a transaction has {} operations at most", limit::TRANSACTION_OPERATIONS),
            )
            .with("ops", ops.len())),
            Some(Json::Array(ops)) => Ok(ops.clone()),
            _ => Err(bad("ops", "it is a list of operations")),
        }
    }

    fn bytes(&mut self) -> Result<Vec<u8>> {
        if let Some(bytes) = self.bytes.take() {
            return match bytes.len() <= limit::UPDATE_BYTES {
                true => Ok(bytes),
                false => Err(too_large_update(bytes.len())),
            };
        }
        let text = self.text("bytes")?;
        if text.len() / 4 * 3 > limit::UPDATE_BYTES + 3 {
            return Err(too_large_update(text.len() / 4 * 3));
        }
        BASE64.decode(text).map_err(|_| bad("bytes", "it is base64"))
    }

    fn options(&mut self) -> Result<Options> {
        let Some(json) = self.get("options").cloned() else {
            return Ok(Options::default());
        };
        let Json::Object(object) = json else {
            return Err(bad("options", "it is an object"));
        };
        let mut options = Options::default();
        for (key, value) in &object {
            match (key.as_str(), value) {
                (_, Json::Null) => {}
                ("origin", Json::String(text)) if text.len() <= limit::ORIGIN_BYTES => {
                    options.origin = Some(text.clone());
                }
                ("origin", _) => {
                    return Err(bad("options.origin", "it is a string of at most 256 bytes"));
                }
                ("idempotency_key", Json::String(text)) if text.len() <= limit::ORIGIN_BYTES => {
                    options.idempotency_key = Some(text.clone());
                }
                ("idempotency_key", _) => {
                    return Err(bad("options.idempotency_key", "it is a string of at most 256 bytes"));
                }
                ("base", _) => {
                    return Err(Error::new(
                        Code::NotSupported,
                        "this version does not offer a base for patches",
                    )
                    .with("path", "options.base"));
                }
                _ => return Err(bad(&format!("options.{key}"), "there is no such option")),
            }
        }
        Ok(options)
    }

    fn finish(&self, name: &str) -> Result<()> {
        match self.object.keys().find(|key| !self.used.contains(&key.as_str())) {
            None => Ok(()),
            Some(key) => Err(bad(key, &format!("{name} takes no such argument"))),
        }
    }
}

/// The error for an update above [`limit::UPDATE_BYTES`].
#[must_use]
pub fn too_large_update(bytes: usize) -> Error {
    Error::new(
        Code::TooLarge,
        format!("an update has {} bytes at most; this one has {bytes}", limit::UPDATE_BYTES),
    )
    .with("bytes", bytes)
}

fn bad(path: &str, message: &str) -> Error {
    Error::new(Code::InvalidQuery, format!("{path}: {message}")).with("path", path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn bytes_may_come_beside_the_arguments() {
        let row = "0195f3e0-0000-7000-8000-000000000000";
        let args = json!({"entity": "Page", "id": row, "field": "body"});
        let mut encoded = args.clone();
        encoded["bytes"] = json!(BASE64.encode([1, 2]));
        let read = |name, args: &Json, bytes: &[u8]| Operation::with_bytes(name, args, bytes.to_vec());
        let operation = read("crdt_apply_update", &args, &[1, 2]).unwrap();
        assert_eq!(operation, Operation::from_json("crdt_apply_update", &encoded).unwrap());
        let code = |result: Result<Operation>| result.unwrap_err().code;
        assert_eq!(code(read("crdt_apply_update", &encoded, &[1])), Code::InvalidQuery);
        assert_eq!(code(read("crdt_apply_update", &json!(null), &[1])), Code::InvalidQuery);
        assert_eq!(code(read("list", &json!({"entity": "Page"}), &[1])), Code::InvalidQuery);
        let large = vec![0; limit::UPDATE_BYTES + 1];
        assert_eq!(code(read("crdt_apply_update", &args, &large)), Code::TooLarge);
    }
}
