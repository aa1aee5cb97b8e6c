//! Reads a manifest and reports every error with its JSON path.

use super::{
    Crdt, Diagnostic, Entity, Field, FieldType, IMPLICIT_FIELDS, Index, Manifest, OnDelete, Relation, Search,
};
use crate::Value;
use serde_json::{Map, Value as Json};
use std::collections::HashSet;

const NAME_LENGTH_MAX: usize = 63;
const ENTITIES_MAX: usize = 500;
const FIELDS_MAX: usize = 500;
const SOURCE_BYTES_MAX: usize = 4 * 1024 * 1024;

pub(super) fn parse(text: &str) -> Result<Manifest, Vec<Diagnostic>> {
    if text.len() > SOURCE_BYTES_MAX {
        return Err(vec![Diagnostic {
            path: "$".into(),
            code: "too_large",
            message: format!("the manifest has {} bytes", text.len()),
            hint: format!("keep it under {SOURCE_BYTES_MAX}"),
        }]);
    }
    let source: Json = serde_json::from_str(text).map_err(|error| {
        vec![Diagnostic {
            path: "$".into(),
            code: "not_json",
            message: format!("the manifest is not JSON: {error}"),
            hint: "mend the syntax at that line and column".into(),
        }]
    })?;
    let mut report = Report::default();
    let manifest = report.manifest(&source);
    match manifest {
        Some(manifest) if report.found.is_empty() => Ok(manifest),
        _ => Err(report.found),
    }
}

#[derive(Default)]
struct Report {
    found: Vec<Diagnostic>,
}

impl Report {
    fn add(&mut self, path: &str, code: &'static str, message: String, hint: &str) {
        self.found.push(Diagnostic { path: path.to_owned(), code, message, hint: hint.to_owned() });
    }

    fn manifest(&mut self, source: &Json) -> Option<Manifest> {
        let root = self.object("$", source)?;
        self.known_keys(
            "$",
            root,
            &["manifest_version", "name", "version", "entities", "functions", "jobs", "auth"],
        );
        match root.get("manifest_version") {
            Some(Json::Number(n)) if n.as_u64() == Some(1) => {}
            Some(other) => self.add(
                "$.manifest_version",
                "unsupported_version",
                format!("manifest_version is {other}"),
                "this version reads manifest_version 1",
            ),
            None => self.missing("$.manifest_version", "write \"manifest_version\": 1"),
        }
        let name = self.string("$", root, "name")?.to_owned();
        let version = match root.get("version").map(Json::as_u64) {
            Some(Some(n)) if (1..=u64::from(u32::MAX)).contains(&n) => u32::try_from(n).ok()?,
            Some(_) => {
                self.add(
                    "$.version",
                    "wrong_type",
                    "version is no positive integer".into(),
                    "count up from 1",
                );
                1
            }
            None => {
                self.missing("$.version", "count up from 1 with each change");
                1
            }
        };
        let list = self.list("$", root, "entities");
        if root.get("entities").is_none() || list.is_some_and(Vec::is_empty) {
            self.missing("$.entities", "declare at least one entity");
        }
        let list = list?;
        if list.len() > ENTITIES_MAX {
            self.add("$.entities", "too_many", format!("{} entities", list.len()), "500 at most");
            return None;
        }
        let entities: Vec<Entity> = list
            .iter()
            .enumerate()
            .filter_map(|(i, entity)| self.entity(&format!("$.entities[{i}]"), entity))
            .collect();
        self.duplicates("$.entities", "entity", entities.iter().map(|e| e.name.as_str()));
        if entities.len() == list.len() {
            self.references(&entities);
        }
        let hash = blake3::hash(source.to_string().as_bytes()).to_hex().to_string();
        Some(Manifest { name, version, entities, source: source.clone(), hash })
    }

