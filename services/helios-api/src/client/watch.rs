//! Following what a master knows.

use std::time::Duration;

use bytes::Bytes;
use futures_core::stream::BoxStream;
use futures_util::StreamExt;
use futures_util::stream::unfold;
use helios_core::model::JobId;
use http::header::ETAG;
use http::{HeaderValue, StatusCode};
use serde::de::DeserializeOwned;
use tokio::time::sleep;

use super::query::Target;
use super::request::Request;
use super::{Client, ClientError};
use crate::wire::{HostStatus, JobStatus};

/// The longest that a master is asked to wait for something new.
const WAIT_MAX: Duration = Duration::from_secs(20);
/// The pause before asking again a master that does not wait, or one that failed.
const PAUSE: Duration = Duration::from_secs(1);

impl Client {
    /// Follows the status of a job: the present first, then every state that lasts; `None` while there is
    /// no such job. States that follow each other quickly may be left out.
    ///
    /// Never ends. An error is an item like others, and the next item is asked for after a pause. A master
    /// that cannot wait, such as the original, is asked once a second.
    pub fn watch_job_status(
        &self,
        id: &JobId,
    ) -> BoxStream<'static, Result<Option<JobStatus>, ClientError>> {
        self.watch(Target::path(&["jobs", id.as_str(), "status"]))
    }

    /// Follows the status of a host, as [`watch_job_status`](Self::watch_job_status) does that of a job.
    pub fn watch_host_status(
        &self,
        host: &str,
    ) -> BoxStream<'static, Result<Option<HostStatus>, ClientError>> {
        self.watch(Target::path(&["hosts", host, "status"]))
    }

    fn watch<T: DeserializeOwned + Send + 'static>(
        &self,
        target: Target,
    ) -> BoxStream<'static, Result<Option<T>, ClientError>> {
        let wait = WAIT_MAX.min(self.transport.request_timeout() / 2).as_secs();
        let watch = Watch {
            client: self.clone(),
            target: target.with("wait", &wait.to_string()),
            last: None,
            pause: false,
        };
        unfold(watch, async |mut watch| Some((watch.next().await, watch))).boxed()
    }
}

/// A question that is asked again and again.
struct Watch {
    client: Client,
    target: Target,
    last: Option<Answer>,
    /// Whether to pause before asking again.
    pause: bool,
}

/// What was answered last.
#[derive(PartialEq, Eq)]
struct Answer {
    status: StatusCode,
    body: Bytes,
    tag: Option<HeaderValue>,
}

impl Watch {
    /// The next answer that is not like the last one.
    async fn next<T: DeserializeOwned>(&mut self) -> Result<Option<T>, ClientError> {
        loop {
            if std::mem::replace(&mut self.pause, true) {
                sleep(PAUSE).await;
            }
            let request = Request {
                known: self.last.as_ref().and_then(|answer| answer.tag.clone()),
                ..Request::get(self.target.clone())
            };
            let reply = self.client.send(request).await?;
            if reply.status == StatusCode::NOT_MODIFIED {
                self.pause = false;
                continue;
            }
            let answer = Answer {
                status: reply.status,
                body: reply.body.clone(),
                tag: reply.headers.get(ETAG).cloned(),
            };
            self.pause = answer.tag.is_none();
            if self.last.as_ref() != Some(&answer) {
                self.last = Some(answer);
                return reply.found_or_absent();
            }
        }
    }
}
