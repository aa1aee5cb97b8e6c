//! How an entity's rows look as SQL.

use rusqlite::types::{ToSqlOutput, Value as Sql, ValueRef};
use rusqlite::{Row as SqlRow, ToSql};
use std::borrow::Cow;
use std::fmt::Write as _;
use tombolo_core::{
    ActorId, Direction, Entity, Field, FieldType, Fields, Filter, IMPLICIT_FIELDS, PeerId, RowId, Test, Value,
};
use tombolo_store::backend::{Row, Select, StoredPlace};

/// The columns before the fields.
pub(crate) const HEAD: [&str; 6] = ["id", "created_at", "updated_at", "created_by", "deleted_at", "trashed"];
/// The columns of an entity with a tree.
pub(crate) const PLACE: [&str; 4] = ["place_parent", "place_order", "place_lamport", "place_peer"];

/// The SQL of one entity, written once.
#[derive(Debug)]
pub(crate) struct EntitySql {
    /// The entity's key in the database.
    pub(crate) key: i64,
    pub(crate) table: String,
    pub(crate) create: String,
    pub(crate) indexes: String,
    pub(crate) insert: String,
    /// `SELECT … FROM …`, without a condition.
    pub(crate) select: String,
}

pub(crate) fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}

pub(crate) fn column_type(kind: &FieldType) -> &'static str {
    match kind {
        FieldType::String | FieldType::Enum(_) | FieldType::Richtext => "TEXT",
        FieldType::Int | FieldType::Bool | FieldType::Datetime => "INTEGER",
        FieldType::Float => "REAL",
        FieldType::Bytes | FieldType::Id(_) => "BLOB",
    }
}

impl EntitySql {
    pub(crate) fn new(entity: &Entity, key: i64) -> Self {
        let table = format!("row_{}", entity.name);
        let name = quoted(&table);
        let fields: Vec<String> = entity.fields.iter().map(|f| quoted(&format!("f_{}", f.name))).collect();
        let mut create = format!(
            "CREATE TABLE IF NOT EXISTS {name} (id BLOB NOT NULL PRIMARY KEY, space INTEGER NOT NULL, \
             created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, created_by BLOB NOT NULL, \
             deleted_at INTEGER, trashed INTEGER NOT NULL, place_parent BLOB, place_order TEXT, \
             place_lamport INTEGER, place_peer INTEGER"
        );
        for (field, column) in entity.fields.iter().zip(&fields) {
            write!(create, ", {column} {}", column_type(&field.kind)).expect("a string takes everything");
        }
        create.push_str(");");
        let columns = HEAD.iter().chain(&PLACE).map(|c| (*c).to_owned()).chain(fields).collect::<Vec<_>>();
        let marks = (1..=columns.len() + 1).map(|n| format!("?{n}")).collect::<Vec<_>>().join(", ");
        let columns = columns.join(", ");
        Self {
            insert: format!("INSERT INTO {name} ({columns}, space) VALUES ({marks})"),
            select: format!("SELECT {columns} FROM {name}"),
            indexes: indexes(entity, &table),
            create,
            table,
            key,
        }
    }
}

impl EntitySql {
    /// `SELECT … FROM …` with nulls for the fields that are not wanted.
    pub(crate) fn select(&self, entity: &Entity, fields: &Fields) -> Cow<'_, str> {
        if *fields == Fields::All {
            return Cow::Borrowed(&self.select);
        }
        let head = HEAD.iter().chain(&PLACE).map(|column| Cow::Borrowed(*column));
        let wanted = entity.fields.iter().map(|field| match fields.has(&field.name) {
            true => Cow::Owned(column(&field.name, entity)),
            false => Cow::Borrowed("NULL"),
        });
        let columns = head.chain(wanted).collect::<Vec<_>>().join(", ");
        Cow::Owned(format!("SELECT {columns} FROM {}", quoted(&self.table)))
    }
}

/// Unique, declared and tree indexes. None is physically unique: a commit from the server always applies.
fn indexes(entity: &Entity, table: &str) -> String {
    let mut sql = String::new();
    let mut add = |name: &str, columns: &str, condition: &str| {
        writeln!(
            sql,
            "CREATE INDEX IF NOT EXISTS {} ON {} ({columns}) {condition};",
            quoted(&format!("{table}_{name}")),
            quoted(table)
        )
        .expect("a string takes everything");
    };
    for field in entity.fields.iter().filter(|field| field.unique) {
        add(&format!("unique_{}", field.name), &column(&field.name, entity), "");
    }
    for index in &entity.indexes {
        let columns: Vec<String> = index.fields.iter().map(|field| column(field, entity)).collect();
        add(&format!("index_{}", index.name), &columns.join(", "), "");
    }
    if let Some(field) = entity.tree_field() {
        let parent = column(&field.name, entity);
        add("tree", &format!("{parent}, place_order, id"), "");
        add("detached", "place_parent", &format!("WHERE place_parent IS NOT {parent}"));
    }
    sql
}