    fn entity(&mut self, path: &str, source: &Json) -> Option<Entity> {
        let object = self.object(path, source)?;
        self.known_keys(
            path,
            object,
            &["name", "crdt", "local", "fields", "indexes", "relations", "search", "policies", "was"],
        );
        let name = self.name(path, object)?;
        if self.flag(path, object, "crdt", true) == Some(false) {
            self.not_supported(&format!("{path}.crdt"), "entities without documents");
        }
        let local = self.flag(path, object, "local", false)?;
        let list = self.list(path, object, "fields")?;
        if list.len() > FIELDS_MAX {
            self.add(&format!("{path}.fields"), "too_many", format!("{} fields", list.len()), "500 at most");
            return None;
        }
        let mut fields: Vec<Field> = list
            .iter()
            .enumerate()
            .filter_map(|(i, field)| self.field(&format!("{path}.fields[{i}]"), field))
            .collect();
        self.duplicates(&format!("{path}.fields"), "field", fields.iter().map(|f| f.name.as_str()));
        let relations = self.relations(path, object);
        for relation in relations.iter().filter(|relation| relation.tree) {
            if let Some(field) = fields.iter_mut().find(|field| field.name == relation.field) {
                field.tree = true;
            }
        }
        let indexes = self.indexes(path, object);
        let search = self.search(path, object);
        let policies = self.policies(path, object);
        Some(Entity { name, local, fields, indexes, relations, search, policies })
    }

    fn field(&mut self, path: &str, source: &Json) -> Option<Field> {
        let object = self.object(path, source)?;
        self.known_keys(
            path,
            object,
            &[
                "name",
                "type",
                "values",
                "crdt",
                "optional",
                "unique",
                "default",
                "max_length",
                "min",
                "max",
                "was",
            ],
        );
        let name = self.name(path, object)?;
        if IMPLICIT_FIELDS.contains(&name.as_str()) {
            self.add(
                &format!("{path}.name"),
                "reserved_name",
                format!("every row already has {name}"),
                "choose another name",
            );
        }
        let kind = self.field_type(path, object)?;
        let crdt = self.crdt(path, object, &kind);
        let optional = self.flag(path, object, "optional", false)?;
        let unique = self.flag(path, object, "unique", false)?;
        if unique && (crdt == Crdt::Text || kind == FieldType::Richtext) {
            self.add(
                &format!("{path}.unique"),
                "unique_text",
                "a merged text cannot be unique".into(),
                "leave out unique, or use \"crdt\": \"lww\"",
            );
        }
        for key in ["min", "max"] {
            if object.contains_key(key) {
                self.not_supported(&format!("{path}.{key}"), "bounds on numbers");
            }
        }
        let max_length = self.max_length(path, object, &kind);
        let mut field = Field { name, kind, crdt, optional, unique, default: None, max_length, tree: false };
        if let Some(default) = object.get("default") {
            field.default = self.default_value(&format!("{path}.default"), &field, default);
        }
        Some(field)
    }

    fn default_value(&mut self, path: &str, field: &Field, default: &Json) -> Option<Value> {
        if field.is_richtext() || matches!(field.kind, FieldType::Id(_)) {
            self.add(
                path,
                "default_not_allowed",
                format!("{} has no default", field.kind.name()),
                "leave it out",
            );
            return None;
        }
        match Value::from_json(field, default) {
            Ok(Value::Null) => None,
            Ok(value) => Some(value),
            Err(error) => {
                self.add(path, "default_invalid", error.message, "write a value of the field's type");
                None
            }
        }
    }

    fn max_length(&mut self, path: &str, object: &Map<String, Json>, kind: &FieldType) -> Option<u64> {
        let path = format!("{path}.max_length");
        let value = object.get("max_length")?;
        if !matches!(kind, FieldType::String | FieldType::Bytes) {
            self.add(&path, "option_not_allowed", format!("{} has no length", kind.name()), "leave it out");
        }
        let length = value.as_u64();
        if length.is_none() {
            self.add(&path, "wrong_type", "max_length is no positive integer".into(), "write a number");
        }
        length
    }

    fn field_type(&mut self, path: &str, object: &Map<String, Json>) -> Option<FieldType> {
        let text = self.string(path, object, "type")?;
        let path = format!("{path}.type");
        Some(match text {
            "string" => FieldType::String,
            "int" => FieldType::Int,
            "float" => FieldType::Float,
            "bool" => FieldType::Bool,
            "datetime" => FieldType::Datetime,
            "bytes" => FieldType::Bytes,
            "richtext" => FieldType::Richtext,
            "enum" => return self.enumeration(&path, object),
            "json" => {
                self.not_supported(&path, "fields of type json");
                return None;
            }
            _ if text.starts_with("list(") && text.ends_with(')') => {
                self.not_supported(&path, "fields of type list");
                return None;
            }
            _ => match text.strip_prefix("id(").and_then(|rest| rest.strip_suffix(')')) {
                Some(target) if !target.is_empty() => FieldType::Id(target.to_owned()),
                _ => {
                    self.add(
                        &path,
                        "unknown_type",
                        format!("there is no type {text:?}"),
                        "use string, int, float, bool, datetime, enum, bytes, richtext or id(Entity)",
                    );
                    return None;
                }
            },
        })
    }

