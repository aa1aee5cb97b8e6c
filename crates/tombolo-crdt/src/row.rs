use crate::doc::{FIELD, ROW};
use crate::{Doc, Error, Result, Span};
use loro::{ExportMode, Frontiers, ID, LoroDoc, LoroValue, VersionVector};
use std::collections::BTreeMap;
use tombolo_core::{Field, FieldType, Millis, PeerId, RowId, Value};

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

    /// Whether an update that the document has made a merged text longer than `max`, as its author saw it: others'
    /// concurrent insertions do not count, nor does an update that only shortens a text which merging made too long.
    ///
    /// # Errors
    /// [`crate::Error::Broken`], `CRDT_APPLY_FAILED`.
    pub fn grows_beyond(&self, field: &str, max: usize, spans: &[Span]) -> Result<bool> {
        if self.text_len(field)? <= max {
            return Ok(false);
        }
        let own =
            self.text_len_at(field, spans.iter().map(|span| ID::new(span.peer.0, span.end - 1)).collect())?;
        if own <= max {
            return Ok(false);
        }
        let before = self.guard(|loro| {
            let of_span = |span: &Span| {
                let first = ID::new(span.peer.0, span.start);
                let deps =
                    loro.get_change(first).filter(|change| change.id == first).map(|change| change.deps);
                let deps = deps.into_iter().flat_map(|deps| deps.iter().collect::<Vec<_>>());
                let earlier = (span.start > 0).then(|| ID::new(span.peer.0, span.start - 1));
                deps.chain(earlier).collect::<Vec<_>>()
            };
            Ok(spans.iter().flat_map(of_span).collect())
        })?;
        Ok(own > self.text_len_at(field, before)?)
    }

    /// The text's length in the version that these operations and all before them make.
    fn text_len_at(&self, field: &str, ids: Vec<ID>) -> Result<usize> {
        let at = self.guard(|loro| {
            let mut version = VersionVector::default();
            for id in ids {
                let known = loro.frontiers_to_vv(&Frontiers::from_id(id));
                version.merge(&known.ok_or_else(|| Error::apply("it names operations that are not here"))?);
            }
            loro.export(ExportMode::snapshot_at(&loro.vv_to_frontiers(&version))).map_err(Error::apply)
        })?;
        Doc::open(PeerId(0), Some(&at), [])?.text_len(field)
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
