//! What reads cost: a whole fleet at once, and simple reads beside a handler that does nothing; how often they read the
//! store, and what is in memory for it.
//!
//! Everything goes over one kept connection on loopback. Figures are medians of one run, to be compared
//! with each other.

#![expect(clippy::print_stdout, reason = "figures are for people")]

mod fleet;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::routing::get;
use futures_util::stream::BoxStream;
use helios_api::server::{MasterState, router, serve};
use helios_core::cluster::Cluster;
use helios_core::store::{Entry, Key, Scope, Snapshot, Store, StoreError, Txn};
use helios_rollout::drive::{Setting, Variables};
use helios_store::MemoryStore;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use fleet::{HOSTS, JOBS_ON_A_HOST, Outcome, fill, job};

/// A host with an agent, and three variables.
const DESIRED: &str = "/desired/h7.example.net";
/// A large fleet, and how often each of its hosts asks.
const FOLLOWERS: f64 = 100_000.0;
const EVERY: Duration = Duration::from_secs(30);
/// How often each is asked in one pass, and how many passes there are.
const ROUNDS: usize = 2_000;
const PASSES: usize = 11;

#[tokio::main]
async fn main() -> Outcome {
    let store = Arc::new(Counted::default());
    fill(&*store).await?;
    let bare_memory = resident()?;
    let cluster = Cluster::on(Arc::clone(&store) as Arc<dyn Store>)?;
    let variables = Variables::on(cluster.clone());
    for name in ["docker", "kernel", "ntp"] {
        let setting = Setting {
            value: "26.1".into(),
            allowed: None,
            forbidden: None,
        };
        variables.set(name, &setting).await?;
    }
    let state = MasterState::new(cluster);
    let master = listen(router(state)).await?;
    let (_, bytes) = measure(master, "/hosts/statuses", 1).await?;
    let listed = store.lists.load(Ordering::Relaxed);
    let (all, _) = measure(master, "/hosts/statuses", 30).await?;
    let listed = store.lists.load(Ordering::Relaxed) - listed;
    let memory = resident()?;
    let same = Bytes::from(vec![b' '; bytes]);
    let bare = Router::new()
        .route("/hello", get(|| async { "hello" }))
        .route("/bytes", get(async || same));
    let bare = listen(bare).await?;
    let (sent, _) = measure(bare, "/bytes", 30).await?;
    let ratio = all.as_secs_f64() / sent.as_secs_f64();
    println!("bare handler that sends {bytes} bytes: {sent:?}");
    println!(
        "GET /hosts/statuses, {HOSTS} hosts with {JOBS_ON_A_HOST} jobs, as many bytes: {all:?}, \
         {ratio:.2} times as long; {listed} directories of the store were read for 35 of them"
    );
    println!(
        "in memory: {memory} MB with this program and its store, which were {bare_memory} MB before the master began"
    );
    let id = job(0)?.id;
    let (hello, _) = measure(bare, "/hello", 3_000).await?;
    println!("bare handler: {hello:?}");
    for path in [
        format!("/jobs/{id}"),
        "/hosts/h7.example.net/status".to_owned(),
        "/version".to_owned(),
    ] {
        let (took, _) = measure(master, &path, 3_000).await?;
        let ratio = hello.as_secs_f64() / took.as_secs_f64();
        println!("GET {path}: {took:?}, {ratio:.2} of the bare handler's rate");
    }
    follow(master).await
}

/// What a host that follows costs, beside a bare handler that sends the same bytes, body and header fields.
async fn follow(master: SocketAddr) -> Outcome {
    let (fields, body) = answer_of(master, DESIRED).await?;
    let tag = fields.get("etag").cloned().ok_or("no etag")?;
    let same = Router::new().route(DESIRED, get(async || (fields, body)));
    let bare = listen(same).await?;
    let known = format!("If-None-Match: {}\r\n", tag.to_str()?);
    println!(
        "{:<40} {:>10} {:>6} {:>10}  100,000 every 30 s",
        "GET /desired/{host}", "median", "rate", "processor"
    );
    let what = [
        ("bare handler that sends the same bytes", bare, ""),
        ("200: what it should hold", master, ""),
        ("304: the same as before", master, known.as_str()),
    ];
    // They take turns, so that what else the machine does hits all of them.
    let (mut times, mut used) = (what.map(|_| Vec::new()), [Duration::ZERO; 3]);
    for _ in 0..PASSES {
        for (((_, address, fields), times), used) in what.iter().zip(&mut times).zip(&mut used) {
            let before = processor()?;
            times.push(measure_with(*address, DESIRED, fields, ROUNDS).await?.0);
            *used += processor()? - before;
        }
    }
    let mut base = Duration::ZERO;
    for (((what, ..), mut times), used) in what.into_iter().zip(times).zip(used) {
        times.sort_unstable();
        let took = times.get(PASSES / 2).copied().unwrap_or_default();
        let cost = used / u32::try_from(PASSES * ROUNDS)?;
        base = if base.is_zero() { took } else { base };
        let ratio = base.as_secs_f64() / took.as_secs_f64();
        let rate = FOLLOWERS / EVERY.as_secs_f64();
        let busy = rate * cost.as_secs_f64() * 100.0;
        println!(
            "{what:<40} {took:>10.1?} {ratio:>6.2} {cost:>10.1?}  {rate:.0}/s: {busy:.0} % of one core"
        );
    }
    println!("processor: of this whole process for one request, the one who asks included");
    Ok(())
}

