//! What happens to every request before and after its endpoint.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::http::header::{ALLOW, CONTENT_TYPE, SERVER};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::time::{Instant, timeout};

use super::compress::{compress, wants_gzip};
use super::fault::{Fault, Reason};
use super::params::{Names, Principal};
use super::redact::redact;
use super::route::{Needs, Route};
use super::state::{MasterState, NOBODY};
use super::token::{Bearer, Target};
use crate::version::{
    PROTOCOL_VERSION, SERVER_VERSION_HEADER, VERSION_HEADER, VERSION_STATUS_HEADER, VersionStatus,
};
use crate::wire::Role;

/// How long an endpoint may take.
const HANDLER_TIMEOUT: Duration = Duration::from_secs(30);

/// How much of a name or a path is logged, in bytes.
const LOGGED_BYTES_MAX: usize = 1_024;

/// What is needed to come in, for every route.
#[derive(Clone, Debug)]
pub(super) struct Doors {
    state: MasterState,
    needs: Arc<HashMap<&'static str, Vec<(Method, Needs)>>>,
}

impl Doors {
    pub(super) fn new(state: &MasterState, routes: &[Route]) -> Self {
        let mut needs: HashMap<_, Vec<_>> = HashMap::new();
        for route in routes {
            let methods = needs.entry(route.path).or_default();
            methods.push((route.method.clone(), route.needs));
        }
        Self {
            state: state.clone(),
            needs: Arc::new(needs),
        }
    }

    /// What that method needs at that route; `None` if it is not served there.
    fn needs(&self, path: &str, method: &Method) -> Option<Needs> {
        let served = if method == Method::HEAD {
            &Method::GET
        } else {
            method
        };
        let mut methods = self.needs.get(path)?.iter();
        methods
            .find(|(method, _)| method == served)
            .map(|(_, needs)| *needs)
    }
}

/// A request that may come in.
struct Admitted {
    request: Request,
    /// Whether its answer may hold secrets.
    sees_secrets: bool,
    /// Whose access token it came with, if tokens are wanted.
    principal: Option<Arc<str>>,
}

impl Doors {
    /// Lets in who may ask that. The only place that decides it.
    async fn let_in(&self, needs: Option<Needs>, request: Request) -> Result<Admitted, Response> {
        let Some(tokens) = &self.state.tokens else {
            return Ok(Admitted {
                request,
                sees_secrets: true,
                principal: None,
            });
        };
        // What nobody serves is refused by the router, to those who may look.
        let needs = match needs.unwrap_or(Needs::Read) {
            _ if request.method() == Method::OPTIONS => Needs::Nothing,
            needs => needs,
        };
        if needs == Needs::Nothing {
            return Ok(Admitted {
                request,
                sees_secrets: false,
                principal: None,
            });
        }
        let Bearer { name, grant } = tokens.bearer(request.headers()).await?;
        let (mut parts, body) = request.into_parts();
        let names = Names::from_request_parts(&mut parts, &()).await;
        let names = names.map_err(IntoResponse::into_response)?;
        let target = Target {
            host: names.get("host"),
            group: names.get("group"),
        };
        if let Err(missing) = grant.allows(needs, target) {
            tracing::info!(principal = &*name, %missing, "refused what a token does not allow");
            let next = "an admin creates tokens with `helios token create`";
            let refusal = Fault::because(StatusCode::FORBIDDEN, missing, next);
            let mut refusal = refusal.into_response();
            refusal.extensions_mut().insert(Principal(name));
            return Err(refusal);
        }
        parts.extensions.insert(Principal(Arc::clone(&name)));
        Ok(Admitted {
            request: Request::from_parts(parts, body),
            sees_secrets: grant.role > Role::Read,
            principal: Some(name),
        })
    }
}

/// What is remembered of a request for the time after its endpoint.
struct Asked {
    method: Method,
    path: String,
    /// In whose name, as far as the request itself says so.
    user: Option<String>,
    route: String,
    needs: Option<Needs>,
    question: bool,
    wants_gzip: bool,
    version: VersionStatus,
}

impl Asked {
    fn by(doors: &Doors, request: &Request) -> Self {
        let route = request.extensions().get::<MatchedPath>();
        let route = route.map_or("none", |path| path.as_str().trim_end_matches('/'));
        let version = request.headers().get(VERSION_HEADER);
        let version = version.map(|value| value.to_str().unwrap_or_default());
        let needs = doors.needs(route, request.method());
        Self {
            method: request.method().clone(),
            path: request.uri().path().to_owned(),
            user: named_user(request.uri().query().unwrap_or_default()),
            route: route.to_owned(),
            needs,
            question: needs.is_none_or(Needs::is_question),
            wants_gzip: wants_gzip(request),
            version: PROTOCOL_VERSION.judge_text(version),
        }
    }
}

impl Asked {
    /// Logs a change, and who made it or tried to: one line for each.
    fn note(&self, principal: Option<&str>, status: StatusCode, took: Duration) {
        if self.question {
            return;
        }
        let (method, path, user) = (&self.method, shortened(&self.path), self.user.as_deref());
        tracing::info!(
            target: "helios::audit",
            principal = principal.unwrap_or(NOBODY),
            user = user.map(shortened).map(tracing::field::debug),
            %method,
            path = ?path,
            status = status.as_u16(),
            took = ?took,
            "change"
        );
    }
}

