//! What a job's container wrote, fetched from the agent that has it.

use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, HOST};
use axum::http::uri::Uri;
use axum::http::{Request, StatusCode};
use axum::response::Response;
use helios_core::model::JobId;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::agent::LOG_BYTES_MAX;
use super::fault::Fault;
use super::hosts::unknown_host;
use super::params::{Names, Params};
use super::route::{Needs, Route};
use super::state::MasterState;

/// How long an agent may take to begin its answer.
const AGENT_TIMEOUT: Duration = Duration::from_secs(10);

/// The longest refusal of an agent that is passed on, in bytes.
const REFUSAL_BYTES_MAX: usize = 4096;

pub(super) fn routes() -> Vec<Route> {
    let about = "Shows what a job's container wrote";
    let path = "/hosts/{host}/jobs/{job}/logs";
    vec![
        Route::get(path, Needs::Read, about, logs)
            .takes(&["tail", "follow", "previous"])
            .answers_as::<String>("text/plain"),
    ]
}

/// `GET /hosts/{host}/jobs/{job}/logs?tail=N&follow=true&previous=true`
async fn logs(
    State(state): State<MasterState>,
    names: Names,
    params: Params,
) -> Result<Response, Fault> {
    let id = names.full_job()?;
    let agent = agent_of(&state, &names).await?;
    let pair = |name: &'static str| params.non_empty(name).map(|value| (name, value));
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("host", names.host())
        .extend_pairs(
            [pair("tail"), pair("follow"), pair("previous")]
                .into_iter()
                .flatten(),
        )
        .finish();
    let unreachable = |why: String| {
        let what = format!(
            "this master cannot reach the agent of {} at {agent} ({why})",
            names.host()
        );
        let next = "start it with an --http-advertise that leads masters to it";
        Fault::because(StatusCode::BAD_GATEWAY, what, next)
    };
    let answer = match timeout(AGENT_TIMEOUT, ask(&agent, &id, &query)).await {
        Ok(answer) => answer.map_err(unreachable)?,
        Err(_) => return Err(unreachable(format!("no answer within {AGENT_TIMEOUT:?}"))),
    };
    let (head, body) = answer.into_parts();
    if head.status != StatusCode::OK {
        return Err(refusal(head.status, body).await);
    }
    let mut response = Response::new(Body::new(Limited::new(body, LOG_BYTES_MAX)));
    if let Some(kind) = head.headers.get(CONTENT_TYPE) {
        response.headers_mut().insert(CONTENT_TYPE, kind.clone());
    }
    Ok(response)
}

/// Where the agent of the host can be asked.
async fn agent_of(state: &MasterState, names: &Names) -> Result<Uri, Fault> {
    let host = match names.host_name() {
        Some(host) => state.cluster.host(&host).await?,
        None => None,
    };
    let host = host.ok_or_else(|| unknown_host(names))?;
    let because = |what: String, next| Err(Fault::because(StatusCode::CONFLICT, what, next));
    if !host.up {
        let what = format!("{} is down, and so its agent cannot be asked", names.host());
        return because(
            what,
            "start the agent, or look at the containers on the machine itself",
        );
    }
    let address = host.report.as_ref().and_then(|report| report.http.clone());
    match address.and_then(|address| address.parse::<Uri>().ok()) {
        Some(uri) if uri.scheme_str() == Some("http") && uri.authority().is_some() => Ok(uri),
        _ => because(
            format!("the agent of {} cannot be asked for logs", names.host()),
            "start it with --http",
        ),
    }
}

/// Asks the agent; the connection goes with its answer.
async fn ask(agent: &Uri, job: &JobId, query: &str) -> Result<Response<Incoming>, String> {
    let authority = agent.authority().ok_or("its address is none")?;
    let port = authority.port_u16().unwrap_or(80);
    let host = authority.host().trim_matches(['[', ']']);
    let stream = TcpStream::connect((host, port)).await;
    let stream = stream.map_err(|error| error.to_string())?;
    let (mut sender, connection) = http1::handshake::<_, Empty<Bytes>>(TokioIo::new(stream))
        .await
        .map_err(|error| error.to_string())?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection to an agent ended early");
        }
    });
    let job =
        percent_encoding::utf8_percent_encode(job.as_str(), percent_encoding::NON_ALPHANUMERIC);
    let request = Request::get(format!("/logs/{job}?{query}"))
        .header(HOST, authority.as_str())
        .body(Empty::new())
        .map_err(|error| error.to_string())?;
    let answer = sender.send_request(request).await;
    answer.map_err(|error| error.to_string())
}

/// What the agent says against it, as far as it is this master's to repeat.
async fn refusal(status: StatusCode, body: Incoming) -> Fault {
    let text = Limited::new(body, REFUSAL_BYTES_MAX).collect().await;
    let text = text
        .map(http_body_util::Collected::to_bytes)
        .unwrap_or_default();
    let refusal = serde_json::from_slice::<crate::wire::Refusal>(&text);
    match (status, refusal) {
        (StatusCode::SERVICE_UNAVAILABLE, refusal) => Fault::busy(
            refusal.map_or_else(|_| "the agent is busy".to_owned(), |said| said.message),
        ),
        (status, Ok(said)) => Fault::said(status, said.message),
        (status, Err(_)) => {
            let what = format!("the agent answered {status}");
            Fault::because(status, what, "look into its log")
        }
    }
}
