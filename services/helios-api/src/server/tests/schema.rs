//! Holding JSON against the schemas of the description: as much of JSON Schema as they use, and stricter, since a
//! member that is not described is a fault.

use std::collections::BTreeSet;

use serde_json::Value;

const WITHIN: &str = "#/components/schemas/";

/// What is wrong with the value, each with where it is.
pub(super) fn faults(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    judge(document, schema, value, "$", &mut faults);
    faults
}

/// The names of the documents that something refers to.
pub(super) fn names_in(value: &Value) -> BTreeSet<&str> {
    match value {
        Value::Object(members) => {
            let named = members.get("$ref").and_then(Value::as_str);
            let named = named.and_then(|named| named.strip_prefix(WITHIN));
            named
                .into_iter()
                .chain(members.values().flat_map(names_in))
                .collect()
        }
        Value::Array(items) => items.iter().flat_map(names_in).collect(),
        _ => BTreeSet::new(),
    }
}

fn judge(document: &Value, schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.strip_prefix(WITHIN).unwrap();
        let schema = &document["components"]["schemas"][name];
        assert!(schema.is_object(), "{name} is not described");
        return judge(document, schema, value, at, faults);
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        let tried: Vec<_> = choices
            .iter()
            .map(|choice| self::faults(document, choice, value))
            .collect();
        if !tried.iter().any(Vec::is_empty) {
            faults.push(format!("{at} is none of {tried:?}"));
        }
        return;
    }
    if !is_of_type(&schema["type"], value) {
        faults.push(format!("{at} is not {}: {value}", schema["type"]));
    }
    let names = schema["enum"].as_array();
    if names.is_some_and(|names| !names.contains(value)) {
        faults.push(format!("{at} is not among {names:?}: {value}"));
    }
    if let (Value::Array(items), true) = (value, schema["items"].is_object()) {
        for (index, item) in items.iter().enumerate() {
            judge(
                document,
                &schema["items"],
                item,
                &format!("{at}[{index}]"),
                faults,
            );
        }
    }
    if let Value::Object(members) = value {
        for name in schema["required"].as_array().into_iter().flatten() {
            if !members.contains_key(name.as_str().unwrap()) {
                faults.push(format!("{at} has no {name}"));
            }
        }
        let (known, others) = (&schema["properties"], &schema["additionalProperties"]);
        for (name, member) in members {
            let at = format!("{at}.{name}");
            match known.get(name) {
                Some(schema) => judge(document, schema, member, &at, faults),
                None if others.is_object() => judge(document, others, member, &at, faults),
                None if known.is_object() => faults.push(format!("{at} is not described")),
                None => {}
            }
        }
    }
}

fn is_of_type(types: &Value, value: &Value) -> bool {
    let is = |name: &str| match name {
        "null" => value.is_null(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("there is no type {other}"),
    };
    match types {
        Value::String(name) => is(name),
        Value::Array(names) => names.iter().any(|name| is(name.as_str().unwrap())),
        _ => panic!("a schema without a type: {types}"),
    }
}