/// As much of what a client said as a line of the log needs.
fn shortened(text: &str) -> &str {
    text.get(..LOGGED_BYTES_MAX.min(text.len()))
        .unwrap_or_default()
}

fn named_user(query: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let (_, user) = pairs.find(|(name, _)| name == "user")?;
    (!user.is_empty()).then(|| user.into_owned())
}

/// Everything around an endpoint, in one place: who is served, how much at a time and for how long; and
/// what every answer says.
pub(super) async fn guard(State(doors): State<Doors>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let asked = Asked::by(&doors, &request);
    let state = &doors.state;
    let mut principal = None;
    let answer = match refuse_version(asked.version) {
        Some(fault) => fault.into_response(),
        None => match doors.let_in(asked.needs, request).await {
            Ok(admitted) => {
                principal.clone_from(&admitted.principal);
                admit(state, &asked, admitted, next).await
            }
            Err(refusal) => {
                let known = refusal.extensions().get::<Principal>();
                principal = known.map(|known| Arc::clone(&known.0));
                refusal
            }
        },
    };
    asked.note(principal.as_deref(), answer.status(), begun.elapsed());
    let mut answer = explain(&asked, answer);
    if asked.wants_gzip {
        answer = compress(answer).await;
    }
    sign(asked.version, answer.headers_mut());
    let (status, took) = (answer.status(), begun.elapsed());
    state
        .metrics
        .count(&asked.method, asked.route, status, took);
    answer
}

fn refuse_version(status: VersionStatus) -> Option<Fault> {
    match status {
        VersionStatus::Invalid => Some(Fault::bad(
            "the header Helios-Version holds no version",
            "use major.minor.patch",
        )),
        VersionStatus::Incompatible => Some(Fault::because(
            StatusCode::UPGRADE_REQUIRED,
            format!(
                "this master speaks version {PROTOCOL_VERSION} of the protocol, the client another one"
            ),
            "use a client of this version",
        )),
        _ => None,
    }
}

/// Puts changes off while too many are being made.
async fn admit(state: &MasterState, asked: &Asked, admitted: Admitted, next: Next) -> Response {
    let Admitted {
        request,
        sees_secrets,
        principal,
    } = admitted;
    if asked.question {
        let answer = limit_time(asked, request, next).await;
        return if sees_secrets {
            answer
        } else {
            redact(answer).await
        };
    }
    let who = principal.unwrap_or_else(|| NOBODY.into());
    if state.pace.count(&who, Instant::now()).is_err() {
        let what = "too many changes in a short time; nothing was changed";
        return Fault::TooFast(Reason::new(what, "make fewer a second")).into_response();
    }
    match state.changes.try_acquire() {
        Ok(_turn) => limit_time(asked, request, next).await,
        Err(_) => Fault::busy("too many changes at a time; nothing was changed").into_response(),
    }
}

/// Ends what takes too long.
async fn limit_time(asked: &Asked, request: Request, next: Next) -> Response {
    match timeout(HANDLER_TIMEOUT, next.run(request)).await {
        Ok(response) => response,
        Err(_) if asked.question => Fault::busy("this took too long").into_response(),
        Err(_) => {
            let what = "this took too long; it may be done or not";
            let next = "look before you repeat it";
            Fault::because(StatusCode::GATEWAY_TIMEOUT, what, next).into_response()
        }
    }
}

/// Gives answers that the router made by itself a reason that people can read.
fn explain(asked: &Asked, response: Response) -> Response {
    if response.headers().contains_key(CONTENT_TYPE) {
        return response;
    }
    let Asked { method, path, .. } = asked;
    let allowed = response.headers().get(ALLOW).cloned();
    let mut explained = match response.status() {
        StatusCode::METHOD_NOT_ALLOWED if method == Method::OPTIONS => {
            StatusCode::NO_CONTENT.into_response()
        }
        status @ StatusCode::METHOD_NOT_ALLOWED => {
            let what = format!("{method} {path} is not possible");
            Fault::because(status, what, "the header Allow says what is").into_response()
        }
        StatusCode::NOT_FOUND => {
            let what = format!("there is nothing at {method} {path}");
            Fault::not_found(what, "GET /openapi.json lists what there is").into_response()
        }
        _ => return response,
    };
    if let Some(allowed) = allowed {
        explained.headers_mut().insert(ALLOW, allowed);
    }
    explained
}

/// Says which master this is, and what it thinks of the client's version.
fn sign(client: VersionStatus, headers: &mut HeaderMap) {
    let server = concat!("helios/", env!("CARGO_PKG_VERSION"));
    headers.insert(SERVER, HeaderValue::from_static(server));
    let status = HeaderName::from_static(VERSION_STATUS_HEADER);
    headers.insert(status, HeaderValue::from_static(client.as_str()));
    if let Ok(version) = HeaderValue::try_from(PROTOCOL_VERSION.to_string()) {
        headers.insert(HeaderName::from_static(SERVER_VERSION_HEADER), version);
    }
}
