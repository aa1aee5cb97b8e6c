//! Writes, inside the transaction that the store opened.

use crate::error::storage;
use crate::read::serde_json_name::Named as _;
use crate::read::{part_keys, seq};
use crate::rows::{Bound, column, quoted};
use crate::{Reader, Sqlite};
use rusqlite::types::Value as Sql;
use rusqlite::{OptionalExtension, Params, params, params_from_iter};
use tombolo_core::{ActorId, CommitId, DocRef, Entity, Millis, PeerId, Result, RowId, Seq, Value};
use tombolo_store::backend::{Backend, DraftRow, LogRow, LogState, Row, RowChange, SpaceRow};
use tombolo_store::{DocKey, SpaceKey};

/// BLAKE3 of stored bytes: a flipped bit on the disk must not be read as data.
pub(crate) fn hash(bytes: &[u8]) -> [u8; 32] {
    *blake3::hash(bytes).as_bytes()
}

/// A value on its way into a statement, owned.
fn sql(value: &Value) -> Sql {
    match value {
        Value::Null => Sql::Null,
        Value::Bool(flag) => Sql::Integer(i64::from(*flag)),
        Value::Int(number) | Value::Time(number) => Sql::Integer(*number),
        Value::Float(number) => Sql::Real(*number),
        Value::Text(text) => Sql::Text(text.clone()),
        Value::Bytes(bytes) => Sql::Blob(bytes.clone()),
        Value::Id(id) => Sql::Blob(id.as_bytes().to_vec()),
    }
}

impl Sqlite {
    fn run(&mut self, sql: &str, params: impl Params) -> Result<usize> {
        self.connection.prepare_cached(sql).map_err(storage)?.execute(params).map_err(storage)
    }

    fn actor_key(&mut self, actor: ActorId) -> Result<i64> {
        if let Some(key) = self.actors.get(&actor) {
            return Ok(*key);
        }
        let find = "SELECT key FROM actor WHERE id = ?1";
        let found = self.connection.query_row(find, [actor.as_bytes()], |row| row.get(0)).optional();
        let key = match found.map_err(storage)? {
            Some(key) => {
                // Only keys that are certainly committed are remembered: this one was read back.
                self.actors.insert(actor, key);
                key
            }
            None => {
                self.run("INSERT INTO actor (id) VALUES (?1)", [actor.as_bytes()])?;
                self.connection.last_insert_rowid()
            }
        };
        Ok(key)
    }
}

impl Backend for Sqlite {
    type Reader = Reader;

    fn reader(&self) -> Result<Reader> {
        self.shared.open_reader()
    }

    fn begin(&mut self) -> Result<()> {
        self.depth = 0;
        self.connection.execute_batch("BEGIN IMMEDIATE").map_err(storage)
    }

    fn commit(&mut self) -> Result<()> {
        self.run("COMMIT", []).map(drop)
    }

    fn rollback(&mut self) -> Result<()> {
        self.actors.clear();
        // A failed COMMIT may have rolled back by itself.
        match self.connection.is_autocommit() {
            true => Ok(()),
            false => self.connection.execute_batch("ROLLBACK").map_err(storage),
        }
    }

    fn savepoint(&mut self) -> Result<()> {
        self.depth += 1;
        self.run(&format!("SAVEPOINT s{}", self.depth), []).map(drop)
    }

    fn release(&mut self) -> Result<()> {
        let depth = self.depth;
        self.depth -= 1;
        self.run(&format!("RELEASE s{depth}"), []).map(drop)
    }

    fn rollback_to(&mut self) -> Result<()> {
        let depth = self.depth;
        self.depth -= 1;
        self.actors.clear();
        self.run(&format!("ROLLBACK TO s{depth}"), [])?;
        self.run(&format!("RELEASE s{depth}"), []).map(drop)
    }

    fn insert_row(&mut self, entity: &Entity, space: SpaceKey, row: &Row) -> Result<()> {
        let blob = |bytes: &[u8; 16]| Sql::Blob(bytes.to_vec());
        let placed = entity.tree_field().is_some();
        let head = [
            blob(row.id.as_bytes()),
            Sql::Integer(row.created_at),
            Sql::Integer(row.updated_at),
            blob(row.created_by.as_bytes()),
            row.deleted_at.map_or(Sql::Null, Sql::Integer),
            Sql::Integer(i64::from(row.trashed)),
            row.place.parent.map_or(Sql::Null, |id| blob(id.as_bytes())),
            if placed { Sql::Text(row.place.order.clone()) } else { Sql::Null },
            if placed { Sql::Integer(i64::from(row.place.lamport)) } else { Sql::Null },
            if placed { Sql::Integer(row.place.peer.0.cast_signed()) } else { Sql::Null },
        ];
        let sql = self.shared.sql(entity)?.insert.clone();
        let mut statement = self.connection.prepare_cached(&sql).map_err(storage)?;
        let mut n = 0;
        for value in head {
            n += 1;
            statement.raw_bind_parameter(n, value).map_err(storage)?;
        }
        for value in &row.values {
            n += 1;
            statement.raw_bind_parameter(n, Bound(value)).map_err(storage)?;
        }
        statement.raw_bind_parameter(n + 1, space.0).map_err(storage)?;
        statement.raw_execute().map(drop).map_err(storage)
    }

