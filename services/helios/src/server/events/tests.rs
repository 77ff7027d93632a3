use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use helios_core::schema::TaskReport;
use helios_core::{Goal, HostName, TaskState, Timestamp};
use std::time::Duration;
use tokio::time::timeout;

use super::*;

fn event(at: i64) -> TaskEvent {
    let job = Job::new("web:1", "nginx")
        .unwrap()
        .env("A", "b")
        .token("secret");
    let task = TaskReport {
        container_id: Some("cid".to_owned()),
        ..TaskReport::new(Goal::Start, TaskState::Running, Timestamp::from_millis(at))
    };
    TaskEvent {
        host: "web1".parse::<HostName>().unwrap(),
        at: Timestamp::from_millis(at),
        id: job.id.clone(),
        job: Some(Arc::new(job)),
        task,
    }
}

fn read(line: &str) -> TaskStatusEvent {
    serde_json::from_str(line).unwrap()
}

/// Waits, at most ten seconds, until something is there.
async fn soon<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let wait = async {
        loop {
            if let Some(seen) = look() {
                return seen;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(10), wait).await.unwrap()
}

#[tokio::test]
async fn events_are_lines_of_a_file_which_may_be_rotated() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("events.jsonl");
    let environment = [("ZONE".to_owned(), "a".to_owned())].into();
    let sinks = sinks(Some(&path), None, &Authorities::default(), &environment).unwrap();
    let lines = |path: &Path, count: usize| {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        (lines.len() == count && text.ends_with('\n')).then_some(lines)
    };
    sinks[0].send(&event(1));
    sinks[0].send(&event(2));
    let written = soon(|| lines(&path, 2)).await;
    let first = read(&written[0]);
    assert_eq!(
        (first.host.as_str(), first.timestamp.as_millis()),
        ("web1", 1)
    );
    assert_eq!(first.status.job.token, "");
    assert_eq!(first.status.env.keys().collect::<Vec<_>>(), ["A", "ZONE"]);
    std::fs::rename(&path, dir.path().join("old")).unwrap();
    sinks[0].send(&event(3));
    let written = soon(|| lines(&path, 1)).await;
    assert_eq!(read(&written[0]).timestamp.as_millis(), 3);
}

#[tokio::test]
async fn a_hook_gets_each_event_and_again_what_it_could_not_take() {
    type Taken = Arc<std::sync::Mutex<Vec<String>>>;
    async fn take(State(taken): State<Taken>, body: String) -> StatusCode {
        let mut taken = taken.lock().unwrap();
        taken.push(body);
        // The first attempt fails.
        if taken.len() == 1 {
            StatusCode::SERVICE_UNAVAILABLE
        } else {
            StatusCode::OK
        }
    }
    let taken = Taken::default();
    let app = Router::new()
        .route("/hook", post(take))
        .with_state(Arc::clone(&taken));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    let sinks = sinks(None, Some(&url), &Authorities::default(), &BTreeMap::new()).unwrap();
    sinks[0].send(&event(1));
    sinks[0].send(&event(2));
    let all = soon(|| {
        let taken = taken.lock().unwrap();
        (taken.len() == 3).then(|| taken.clone())
    })
    .await;
    let at: Vec<i64> = all
        .iter()
        .map(|line| read(line).timestamp.as_millis())
        .collect();
    assert_eq!(at, [1, 1, 2]);
}

#[tokio::test]
async fn a_sink_that_is_too_slow_drops_and_never_waits() {
    let (queue, _kept) = mpsc::channel(2);
    let sink = QueuedSink {
        what: "nobody".to_owned(),
        environment: BTreeMap::new(),
        queue,
        dropped: AtomicU64::new(0),
    };
    (0..10).for_each(|at| sink.send(&event(at)));
    assert_eq!(sink.dropped.load(Ordering::Relaxed), 8);
}

#[tokio::test]
async fn what_cannot_be_told_is_said_at_the_start() {
    let nowhere = Path::new("/dev/null/events");
    let failure = sinks(
        Some(nowhere),
        None,
        &Authorities::default(),
        &BTreeMap::new(),
    )
    .unwrap_err();
    assert!(
        failure.to_string().contains("/dev/null/events"),
        "{failure}"
    );
    let failure = sinks(
        None,
        Some("ftp://h"),
        &Authorities::default(),
        &BTreeMap::new(),
    )
    .unwrap_err();
    assert!(
        failure.to_string().contains("--events-webhook"),
        "{failure}"
    );
}
