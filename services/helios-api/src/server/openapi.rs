//! The description of everything a master can be asked.
//!
//! Made of the same declarations as the router, so that neither has a route that the other has not, and of the types
//! that bodies are read into and answers are written from. A test holds every answer against it.

mod documents;

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value, json};

use self::documents::Documents;
use super::fault::NoBody;
use super::reply::json;
use super::route::{Answer, Needs, Route};
use super::router;
use crate::wire::Refusal;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get(
            "/openapi.json",
            Needs::Nothing,
            "Describes this interface, as OpenAPI 3.1",
            document,
        )
        .answers::<Map<String, Value>>(),
    ]
}

/// `GET /openapi.json`
async fn document() -> Response {
    json(StatusCode::OK, &describe(&router::routes()))
}

const JSON: &str = "application/json";

pub(super) fn describe(routes: &[Route]) -> Value {
    let mut paths = Map::new();
    let mut documents = Documents::new();
    for route in routes {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        let method = route.method.as_str().to_ascii_lowercase();
        if let Value::Object(methods) = path {
            methods.insert(method, operation(route, &mut documents));
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
            "schemas": documents.into_schemas(),
        },
    })
}

fn operation(route: &Route, documents: &mut Documents) -> Value {
    // Whose change it is can always be said; a token says it better.
    let by = (!route.needs.is_question()).then_some("user");
    let query = route.query.iter().copied().chain(by).map(in_query);
    let parameters: Vec<Value> = names_in(route.path).map(in_path).chain(query).collect();
    let security = match needed(route.needs) {
        None => json!([]),
        Some(role) => json!([{ "token": [role] }]),
    };
    let mut operation = members([
        ("summary", route.about.into()),
        ("operationId", operation_id(route).into()),
        ("parameters", parameters.into()),
        ("security", security),
    ]);
    let mut responses = responses(route.answer, documents);
    if let Some(body) = route.body {
        let body = json!({ "required": true, "content": in_json(documents.body(body)) });
        operation.insert("requestBody".to_owned(), body);
        let none = in_json(documents.answer_of::<NoBody>());
        let none = json!({ "description": "There is no body", "content": none });
        responses.insert("422".to_owned(), none);
    }
    operation.insert("responses".to_owned(), responses.into());
    operation.into()
}

fn members<const N: usize>(members: [(&str, Value); N]) -> Map<String, Value> {
    members
        .map(|(name, value)| (name.to_owned(), value))
        .into_iter()
        .collect()
}

/// By their codes. Changes are refused by the endpoint in its own way, or before they get there.
fn responses(answer: Answer, documents: &mut Documents) -> Map<String, Value> {
    let refusal = documents.answer_of::<Refusal>();
    let Answer::Document(media, looks) = answer else {
        let why = json!({ "description": "Why not", "content": in_json(refusal) });
        return members([
            ("204", json!({ "description": "It is done" })),
            ("default", why),
        ]);
    };
    let said = documents.answer(looks);
    let refusal = match media {
        JSON => json!({ "anyOf": [refusal, said] }),
        _ => refusal,
    };
    // The original says in plain words what is wrong with a selector.
    let text = documents.answer_of::<String>();
    let why = json!({ JSON: { "schema": refusal }, "text/plain": { "schema": text } });
    let said = json!({ media: { "schema": said } });
    members([
        (
            "200",
            json!({ "description": "The answer", "content": said }),
        ),
        (
            "default",
            json!({ "description": "Why there is none", "content": why }),
        ),
    ])
}

fn in_json(schema: Value) -> Value {
    json!({ JSON: { "schema": schema } })
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
///
/// What it may be can stand behind it: `status=UP|DOWN`.
fn in_query(parameter: &str) -> Value {
    let (name, choices) = match parameter.split_once('=') {
        Some((name, choices)) => (name, Some(choices)),
        None => (parameter, None),
    };
    let schema = match name {
        _ if choices.is_some() => {
            json!({ "enum": choices.into_iter().flat_map(|all| all.split('|')).collect::<Vec<_>>() })
        }
        "limit" | "wait" | "stopAfter" | "tail" => json!({ "type": "integer", "minimum": 1 }),
        "at" => json!({ "type": "integer" }),
        "selector" | "kind" | "label" => json!({ "type": "array", "items": { "type": "string" } }),
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
