use crate::{Code, Entity, Error, Result, Value};
use serde_json::Value as Json;
use std::collections::BTreeSet;

/// How many rows a list has unless told.
pub const DEFAULT_LIMIT: usize = 1_000;
/// How many rows a list has at most.
pub const MAX_LIMIT: usize = 10_000;

const LATER: [&str; 14] = [
    "$eq",
    "$gt",
    "$gte",
    "$lt",
    "$lte",
    "$in",
    "$nin",
    "$like",
    "$startsWith",
    "$contains",
    "$and",
    "$or",
    "$nor",
    "$search",
];
const LATER_SPECIAL: [&str; 2] = ["$limit", "$offset"];

/// Which fields of a row a read shows, declared or implicit. The id is always among them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Fields {
    /// All of them.
    #[default]
    All,
    /// Those with these names.
    Only(BTreeSet<String>),
}

impl Fields {
    /// Whether a field is shown.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        match self {
            Fields::All => true,
            Fields::Only(names) => name == "id" || names.contains(name),
        }
    }

    /// Checks the names.
    ///
    /// # Errors
    /// `INVALID_QUERY` for a name that is none of the entity's fields.
    pub fn check(&self, entity: &Entity) -> Result<()> {
        match self {
            Fields::All => Ok(()),
            Fields::Only(names) => names.iter().try_for_each(|name| check_field(entity, name)),
        }
    }
}

/// A filter: terms that all must hold, and an order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Filter {
    /// What must hold, all of it.
    pub terms: Vec<Term>,
    /// The order of the rows; ties are broken by id.
    pub order: Vec<Order>,
}

/// One condition on one field, declared or implicit.
#[derive(Debug, Clone, PartialEq)]
pub struct Term {
    /// The field's name.
    pub field: String,
    /// What must hold of its value.
    pub test: Test,
}

/// What must hold of a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// It is this value. Null means that there is none.
    Is(Value),
    /// It is not this value. A row without a value matches unless this is null.
    IsNot(Value),
}

/// One key of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The field's name.
    pub field: String,
    /// Which way.
    pub direction: Direction,
}

/// Which way rows are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Smallest first; rows without a value come first.
    Ascending,
    /// Largest first; rows without a value come last.
    Descending,
}

impl Filter {
    /// Parses a filter and checks it against the entity.
    ///
    /// # Errors
    /// `INVALID_QUERY` for an unknown operator or field, or a wrong value; `NOT_SUPPORTED` for an operator of
    /// the contract that this version does not offer. Both name the place.
    pub fn parse(entity: &Entity, filter: &Json) -> Result<Self> {
        let object = match filter {
            Json::Null => return Ok(Self::default()),
            Json::Object(object) => object,
            _ => return Err(invalid("a filter is an object", "$")),
        };
        let mut parsed = Self::default();
        for (key, value) in object {
            if key == "$order" {
                parsed.order = order(entity, value)?;
            } else if key.starts_with('$') {
                return Err(operator(key, key));
            } else {
                terms(entity, key, value, &mut parsed.terms)?;
            }
        }
        Ok(parsed)
    }

    /// Whether the filter says anything about this field.
    #[must_use]
    pub fn names(&self, field: &str) -> bool {
        self.terms.iter().any(|term| term.field == field)
    }
}

fn terms(entity: &Entity, name: &str, value: &Json, terms: &mut Vec<Term>) -> Result<()> {
    let mut push = |test| terms.push(Term { field: name.to_owned(), test });
    check_field(entity, name)?;
    let Json::Object(tests) = value else {
        push(Test::Is(typed(entity, name, value)?));
        return Ok(());
    };
    for (key, operand) in tests {
        push(match (key.as_str(), operand) {
            ("$null", Json::Bool(true)) => Test::Is(Value::Null),
            ("$null", Json::Bool(false)) => Test::IsNot(Value::Null),
            ("$null", _) => {
                return Err(invalid("$null takes true or false", &format!("{name}.$null")));
            }
            ("$not", _) => Test::IsNot(typed(entity, name, operand)?),
            _ => return Err(operator(key, &format!("{name}.{key}"))),
        });
    }
    Ok(())
}