/// What the threads of this process have used of processors.
fn processor() -> Outcome<Duration> {
    let mut used = 0;
    for thread in std::fs::read_dir("/proc/self/task")? {
        let stat = std::fs::read_to_string(thread?.path().join("schedstat"))?;
        let nanos = stat.split(' ').next().ok_or("no time")?;
        used += nanos.parse::<u64>()?;
    }
    Ok(Duration::from_nanos(used))
}

/// The header fields that the handler set, and the body.
async fn answer_of(address: SocketAddr, path: &str) -> Outcome<(HeaderMap, String)> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut text = String::new();
    stream.read_to_string(&mut text).await?;
    let (head, body) = text.split_once("\r\n\r\n").ok_or("no body")?;
    let mut fields = HeaderMap::new();
    for line in head.lines().skip(1) {
        let (name, value) = line.split_once(": ").ok_or("no field")?;
        let name = name.to_ascii_lowercase();
        if !["date", "content-length", "connection"].contains(&name.as_str()) {
            fields.append(HeaderName::try_from(name)?, HeaderValue::try_from(value)?);
        }
    }
    Ok((fields, body.to_owned()))
}

/// A store that counts how often a directory is read.
#[derive(Debug, Default)]
struct Counted {
    store: MemoryStore,
    lists: AtomicUsize,
}

#[async_trait]
impl Store for Counted {
    async fn get(&self, key: &Key) -> Result<Option<Entry>, StoreError> {
        self.store.get(key).await
    }

    async fn list(&self, dir: &Key) -> Result<Snapshot, StoreError> {
        self.lists.fetch_add(1, Ordering::Relaxed);
        self.store.list(dir).await
    }

    async fn commit(&self, txn: Txn) -> Result<(), StoreError> {
        self.store.commit(txn).await
    }

    fn watch(&self, scope: Scope) -> BoxStream<'static, Result<Snapshot, StoreError>> {
        self.store.watch(scope)
    }
}

/// What this process has in memory, in MB.
fn resident() -> Outcome<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.ok_or("no VmRSS")?.trim().trim_end_matches(" kB");
    Ok(kilobytes.parse::<u64>()? / 1024)
}

async fn listen(app: Router) -> Outcome<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(serve(listener, app, std::future::pending()));
    Ok(address)
}

/// The median time of that many requests, and the length of the last answer's body.
async fn measure(address: SocketAddr, path: &str, times: usize) -> Outcome<(Duration, usize)> {
    measure_with(address, path, "", times).await
}

/// As [`measure`], with more header fields.
async fn measure_with(
    address: SocketAddr,
    path: &str,
    fields: &str,
    times: usize,
) -> Outcome<(Duration, usize)> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{fields}\r\n");
    let mut buffer = vec![0; 1 << 20];
    let mut took = Vec::new();
    let mut length = 0;
    for _ in 0..times + 5 {
        let begun = Instant::now();
        stream.write_all(request.as_bytes()).await?;
        length = read_answer(&mut stream, &mut buffer).await?;
        took.push(begun.elapsed());
    }
    // The first few find cold caches.
    let mut took = took.split_off(5);
    took.sort();
    Ok((took.get(times / 2).copied().unwrap_or_default(), length))
}

async fn read_answer(stream: &mut TcpStream, buffer: &mut [u8]) -> Outcome<usize> {
    let mut head = Vec::new();
    loop {
        let read = stream.read(buffer).await?;
        if read == 0 {
            return Err("the connection was closed".into());
        }
        head.extend(buffer.iter().take(read));
        let text = String::from_utf8_lossy(&head).to_ascii_lowercase();
        let Some((fields, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = fields
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        let length = if text.starts_with("http/1.1 304") {
            "0"
        } else {
            length.ok_or("no length")?
        };
        let length: usize = length.parse()?;
        let mut left = length.saturating_sub(body.len());
        while left > 0 {
            left = left.saturating_sub(stream.read(buffer).await?);
        }
        return Ok(length);
    }
}
