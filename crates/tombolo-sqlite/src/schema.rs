//! The tables: a fixed part with numbered migrations, and one table an entity that follows the manifest.

use crate::error::storage;
use crate::rows::{EntitySql, column_type, quoted};
use rusqlite::Connection;
use std::collections::HashMap;
use tombolo_core::{Code, Entity, Error, Manifest, Result};

mod fixed {
    refinery::embed_migrations!("migrations");
}

pub(crate) fn migrate(connection: &mut Connection, manifest: &Manifest) -> Result<()> {
    fixed::migrations::runner().run(connection).map_err(|error| match error.kind() {
        refinery::error::Kind::MissingVersion(_) | refinery::error::Kind::DivergentVersion(..) => Error::new(
            Code::ManifestTooNew,
            "the data folder was written by a newer version of this app; update it to open the folder",
        ),
        _ => Error::new(Code::StorageFailed, format!("the database cannot be brought up to date: {error}")),
    })?;
    let transaction = connection.transaction().map_err(storage)?;
    for entity in &manifest.entities {
        transaction
            .execute("INSERT OR IGNORE INTO entity (name) VALUES (?1)", [&entity.name])
            .map_err(storage)?;
    }
    for (entity, sql) in manifest.entities.iter().zip(entities(&transaction, manifest)?) {
        follow(&transaction, entity, &sql.1)?;
    }
    transaction.commit().map_err(storage)
}

/// The SQL of each entity, in the manifest's order.
pub(crate) fn entities(connection: &Connection, manifest: &Manifest) -> Result<Vec<(String, EntitySql)>> {
    let mut statement = connection.prepare("SELECT key FROM entity WHERE name = ?1").map_err(storage)?;
    let mut entities = Vec::with_capacity(manifest.entities.len());
    for entity in &manifest.entities {
        let key = statement.query_row([&entity.name], |row| row.get(0)).map_err(storage)?;
        entities.push((entity.name.clone(), EntitySql::new(entity, key)));
    }
    Ok(entities)
}

/// Brings an entity's table to the manifest: adds what is missing, refuses what would lose data.
fn follow(connection: &Connection, entity: &Entity, sql: &EntitySql) -> Result<()> {
    connection.execute_batch(&sql.create).map_err(storage)?;
    let mut columns = HashMap::new();
    let mut statement =
        connection.prepare("SELECT name, type FROM pragma_table_info(?1)").map_err(storage)?;
    let found = statement
        .query_map([sql.table.as_str()], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))
        .map_err(storage)?;
    for column in found {
        let (name, kind) = column.map_err(storage)?;
        columns.insert(name, kind);
    }
    for field in &entity.fields {
        let (column, kind) = (format!("f_{}", field.name), column_type(&field.kind));
        match columns.get(&column) {
            None => connection
                .execute_batch(&format!(
                    "ALTER TABLE {} ADD COLUMN {} {kind}",
                    quoted(&sql.table),
                    quoted(&column)
                ))
                .map_err(storage)?,
            Some(stored) if stored == kind => {}
            Some(stored) => {
                return Err(Error::new(
                    Code::ManifestInvalid,
                    format!(
                        "{}.{} was {stored} and cannot become {kind}; add a new field instead",
                        entity.name, field.name
                    ),
                )
                .with("entity", entity.name.as_str())
                .with("field", field.name.as_str()));
            }
        }
    }
    connection.execute_batch(&sql.indexes).map_err(storage)
}
