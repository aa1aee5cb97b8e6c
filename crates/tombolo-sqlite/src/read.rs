//! Reads, the same on both kinds of connection.

use crate::error::storage;
use crate::rows::{Bound, column, condition, id16, read_row};
use crate::{Reader, Shared, Sqlite};
use rusqlite::{Connection, OptionalExtension, Params, Row as SqlRow, params, params_from_iter};
use tombolo_core::{
    ActorId, Code, CommitId, DocRef, Entity, Epoch, Error, Millis, PeerId, Result, RowId, Seq, SpaceId,
};
use tombolo_store::backend::{
    DraftRow, LogRow, LogState, Read, Row, Select, SpaceRow, StoredDoc, StoredPart,
};
use tombolo_store::{DocKey, SpaceKey};

/// How many bits of an update's key number the updates of one commit: more than a commit may have.
const PART_BITS: u32 = 14;

const LOG_COLUMNS: &str = "l.seq, l.id, l.state, l.server_seq, a.id, l.manifest_version, l.time, l.received, \
                           l.origin, l.replaces FROM log l JOIN actor a ON a.key = l.actor";

/// A connection with what is shared by all: where reads are written once.
struct Connected<'c> {
    connection: &'c Connection,
    shared: &'c Shared,
}

pub(crate) fn seq(number: Seq) -> i64 {
    i64::try_from(number.0).unwrap_or(i64::MAX)
}

/// The first and the last key that the updates of a commit may have.
pub(crate) fn part_keys(at: Seq) -> [i64; 2] {
    let first = seq(at) << PART_BITS;
    [first, first + (1 << PART_BITS) - 1]
}

fn to_seq(number: i64) -> Seq {
    Seq(number.unsigned_abs())
}

fn state(number: i64) -> LogState {
    match number {
        0 => LogState::Pending,
        1 => LogState::Accepted,
        _ => LogState::Local,
    }
}

/// A name stored as text, such as a code: a name that this version does not know is damage.
fn named<T: serde_json_name::Named>(text: &str) -> Result<T> {
    T::from_name(text)
        .ok_or_else(|| Error::new(Code::StorageFailed, format!("{text:?} is stored, but unknown")))
}

/// Enums whose JSON form is a string.
pub(crate) mod serde_json_name {
    use serde_json::Value as Json;
    use tombolo_core::{Code, Status};

    pub(crate) trait Named: Sized {
        fn from_name(name: &str) -> Option<Self>;
        fn name(&self) -> String;
    }

    macro_rules! named {
        ($($kind:ty),+) => {$(
            impl Named for $kind {
                fn from_name(name: &str) -> Option<Self> {
                    serde_json::from_value(Json::String(name.to_owned())).ok()
                }
                fn name(&self) -> String {
                    match serde_json::to_value(self) {
                        Ok(Json::String(name)) => name,
                        _ => String::new(),
                    }
                }
            }
        )+};
    }
    named!(Code, Status);
}

impl Connected<'_> {
    fn list<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl Fn(&SqlRow<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>> {
        let mut statement = self.connection.prepare_cached(sql).map_err(storage)?;
        let rows = statement.query_map(params, |row| read(row)).map_err(storage)?;
        rows.collect::<rusqlite::Result<Vec<T>>>().map_err(storage)
    }

    fn first<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&SqlRow<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>> {
        let mut statement = self.connection.prepare_cached(sql).map_err(storage)?;
        statement.query_row(params, read).optional().map_err(storage)
    }
}

