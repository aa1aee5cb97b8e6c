use crate::doc::{FIELD, ROW};
use crate::{Doc, Result};
use loro::{LoroDoc, LoroValue};
use std::collections::BTreeMap;
use tombolo_core::{Field, FieldType, Millis, RowId, Value};

/// The key that marks a row as being in the trash.
pub(crate) const DELETED: &str = "$deleted";

/// The root container of a field that is a merged text.
pub(crate) fn text_root(field: &str) -> String {
    format!("{FIELD}:{field}")
}

/// A scalar as the document holds it; the manifest says what it means.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the variants are Loro's own")]
pub enum Scalar {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    Bytes(Vec<u8>),
    List(Vec<Scalar>),
    /// A nested map or container, which no scalar field holds.
    Other,
}

/// A row's place in its tree: one last-writer-wins value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The parent, or none for the root.
    pub parent: Option<RowId>,
    /// The order among siblings: compared as text, then by row id.
    pub order: String,
}

/// What a row's document holds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RowView {
    /// The scalars by key.
    pub values: BTreeMap<String, Scalar>,
}

impl Place {
    pub(crate) fn to_loro(&self) -> LoroValue {
        let parent = self.parent.map_or(LoroValue::Null, |id| LoroValue::String(id.to_string().into()));
        LoroValue::List(vec![parent, LoroValue::String(self.order.as_str().into())].into())
    }
}

impl RowView {
    /// The field's value, decoded by its type. A value that does not fit, as a newer or a foreign peer may have
    /// written, reads as null. Merged and formatted texts are not here: see [`Doc::text`].
    #[must_use]
    pub fn value(&self, field: &Field) -> Value {
        match (&field.kind, self.values.get(&field.name)) {
            (FieldType::Bool, Some(Scalar::Bool(flag))) => Value::Bool(*flag),
            (FieldType::Int, Some(Scalar::Int(number))) => Value::Int(*number),
            (FieldType::Float, Some(Scalar::Float(number))) if number.is_finite() => Value::Float(*number),
            #[allow(clippy::cast_precision_loss, reason = "a float field holds floats")]
            (FieldType::Float, Some(Scalar::Int(number))) => Value::Float(*number as f64),
            (FieldType::Datetime, Some(Scalar::Int(time))) => Value::Time(*time),
            (FieldType::String | FieldType::Enum(_), Some(Scalar::Text(text))) => Value::Text(text.clone()),
            (FieldType::Bytes, Some(Scalar::Bytes(bytes))) => Value::Bytes(bytes.clone()),
            (FieldType::Id(_), Some(Scalar::Text(text))) => text.parse().map_or(Value::Null, Value::Id),
            _ => Value::Null,
        }
    }

    /// The row's place in its tree, if one was written.
    #[must_use]
    pub fn place(&self, field: &str) -> Option<Place> {
        let Some(Scalar::List(items)) = self.values.get(field) else { return None };
        match items.as_slice() {
            [Scalar::Null, Scalar::Text(order)] => Some(Place { parent: None, order: order.clone() }),
            [Scalar::Text(parent), Scalar::Text(order)] => {
                Some(Place { parent: parent.parse().ok(), order: order.clone() })
            }
            _ => None,
        }
    }

    /// When the row itself was put into the trash, if it is there.
    #[must_use]
    pub fn deleted_at(&self) -> Option<Millis> {
        match self.values.get(DELETED) {
            Some(Scalar::Int(at)) => Some(*at),
            _ => None,
        }
    }

    /// Whether an empty merged text was written as such.
    #[must_use]
    pub fn has_empty_text(&self, field: &str) -> bool {
        self.values.get(&text_root(field)) == Some(&Scalar::Bool(true))
    }
}

impl Doc {
    /// The scalars of the row.
    ///
    /// # Errors
    /// [`crate::Error::Broken`].
    pub fn row(&self) -> Result<RowView> {
        self.guard(|loro| {
            let mut view = RowView::default();
            if let LoroValue::Map(map) = loro.get_map(ROW).get_value() {
                view.values.extend(map.iter().map(|(key, value)| (key.clone(), scalar(value, 0))));
            }
            Ok(view)
        })
    }

    /// What a merged text field says.
    ///
    /// # Errors
    /// [`crate::Error::Broken`].
    pub fn text(&self, field: &str) -> Result<String> {
        self.with_text(field, |text| text.to_string())
    }

    /// How many Unicode scalars a merged text field has.
    ///
    /// # Errors
    /// [`crate::Error::Broken`].
    pub fn text_len(&self, field: &str) -> Result<usize> {
        self.with_text(field, |text| text.len_unicode())
    }

    fn with_text<T: Default>(&self, field: &str, f: impl FnOnce(&loro::LoroText) -> T) -> Result<T> {
        self.guard(|loro: &LoroDoc| {
            Ok(loro.try_get_text(text_root(field).as_str()).map(|t| f(&t)).unwrap_or_default())
        })
    }
}

fn scalar(value: &LoroValue, depth: usize) -> Scalar {
    match value {
        LoroValue::Null => Scalar::Null,
        LoroValue::Bool(flag) => Scalar::Bool(*flag),
        LoroValue::I64(number) => Scalar::Int(*number),
        LoroValue::Double(number) => Scalar::Float(*number),
        LoroValue::String(text) => Scalar::Text(text.to_string()),
        LoroValue::Binary(bytes) => Scalar::Bytes(bytes.to_vec()),
        LoroValue::List(items) if depth < 4 => {
            Scalar::List(items.iter().map(|i| scalar(i, depth + 1)).collect())
        }
        _ => Scalar::Other,
    }
}
