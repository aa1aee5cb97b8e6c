use super::*;
use serde_json::json;

fn manifest(entity: Json) -> String {
    json!({"manifest_version": 1, "name": "notes", "version": 1, "entities": [entity]}).to_string()
}

/// The diagnostics as `path code`, in order.
fn check(source: &str, expected: &[&str]) {
    let found: Vec<String> = match Manifest::parse(source) {
        Ok(_) => Vec::new(),
        Err(error) => {
            assert_eq!(error.code, Code::ManifestInvalid);
            let list = error.details["diagnostics"].as_array().unwrap();
            list.iter()
                .map(|d| format!("{} {}", d["path"].as_str().unwrap(), d["code"].as_str().unwrap()))
                .collect()
        }
    };
    assert_eq!(found, expected, "{source}");
}

#[test]
fn a_whole_manifest_is_read() {
    let source = manifest(json!({
        "name": "Task", "local": true,
        "fields": [
            {"name": "title", "type": "string", "crdt": "text", "max_length": 500},
            {"name": "notes", "type": "richtext", "optional": true},
            {"name": "status", "type": "enum", "values": ["todo", "done"], "default": "todo"},
            {"name": "parent", "type": "id(Task)", "optional": true},
            {"name": "code", "type": "string", "unique": true}],
        "indexes": [{"name": "by_status", "fields": ["status"]}],
        "relations": [{"name": "parent", "target": "Task", "field": "parent", "tree": true},
                      {"name": "children", "target": "Task", "field": "parent", "many": true}],
        "search": {"text": ["title"], "facets": ["status"]},
        "policies": {"read": "true"}}));
    let manifest = Manifest::parse(&source).unwrap();
    let task = manifest.entity("Task").unwrap();
    assert!(task.local && task.field("code").unwrap().unique);
    assert_eq!(task.tree_field().unwrap().name, "parent");
    assert_eq!(task.field("status").unwrap().default, Some(crate::Value::Text("todo".into())));
    assert_eq!(manifest.hash().len(), 64);
    assert_eq!(manifest.entity("Nope").unwrap_err().code, Code::EntityNotFound);
    assert_eq!(task.field("nope").unwrap_err().code, Code::FieldNotFound);
}

#[test]
fn every_rule_names_its_place() {
    let field = |field: Json| manifest(json!({"name": "E", "fields": [field]}));
    check("{", &["$ not_json"]);
    check("[]", &["$ wrong_type"]);
    check("{}", &["$.manifest_version missing", "$.name missing"]);
    check(
        r#"{"manifest_version":2,"name":"n","version":0,"entities":[]}"#,
        &["$.manifest_version unsupported_version", "$.version wrong_type", "$.entities missing"],
    );
    check(&manifest(json!({"name": "E", "fields": [], "extra": 1})), &["$.entities[0].extra unknown_key"]);
    check(&manifest(json!({"name": "9", "fields": []})), &["$.entities[0].name bad_name"]);
    check(&manifest(json!({"name": "E", "fields": 1})), &["$.entities[0].fields wrong_type"]);
    check(
        &manifest(json!({"name": "E", "crdt": false, "fields": []})),
        &["$.entities[0].crdt not_supported"],
    );
    check(&manifest(json!({"name": "E", "local": 1, "fields": []})), &["$.entities[0].local wrong_type"]);
    let at = |code: &str| format!("$.entities[0].fields[0].{code}");
    for (source, expected) in [
        (json!({"name": "id", "type": "string"}), "name reserved_name"),
        (json!({"name": "a", "type": "strin"}), "type unknown_type"),
        (json!({"name": "a", "type": "json"}), "type not_supported"),
        (json!({"name": "a", "type": "list(string)"}), "type not_supported"),
        (json!({"name": "a", "type": "id(Nope)"}), "type unknown_entity"),
        (json!({"name": "a", "type": "enum"}), "values enum_values"),
        (json!({"name": "a", "type": "enum", "values": ["x", "X"]}), "values duplicate"),
        (json!({"name": "a", "type": "int", "crdt": "text"}), "crdt crdt_not_allowed"),
        (json!({"name": "a", "type": "int", "crdt": "counter"}), "crdt not_supported"),
        (json!({"name": "a", "type": "int", "crdt": "nope"}), "crdt unknown_crdt"),
        (json!({"name": "a", "type": "string", "crdt": "text", "unique": true}), "unique unique_text"),
        (json!({"name": "a", "type": "int", "default": "x"}), "default default_invalid"),
        (json!({"name": "a", "type": "richtext", "default": "x"}), "default default_not_allowed"),
        (json!({"name": "a", "type": "int", "max_length": 3}), "max_length option_not_allowed"),
        (json!({"name": "a", "type": "string", "max_length": -1}), "max_length wrong_type"),
        (json!({"name": "a", "type": "int", "min": 1}), "min not_supported"),
        (json!({"name": "a", "type": "int", "nope": 1}), "nope unknown_key"),
    ] {
        check(&field(source), &[&at(expected)]);
    }
}

#[test]
fn what_names_something_else_must_find_it() {
    let entity = |more: Json| {
        let mut entity = json!({"name": "E", "fields": [
            {"name": "a", "type": "string"}, {"name": "up", "type": "id(E)"}]});
        for (key, value) in more.as_object().unwrap() {
            entity[key] = value.clone();
        }
        manifest(entity)
    };
    for (more, expected) in [
        (json!({"indexes": [{"name": "i", "fields": ["b"]}]}), "indexes[0].fields[0] unknown_field"),
        (json!({"indexes": [{"name": "i", "fields": []}]}), "indexes[0].fields missing"),
        (json!({"search": {"text": ["b"]}}), "search.text[0] unknown_field"),
        (json!({"policies": {"read": 1}}), "policies.read wrong_type"),
        (json!({"policies": {"raed": "true"}}), "policies.raed unknown_key"),
        (
            json!({"relations": [{"name": "r", "target": "X", "field": "up"}]}),
            "relations[0].target unknown_entity",
        ),
        (
            json!({"relations": [{"name": "r", "target": "E", "field": "a"}]}),
            "relations[0].field relation_field",
        ),
        (
            json!({"relations": [{"name": "r", "target": "E", "field": "up", "on_delete": "x"}]}),
            "relations[0].on_delete unknown_on_delete",
        ),
        (
            json!({"relations": [{"name": "r", "target": "E", "field": "up", "tree": true}]}),
            "relations[0].tree tree_relation",
        ),
    ] {
        check(&entity(more), &[&format!("$.entities[0].{expected}")]);
    }
    let twice = json!({"manifest_version": 1, "name": "n", "version": 1, "entities": [
        {"name": "E", "fields": []}, {"name": "e", "fields": []}]});
    check(&twice.to_string(), &["$.entities duplicate"]);
}
