//! What is too big, too much, or not what it says it is.

use std::io::Write;

use axum::body::Body;
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use futures_util::stream;
use serde_json::json;

use super::harness::Master;

const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn a_body_must_call_itself_json() {
    let master = Master::new().await;
    let ask = async |headers: &[(&str, &str)]| {
        let reply = master
            .send("POST /jobs/statuses", headers, Body::from("[]"))
            .await;
        reply.status.as_u16()
    };
    for content_type in [
        "application/json",
        "Application/JSON; charset=utf-8",
        "text/json",
        "application/vnd.x+json",
        "text/javascript",
    ] {
        assert_eq!(
            ask(&[("content-type", content_type)]).await,
            200,
            "{content_type}"
        );
    }
    assert_eq!(ask(&[]).await, 415);
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "json",
        "",
    ] {
        assert_eq!(
            ask(&[("content-type", content_type)]).await,
            415,
            "{content_type}"
        );
    }
}

#[tokio::test]
async fn a_body_that_is_needed_and_missing_is_422() {
    let master = Master::new().await;
    for body in ["", "  ", "null", " null\n"] {
        let reply = master.send("POST /jobs", &[JSON], Body::from(body)).await;
        assert_eq!(
            (reply.status.as_u16(), reply.json()),
            (422, json!({"errors": []})),
            "{body:?}"
        );
    }
}

#[tokio::test]
async fn what_is_too_big_is_refused_and_nothing_is_stored() {
    let master = Master::new().await;
    let env = |value: &str| format!(r#"{{"id":"a:b","image":"i","env":{{"A":"{value}"}}}}"#);
    let deep = format!("{}1{}", r#"{"x":"#.repeat(40), "}".repeat(40));
    for (body, code) in [
        (env(&"a".repeat(33 * 1024)), 400),
        (env(&"a".repeat(300 * 1024)), 413),
        (" ".repeat(10 * 1024 * 1024), 413),
        (deep, 400),
        ("[".repeat(200_000), 400),
    ] {
        let reply = master.ask("POST /jobs", body).await;
        assert_eq!(reply.status.as_u16(), code);
        assert!(!reply.json()["message"].as_str().unwrap().is_empty());
    }
    master.expect("GET /jobs", 200, json!({})).await;
}

#[tokio::test]
async fn a_list_of_names_may_be_longer() {
    let master = Master::new().await;
    let names: Vec<String> = (0..5_000)
        .map(|n| format!("host-{n:05}.{}.net", "x".repeat(60)))
        .collect();
    let body = json!(names).to_string();
    assert!(body.len() > 300 * 1024);
    master
        .expect_with("POST /hosts/statuses", body, 200, json!({}))
        .await;
}

#[tokio::test]
async fn compressed_bodies_are_read_up_to_the_same_limits() {
    let master = Master::new().await;
    let gzip = |text: &str| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let mut deflate = ZlibEncoder::new(Vec::new(), Compression::fast());
    deflate.write_all(b"[]").unwrap();
    let bomb = gzip(&" ".repeat(8 * 1024 * 1024));
    assert!(bomb.len() < 100 * 1024);
    for (encoding, body, code) in [
        ("gzip", gzip("[]"), 200),
        ("deflate", deflate.finish().unwrap(), 200),
        ("identity", b"[]".to_vec(), 200),
        ("br", b"[]".to_vec(), 415),
        ("gzip", b"[]".to_vec(), 400),
        ("gzip", bomb, 413),
    ] {
        let headers = [JSON, ("content-encoding", encoding)];
        let reply = master
            .send("POST /jobs/statuses", &headers, Body::from(body))
            .await;
        assert_eq!(reply.status.as_u16(), code, "{encoding}: {}", reply.text());
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_changes_nothing() {
    let master = Master::new().await;
    let part: Result<&str, std::io::Error> = Ok(r#"{"id":"a:b","image":"i"}"#);
    let end = Err(std::io::Error::other("gone"));
    let body = Body::from_stream(stream::iter([part, end]));
    assert_eq!(master.send("POST /jobs", &[JSON], body).await.status, 400);
    master.expect("GET /jobs", 200, json!({})).await;
}

#[tokio::test]
async fn too_many_changes_at_a_time_are_put_off_but_questions_are_not() {
    let master = Master::new().await;
    let turns = u32::try_from(master.state.changes.available_permits()).unwrap();
    let busy = master.state.changes.acquire_many(turns).await.unwrap();
    let reply = master.ask("PUT /hosts/n1?id=i", "").await;
    assert_eq!(
        (reply.status.as_u16(), reply.header("retry-after")),
        (503, "1")
    );
    master.expect("GET /hosts", 200, json!([])).await;
    master
        .expect_with("POST /hosts/statuses/", "[]", 200, json!({}))
        .await;
    drop(busy);
    master.expect("PUT /hosts/n1?id=i", 200, json!("OK")).await;
}

#[tokio::test]
async fn a_pattern_that_would_explode_is_refused() {
    let master = Master::new().await;
    let pattern = "(a%7B1,99%7D)%7B1,99%7D".repeat(50);
    let reply = master
        .ask(&format!("GET /hosts?namePattern={pattern}"), "")
        .await;
    assert_eq!(reply.status, 400);
    assert!(reply.text().contains("size limit"), "{}", reply.text());
}

#[tokio::test(start_paused = true)]
async fn whoever_changes_too_much_in_a_short_time_is_told_to_slow_down() {
    let master = Master::new().await;
    let now = tokio::time::Instant::now();
    while master.state.pace.count(&"anonymous".into(), now).is_ok() {}
    let reply = master.ask("PUT /hosts/n1?id=a", "").await;
    assert_eq!(
        (reply.status.as_u16(), reply.header("retry-after")),
        (429, "1")
    );
    assert!(
        reply.json()["message"]
            .as_str()
            .unwrap()
            .contains("nothing was changed")
    );
    assert_eq!(master.ask("GET /hosts", "").await.json(), json!([]));
    tokio::time::advance(std::time::Duration::from_secs(1)).await;
    assert_eq!(master.ask("PUT /hosts/n1?id=a", "").await.status, 200);
}
