//! A master that answers what it is told to, and remembers what it was asked.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;

/// What was asked.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    pub(crate) body: String,
}

/// A status and a body.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u64,
    pub(crate) body: Option<Value>,
}

impl Answer {
    pub(crate) fn from_json(answer: &Value) -> Self {
        let body = &answer["body"];
        Self {
            status: answer["status"].as_u64().unwrap(),
            body: (!body.is_null()).then(|| body.clone()),
        }
    }
}

/// Answers by `METHOD /path`, without query and without trailing slash.
pub(crate) type Answers = BTreeMap<String, Answer>;

/// A running stand-in; it ends with the test's process.
#[derive(Debug)]
pub(crate) struct StandIn {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    answers: Arc<Mutex<Answers>>,
}

impl StandIn {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stand_in = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            asked: Arc::default(),
            answers: Arc::default(),
        };
        let (asked, answers) = (Arc::clone(&stand_in.asked), Arc::clone(&stand_in.answers));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (asked, answers) = (Arc::clone(&asked), Arc::clone(&answers));
                thread::spawn(move || serve(stream.unwrap(), &asked, &answers));
            }
        });
        stand_in
    }

    /// From now on answers that, and has been asked nothing.
    pub(crate) fn answer(&self, answers: Answers) {
        *self.answers.lock().unwrap() = answers;
        self.asked.lock().unwrap().clear();
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

/// Serves one connection until the client closes it.
fn serve(stream: TcpStream, asked: &Mutex<Vec<Asked>>, answers: &Mutex<Answers>) {
    let mut reader = BufReader::new(stream);
    while let Some(request) = read(&mut reader) {
        let answer = answer(&request, &answers.lock().unwrap());
        asked.lock().unwrap().push(request);
        let body = answer.body.map(|body| body.to_string()).unwrap_or_default();
        let (status, length) = (answer.status, body.len());
        let head = format!(
            "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        );
        let stream = reader.get_mut();
        if stream.write_all((head + &body).as_bytes()).is_err() {
            return;
        }
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Asked> {
    let mut line = || {
        let mut line = String::new();
        let read = reader.read_line(&mut line).unwrap_or(0);
        (read > 0).then(|| line.trim_end().to_owned())
    };
    let first = line()?;
    let mut words = first.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut length = 0;
    loop {
        let header = line()?.to_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Asked {
        method,
        target,
        body: String::from_utf8(body).unwrap(),
    })
}

fn answer(request: &Asked, answers: &Answers) -> Answer {
    let (path, query) = request
        .target
        .split_once('?')
        .unwrap_or((&request.target, ""));
    let key = format!("{} {}", request.method, path.trim_end_matches('/'));
    let Some(answer) = answers.get(&key) else {
        return Answer {
            status: 404,
            body: None,
        };
    };
    let mut answer = answer.clone();
    if let Some(Value::Object(entries)) = &mut answer.body {
        if key == "GET /jobs" {
            let q = query.split('&').find_map(|pair| pair.strip_prefix("q="));
            let q = q.unwrap_or_default().replace("%3A", ":");
            entries.retain(|id, _| id.contains(&q));
        }
        if key.ends_with("/statuses") {
            let wanted: Vec<String> = serde_json::from_str(&request.body).unwrap();
            entries.retain(|name, _| wanted.contains(name));
        }
    }
    answer
}
