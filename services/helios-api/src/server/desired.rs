//! What a host should hold.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use helios_core::model::HostName;
use helios_rollout::drive::{Book, Since, member};
use helios_rollout::order::Member;
use helios_rollout::variable::Value;

use super::fault::Fault;
use super::params::{Names, Params};
use super::reply::{json, json_text, to_json};
use super::route::{Needs, Route};
use super::state::MasterState;
use super::waiting::{Tag, Waiting};
use crate::wire::SINCE_HEADER;

/// The longest reason for a failure that is kept, in characters.
const FAILED_CHARS_MAX: usize = 300;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get(
            "/desired/{host}",
            Needs::Read,
            "Shows what a host should hold: one flat JSON object of variables. A host without an agent says \
             what it is on its first call: ?label=role=web",
            desired,
        ).takes(&["label", "join", "failed"]).answers::<BTreeMap<String, Value>>(),
        Route::delete(
            "/desired/{host}",
            Needs::Admin,
            "Forgets a host without an agent, which may then say anew what it is",
            forget,
        ).answers::<String>(),
    ]
}

/// `GET /desired/{host}`
async fn desired(
    State(state): State<MasterState>,
    names: Names,
    params: Params,
    waiting: Waiting,
) -> Result<Response, Fault> {
    let host = host(&names)?;
    let book = state.book.book().await?;
    let fleet = state.fleet.view().await?;
    let member = match member(&fleet, &book.followers, &host) {
        Some(member) => member,
        None => introduce(&state, &book, &host, &params).await?,
    };
    if let Some(failed) = params
        .get("failed")
        .filter(|_| fleet.hosts.get(&host).is_none())
    {
        let failed: String = failed.chars().take(FAILED_CHARS_MAX).collect();
        let failed = Some(failed.as_str()).filter(|failed| !failed.is_empty());
        let variables = state.variables_for(None);
        variables.report(&host, failed).await?;
    }
    let desired = book.desired(&member);
    let text = to_json(&desired)?;
    let since = since(&desired.since);
    let tag = Tag::of([&text[..], since.as_bytes()]);
    let Some(tag) = tag else {
        return Ok(json_text(StatusCode::OK, text));
    };
    let mut answer = if waiting.knows(&tag) {
        tag.unchanged()
    } else {
        tag.on(json_text(StatusCode::OK, text))
    };
    if let Ok(since) = HeaderValue::try_from(since) {
        answer.headers_mut().insert(SINCE_HEADER, since);
    }
    Ok(answer)
}

fn since(since: &Since<'_>) -> String {
    let mut text = String::new();
    for (name, number) in since {
        let comma = if text.is_empty() { "" } else { "," };
        // Writing to a text cannot fail.
        let _ = write!(text, "{comma}{name}={number}");
    }
    text
}

/// The first call of a host that nobody knows: it must say what it is.
async fn introduce(
    state: &MasterState,
    book: &Book,
    host: &HostName,
    params: &Params,
) -> Result<Member, Fault> {
    let mut labels = BTreeMap::new();
    for label in params.all("label") {
        let Some((name, value)) = label.split_once('=') else {
            return Err(Fault::bad(
                format!("label {label:?} is not NAME=VALUE"),
                "write it so",
            ));
        };
        labels.insert(name.to_owned(), value.to_owned());
    }
    if labels.is_empty() && params.get("join").is_none() {
        return Err(Fault::not_found(
            format!("host {host} is not known"),
            format!("say what it is, as in /desired/{host}?label=role=web, or just ?join"),
        ));
    }
    let variables = state.variables_for(None);
    variables.follow(book, host, &labels).await?;
    Ok(Member::new(host.clone(), labels))
}

/// `DELETE /desired/{host}`
async fn forget(
    State(state): State<MasterState>,
    names: Names,
    params: Params,
) -> Result<Response, Fault> {
    let variables = state.variables_for(params.user().as_deref());
    variables.forget(&host(&names)?).await?;
    Ok(json(StatusCode::OK, &"OK"))
}

fn host(names: &Names) -> Result<HostName, Fault> {
    let unknown = || {
        Fault::bad(
            format!("{:?} is not a host name", names.host()),
            "use letters, digits, dots and dashes",
        )
    };
    names.host_name().ok_or_else(unknown)
}
