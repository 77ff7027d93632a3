//! Who asks the web servers of a fleet for their page, all the time.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{JoinHandle, sleep};
use std::time::Duration;

use serde_json::Value;

use crate::serving::within;

/// How often a visit is tried: who just asked where to go may find that place closed.
const TRIES: u32 = 10;

/// What each host answered at one time, if it did.
pub(crate) type Round = BTreeMap<String, Option<String>>;

/// Visits every host in turn, at the ports where a master says that something runs.
pub(crate) struct Visitor {
    rounds: Arc<Mutex<Vec<Round>>>,
    is_done: Arc<AtomicBool>,
    work: JoinHandle<()>,
}

impl Visitor {
    pub(crate) fn start(master: &str, hosts: &[&str]) -> Self {
        let master = master.trim_start_matches("http://").to_owned();
        let hosts: Vec<String> = hosts.iter().map(ToString::to_string).collect();
        let rounds = Arc::new(Mutex::new(Vec::new()));
        let is_done = Arc::new(AtomicBool::new(false));
        let (seen, end) = (Arc::clone(&rounds), Arc::clone(&is_done));
        let work = std::thread::spawn(move || {
            while !end.load(Ordering::Relaxed) {
                let visits = hosts
                    .iter()
                    .map(|host| (host.clone(), visit(&master, host)));
                let round = visits.collect();
                seen.lock().unwrap().push(round);
            }
        });
        Self {
            rounds,
            is_done,
            work,
        }
    }

    /// What was seen since the last time this was asked.
    pub(crate) fn rounds(&self) -> Vec<Round> {
        std::mem::take(&mut self.rounds.lock().unwrap())
    }

    pub(crate) fn until_all_say(&self, page: &str) {
        within(&format!("all say {page}"), || {
            let rounds = self.rounds.lock().unwrap();
            let mut answers = rounds.last()?.values();
            answers
                .all(|answer| answer.as_deref() == Some(page))
                .then_some(())
        });
    }

    pub(crate) fn stop(self) {
        self.is_done.store(true, Ordering::Relaxed);
        self.work.join().expect("it visited to the end");
    }
}

fn visit(master: &str, host: &str) -> Option<String> {
    for _ in 0..TRIES {
        let ports = ports(master, host);
        // The newest first, since that is where visitors are to go.
        let mut pages = ports
            .iter()
            .rev()
            .map(|port| get(&format!("127.0.0.1:{port}"), "/"));
        if let Some(page) = pages.find_map(|page| page) {
            return Some(page.trim().to_owned());
        }
        sleep(Duration::from_millis(100));
    }
    None
}

/// Where something runs on a host, by job.
fn ports(master: &str, host: &str) -> Vec<u64> {
    let status = get(master, &format!("/hosts/{host}/status")).unwrap_or_default();
    let status: Value = serde_json::from_str(&status).unwrap_or_default();
    let tasks = status["statuses"].as_object();
    let running = tasks.into_iter().flat_map(|tasks| tasks.values());
    let running = running.filter(|task| task["state"] == "RUNNING");
    running
        .filter_map(|task| task["ports"]["http"]["externalPort"].as_u64())
        .collect()
}

/// The body of the answer, if it is one.
fn get(address: &str, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .ok()?;
    let request = format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    head.lines()
        .next()?
        .contains(" 200 ")
        .then(|| body.to_owned())
}
