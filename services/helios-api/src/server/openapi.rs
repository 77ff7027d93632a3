//! The description of everything a master can be asked.
//!
//! Made of the same declarations as the router, so that neither has a route that the other has not. What documents
//! look like is in `openapi/documents.json`; a test holds every answer against it.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::reply::json;
use super::route::{Needs, Route};
use super::router;

pub(super) fn routes() -> Vec<Route> {
    vec![Route::get(
        "/openapi.json",
        Needs::Nothing,
        "Describes this interface, as OpenAPI 3.1",
        document,
    )]
}

/// `GET /openapi.json`
async fn document() -> Response {
    json(StatusCode::OK, &describe(&router::routes()))
}

/// The documents that bodies and answers are made of: by name their schema.
const DOCUMENTS: &str = include_str!("openapi/documents.json");

pub(super) fn describe(routes: &[Route]) -> Value {
    let mut paths = Map::new();
    for route in routes {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        let method = route.method.as_str().to_ascii_lowercase();
        if let Value::Object(methods) = path {
            methods.insert(method, operation(route));
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Helios",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Every path works with and without a slash at its end.",
        },
        "paths": paths,
        "components": {
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
            "schemas": serde_json::from_str::<Value>(DOCUMENTS).unwrap_or_default(),
        },
    })
}

fn operation(route: &Route) -> Value {
    let query = route.query.iter().copied().map(in_query);
    let parameters: Vec<Value> = names_in(route.path).map(in_path).chain(query).collect();
    let security = match needed(route.needs) {
        None => json!([]),
        Some(role) => json!([{ "token": [role] }]),
    };
    let mut operation = json!({
        "summary": route.about,
        "operationId": operation_id(route),
        "parameters": parameters,
        "security": security,
        "responses": responses(route.answer),
    });
    if let (Some(body), Value::Object(members)) = (route.body, &mut operation) {
        let body = json!({ "required": true, "content": in_json(schema(body)) });
        members.insert("requestBody".to_owned(), body);
    }
    operation
}

/// Changes are refused by the endpoint in its own way, or before they get there.
fn responses(answer: Option<&str>) -> Value {
    let refusal = schema("Refusal");
    match answer {
        None => json!({ "default": { "description": "The answer" } }),
        Some(answer) => json!({
            "200": { "description": "The answer", "content": in_json(schema(answer)) },
            "default": {
                "description": "Why there is none",
                "content": in_json(json!({ "anyOf": [refusal, schema(answer)] })),
            },
        }),
    }
}

fn in_json(schema: Value) -> Value {
    json!({ "application/json": { "schema": schema } })
}

/// The schema that a route names: `text`, a document, `[...]` for a list, `{...}` for an object with such members.
fn schema(name: &str) -> Value {
    let within = |begin, end| name.strip_prefix(begin)?.strip_suffix(end);
    if let Some(item) = within('[', ']') {
        json!({ "type": "array", "items": schema(item) })
    } else if let Some(member) = within('{', '}') {
        json!({ "type": "object", "additionalProperties": schema(member) })
    } else if name == "text" {
        json!({ "type": "string" })
    } else {
        json!({ "$ref": format!("#/components/schemas/{name}") })
    }
}

/// The names in braces of a path.
fn names_in(path: &str) -> impl Iterator<Item = &str> {
    path.split('/')
        .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
}

fn in_path(name: &str) -> Value {
    json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } })
}

/// All may be left out; one that may be repeated is described as a list.
fn in_query(name: &str) -> Value {
    let schema = match name {
        "limit" | "wait" => json!({ "type": "integer", "minimum": 1 }),
        "selector" | "kind" => json!({ "type": "array", "items": { "type": "string" } }),
        "status" => json!({ "enum": ["UP", "DOWN"] }),
        _ => json!({ "type": "string" }),
    };
    json!({ "name": name, "in": "query", "schema": schema })
}

/// The role that a token must have at least.
fn needed(needs: Needs) -> Option<&'static str> {
    match needs {
        Needs::Nothing => None,
        Needs::Read => Some("read"),
        Needs::Deploy(_) => Some("deploy"),
        Needs::Admin => Some("admin"),
    }
}

/// The method and the path in one word, unique as both together are.
fn operation_id(route: &Route) -> String {
    let mut id = route.method.as_str().to_ascii_lowercase();
    for segment in route.path.split('/').filter(|segment| !segment.is_empty()) {
        id.push('_');
        id.extend(segment.chars().filter(|c| !matches!(c, '{' | '}')));
    }
    id.replace(['.', '-'], "_")
}
