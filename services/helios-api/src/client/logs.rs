//! What containers write.

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;

use super::query::Target;
use super::request::Request;
use super::{Client, ClientError, ClientErrorKind};

/// Which part of a log is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogsQuery {
    /// How many lines of the past; the agent has its own number and limit.
    pub tail: Option<usize>,
    /// Whether all that comes is wanted too.
    pub follow: bool,
    /// Whether the log is that of the last dead container, while the agent keeps it.
    pub previous: bool,
}

/// A log while it is read.
#[derive(Debug)]
pub struct LogStream(Incoming);

impl LogStream {
    /// What comes next, as it was written; `None` at the end.
    ///
    /// # Errors
    /// `Unreachable` when the connection ended early.
    ///
    /// # Cancellation
    /// Nothing is lost.
    pub async fn next(&mut self) -> Option<Result<Bytes, ClientError>> {
        loop {
            match self.0.frame().await? {
                Ok(frame) => match frame.into_data() {
                    Ok(data) => return Some(Ok(data)),
                    Err(_) => continue,
                },
                Err(error) => {
                    let message = "the log ended early: ask again";
                    let error =
                        ClientError::new(ClientErrorKind::Unreachable, message).caused_by(error);
                    return Some(Err(error));
                }
            }
        }
    }
}

impl Client {
    /// What the container of a job wrote, by way of whichever master answers and the host's agent.
    ///
    /// # Errors
    /// As for every question; `Refused` when the host, the job or its container is not there or the agent answers
    /// nobody, `MasterFailed` when the master cannot reach the agent.
    pub async fn logs(
        &self,
        host: &str,
        job: &str,
        query: &LogsQuery,
    ) -> Result<LogStream, ClientError> {
        let tail = query.tail.map(|lines| lines.to_string());
        let target = Target::path(&["hosts", host, "jobs", job, "logs"])
            .with_any("tail", tail.as_deref())
            .with_any("follow", query.follow.then_some("true"))
            .with_any("previous", query.previous.then_some("true"));
        let request = Request::get(target).signed_by(self.user.as_deref());
        self.transport.open(&request).await.map(LogStream)
    }
}
