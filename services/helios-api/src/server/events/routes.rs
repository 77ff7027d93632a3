//! `GET /events`.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{self, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::unfold;
use tokio::sync::Semaphore;

use super::hub::Reader;
use crate::server::fault::Fault;
use crate::server::fleet_cache::FleetCache;
use crate::server::params::Params;
use crate::server::route::{Needs, Route};
use crate::wire::Event;

/// How often a connection on which nothing happens shows that it lives.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

pub(in crate::server) fn routes() -> Vec<Route> {
    vec![
        Route::get(
            "/events",
            Needs::Read,
            "Tells what happens, as server-sent events; goes on after Last-Event-ID",
            follow,
        )
        .takes(&["kind", "host", "job", "after"])
        .answers_as::<Event>("text/event-stream"),
    ]
}

/// Which events are wanted.
struct Wanted {
    kinds: Vec<String>,
    host: Option<String>,
    job: Option<String>,
}

impl Wanted {
    fn by(params: &Params) -> Self {
        Self {
            kinds: params.all("kind").map(str::to_owned).collect(),
            host: params.non_empty("host").map(str::to_owned),
            job: params.non_empty("job").map(str::to_owned),
        }
    }

    /// Whoever chose what to follow has to know of a gap too.
    fn wants(&self, event: &Event) -> bool {
        let is = |wanted: &Option<String>, is: Option<&str>| match wanted {
            Some(wanted) => is == Some(wanted),
            None => true,
        };
        let kind = event.kind();
        matches!(event, Event::Gap {})
            || ((self.kinds.is_empty() || self.kinds.iter().any(|wanted| wanted == kind))
                && is(&self.host, event.host())
                && is(&self.job, event.job()))
    }
}

/// `GET /events`
async fn follow(
    State(fleet): State<FleetCache>,
    params: Params,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    let Ok(place) = Arc::<Semaphore>::clone(&fleet.waits).try_acquire_owned() else {
        return Err(Fault::busy("too many requests wait already"));
    };
    if !fleet.begun().await {
        return Err(Fault::busy("this master has not seen the cluster yet"));
    }
    let wanted = Wanted::by(&params);
    let last = headers.get("last-event-id");
    let last = last.and_then(|id| id.to_str().ok()).or(params.get("after"));
    let reader: Reader = fleet.events.read_after(last);
    let events = unfold(
        (reader, wanted, place),
        async |(mut reader, wanted, place)| {
            loop {
                let (id, event) = reader.next().await?;
                if wanted.wants(&event) {
                    let text = serde_json::to_string(&*event).ok()?;
                    let event = sse::Event::default().id(id).event(event.kind()).data(text);
                    return Some((Ok::<_, Infallible>(event), (reader, wanted, place)));
                }
            }
        },
    );
    let alive = KeepAlive::new().interval(SIGN_OF_LIFE);
    Ok(Sse::new(events).keep_alive(alive).into_response())
}