    fn update_row(&mut self, entity: &Entity, id: RowId, change: &RowChange) -> Result<()> {
        let mut columns: Vec<String> = Vec::new();
        let mut values: Vec<Sql> = Vec::new();
        let mut set = |column: String, value: Sql| {
            values.push(value);
            let n = values.len();
            columns.push(match column.as_str() {
                "written_at" => format!("updated_at = max(updated_at, ?{n})"),
                _ => format!("{column} = ?{n}"),
            });
        };
        let blob = |bytes: &[u8; 16]| Sql::Blob(bytes.to_vec());
        if let Some(at) = change.written_at {
            set("written_at".into(), Sql::Integer(at));
        }
        if let Some(at) = change.updated_at {
            set("updated_at".into(), Sql::Integer(at));
        }
        if let Some((at, by)) = &change.created {
            set("created_at".into(), Sql::Integer(*at));
            set("created_by".into(), blob(by.as_bytes()));
        }
        if let Some(at) = change.deleted_at {
            set("deleted_at".into(), at.map_or(Sql::Null, Sql::Integer));
        }
        if let Some(trashed) = change.trashed {
            set("trashed".into(), Sql::Integer(i64::from(trashed)));
        }
        if let Some(place) = &change.place {
            set("place_parent".into(), place.parent.map_or(Sql::Null, |id| blob(id.as_bytes())));
            set("place_order".into(), Sql::Text(place.order.clone()));
            set("place_lamport".into(), Sql::Integer(i64::from(place.lamport)));
            set("place_peer".into(), Sql::Integer(place.peer.0.cast_signed()));
        }
        for (n, value) in &change.values {
            set(column(&entity.fields[*n].name, entity), sql(value));
        }
        if columns.is_empty() {
            return Ok(());
        }
        values.push(blob(id.as_bytes()));
        let sql = format!(
            "UPDATE {} SET {} WHERE id = ?{}",
            quoted(&self.shared.sql(entity)?.table),
            columns.join(", "),
            values.len()
        );
        self.run(&sql, params_from_iter(values)).map(drop)
    }

    fn remove_row(&mut self, entity: &Entity, id: RowId) -> Result<()> {
        let sql = format!("DELETE FROM {} WHERE id = ?1", quoted(&self.shared.sql(entity)?.table));
        self.run(&sql, [id.as_bytes()]).map(drop)
    }

    fn insert_doc(&mut self, doc: &DocRef, space: SpaceKey) -> Result<DocKey> {
        let entity = self.shared.sql_of(&doc.entity)?.key;
        self.run(
            "INSERT INTO doc (entity, row, field, space) VALUES (?1, ?2, ?3, ?4)",
            params![entity, doc.row.as_bytes(), doc.field.as_deref().unwrap_or(""), space.0],
        )?;
        Ok(DocKey(self.connection.last_insert_rowid()))
    }

    fn remove_doc(&mut self, doc: DocKey) -> Result<()> {
        for table in ["part", "base", "dirty", "retired"] {
            self.run(&format!("DELETE FROM {table} WHERE doc = ?1"), [doc.0])?;
        }
        self.run("DELETE FROM doc WHERE key = ?1", [doc.0]).map(drop)
    }

    fn fold_doc(&mut self, doc: DocKey, base: &[u8], forget: bool) -> Result<()> {
        let find = "SELECT upto FROM base WHERE doc = ?1";
        let before =
            self.connection.query_row(find, [doc.0], |row| row.get(0)).optional().map_err(storage)?;
        // Up to the document's own last update: places behind it may be given again once a refusal frees them.
        self.run(
            "INSERT INTO base (doc, upto, hash, bytes) \
             VALUES (?1, (SELECT max(key) >> 14 FROM part WHERE doc = ?1), ?2, ?3) \
             ON CONFLICT (doc) DO UPDATE SET upto = excluded.upto, hash = excluded.hash, bytes = excluded.bytes",
            params![doc.0, hash(base), base],
        )?;
        if forget {
            let [_, last] = part_keys(Seq(before.map_or(0, i64::unsigned_abs)));
            self.run("UPDATE part SET bytes = NULL WHERE doc = ?1 AND key > ?2", [doc.0, last])?;
        }
        Ok(())
    }