/// The column of a declared or implicit field.
pub(crate) fn column(name: &str, entity: &Entity) -> String {
    if entity.tree_order_name().as_deref() == Some(name) {
        return "place_order".to_owned();
    }
    if name == "space" {
        return "(SELECT lower(hex(s.id)) FROM space s WHERE s.key = space)".to_owned();
    }
    match IMPLICIT_FIELDS.contains(&name) {
        true => quoted(name),
        false => quoted(&format!("f_{name}")),
    }
}

/// A value on its way into a statement.
pub(crate) struct Bound<'v>(pub(crate) &'v Value);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::Null => ValueRef::Null,
            Value::Bool(flag) => ValueRef::Integer(i64::from(*flag)),
            Value::Int(number) | Value::Time(number) => ValueRef::Integer(*number),
            Value::Float(number) => ValueRef::Real(*number),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Bytes(bytes) => ValueRef::Blob(bytes),
            Value::Id(id) => ValueRef::Blob(id.as_bytes()),
        }))
    }
}

pub(crate) fn id16(bytes: &[u8]) -> [u8; 16] {
    let mut id = [0; 16];
    if bytes.len() == 16 {
        id.copy_from_slice(bytes);
    }
    id
}

fn value(field: &Field, stored: Sql) -> Value {
    match (&field.kind, stored) {
        (FieldType::Bool, Sql::Integer(n)) => Value::Bool(n != 0),
        (FieldType::Int, Sql::Integer(n)) => Value::Int(n),
        (FieldType::Datetime, Sql::Integer(n)) => Value::Time(n),
        (FieldType::Float, Sql::Real(n)) => Value::Float(n),
        (FieldType::String | FieldType::Enum(_) | FieldType::Richtext, Sql::Text(text)) => Value::Text(text),
        (FieldType::Bytes, Sql::Blob(bytes)) => Value::Bytes(bytes),
        (FieldType::Id(_), Sql::Blob(bytes)) => Value::Id(RowId::from_bytes(id16(&bytes))),
        _ => Value::Null,
    }
}

/// Reads a row of `SELECT` as [`EntitySql::select`] writes it.
pub(crate) fn read_row(entity: &Entity, row: &SqlRow<'_>) -> rusqlite::Result<Row> {
    let blob = |n: usize| row.get_ref(n)?.as_blob().map(id16).map_err(rusqlite::Error::from);
    let first_field = HEAD.len() + PLACE.len();
    let values = entity.fields.iter().enumerate();
    let parent = row.get_ref(6)?.as_blob_or_null().map_err(rusqlite::Error::from)?;
    Ok(Row {
        id: RowId::from_bytes(blob(0)?),
        created_at: row.get(1)?,
        updated_at: row.get(2)?,
        created_by: ActorId::from_bytes(blob(3)?),
        deleted_at: row.get(4)?,
        trashed: row.get(5)?,
        place: StoredPlace {
            parent: parent.map(|bytes| RowId::from_bytes(id16(bytes))),
            order: row.get::<_, Option<String>>(7)?.unwrap_or_default(),
            lamport: row.get::<_, Option<u32>>(8)?.unwrap_or(0),
            peer: PeerId(row.get::<_, Option<i64>>(9)?.unwrap_or(0).cast_unsigned()),
        },
        values: values
            .map(|(n, field)| Ok(value(field, row.get(first_field + n)?)))
            .collect::<rusqlite::Result<_>>()?,
    })
}

/// The condition and order of a selection, with the values to bind.
pub(crate) fn condition(entity: &Entity, select: &Select) -> (String, Vec<Value>) {
    let mut bound: Vec<Value> = Vec::new();
    let mut conditions: Vec<String> = Vec::new();
    if !select.trashed {
        conditions.push("trashed = 0".to_owned());
    }
    if let Some(after) = select.after {
        bound.push(Value::Id(after));
        conditions.push(format!("id > ?{}", bound.len()));
    }
    for term in &select.filter.terms {
        let column = column(&term.field, entity);
        let (operator, value) = match &term.test {
            Test::Is(value) => ("IS", value),
            Test::IsNot(value) => ("IS NOT", value),
        };
        bound.push(implicit(&term.field, value));
        conditions.push(format!("{column} {operator} ?{}", bound.len()));
    }
    let mut sql = String::new();
    if !conditions.is_empty() {
        write!(sql, " WHERE {}", conditions.join(" AND ")).expect("a string takes everything");
    }
    write!(sql, " ORDER BY {}", order(entity, &select.filter)).expect("a string takes everything");
    if let Some(limit) = select.limit {
        write!(sql, " LIMIT {limit}").expect("a string takes everything");
    }
    (sql, bound)
}

/// Implicit fields that are ids in text are blobs in the database.
fn implicit(field: &str, value: &Value) -> Value {
    match (field, value) {
        ("created_by", Value::Text(text)) => {
            text.parse::<ActorId>().map_or_else(|_| value.clone(), |id| Value::Bytes(id.as_bytes().to_vec()))
        }
        _ => value.clone(),
    }
}

fn order(entity: &Entity, filter: &Filter) -> String {
    let mut keys: Vec<String> = filter
        .order
        .iter()
        .map(|key| {
            let direction = match key.direction {
                Direction::Ascending => "ASC",
                Direction::Descending => "DESC",
            };
            format!("{} {direction}", column(&key.field, entity))
        })
        .collect();
    keys.push("id ASC".to_owned());
    keys.join(", ")
}
