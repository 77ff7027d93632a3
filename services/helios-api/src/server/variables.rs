//! Endpoints about variables.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use helios_core::Timestamp;
use helios_core::cluster::ClusterError;
use helios_core::model::{HostName, ParseError};
use helios_rollout::audit::replay;
use helios_rollout::drive::{ChangeError, Course, Ledger, Refusal, Setting, Variables, roster};
use helios_rollout::order::Fleet;
use helios_rollout::variable::{Flips, VariableError};

use super::body::JsonText;
use super::fault::Fault;
use super::list_filter::ListFilter;
use super::params::{Names, Params};
use super::reply::json;
use super::rollout_shown as shown;
use super::route::{Needs, On, Route};
use super::state::MasterState;
use crate::wire::{
    AuditReport, Preview, RollBack, RolloutPlan, RolloutRequest, SetVariable, VariableStatus, Why,
};

/// A change of a variable can change any host.
const CHANGE: Needs = Needs::Deploy(On::Fleet);

pub(super) fn routes() -> Vec<Route> {
    [questions(), changes()].concat()
}

fn questions() -> Vec<Route> {
    vec![
        Route::get("/variables", Needs::Read, "Lists variables", list)
            .takes(&[
                "namePattern",
                "status=rolling|paused|settled",
                "limit",
                "after",
            ])
            .answers::<Vec<VariableStatus>>(),
        Route::get(
            "/variables/{variable}",
            Needs::Read,
            "Shows a variable",
            get,
        )
        .answers::<VariableStatus>(),
        Route::post(
            "/variables/{variable}/plan",
            Needs::Read,
            "Shows what a rollout would do",
            plan,
        )
        .reads::<RolloutRequest>()
        .answers::<RolloutPlan>(),
        Route::get(
            "/variables/{variable}/why/{host}",
            Needs::Read,
            "Says why a host holds what it holds, and when that changes",
            why,
        )
        .answers::<Why>(),
        Route::get(
            "/variables/{variable}/when/{host}",
            Needs::Read,
            "Says when a host changes, and when it goes back",
            when,
        )
        .answers::<Flips>(),
        Route::get(
            "/variables/{variable}/preview",
            Needs::Read,
            "Shows how many hosts hold what at a time: ?at=MILLISECONDS",
            preview,
        )
        .takes(&["at"])
        .answers::<Preview>(),
        Route::get(
            "/variables/{variable}/course",
            Needs::Read,
            "Shows how many hosts hold what over time, planned and actual",
            course,
        )
        .answers::<Course>(),
        Route::get(
            "/variables/{variable}/audit",
            Needs::Read,
            "Shows what happened: ?host=HOST for one host, ?replay to make every decision again",
            audit,
        )
        .takes(&["host", "replay"])
        .answers::<AuditReport>(),
    ]
}

fn changes() -> Vec<Route> {
    vec![
        Route::put(
            "/variables/{variable}",
            CHANGE,
            "Gives every host a value at once",
            set,
        )
        .reads::<SetVariable>()
        .answers::<String>(),
        Route::delete(
            "/variables/{variable}",
            CHANGE,
            "Removes a variable",
            remove,
        )
        .answers::<String>(),
        Route::post(
            "/variables/{variable}/rollout",
            CHANGE,
            "Starts a rollout",
            start,
        )
        .reads::<RolloutRequest>()
        .answers::<String>(),
        Route::post(
            "/variables/{variable}/pause",
            CHANGE,
            "Stops the clock of a rollout",
            pause,
        )
        .answers::<String>(),
        Route::post(
            "/variables/{variable}/resume",
            CHANGE,
            "Lets the clock run again",
            resume,
        )
        .answers::<String>(),
        Route::post(
            "/variables/{variable}/abort",
            CHANGE,
            "Ends a rollout where it is",
            abort,
        )
        .answers::<String>(),
        Route::post(
            "/variables/{variable}/rollback",
            CHANGE,
            "Turns a rollout round",
            roll_back,
        )
        .reads::<RollBack>()
        .answers::<String>(),
    ]
}

/// `GET /variables`
async fn list(State(state): State<MasterState>, filter: ListFilter) -> Result<Response, Fault> {
    let book = state.book.book().await?;
    let fleet = fleet(&state).await?;
    let now = now(&state);
    let meant = book.ledgers.iter().filter(|(_, ledger)| {
        let variable = ledger.variable();
        variable.is_some_and(|variable| filter.means_status(shown::phase(variable)))
    });
    let shown = filter.of(meant, |(name, _)| name.as_str());
    let shown: Vec<_> = shown
        .into_iter()
        .filter_map(|(_, ledger)| shown::status(ledger, &fleet, now))
        .collect();
    Ok(json(StatusCode::OK, &shown))
}

