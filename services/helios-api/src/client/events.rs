//! Following what happens.

use std::time::Duration;

use bytes::{Buf, BytesMut};
use futures_core::stream::BoxStream;
use futures_util::StreamExt;
use futures_util::stream::unfold;
use http::HeaderValue;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::{sleep, timeout};

use super::query::Target;
use super::request::Request;
use super::{Client, ClientError, ClientErrorKind};
use crate::wire::Event;

/// The pause before going on after trouble.
const PAUSE: Duration = Duration::from_secs(1);
/// Masters show a sign of life more often than that.
const SILENCE_MAX: Duration = Duration::from_secs(45);
/// The longest event, in bytes.
const EVENT_BYTES_MAX: usize = 1024 * 1024;

/// Which events to follow: all of them unless said otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventsQuery {
    /// Only of these kinds, see [`Event::kind`].
    pub kinds: Vec<String>,
    /// Only about that host.
    pub host: Option<String>,
    /// Only about the job of that id.
    pub job: Option<String>,
    /// Only those after the one of that id.
    pub after: Option<String>,
}

impl Client {
    /// Follows what happens, each event with its id.
    ///
    /// Never ends. After trouble, which is an item like others, it goes on where it was; a
    /// [`Gap`](Event::Gap) says that this was not possible, so that one has to look anew.
    pub fn watch_events(
        &self,
        query: &EventsQuery,
    ) -> BoxStream<'static, Result<(String, Event), ClientError>> {
        let mut target = Target::path(&["events"]);
        for kind in &query.kinds {
            target = target.with("kind", kind);
        }
        let target = target
            .with_any("host", query.host.as_deref())
            .with_any("job", query.job.as_deref());
        let following = Following {
            client: self.clone(),
            target,
            last: query.after.clone(),
            open: None,
            pause: false,
        };
        unfold(following, async |mut following| {
            let item = following.next().await;
            following.pause = item.is_err();
            Some((item, following))
        })
        .boxed()
    }
}

struct Following {
    client: Client,
    target: Target,
    /// The id of the last event.
    last: Option<String>,
    open: Option<Lines>,
    pause: bool,
}

impl Following {
    async fn next(&mut self) -> Result<(String, Event), ClientError> {
        if std::mem::take(&mut self.pause) {
            sleep(PAUSE).await;
        }
        loop {
            let mut lines = match self.open.take() {
                Some(lines) => lines,
                None => self.connect().await?,
            };
            let Some((id, text)) = lines.next_event().await? else {
                // The master ended it, as when it is stopped: another one goes on.
                self.pause = true;
                return Err(broken("it ended"));
            };
            self.open = Some(lines);
            self.last = Some(id.clone());
            // Kinds that only later clients know are left out.
            if let Ok(event) = serde_json::from_str(&text) {
                return Ok((id, event));
            }
        }
    }

    async fn connect(&self) -> Result<Lines, ClientError> {
        let target = self.target.clone().with_any("after", self.last.as_deref());
        let request = Request {
            accept: HeaderValue::from_static("text/event-stream"),
            ..Request::get(target)
        };
        Ok(Lines {
            body: self.client.transport.open(&request).await?,
            read: BytesMut::new(),
        })
    }
}

/// The lines of an event stream.
struct Lines {
    body: Incoming,
    read: BytesMut,
}

impl Lines {
    /// The id and the data of the next event; `None` at the end.
    async fn next_event(&mut self) -> Result<Option<(String, String)>, ClientError> {
        let (mut id, mut data) = (String::new(), String::new());
        while let Some(line) = self.next_line().await? {
            match line.split_once(':') {
                _ if line.is_empty() && !data.is_empty() => return Ok(Some((id, data))),
                Some(("id", value)) => value.trim_start().clone_into(&mut id),
                Some(("data", value)) => data.push_str(value.trim_start()),
                // Comments, and what event it is, which the data says too.
                _ => {}
            }
        }
        Ok(None)
    }

    async fn next_line(&mut self) -> Result<Option<String>, ClientError> {
        loop {
            if let Some(end) = self.read.iter().position(|byte| *byte == b'\n') {
                let line = self.read.split_to(end);
                self.read.advance(1);
                return Ok(Some(String::from_utf8_lossy(&line).trim_end().to_owned()));
            }
            if self.read.len() > EVENT_BYTES_MAX {
                return Err(broken("an event has no end"));
            }
            let frame = timeout(SILENCE_MAX, self.body.frame()).await;
            let Some(frame) = frame.map_err(|_| broken("it fell silent"))? else {
                return Ok(None);
            };
            let frame = frame.map_err(|error| broken("the connection broke").caused_by(error))?;
            if let Ok(data) = frame.into_data() {
                self.read.extend_from_slice(&data);
            }
        }
    }
}

fn broken(why: &str) -> ClientError {
    let message = format!("the stream of events stopped: {why}; it goes on in a moment");
    ClientError::new(ClientErrorKind::Unreachable, message)
}
