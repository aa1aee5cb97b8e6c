use crate::{Code, Error, Field, FieldType, Millis, Result, RowId, format_time, parse_time};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value as Json;

/// A field's value, typed by the manifest.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// No value.
    Null,
    /// A `bool`.
    Bool(bool),
    /// An `int`.
    Int(i64),
    /// A `float`, finite.
    Float(f64),
    /// A `string` or an `enum`, and the plain text of a `richtext`.
    Text(String),
    /// A `datetime`.
    Time(Millis),
    /// `bytes`.
    Bytes(Vec<u8>),
    /// An `id(Entity)`.
    Id(RowId),
}

impl Value {
    /// Reads a value of the field's type from JSON. Null is always read; whether it is allowed is the caller's question.
    ///
    /// # Errors
    /// `INVALID_DATA` with the field, if the JSON is of another type or breaks `max_length`.
    pub fn from_json(field: &Field, json: &Json) -> Result<Self> {
        if json.is_null() {
            return Ok(Value::Null);
        }
        let value = match (&field.kind, json) {
            (FieldType::String | FieldType::Richtext, Json::String(text)) => Value::Text(text.clone()),
            (FieldType::Enum(names), Json::String(text)) if names.contains(text) => Value::Text(text.clone()),
            (FieldType::Int, Json::Number(number)) => {
                Value::Int(integer(number).ok_or_else(|| wrong(field, json))?)
            }
            (FieldType::Float, Json::Number(number)) => {
                Value::Float(number.as_f64().filter(|n| n.is_finite()).ok_or_else(|| wrong(field, json))?)
            }
            (FieldType::Bool, Json::Bool(flag)) => Value::Bool(*flag),
            (FieldType::Datetime, Json::String(text)) => {
                Value::Time(parse_time(text).map_err(|error| error.with("field", field.name.as_str()))?)
            }
            (FieldType::Bytes, Json::String(text)) => {
                Value::Bytes(BASE64.decode(text).map_err(|_| wrong(field, json))?)
            }
            (FieldType::Id(_), Json::String(text)) => {
                Value::Id(text.parse().map_err(|error: Error| error.with("field", field.name.as_str()))?)
            }
            _ => return Err(wrong(field, json)),
        };
        value.check_length(field)?;
        Ok(value)
    }

    /// The value as JSON: times as RFC 3339, bytes as base64, ids as text.
    #[must_use]
    pub fn to_json(&self) -> Json {
        match self {
            Value::Null => Json::Null,
            Value::Bool(flag) => Json::Bool(*flag),
            Value::Int(number) => Json::from(*number),
            Value::Float(number) => Json::from(*number),
            Value::Text(text) => Json::String(text.clone()),
            Value::Time(time) => Json::String(format_time(*time)),
            Value::Bytes(bytes) => Json::String(BASE64.encode(bytes)),
            Value::Id(id) => Json::String(id.to_string()),
        }
    }

    /// Whether this is no value.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// Checks the value against the field's `max_length`.
    ///
    /// # Errors
    /// `INVALID_DATA` with the field.
    pub fn check_length(&self, field: &Field) -> Result<()> {
        let Some(max) = field.max_length else {
            return Ok(());
        };
        let length = match self {
            Value::Text(text) => text.chars().count(),
            Value::Bytes(bytes) => bytes.len(),
            _ => return Ok(()),
        };
        match length as u64 <= max {
            true => Ok(()),
            false => Err(field.too_long(length)),
        }
    }
}

/// An integer however it is written: `3`, but not `3.5`, nor a float too large to be exact.
fn integer(number: &serde_json::Number) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    number.as_i64().or_else(|| {
        let float = number.as_f64().filter(|_| number.is_f64())?;
        #[allow(clippy::cast_possible_truncation, reason = "exact within 2^53")]
        (float.fract() == 0.0 && float.abs() <= EXACT).then_some(float as i64)
    })
}

fn wrong(field: &Field, json: &Json) -> Error {
    let shown: String = json.to_string().chars().take(60).collect();
    let expected = match &field.kind {
        FieldType::Enum(names) => format!("one of {}", names.join(", ")),
        kind => format!("a value of type {}", kind.name()),
    };
    Error::new(Code::InvalidData, format!("{} needs {expected}, not {shown}", field.name))
        .with("field", field.name.as_str())
}