/// `GET /variables/{variable}`
async fn get(State(state): State<MasterState>, names: Names) -> Result<Response, Fault> {
    let ledger = ledger(&state, names.variable()).await?;
    let shown = shown::status(&ledger, &fleet(&state).await?, now(&state));
    Ok(json(StatusCode::OK, &shown))
}

/// `PUT /variables/{variable}`
async fn set(
    State(state): State<MasterState>,
    names: Names,
    params: Params,
    body: JsonText,
) -> Result<Response, Fault> {
    let SetVariable {
        value,
        allowed,
        forbidden,
    } = body.read()?;
    let setting = Setting {
        value,
        allowed,
        forbidden,
    };
    let name = names.variable();
    let variables = state.variables_for(params.user().as_deref());
    done(&state, name, variables.set(name, &setting).await).await
}

/// `DELETE /variables/{variable}`
async fn remove(
    State(state): State<MasterState>,
    names: Names,
    params: Params,
) -> Result<Response, Fault> {
    let name = names.variable();
    let variables = state.variables_for(params.user().as_deref());
    done(&state, name, variables.remove(name).await).await
}

/// `POST /variables/{variable}/plan`
async fn plan(
    State(state): State<MasterState>,
    names: Names,
    body: JsonText,
) -> Result<Response, Fault> {
    let RolloutRequest { transition, guard } = body.read()?;
    let variables = &state.book.variables;
    let proposed = variables
        .propose(names.variable(), transition, guard)
        .await?;
    Ok(json(StatusCode::OK, &shown::plan(&proposed)?))
}

/// `POST /variables/{variable}/rollout`
async fn start(
    State(state): State<MasterState>,
    names: Names,
    params: Params,
    body: JsonText,
) -> Result<Response, Fault> {
    let RolloutRequest { transition, guard } = body.read()?;
    let name = names.variable();
    let variables = state.variables_for(params.user().as_deref());
    let started = variables.start(name, &transition, guard.as_ref()).await;
    done(&state, name, started).await
}

/// `POST /variables/{variable}/pause`
async fn pause(state: State<MasterState>, names: Names, params: Params) -> Result<Response, Fault> {
    let (name, variables) = changed(&state, &names, &params);
    done(&state, name, variables.pause(name).await).await
}

/// `POST /variables/{variable}/resume`
async fn resume(
    state: State<MasterState>,
    names: Names,
    params: Params,
) -> Result<Response, Fault> {
    let (name, variables) = changed(&state, &names, &params);
    done(&state, name, variables.resume(name).await).await
}

/// `POST /variables/{variable}/abort`
async fn abort(state: State<MasterState>, names: Names, params: Params) -> Result<Response, Fault> {
    let (name, variables) = changed(&state, &names, &params);
    done(&state, name, variables.abort(name).await).await
}

/// `POST /variables/{variable}/rollback`
async fn roll_back(
    state: State<MasterState>,
    names: Names,
    params: Params,
    body: JsonText,
) -> Result<Response, Fault> {
    let RollBack { over_millis } = body.read()?;
    let (name, variables) = changed(&state, &names, &params);
    let over = over_millis.map(Duration::from_millis);
    done(&state, name, variables.roll_back(name, over).await).await
}

fn changed<'a>(state: &MasterState, names: &'a Names, params: &Params) -> (&'a str, Variables) {
    (
        names.variable(),
        state.variables_for(params.user().as_deref()),
    )
}

/// `GET /variables/{variable}/why/{host}`
async fn why(State(state): State<MasterState>, names: Names) -> Result<Response, Fault> {
    Ok(json(StatusCode::OK, &explained(&state, &names).await?))
}

/// `GET /variables/{variable}/when/{host}`
async fn when(State(state): State<MasterState>, names: Names) -> Result<Response, Fault> {
    Ok(json(
        StatusCode::OK,
        &explained(&state, &names).await?.flips,
    ))
}

async fn explained(state: &MasterState, names: &Names) -> Result<Why, Fault> {
    let ledger = ledger(state, names.variable()).await?;
    let host = names.host_name();
    let unknown = || Fault::not_found(format!("host {:?} is not known", names.host()), NEXT_HOST);
    let host = host.ok_or_else(unknown)?;
    let why = shown::why(&ledger, &fleet(state).await?, &host, now(state))?;
    why.ok_or_else(unknown)
}

