//! Asking a service over HTTP to reset a machine.

use std::error::Error;
use std::time::Duration;

use async_trait::async_trait;
use helios_rollout::reset::{Ask, ResetAction};
use serde_json::json;

use super::authorities::Authorities;
use super::outbound::{Body, Outbound, Url};
use crate::Failure;

/// How long an answer is waited for at most; a reset may say less.
const PATIENCE: Duration = Duration::from_secs(600);
/// How much of what a service answers is told with a host, in characters.
const SAID_CHARS_MAX: usize = 300;

/// A service that resets machines: a POST for each, answered by any 2xx once it will be done.
#[derive(Debug)]
pub(super) struct Webhook {
    url: Url,
    outbound: Outbound,
}

impl Webhook {
    pub(super) fn new(url: &str, authorities: &Authorities) -> Result<Self, Failure> {
        let url = Url::parse(url).map_err(|why| {
            Failure::new(format!("--reset-webhook {why}"))
                .advise("or say --reset-command with a client of the service")
        })?;
        Ok(Self {
            url,
            outbound: Outbound::trusting(authorities).waiting(PATIENCE),
        })
    }
}

#[async_trait]
impl ResetAction for Webhook {
    async fn ask(&self, ask: &Ask) -> Result<(), Box<dyn Error + Send + Sync>> {
        let body = json!({ "host": ask.host, "reset": ask.reset, "id": ask.id });
        let sent = self
            .outbound
            .send("POST", &self.url, "", &[], Body::Json(body.to_string()));
        let sent = sent.await;
        let (status, said) = sent.map_err(|why| format!("{} cannot be asked: {why}", self.url))?;
        if status.is_success() {
            return Ok(());
        }
        let said: String = String::from_utf8_lossy(&said)
            .chars()
            .take(SAID_CHARS_MAX)
            .collect();
        Err(format!("{} answered {status} {}", self.url, said.trim()).into())
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// Answers one request like that, and says what it was.
    async fn asked(answer: &'static str) -> (String, Result<(), String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/reset", listener.local_addr().unwrap());
        let service = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut heard = Vec::new();
            while !heard.ends_with(b"}") {
                stream.read_buf(&mut heard).await.unwrap();
            }
            stream.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8(heard).unwrap()
        });
        let ask = Ask {
            host: "n1".parse().unwrap(),
            reset: "october".to_owned(),
            id: "october.1.1".to_owned(),
        };
        let outcome = Webhook::new(&url, &Authorities::default())
            .unwrap()
            .ask(&ask)
            .await;
        let outcome = outcome.map_err(|error| error.to_string());
        (service.await.unwrap(), outcome)
    }

    #[tokio::test]
    async fn a_service_is_told_which_host_and_its_answer_counts() {
        let (heard, outcome) = asked("HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n").await;
        assert!(heard.starts_with("POST /reset HTTP/1.1\r\n"), "{heard}");
        assert!(
            heard.ends_with(r#"{"host":"n1","id":"october.1.1","reset":"october"}"#),
            "{heard}"
        );
        assert_eq!(outcome, Ok(()));
        let refusal = "HTTP/1.1 404 Not Found\r\ncontent-length: 15\r\n\r\nno such machine";
        let (_, outcome) = asked(refusal).await;
        let error = outcome.unwrap_err();
        assert!(
            error.ends_with("answered 404 Not Found no such machine"),
            "{error}"
        );
    }

    #[test]
    fn only_an_address_is_one() {
        for bad in ["ftp://cloud.example", "cloud", "http:///x", ""] {
            let made = Webhook::new(bad, &Authorities::default());
            assert!(made.is_err(), "{bad}");
        }
    }
}