    fn append_log(&mut self, space: SpaceKey, row: &LogRow) -> Result<()> {
        let actor = self.actor_key(row.actor)?;
        let state = match row.state {
            LogState::Pending => 0,
            LogState::Accepted => 1,
            LogState::Local => 2,
        };
        self.run(
            "INSERT INTO log (seq, space, id, state, server_seq, actor, manifest_version, time, received, origin, \
             replaces) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            params![
                seq(row.seq),
                space.0,
                row.id.as_bytes(),
                state,
                row.server_seq.map(seq),
                actor,
                row.manifest_version,
                row.time,
                row.received,
                row.origin,
                row.replaces.as_ref().map(CommitId::as_bytes),
            ],
        )
        .map(drop)
    }

    fn append_part(&mut self, at: Seq, doc: DocKey, bytes: &[u8]) -> Result<()> {
        let [first, last] = part_keys(at);
        self.run(
            "INSERT INTO part (key, doc, bytes) VALUES (coalesce((SELECT max(key) + 1 FROM part \
             WHERE key BETWEEN ?1 AND ?2), ?1), ?3, ?4)",
            params![first, last, doc.0, bytes],
        )
        .map(drop)
    }

    fn accept(&mut self, at: Seq, server_seq: Seq, received: Millis) -> Result<()> {
        self.run(
            "UPDATE log SET state = 1, server_seq = ?2, received = ?3 WHERE seq = ?1",
            params![seq(at), seq(server_seq), received],
        )
        .map(drop)
    }

    fn remove_log(&mut self, at: Seq) -> Result<()> {
        self.run("DELETE FROM part WHERE key BETWEEN ?1 AND ?2", part_keys(at))?;
        self.run("DELETE FROM log WHERE seq = ?1", [seq(at)]).map(drop)
    }

    fn set_dirty(&mut self, doc: DocKey, dirty: bool) -> Result<()> {
        let sql = match dirty {
            true => "INSERT OR IGNORE INTO dirty (doc) VALUES (?1)",
            false => "DELETE FROM dirty WHERE doc = ?1",
        };
        self.run(sql, [doc.0]).map(drop)
    }

    fn put_space(&mut self, space: &SpaceRow) -> Result<()> {
        self.run(
            "INSERT INTO space (key, id, server, epoch, cursor) VALUES (?1, ?2, ?3, ?4, ?5) \
             ON CONFLICT (key) DO UPDATE SET id = ?2, server = ?3, epoch = ?4, cursor = ?5",
            params![
                space.key.0,
                space.id.as_ref().map(|id| id.as_bytes()),
                space.server,
                space.epoch.as_ref().map(|epoch| epoch.as_bytes()),
                seq(space.cursor),
            ],
        )
        .map(drop)
    }

    fn put_draft(&mut self, draft: &DraftRow) -> Result<()> {
        self.run(
            "INSERT OR REPLACE INTO draft (id, entity, row, field, status, code, reason, created_at, commits) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            params![
                draft.id.as_bytes(),
                draft.doc.entity,
                draft.doc.row.as_bytes(),
                draft.doc.field.as_deref().unwrap_or(""),
                draft.status.name(),
                draft.code.name(),
                draft.reason,
                draft.created_at,
                draft.commits,
            ],
        )
        .map(drop)
    }

    fn remove_draft(&mut self, id: CommitId) -> Result<bool> {
        Ok(self.run("DELETE FROM draft WHERE id = ?1", [id.as_bytes()])? > 0)
    }

    fn put_meta(&mut self, key: &str, value: &[u8]) -> Result<()> {
        self.run("INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)", params![key, value]).map(drop)
    }

    fn retire(&mut self, doc: DocKey, peer: PeerId, from: i32) -> Result<()> {
        self.run(
            "INSERT INTO retired (doc, peer, counter) VALUES (?1, ?2, ?3) \
             ON CONFLICT (doc, peer) DO UPDATE SET counter = min(counter, ?3)",
            params![doc.0, peer.0.cast_signed(), from],
        )
        .map(drop)
    }

    fn put_answer(
        &mut self,
        key: &str,
        digest: &[u8],
        answer: &str,
        at: Millis,
        forget_before: Millis,
    ) -> Result<()> {
        self.run("DELETE FROM answer WHERE at < ?1", [forget_before])?;
        self.run(
            "INSERT INTO answer (key, digest, answer, at) VALUES (?1, ?2, ?3, ?4)",
            params![key, digest, answer, at],
        )
        .map(drop)
    }
}
