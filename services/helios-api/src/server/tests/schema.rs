//! Holding JSON against the schemas of the description: as much of JSON Schema as they use, and stricter, since a
//! member that is not described is a fault.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::Value;

use super::harness::Reply;
use crate::server::openapi::describe;
use crate::server::router::routes;

const WITHIN: &str = "#/components/schemas/";

/// The description, as `GET /openapi.json` shows it.
pub(super) static DESCRIBED: LazyLock<Value> = LazyLock::new(|| describe(&routes()));

/// The path of a route and what is said of the method there, for a request such as `GET /jobs?limit=1`.
pub(super) fn operation(request: &str) -> Option<(&'static str, &'static Value)> {
    let (method, target) = request.split_once(' ')?;
    let path = target.split('?').next()?.trim_end_matches('/');
    let is_meant = |route: &&String| {
        let fits = |(of_route, asked): (&str, &str)| of_route.starts_with('{') || of_route == asked;
        route.split('/').count() == path.split('/').count()
            && route.split('/').zip(path.split('/')).all(fits)
    };
    let paths = DESCRIBED["paths"].as_object()?;
    let meant = paths.keys().filter(is_meant);
    // A path that is spelled out wins over one with names.
    let path = meant.min_by_key(|path| path.matches('{').count())?;
    let operation = paths[path].get(method.to_lowercase())?;
    Some((path, operation))
}

/// What is wrong with an answer by what the description says of it.
pub(super) fn faults_of_answer(request: &str, reply: &Reply) -> Vec<String> {
    let Some((_, operation)) = operation(request) else {
        return Vec::new();
    };
    let responses = &operation["responses"];
    let described = responses.get(reply.status.as_str());
    let content = &described.unwrap_or(&responses["default"])["content"];
    let media = reply.header("content-type").split(';').next().unwrap();
    if reply.body.is_empty() || !reply.header("content-encoding").is_empty() {
        return Vec::new();
    }
    let schema = &content[media]["schema"];
    if !schema.is_object() {
        return vec![format!("{} with {media:?} is not described", reply.status)];
    }
    match serde_json::from_slice(&reply.body) {
        Ok(said) if media == "application/json" => faults(&DESCRIBED, schema, &said),
        // The original says that an id is none in words, and that they are JSON.
        _ if media == "application/json" && !reply.text().starts_with("Invalid id") => {
            vec![format!("{} is no JSON", reply.text())]
        }
        _ => Vec::new(),
    }
}

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
    if *schema == Value::Bool(true) {
        return;
    }
    let choices = schema["anyOf"].as_array();
    if let Some(choices) = choices.or_else(|| schema["oneOf"].as_array()) {
        let tried: Vec<_> = choices
            .iter()
            .map(|choice| self::faults(document, choice, value))
            .collect();
        if !tried.iter().any(Vec::is_empty) {
            faults.push(format!("{at} is none of {tried:?}"));
        }
        return;
    }
    let is_value = schema.get("const").or(schema.get("enum")).is_some();
    if !(is_value || is_of_type(&schema["type"], value)) {
        faults.push(format!("{at} is not {}: {value}", schema["type"]));
    }
    if schema.get("const").is_some_and(|only| only != value) {
        faults.push(format!("{at} is not {}: {value}", schema["const"]));
    }
    let names = schema["enum"].as_array();
    if names.is_some_and(|names| !names.contains(value)) {
        faults.push(format!("{at} is not among {names:?}: {value}"));
    }
    if let Value::Array(items) = value {
        for (index, item) in items.iter().enumerate() {
            let own = schema["prefixItems"].get(index);
            let schema = own.unwrap_or(&schema["items"]);
            if schema.is_object() {
                judge(document, schema, item, &format!("{at}[{index}]"), faults);
            }
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
                None if known.is_object() && *others != Value::Bool(true) => {
                    faults.push(format!("{at} is not described"));
                }
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