fn order(entity: &Entity, value: &Json) -> Result<Vec<Order>> {
    let keys = match value {
        Json::Object(_) => std::slice::from_ref(value),
        Json::Array(keys) => keys.as_slice(),
        _ => {
            return Err(invalid("$order is an object or a list of objects", "$order"));
        }
    };
    let mut parsed = Vec::new();
    for key in keys {
        let object = key.as_object().filter(|object| object.len() == 1);
        let Some((field, direction)) = object.and_then(|object| object.iter().next()) else {
            return Err(invalid("each key of $order is an object with one field", "$order"));
        };
        check_field(entity, field)?;
        parsed.push(Order {
            field: field.clone(),
            direction: match direction.as_str() {
                Some("asc") => Direction::Ascending,
                Some("desc") => Direction::Descending,
                _ => {
                    return Err(invalid("the direction is \"asc\" or \"desc\"", &format!("$order.{field}")));
                }
            },
        });
    }
    Ok(parsed)
}

fn check_field(entity: &Entity, name: &str) -> Result<()> {
    let known = crate::IMPLICIT_FIELDS.contains(&name)
        || entity.field(name).is_ok()
        || entity.tree_order_name().is_some_and(|order| order == name);
    if known {
        return Ok(());
    }
    Err(invalid(&format!("{} has no field {name:?}", entity.name), name))
}

/// A value of the field's type; implicit fields are read as what they hold.
fn typed(entity: &Entity, name: &str, json: &Json) -> Result<Value> {
    if json.is_null() {
        return Ok(Value::Null);
    }
    let text = || json.as_str().ok_or_else(|| invalid(&format!("{name} is compared with a string"), name));
    let place = |error: Error| invalid(&error.message, name);
    if let Ok(field) = entity.field(name) {
        return Value::from_json(field, json).map_err(place);
    }
    Ok(match name {
        "id" => Value::Id(text()?.parse().map_err(place)?),
        "created_at" | "updated_at" | "deleted_at" => Value::Time(crate::parse_time(text()?).map_err(place)?),
        _ => Value::Text(text()?.to_owned()),
    })
}

fn operator(key: &str, path: &str) -> Error {
    if LATER.contains(&key) || LATER_SPECIAL.contains(&key) {
        return Error::new(Code::NotSupported, format!("this version does not offer {key} in filters"))
            .with("path", path);
    }
    invalid(&format!("there is no operator {key:?}"), path)
}

fn invalid(message: &str, path: &str) -> Error {
    Error::new(Code::InvalidQuery, message).with("path", path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Manifest;
    use serde_json::json;

    fn check(filter: Json, expected: Result<usize, Code>) {
        let manifest = Manifest::parse(
            &json!({"manifest_version": 1, "name": "n", "version": 1, "entities": [{"name": "Page", "fields": [
                {"name": "title", "type": "string"},
                {"name": "parent", "type": "id(Page)", "optional": true}],
                "relations": [{"name": "parent", "target": "Page", "field": "parent", "tree": true}]}]})
            .to_string(),
        )
        .unwrap();
        let parsed = Filter::parse(&manifest.entities[0], &filter);
        assert_eq!(parsed.map(|f| f.terms.len()).map_err(|e| e.code), expected, "{filter}");
    }

    #[test]
    fn filters_say_what_holds() {
        check(json!(null), Ok(0));
        check(json!({"title": "x", "parent": null}), Ok(2));
        check(json!({"title": {"$not": "x", "$null": false}}), Ok(2));
        check(json!({"deleted_at": {"$null": false}, "$order": [{"title": "asc"}, {"id": "desc"}]}), Ok(1));
        check(json!({"$order": {"parent_order": "asc"}}), Ok(0));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for later in [json!({"title": {"$gt": "x"}}), json!({"$or": []}), json!({"$limit": 3})] {
            check(later, Err(Code::NotSupported));
        }
        for wrong in [
            json!([]),
            json!({"nope": 1}),
            json!({"title": 1}),
            json!({"title": {"$nope": 1}}),
            json!({"$nope": 1}),
            json!({"title": {"$null": 1}}),
            json!({"$order": {"title": "up"}}),
            json!({"$order": {"a": "asc", "b": "asc"}}),
            json!({"id": "no-uuid"}),
        ] {
            check(wrong, Err(Code::InvalidQuery));
        }
    }
}
