//! Every route is declared, described and served.

use std::collections::BTreeSet;

use axum::http::Method;

use super::harness::Master;
use crate::server::router::routes;

#[tokio::test]
async fn the_description_has_every_route_and_no_other() {
    let document = Master::new().await.ask("GET /openapi.json", "").await;
    let document = document.json();
    assert_eq!(document["openapi"], "3.1.0");
    let described: BTreeSet<(String, String)> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, methods)| {
            let methods = methods.as_object().unwrap().keys();
            methods.map(|method| (path.clone(), method.to_uppercase()))
        })
        .collect();
    let declared: BTreeSet<(String, String)> = routes()
        .iter()
        .map(|route| (route.path.to_owned(), route.method.to_string()))
        .collect();
    assert_eq!(described, declared);
    assert_eq!(declared.len(), routes().len(), "a route is declared twice");
}

#[tokio::test]
async fn the_router_serves_what_is_described_and_nothing_else() {
    let master = Master::new().await;
    let routes = routes();
    let paths: BTreeSet<&str> = routes.iter().map(|route| route.path).collect();
    let methods = [
        Method::GET,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
    ];
    for path in paths {
        let at = path.replace(['{', '}'], "");
        for method in &methods {
            let declared = routes
                .iter()
                .any(|route| route.path == path && route.method == *method);
            for slash in ["", "/"] {
                let request = format!("{method} {at}{slash}");
                let served = master.ask(&request, "").await.status != 405;
                assert_eq!(served, declared, "{request}");
            }
        }
    }
}

#[test]
fn operations_have_names_of_their_own() {
    let document = super::super::openapi::describe(&routes());
    let mut names = BTreeSet::new();
    for methods in document["paths"].as_object().unwrap().values() {
        for operation in methods.as_object().unwrap().values() {
            assert!(!operation["summary"].as_str().unwrap().is_empty());
            assert!(names.insert(operation["operationId"].as_str().unwrap().to_owned()));
        }
    }
}