    fn enumeration(&mut self, path: &str, object: &Map<String, Json>) -> Option<FieldType> {
        let path = format!("{}.values", path.trim_end_matches(".type"));
        let values: Option<Vec<String>> = object
            .get("values")
            .and_then(Json::as_array)
            .filter(|values| !values.is_empty())
            .and_then(|values| values.iter().map(|v| v.as_str().map(str::to_owned)).collect());
        let Some(values) = values else {
            self.add(
                &path,
                "enum_values",
                "an enum needs names".into(),
                "list them: \"values\": [\"todo\", \"done\"]",
            );
            return None;
        };
        self.duplicates(&path, "value", values.iter().map(String::as_str));
        Some(FieldType::Enum(values))
    }

    fn crdt(&mut self, path: &str, object: &Map<String, Json>, kind: &FieldType) -> Crdt {
        let natural = if *kind == FieldType::Richtext { Crdt::Text } else { Crdt::Lww };
        let Some(value) = object.get("crdt") else {
            return natural;
        };
        let path = format!("{path}.crdt");
        match value.as_str() {
            Some("lww") if *kind != FieldType::Richtext => Crdt::Lww,
            Some("text") if matches!(kind, FieldType::String | FieldType::Richtext) => Crdt::Text,
            Some("lww" | "text") => {
                self.add(
                    &path,
                    "crdt_not_allowed",
                    format!("{value} does not fit the type {}", kind.name()),
                    "text fits string and richtext; lww fits everything but richtext",
                );
                natural
            }
            Some(other @ ("counter" | "list" | "movable-list" | "set" | "tree" | "map")) => {
                self.not_supported(&path, &format!("the kind {other}"));
                natural
            }
            _ => {
                self.add(&path, "unknown_crdt", format!("there is no kind {value}"), "use lww or text");
                natural
            }
        }
    }

    fn relations(&mut self, path: &str, object: &Map<String, Json>) -> Vec<Relation> {
        let list = self.list(path, object, "relations").cloned().unwrap_or_default();
        let relations: Vec<Relation> = list
            .iter()
            .enumerate()
            .filter_map(|(i, relation)| self.relation(&format!("{path}.relations[{i}]"), relation))
            .collect();
        self.duplicates(&format!("{path}.relations"), "relation", relations.iter().map(|r| r.name.as_str()));
        relations
    }

    fn relation(&mut self, path: &str, source: &Json) -> Option<Relation> {
        let object = self.object(path, source)?;
        self.known_keys(path, object, &["name", "target", "field", "many", "tree", "on_delete"]);
        let name = self.name(path, object)?;
        let target = self.string(path, object, "target")?.to_owned();
        let field = self.string(path, object, "field")?.to_owned();
        let many = self.flag(path, object, "many", false)?;
        let tree = self.flag(path, object, "tree", false)?;
        let on_delete = match object.get("on_delete").map(Json::as_str) {
            None | Some(Some("null")) => OnDelete::Null,
            Some(Some("cascade")) => OnDelete::Cascade,
            Some(Some("restrict")) => OnDelete::Restrict,
            Some(_) => {
                self.add(
                    &format!("{path}.on_delete"),
                    "unknown_on_delete",
                    "there is no such rule".into(),
                    "use cascade, null or restrict",
                );
                OnDelete::Null
            }
        };
        Some(Relation { name, target, field, many, tree, on_delete })
    }

    fn indexes(&mut self, path: &str, object: &Map<String, Json>) -> Vec<Index> {
        let list = self.list(path, object, "indexes").cloned().unwrap_or_default();
        let indexes: Vec<Index> = list
            .iter()
            .enumerate()
            .filter_map(|(i, index)| {
                let path = format!("{path}.indexes[{i}]");
                let object = self.object(&path, index)?;
                self.known_keys(&path, object, &["name", "fields"]);
                let name = self.name(&path, object)?;
                let fields = self.names(&path, object, "fields");
                if fields.is_empty() {
                    self.missing(&format!("{path}.fields"), "name at least one field");
                }
                Some(Index { name, fields })
            })
            .collect();
        self.duplicates(&format!("{path}.indexes"), "index", indexes.iter().map(|i| i.name.as_str()));
        indexes
    }