impl Read for Connected<'_> {
    fn row(&self, entity: &Entity, id: RowId) -> Result<Option<Row>> {
        let sql = format!("{} WHERE id = ?1", self.shared.sql(entity)?.select);
        self.first(&sql, [id.as_bytes()], |row| read_row(entity, row))
    }

    fn select(&self, entity: &Entity, select: &Select) -> Result<Vec<Row>> {
        let (condition, bound) = condition(entity, select);
        let rows = self.shared.sql(entity)?.select(entity, &select.fields);
        let sql = format!("{rows}{condition}");
        self.list(&sql, params_from_iter(bound.iter().map(Bound)), |row| read_row(entity, row))
    }

    fn children(&self, entity: &Entity, parent: Option<RowId>) -> Result<Vec<Row>> {
        let Some(tree) = entity.tree_field() else { return Ok(Vec::new()) };
        let parent_column = column(&tree.name, entity);
        let sql = format!(
            "{} WHERE {parent_column} IS ?1 ORDER BY place_order, id",
            self.shared.sql(entity)?.select
        );
        self.list(&sql, params![parent.as_ref().map(RowId::as_bytes)], |row| read_row(entity, row))
    }

    fn detached_children(&self, entity: &Entity, parent: RowId) -> Result<Vec<RowId>> {
        let Some(tree) = entity.tree_field() else { return Ok(Vec::new()) };
        let sql = format!(
            "SELECT id FROM \"{}\" WHERE place_parent = ?1 AND place_parent IS NOT {}",
            self.shared.sql(entity)?.table,
            column(&tree.name, entity)
        );
        self.list(&sql, [parent.as_bytes()], |row| Ok(RowId::from_bytes(id16(row.get_ref(0)?.as_blob()?))))
    }

    fn head(&self) -> Result<Seq> {
        let head = self.first("SELECT max(seq) FROM log", [], |row| row.get::<_, Option<i64>>(0))?;
        Ok(to_seq(head.flatten().unwrap_or(0)))
    }

    fn log_row(&self, id: CommitId) -> Result<Option<LogRow>> {
        self.first(&format!("SELECT {LOG_COLUMNS} WHERE l.id = ?1"), [id.as_bytes()], read_log)
    }

    fn pending(&self, after: Seq, limit: usize) -> Result<Vec<LogRow>> {
        self.list(
            &format!("SELECT {LOG_COLUMNS} WHERE l.state = 0 AND l.seq > ?1 ORDER BY l.seq LIMIT ?2"),
            params![seq(after), i64::try_from(limit).unwrap_or(i64::MAX)],
            read_log,
        )
    }

    fn pending_count(&self) -> Result<u64> {
        let count = self.first("SELECT count(*) FROM log WHERE state = 0", [], |row| row.get::<_, i64>(0))?;
        Ok(count.unwrap_or(0).unsigned_abs())
    }

    fn accepted(&self, space: SpaceKey, after: Seq, limit: usize) -> Result<Vec<LogRow>> {
        self.list(
            &format!(
                "SELECT {LOG_COLUMNS} WHERE l.space = ?1 AND l.server_seq > ?2 ORDER BY l.server_seq LIMIT ?3"
            ),
            params![space.0, seq(after), i64::try_from(limit).unwrap_or(i64::MAX)],
            read_log,
        )
    }

    fn parts(&self, at: Seq) -> Result<Vec<(DocRef, Vec<u8>)>> {
        self.list(
            "SELECT e.name, d.row, d.field, p.bytes FROM part p JOIN doc d ON d.key = p.doc \
             JOIN entity e ON e.key = d.entity WHERE p.key BETWEEN ?1 AND ?2 ORDER BY p.key",
            part_keys(at),
            |row| Ok((read_doc(row)?, row.get::<_, Option<Vec<u8>>>(3)?.unwrap_or_default())),
        )
    }

    fn doc_key(&self, doc: &DocRef) -> Result<Option<DocKey>> {
        let Ok(entity) = self.shared.sql_of(&doc.entity) else { return Ok(None) };
        self.first(
            "SELECT key FROM doc WHERE row = ?1 AND entity = ?2 AND field = ?3",
            params![doc.row.as_bytes(), entity.key, doc.field.as_deref().unwrap_or("")],
            |row| Ok(DocKey(row.get(0)?)),
        )
    }

    fn load_doc(&self, doc: DocKey) -> Result<StoredDoc> {
        let base = self.first("SELECT upto, hash, bytes FROM base WHERE doc = ?1", [doc.0], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?, row.get::<_, Vec<u8>>(2)?))
        })?;
        let upto = base.as_ref().map_or(0, |base| base.0);
        if let Some((_, hash, bytes)) = &base
            && crate::write::hash(bytes) != hash.as_slice()
        {
            return Err(Error::new(
                Code::StorageFailed,
                format!("the base of document {} is damaged", doc.0),
            ));
        }
        let parts = self.list(
            "SELECT l.seq, l.state, p.bytes FROM part p JOIN log l ON l.seq = p.key >> 14 \
             WHERE p.doc = ?1 AND p.key > ?2 ORDER BY p.key",
            params![doc.0, part_keys(to_seq(upto))[1]],
            |row| {
                Ok(StoredPart {
                    seq: to_seq(row.get(0)?),
                    state: state(row.get(1)?),
                    bytes: row.get::<_, Option<Vec<u8>>>(2)?.unwrap_or_default(),
                })
            },
        )?;
        Ok(StoredDoc { base: base.map(|base| base.2), parts })
    }

    fn doc_times(&self, doc: DocKey) -> Result<Option<(Millis, ActorId, Millis)>> {
        self.first(
            "SELECT t.at, a.id, (SELECT max(min(l.time, coalesce(l.received, l.time))) FROM part p \
             JOIN log l ON l.seq = p.key >> 14 WHERE p.doc = ?1) FROM (SELECT min(l.time, coalesce(l.received, l.time)) \
             AS at, l.actor FROM part p JOIN log l ON l.seq = p.key >> 14 WHERE p.doc = ?1 \
             ORDER BY l.server_seq IS NULL, l.server_seq, l.seq LIMIT 1) t JOIN actor a ON a.key = t.actor",
            [doc.0],
            |row| Ok((row.get(0)?, ActorId::from_bytes(id16(row.get_ref(1)?.as_blob()?)), row.get(2)?)),
        )
    }

    fn dirty(&self) -> Result<Vec<(DocKey, DocRef)>> {
        self.list(
            "SELECT e.name, d.row, d.field, d.key FROM dirty x JOIN doc d ON d.key = x.doc \
             JOIN entity e ON e.key = d.entity",
            [],
            |row| Ok((DocKey(row.get(3)?), read_doc(row)?)),
        )
    }

    fn spaces(&self) -> Result<Vec<SpaceRow>> {
        self.list("SELECT key, id, server, epoch, cursor FROM space ORDER BY key", [], |row| {
            let id16 = |n: usize| -> rusqlite::Result<Option<[u8; 16]>> {
                Ok(row.get_ref(n)?.as_blob_or_null()?.map(id16))
            };
            Ok(SpaceRow {
                key: SpaceKey(row.get(0)?),
                id: id16(1)?.map(SpaceId::from_bytes),
                server: row.get(2)?,
                epoch: id16(3)?.map(Epoch::from_bytes),
                cursor: to_seq(row.get(4)?),
            })
        })
    }

    fn drafts(&self) -> Result<Vec<DraftRow>> {
        let rows = self.list(
            "SELECT entity, row, field, id, status, code, reason, created_at, commits FROM draft ORDER BY n",
            [],
            |row| {
                let id = CommitId::from_bytes(id16(row.get_ref(3)?.as_blob()?));
                let texts = (row.get::<_, String>(4)?, row.get::<_, String>(5)?, row.get::<_, String>(6)?);
                Ok((read_doc(row)?, id, texts, row.get(7)?, row.get(8)?))
            },
        )?;
        rows.into_iter()
            .map(|(doc, id, (status, code, reason), created_at, commits)| {
                let (status, code) = (named(&status)?, named(&code)?);
                Ok(DraftRow { id, doc, status, code, reason, created_at, commits })
            })
            .collect()
    }

    fn meta(&self, key: &str) -> Result<Option<Vec<u8>>> {
        self.first("SELECT value FROM meta WHERE key = ?1", [key], |row| row.get(0))
    }

    fn retired(&self, doc: DocKey) -> Result<Vec<(PeerId, i32)>> {
        self.list("SELECT peer, counter FROM retired WHERE doc = ?1", [doc.0], |row| {
            Ok((PeerId(row.get::<_, i64>(0)?.cast_unsigned()), row.get(1)?))
        })
    }

    fn answered(&self, key: &str) -> Result<Option<(Vec<u8>, String)>> {
        self.first("SELECT digest, answer FROM answer WHERE key = ?1", [key], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
    }

    fn begin_read(&self) -> Result<()> {
        self.connection.execute_batch("BEGIN").map_err(storage)
    }

    fn end_read(&self) -> Result<()> {
        self.connection.execute_batch("COMMIT").map_err(storage)
    }
}

