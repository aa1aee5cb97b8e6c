//! The manifest: what an app stores, declared once.

mod parse;
#[cfg(test)]
mod tests;

use crate::{Code, Error, Result};
use serde_json::Value as Json;

/// The fields that every row has without declaring them.
pub const IMPLICIT_FIELDS: [&str; 6] =
    ["id", "created_at", "updated_at", "created_by", "deleted_at", "space"];

/// A validated manifest.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// The app's name.
    pub name: String,
    /// The app's own version of its manifest, which only grows.
    pub version: u32,
    /// The entities, in the order of the file.
    pub entities: Vec<Entity>,
    source: Json,
    hash: String,
}

/// One kind of row.
#[derive(Debug, Clone, PartialEq)]
pub struct Entity {
    /// Its name.
    pub name: String,
    /// Its rows never leave the device.
    pub local: bool,
    /// The declared fields, in the order of the file.
    pub fields: Vec<Field>,
    /// The declared indexes.
    pub indexes: Vec<Index>,
    /// The declared relations.
    pub relations: Vec<Relation>,
    /// What full-text search covers.
    pub search: Option<Search>,
    /// The policy expressions by action (`read`, `insert`, `update`, `delete`, `write`).
    pub policies: Vec<(String, String)>,
}

/// One field of an entity.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: FieldType,
    /// How concurrent writes merge.
    pub crdt: Crdt,
    /// It may be null or left out.
    pub optional: bool,
    /// No two rows outside the trash may have the same value; null is not a value.
    pub unique: bool,
    /// The value of a row that is inserted without one, already checked against the type.
    pub default: Option<crate::Value>,
    /// The most Unicode scalars (`string`) or bytes (`bytes`).
    pub max_length: Option<u64>,
    /// The relation that makes this field a place in a tree: `[parent, order]`.
    pub tree: bool,
}

/// A field's type.
#[derive(Debug, Clone, PartialEq)]
pub enum FieldType {
    /// Text.
    String,
    /// A 64-bit integer, exact.
    Int,
    /// A finite 64-bit float.
    Float,
    /// True or false.
    Bool,
    /// An instant, RFC 3339.
    Datetime,
    /// One of these names.
    Enum(Vec<String>),
    /// Raw bytes, base64 in JSON.
    Bytes,
    /// Formatted text with a document of its own.
    Richtext,
    /// A reference to a row of that entity.
    Id(String),
}

/// How concurrent writes to a field merge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crdt {
    /// The last writer wins, in causal order.
    Lww,
    /// Character by character.
    Text,
}

/// A declared index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// Its name.
    pub name: String,
    /// The fields it covers, in order.
    pub fields: Vec<String>,
}

/// What deleting the target of a reference for good does to the row that refers to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDelete {
    /// The row is deleted, too.
    Cascade,
    /// The reference becomes null.
    Null,
    /// The target cannot be deleted.
    Restrict,
}

/// A named way from a row to others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// Its name.
    pub name: String,
    /// The entity it leads to.
    pub target: String,
    /// The reference: a field of this entity, or of the target when `many`.
    pub field: String,
    /// It leads to any number of rows.
    pub many: bool,
    /// Its field is a place in a tree of this entity.
    pub tree: bool,
    /// What deleting the target does.
    pub on_delete: OnDelete,
}

/// What full-text search covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    /// The fields whose text is searched.
    pub text: Vec<String>,
    /// The fields whose values are counted.
    pub facets: Vec<String>,
    /// The fields that hits can be sorted by.
    pub sortable: Vec<String>,
}

/// One error in a manifest.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Diagnostic {
    /// The JSON path, such as `$.entities[0].fields[2].type`.
    pub path: String,
    /// A stable name of the rule that is broken, such as `unknown_type`.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

impl Manifest {
    /// Parses and validates a manifest.
    ///
    /// # Errors
    /// `MANIFEST_INVALID`, with every [`Diagnostic`] in `details.diagnostics`.
    pub fn parse(text: &str) -> Result<Self> {
        parse::parse(text).map_err(|diagnostics| {
            let first = &diagnostics[0];
            let more = match diagnostics.len() {
                1 => String::new(),
                n => format!(" ({} more)", n - 1),
            };
            Error::new(
                Code::ManifestInvalid,
                format!("{}: {}. {}{more}", first.path, first.message, first.hint),
            )
            .with("diagnostics", serde_json::to_value(&diagnostics).unwrap_or(Json::Null))
        })
    }

    /// The entity of that name.
    ///
    /// # Errors
    /// `ENTITY_NOT_FOUND`.
    pub fn entity(&self, name: &str) -> Result<&Entity> {
        self.entities.iter().find(|entity| entity.name == name).ok_or_else(|| {
            let known = self.entities.iter().map(|e| e.name.as_str()).collect::<Vec<_>>().join(", ");
            Error::new(Code::EntityNotFound, format!("the manifest has no entity {name:?}; it has {known}"))
                .with("entity", name)
        })
    }

    /// The manifest as it was written.
    #[must_use]
    pub fn source(&self) -> &Json {
        &self.source
    }

    /// BLAKE3 of the compact JSON source, 64 hexadecimal digits.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }
}

impl Entity {
    /// The declared field of that name.
    ///
    /// # Errors
    /// `FIELD_NOT_FOUND`.
    pub fn field(&self, name: &str) -> Result<&Field> {
        self.fields.iter().find(|field| field.name == name).ok_or_else(|| self.unknown_field(name))
    }

    /// The error for a field that this entity does not have.
    #[must_use]
    pub fn unknown_field(&self, name: &str) -> Error {
        Error::new(Code::FieldNotFound, format!("{} has no field {name:?}", self.name))
            .with("entity", self.name.as_str())
            .with("field", name)
    }

    /// The field that places this entity's rows in a tree, if there is one.
    #[must_use]
    pub fn tree_field(&self) -> Option<&Field> {
        self.fields.iter().find(|field| field.tree)
    }

    /// The name under which a row shows its order among its siblings: `<field>_order`.
    #[must_use]
    pub fn tree_order_name(&self) -> Option<String> {
        self.tree_field().map(|field| format!("{}_order", field.name))
    }
}

impl Field {
    /// The error for a value of this length, which is above the field's `max_length`.
    #[must_use]
    pub fn too_long(&self, length: usize) -> Error {
        let max = self.max_length.unwrap_or(u64::MAX);
        Error::new(
            Code::InvalidData,
            format!("{} has a length of {length}; at most {max} are allowed", self.name),
        )
        .with("field", self.name.as_str())
        .with("max_length", max)
    }

    /// Whether the field has a document of its own.
    #[must_use]
    pub fn is_richtext(&self) -> bool {
        self.kind == FieldType::Richtext
    }
}

impl FieldType {
    /// The type as the manifest writes it.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            FieldType::String => "string".into(),
            FieldType::Int => "int".into(),
            FieldType::Float => "float".into(),
            FieldType::Bool => "bool".into(),
            FieldType::Datetime => "datetime".into(),
            FieldType::Enum(_) => "enum".into(),
            FieldType::Bytes => "bytes".into(),
            FieldType::Richtext => "richtext".into(),
            FieldType::Id(target) => format!("id({target})"),
        }
    }
}
