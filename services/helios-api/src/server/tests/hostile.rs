//! Requests that nobody means well: whatever comes, the master answers with a reason, and what it refuses changes
//! nothing.

use std::collections::BTreeMap;

use axum::body::Body;
use helios_core::schema::Keys;
use helios_core::store::{Key, Version};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;
use proptest::sample::select;

use super::harness::{Master, web};
use crate::server::router::routes;

/// Names that are none, or mean something elsewhere.
const ODD: &[&str] = &[
    "n1",
    "web:7",
    "..",
    ".",
    "",
    "a/b",
    "a:b:c:d",
    "%2e%2e",
    "\u{0}",
    "front",
    "(a*)*$",
    "[",
    "role=web",
    "-1",
    "18446744073709551616",
    "web:7:1111111111111111111111111111111111111111",
];

/// What is put where a path has a name, and where a query has a value.
fn names() -> impl Strategy<Value = String> {
    prop_oneof![select(ODD).prop_map(str::to_owned), ".{0,40}"]
}

/// Bodies that are nearly what some endpoint wants, and bodies that are not.
fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let meant = [
        serde_json::to_string(&web()).unwrap(),
        r#"["n1","web:7"]"#.to_owned(),
        r#"{"jobId":"web:7:1111111111111111111111111111111111111111","goal":"START"}"#.to_owned(),
        r#"{"name":"front","hostSelectors":[{"label":"role","operator":"EQUALS","operand":"web"}]}"#
            .to_owned(),
        r#"{"name":"ci","role":"deploy","expires":1e99}"#.to_owned(),
        "{\"id\":\"a:1\",\"image\":\"i\",\"env\":{\"A\":null},\"ports\":{\"p\":1e400}}".to_owned(),
        format!("{}{}", "[".repeat(64), "]".repeat(64)),
    ];
    let wrong = (
        select(meant.to_vec()),
        any::<prop::sample::Index>(),
        any::<u8>(),
        0..3_u8,
    );
    let wrong = wrong.prop_map(|(text, at, byte, how)| {
        let mut bytes = text.into_bytes();
        let at = at.index(bytes.len());
        match how {
            0 => bytes.truncate(at),
            1 => bytes[at] = byte,
            _ => bytes.insert(at, byte),
        }
        bytes
    });
    prop_oneof![
        select(meant.to_vec()).prop_map(String::into_bytes),
        wrong,
        prop::collection::vec(any::<u8>(), 0..200),
    ]
}

#[derive(Clone, Debug)]
struct Hostile {
    request: String,
    body: Vec<u8>,
    kind: &'static str,
}

fn requests() -> impl Strategy<Value = Hostile> {
    let routes: Vec<(String, &'static str)> = routes()
        .iter()
        .map(|route| (route.method.to_string(), route.path))
        .collect();
    let queries = [
        "q",
        "hostPattern",
        "namePattern",
        "selector",
        "status",
        "limit",
        "after",
    ];
    let queries = select([&queries[..], &["id", "token", "user", "client"]].concat());
    let queries = prop::collection::vec((queries, names()), 0..3);
    let names = prop::collection::vec(names(), 3);
    let kinds = select(&["application/json", "text/plain", ""][..]);
    (select(routes), names, queries, bodies(), kinds).prop_map(
        |((method, path), names, queries, body, kind)| {
            let mut names = names.iter();
            let segments = path.split('/').map(|segment| {
                let name = segment.starts_with('{').then(|| names.next()).flatten();
                let name = name.map(|name| utf8_percent_encode(name, NON_ALPHANUMERIC).to_string());
                name.unwrap_or_else(|| segment.to_owned())
            });
            let path: Vec<String> = segments.collect();
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.extend_pairs(queries);
            let request = format!("{method} {}?{}", path.join("/"), query.finish());
            Hostile {
                request,
                body,
                kind,
            }
        },
    )
}

/// Everything that is stored, by the version of each entry.
async fn stored(master: &Master) -> BTreeMap<String, Version> {
    let mut entries = BTreeMap::new();
    let dirs: [Key; 8] = [
        Keys::jobs(),
        Keys::hosts(),
        Keys::groups(),
        Keys::variables(),
        Keys::followers(),
        Keys::resets(),
        Keys::tokens(),
        Keys::reports(),
    ];
    for dir in dirs {
        for (name, entry) in master.cluster.store().list(&dir).await.unwrap().iter() {
            entries.insert(format!("{dir}/{name}"), entry.version);
        }
    }
    entries
}

async fn check(hostile: &Hostile) -> Result<(), TestCaseError> {
    let master = Master::new().await;
    let id = master.job(web()).await;
    let host = master.host("n1").await;
    master.deploy(&host, &id).await;
    let before = stored(&master).await;
    let headers = [("content-type", hostile.kind)];
    let headers = if hostile.kind.is_empty() {
        &[][..]
    } else {
        &headers
    };
    let body = Body::from(hostile.body.clone());
    let reply = master.send(&hostile.request, headers, body).await;
    let status = reply.status.as_u16();
    prop_assert!(status < 500, "{status}: {}", reply.text());
    if status >= 400 {
        prop_assert!(!reply.body.is_empty(), "{status} without a reason");
        prop_assert_eq!(stored(&master).await, before);
    }
    Ok(())
}

proptest! {
    #[test]
    fn whatever_comes_is_answered_and_what_is_refused_changes_nothing(hostile in requests()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(check(&hostile))?;
    }
}