/// `GET /variables/{variable}/preview`
async fn preview(
    State(state): State<MasterState>,
    names: Names,
    params: Params,
) -> Result<Response, Fault> {
    let ledger = ledger(&state, names.variable()).await?;
    let at = match params.non_empty("at") {
        None => now(&state),
        Some(text) => text.parse().map(Timestamp::from_millis).map_err(|_| {
            Fault::bad(
                format!("at={text:?} is no time"),
                "give milliseconds since 1970",
            )
        })?,
    };
    let preview = shown::preview_of(&ledger, &fleet(&state).await?, at)?;
    Ok(json(StatusCode::OK, &preview))
}

/// `GET /variables/{variable}/course`
async fn course(State(state): State<MasterState>, names: Names) -> Result<Response, Fault> {
    ledger(&state, names.variable()).await?;
    let course = state.book.variables.course(names.variable()).await?;
    Ok(json(StatusCode::OK, &course))
}

/// `GET /variables/{variable}/audit`
async fn audit(
    State(state): State<MasterState>,
    names: Names,
    params: Params,
) -> Result<Response, Fault> {
    ledger(&state, names.variable()).await?;
    let log = state.book.variables.log(names.variable()).await?;
    let host: Option<HostName> = params
        .non_empty("host")
        .map(str::parse)
        .transpose()
        .map_err(|error: ParseError| Fault::said(StatusCode::BAD_REQUEST, error))?;
    let replayed = params.get("replay").map(|_| replay(&log).is_ok());
    Ok(json(
        StatusCode::OK,
        &shown::audit(&log, host.as_ref(), replayed),
    ))
}

async fn ledger(state: &MasterState, name: &str) -> Result<Ledger, Fault> {
    let book = state.book.book().await?;
    let ledger = book
        .ledgers
        .get(name)
        .filter(|ledger| ledger.variable().is_some());
    ledger.cloned().ok_or_else(|| {
        let name = name.to_owned();
        Fault::said(StatusCode::NOT_FOUND, Refusal::NoVariable { name })
    })
}

async fn fleet(state: &MasterState) -> Result<Fleet, Fault> {
    let book = state.book.book().await?;
    let view = state.fleet.view().await?;
    roster(&view, &book.followers).map_err(|error| Fault::unexpected(&error))
}

fn now(state: &MasterState) -> Timestamp {
    state.cluster.clock().now()
}

/// What to do about a variable that cannot be changed so.
pub(super) const NEXT_VARIABLE: &str = "`helios variable show` shows how it is";
/// What to do about a guard that cannot be asked so.
const NEXT_GUARD: &str = "see what a guard can ask in docs/variables.md";
/// What to do about a host that is not known to variables.
const NEXT_HOST: &str = "let it follow once, or register it";

/// Answers once reads show the change.
async fn done(
    state: &MasterState,
    name: &str,
    made: Result<(), ChangeError>,
) -> Result<Response, Fault> {
    made?;
    state.book.shows(name).await;
    Ok(json(StatusCode::OK, &"OK"))
}

impl From<ChangeError> for Fault {
    fn from(error: ChangeError) -> Self {
        match error {
            ClusterError::Refused(refusal) => {
                let status = match refusal {
                    Refusal::NoVariable { .. } | Refusal::NoHost { .. } => StatusCode::NOT_FOUND,
                    Refusal::Busy { .. } | Refusal::HeldByGuard { .. } => StatusCode::CONFLICT,
                    _ => StatusCode::BAD_REQUEST,
                };
                let said = helios_core::with_causes(&refusal);
                match refusal {
                    Refusal::Variable(
                        VariableError::Name { .. } | VariableError::Overlaps { .. },
                    ) => Self::said(status, said),
                    Refusal::Variable(_) | Refusal::Log(_) => {
                        Self::because(status, said, NEXT_VARIABLE)
                    }
                    Refusal::Guard(_) | Refusal::Query { .. } => {
                        Self::because(status, said, NEXT_GUARD)
                    }
                    Refusal::Fleet(_) => Self::because(status, said, NEXT_HOST),
                    _ => Self::said(status, said),
                }
            }
            ClusterError::Store(error) => error.into(),
            other => Self::unexpected(&other),
        }
    }
}