    fn search(&mut self, path: &str, object: &Map<String, Json>) -> Option<Search> {
        let path = format!("{path}.search");
        let object = self.object(&path, object.get("search")?)?;
        self.known_keys(&path, object, &["text", "facets", "sortable"]);
        Some(Search {
            text: self.names(&path, object, "text"),
            facets: self.names(&path, object, "facets"),
            sortable: self.names(&path, object, "sortable"),
        })
    }

    fn policies(&mut self, path: &str, object: &Map<String, Json>) -> Vec<(String, String)> {
        let path = format!("{path}.policies");
        let Some(source) = object.get("policies") else {
            return Vec::new();
        };
        let Some(object) = self.object(&path, source) else {
            return Vec::new();
        };
        self.known_keys(&path, object, &["read", "insert", "update", "delete", "write"]);
        object
            .iter()
            .filter_map(|(action, rule)| match rule.as_str() {
                Some(rule) => Some((action.clone(), rule.to_owned())),
                None => {
                    self.add(
                        &format!("{path}.{action}"),
                        "wrong_type",
                        "a policy is an expression in a string".into(),
                        "for example \"auth.role in ['owner','editor']\"",
                    );
                    None
                }
            })
            .collect()
    }

    /// Everything that names something declared elsewhere.
    fn references(&mut self, entities: &[Entity]) {
        for (i, entity) in entities.iter().enumerate() {
            let path = format!("$.entities[{i}]");
            for (j, field) in entity.fields.iter().enumerate() {
                if let FieldType::Id(target) = &field.kind {
                    self.target(&format!("{path}.fields[{j}].type"), entities, target);
                }
                if entity.tree_order_name().is_some_and(|order| order == field.name) {
                    self.add(
                        &format!("{path}.fields[{j}].name"),
                        "reserved_name",
                        format!("{} is the order of the tree", field.name),
                        "choose another name",
                    );
                }
            }
            for (j, relation) in entity.relations.iter().enumerate() {
                self.relation_references(&format!("{path}.relations[{j}]"), entities, entity, relation);
            }
            if entity.relations.iter().filter(|relation| relation.tree).count() > 1 {
                self.add(
                    &format!("{path}.relations"),
                    "two_trees",
                    "an entity has one tree at most".into(),
                    "leave out \"tree\": true on all but one",
                );
            }
            for (j, index) in entity.indexes.iter().enumerate() {
                self.fields_exist(&format!("{path}.indexes[{j}].fields"), entity, &index.fields);
            }
            if let Some(search) = &entity.search {
                for (key, names) in
                    [("text", &search.text), ("facets", &search.facets), ("sortable", &search.sortable)]
                {
                    self.fields_exist(&format!("{path}.search.{key}"), entity, names);
                }
            }
        }
    }

    fn relation_references(&mut self, path: &str, entities: &[Entity], entity: &Entity, relation: &Relation) {
        let Some(target) = self.target(&format!("{path}.target"), entities, &relation.target) else {
            return;
        };
        let (owner, refers_to) =
            if relation.many { (target, &entity.name) } else { (entity, &relation.target) };
        let field = owner.fields.iter().find(|field| field.name == relation.field);
        if !field.is_some_and(|field| field.kind == FieldType::Id(refers_to.clone())) {
            self.add(
                &format!("{path}.field"),
                "relation_field",
                format!("{} has no field {:?} of type id({refers_to})", owner.name, relation.field),
                "declare the reference as a field",
            );
        }
        let loose = !field.is_some_and(|field| field.optional);
        if relation.tree && (relation.many || relation.target != entity.name || loose) {
            self.add(
                &format!("{path}.tree"),
                "tree_relation",
                "a tree leads from an optional field to its own entity".into(),
                "target the entity itself, without many, through an optional field",
            );
        }
    }