fn read_doc(row: &SqlRow<'_>) -> rusqlite::Result<DocRef> {
    let field: String = row.get(2)?;
    Ok(DocRef {
        entity: row.get(0)?,
        row: RowId::from_bytes(id16(row.get_ref(1)?.as_blob()?)),
        field: (!field.is_empty()).then_some(field),
    })
}

fn read_log(row: &SqlRow<'_>) -> rusqlite::Result<LogRow> {
    Ok(LogRow {
        seq: to_seq(row.get(0)?),
        id: CommitId::from_bytes(id16(row.get_ref(1)?.as_blob()?)),
        state: state(row.get(2)?),
        server_seq: row.get::<_, Option<i64>>(3)?.map(to_seq),
        actor: ActorId::from_bytes(id16(row.get_ref(4)?.as_blob()?)),
        manifest_version: row.get(5)?,
        time: row.get(6)?,
        received: row.get(7)?,
        origin: row.get(8)?,
        replaces: row.get_ref(9)?.as_blob_or_null()?.map(|bytes| CommitId::from_bytes(id16(bytes))),
    })
}

macro_rules! read_through {
    ($kind:ty, $($name:ident($($arg:ident: $arg_type:ty),*) -> $answer:ty;)+) => {
        impl Read for $kind {
            $(fn $name(&self $(, $arg: $arg_type)*) -> Result<$answer> {
                Connected { connection: &self.connection, shared: &self.shared }.$name($($arg),*)
            })+
        }
    };
}

