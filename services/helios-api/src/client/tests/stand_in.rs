//! A master that says what it is told to.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const RECORDED: &str = include_str!("../../../vectors/cli-golden-server.json");

/// What to say to a request.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    Reply(u16, String),
    BreakOff,
    Silence,
}

impl Answer {
    pub(super) fn new(status: u16, body: impl Into<String>) -> Self {
        Self::Reply(status, body.into())
    }
}

/// Where a stand-in gets its answers from.
enum Script {
    Recorded(Value),
    InOrder(Mutex<VecDeque<Answer>>),
}

/// A listener that answers by its script and remembers what it was asked.
pub(super) struct StandIn {
    pub(super) url: String,
    heads: Arc<Mutex<Vec<String>>>,
}

impl StandIn {
    /// Answers as the original master did when clients were recorded with it.
    pub(super) async fn recorded() -> Self {
        let vectors: Value = serde_json::from_str(RECORDED).unwrap();
        Self::start(Script::Recorded(vectors["answers"].clone())).await
    }

    /// Gives those answers, one to a request.
    pub(super) async fn answering(answers: impl IntoIterator<Item = Answer>) -> Self {
        let answers = answers.into_iter().collect();
        Self::start(Script::InOrder(Mutex::new(answers))).await
    }

    /// Is not there any more.
    pub(super) async fn stopped() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            heads: Arc::default(),
        }
    }

    async fn start(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let heads: Arc<Mutex<Vec<String>>> = Arc::default();
        let (script, seen) = (Arc::new(script), Arc::clone(&heads));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(converse(stream, Arc::clone(&script), Arc::clone(&seen)));
            }
        });
        Self { url, heads }
    }

    /// The head of every request so far.
    pub(super) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }

    /// Method and target of every request so far.
    pub(super) fn requests(&self) -> Vec<String> {
        let request = |head: String| head.split(" HTTP").next().unwrap().to_owned();
        self.heads().into_iter().map(request).collect()
    }
}

async fn converse(mut stream: TcpStream, script: Arc<Script>, heads: Arc<Mutex<Vec<String>>>) {
    while let Some(head) = read_request(&mut stream).await {
        heads.lock().unwrap().push(head.clone());
        let answer = match &*script {
            Script::Recorded(answers) => recorded(answers, &head),
            Script::InOrder(answers) => answers.lock().unwrap().pop_front().unwrap(),
        };
        match answer {
            Answer::Reply(status, body) => {
                let text = format!(
                    "HTTP/1.1 {status} x\r\nHelios-Server-Version: 1.0.0\r\n\
                     Content-Length: {}\r\n\r\n{body}",
                    body.len()
                );
                stream.write_all(text.as_bytes()).await.unwrap();
            }
            Answer::BreakOff => return,
            Answer::Silence => std::future::pending().await,
        }
    }
}

/// The head of the next request, once its body has come too.
async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut read = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&read);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .to_lowercase()
                .lines()
                .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok())
                .unwrap_or(0);
            if body.len() >= length {
                return Some(head.to_owned());
            }
        }
        let mut chunk = [0; 4096];
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => return None,
            Ok(length) => read.extend_from_slice(&chunk[..length]),
        }
    }
}

fn recorded(answers: &Value, head: &str) -> Answer {
    let request = head.split([' ', '?']).take(2).collect::<Vec<_>>().join(" ");
    match answers.get(&request) {
        None => Answer::new(404, ""),
        Some(answer) => {
            let body = match &answer["body"] {
                Value::Null => String::new(),
                body => body.to_string(),
            };
            let status = answer["status"].as_u64().unwrap();
            Answer::new(u16::try_from(status).unwrap(), body)
        }
    }
}