    fn target<'e>(&mut self, path: &str, entities: &'e [Entity], name: &str) -> Option<&'e Entity> {
        let found = entities.iter().find(|entity| entity.name == name);
        if found.is_none() {
            self.add(
                path,
                "unknown_entity",
                format!("there is no entity {name:?}"),
                "declare it, or mend the name",
            );
        }
        found
    }

    fn fields_exist(&mut self, path: &str, entity: &Entity, names: &[String]) {
        for (i, name) in names.iter().enumerate() {
            let declared = entity.fields.iter().any(|field| field.name == *name);
            if !declared && !IMPLICIT_FIELDS.contains(&name.as_str()) {
                self.add(
                    &format!("{path}[{i}]"),
                    "unknown_field",
                    format!("{} has no field {name:?}", entity.name),
                    "declare it, or mend the name",
                );
            }
        }
    }

    fn object<'j>(&mut self, path: &str, value: &'j Json) -> Option<&'j Map<String, Json>> {
        if value.as_object().is_none() {
            self.add(path, "wrong_type", "this is no object".into(), "write {…}");
        }
        value.as_object()
    }

    fn list<'j>(&mut self, path: &str, object: &'j Map<String, Json>, key: &str) -> Option<&'j Vec<Json>> {
        let value = object.get(key)?;
        if value.as_array().is_none() {
            self.add(&format!("{path}.{key}"), "wrong_type", format!("{key} is no list"), "write […]");
        }
        value.as_array()
    }

    fn string<'j>(&mut self, path: &str, object: &'j Map<String, Json>, key: &str) -> Option<&'j str> {
        let path = format!("{path}.{key}");
        match object.get(key) {
            Some(Json::String(text)) if !text.is_empty() => Some(text),
            Some(_) => {
                self.add(&path, "wrong_type", format!("{key} is no text"), "write a non-empty string");
                None
            }
            None => {
                self.missing(&path, "write a non-empty string");
                None
            }
        }
    }

    fn names(&mut self, path: &str, object: &Map<String, Json>, key: &str) -> Vec<String> {
        let list = self.list(path, object, key).cloned().unwrap_or_default();
        let names: Vec<String> = list.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect();
        if names.len() != list.len() {
            self.add(&format!("{path}.{key}"), "wrong_type", "a name is no text".into(), "list field names");
        }
        names
    }

    fn flag(&mut self, path: &str, object: &Map<String, Json>, key: &str, default: bool) -> Option<bool> {
        match object.get(key) {
            None => Some(default),
            Some(Json::Bool(flag)) => Some(*flag),
            Some(_) => {
                self.add(
                    &format!("{path}.{key}"),
                    "wrong_type",
                    format!("{key} is no flag"),
                    "write true or false",
                );
                None
            }
        }
    }

    /// A name that is safe as an identifier everywhere: JSON paths, SQL, TypeScript, file names.
    fn name(&mut self, path: &str, object: &Map<String, Json>) -> Option<String> {
        let name = self.string(path, object, "name")?;
        let mut chars = name.chars();
        let valid = chars.next().is_some_and(|c| c.is_ascii_alphabetic())
            && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
            && name.len() <= NAME_LENGTH_MAX;
        if !valid {
            self.add(
                &format!("{path}.name"),
                "bad_name",
                format!("{name:?} is no name"),
                "start with a letter; then letters, digits and _; 63 at most",
            );
            return None;
        }
        Some(name.to_owned())
    }

    fn known_keys(&mut self, path: &str, object: &Map<String, Json>, known: &[&str]) {
        for key in object.keys().filter(|key| !known.contains(&key.as_str())) {
            self.add(
                &format!("{path}.{key}"),
                "unknown_key",
                format!("there is no option {key:?} here"),
                &format!("the options are {}", known.join(", ")),
            );
        }
    }

    /// Names are compared without case: SQL and file systems do so.
    fn duplicates<'n>(&mut self, path: &str, what: &str, names: impl Iterator<Item = &'n str>) {
        let mut seen = HashSet::new();
        for name in names {
            if !seen.insert(name.to_ascii_lowercase()) {
                self.add(
                    path,
                    "duplicate",
                    format!("two of them are called {name:?}"),
                    &format!("rename one {what}"),
                );
            }
        }
    }

    fn missing(&mut self, path: &str, hint: &str) {
        self.add(path, "missing", "this is missing".into(), hint);
    }

    fn not_supported(&mut self, path: &str, what: &str) {
        self.add(
            path,
            "not_supported",
            format!("this version does not offer {what}"),
            "leave it out, or use a newer version",
        );
    }
}