macro_rules! read_both {
    ($($methods:tt)+) => {
        read_through!(Sqlite, $($methods)+);
        read_through!(Reader, $($methods)+);
    };
}

read_both! {
    row(entity: &Entity, id: RowId) -> Option<Row>;
    select(entity: &Entity, select: &Select) -> Vec<Row>;
    children(entity: &Entity, parent: Option<RowId>) -> Vec<Row>;
    detached_children(entity: &Entity, parent: RowId) -> Vec<RowId>;
    head() -> Seq;
    log_row(id: CommitId) -> Option<LogRow>;
    pending(after: Seq, limit: usize) -> Vec<LogRow>;
    pending_count() -> u64;
    accepted(space: SpaceKey, after: Seq, limit: usize) -> Vec<LogRow>;
    parts(at: Seq) -> Vec<(DocRef, Vec<u8>)>;
    doc_key(doc: &DocRef) -> Option<DocKey>;
    load_doc(doc: DocKey) -> StoredDoc;
    doc_times(doc: DocKey) -> Option<(Millis, ActorId, Millis)>;
    dirty() -> Vec<(DocKey, DocRef)>;
    spaces() -> Vec<SpaceRow>;
    drafts() -> Vec<DraftRow>;
    meta(key: &str) -> Option<Vec<u8>>;
    retired(doc: DocKey) -> Vec<(PeerId, i32)>;
    answered(key: &str) -> Option<(Vec<u8>, String)>;
    begin_read() -> ();
    end_read() -> ();
}
