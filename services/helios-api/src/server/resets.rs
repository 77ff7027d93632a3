//! Endpoints about resets of the fleet.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use helios_core::HostName;
use helios_rollout::guard::Guard;
use helios_rollout::reset::{
    Control, Ending, Outlook, Reset, ResetError, ResetRecord, ResetRefused, Resets, Robustness,
    Stage, TrailLine,
};

use super::body::JsonText;
use super::fault::Fault;
use super::list_filter::ListFilter;
use super::params::{Names, Params};
use super::reply::json;
use super::rollout_shown::objectives;
use super::route::{Needs, Route};
use super::state::MasterState;
use crate::wire::{
    AwayHost, PlannedReset, ResetAudit, ResetAuditLine, ResetEvidence, ResetReport, ResetStatus,
    ResetSummary, ResumeReset, ServiceReport, WaitingHosts,
};

/// How many of the hosts that come next are named.
const NEXT_MAX: usize = 10;
/// How many lines of a trail are shown.
const LINES_MAX: usize = 1_000;

/// How the list of resets is narrowed and paged.
const LISTED: &[&str] = &[
    "namePattern",
    "status=running|paused|halted|aborting|done|aborted",
    "limit",
    "after",
];

pub(super) fn routes() -> Vec<Route> {
    // Whoever resets machines can stop everything on them.
    let change = Needs::Admin;
    vec![
        Route::get("/resets", Needs::Read, "Lists resets of the fleet", list)
            .takes(LISTED)
            .answers::<Vec<ResetSummary>>(),
        Route::post(
            "/resets",
            change,
            "Starts a reset of machines, a few at a time",
            start,
        )
        .reads::<Reset>()
        .answers::<String>(),
        Route::post(
            "/resets/plan",
            Needs::Read,
            "Shows how a reset would go, or why it never can",
            plan,
        )
        .reads::<Reset>()
        .answers::<PlannedReset>(),
        Route::get(
            "/resets/{reset}",
            Needs::Read,
            "Shows a reset, and how it will go on",
            status,
        )
        .answers::<ResetStatus>(),
        Route::get(
            "/resets/{reset}/report",
            Needs::Read,
            "Shows how services bore the absence of their hosts",
            report,
        )
        .answers::<ResetReport>(),
        Route::get(
            "/resets/{reset}/audit",
            Needs::Read,
            "Shows what happened: ?host=HOST for one host",
            audit,
        )
        .takes(&["host"])
        .answers::<ResetAudit>(),
        Route::post(
            "/resets/{reset}/pause",
            change,
            "Lets those that are away come back, and takes no more",
            pause,
        )
        .answers::<String>(),
        Route::post(
            "/resets/{reset}/resume",
            change,
            "Lets a reset that is paused or halted go on",
            resume,
        )
        .reads::<ResumeReset>()
        .answers::<String>(),
        Route::post("/resets/{reset}/abort", change, "Ends a reset", abort).answers::<String>(),
        Route::post(
            "/resets/{reset}/evidence",
            change,
            "Tells the guard of a reset what was counted",
            evidence,
        )
        .reads::<ResetEvidence>()
        .answers::<String>(),
    ]
}

/// `GET /resets`
async fn list(State(state): State<MasterState>, filter: ListFilter) -> Result<Response, Fault> {
    let records = Resets::of(state.cluster.clone()).list().await?;
    let meant = records
        .iter()
        .filter(|(_, record)| filter.means_status(word(&record.record.progress.stage)));
    let shown = filter.of(meant, |(name, _)| name.as_str()).into_iter();
    let shown: Vec<_> = shown.map(|(_, record)| summary(&record.record)).collect();
    Ok(json(StatusCode::OK, &shown))
}

/// `POST /resets/plan`
async fn plan(State(state): State<MasterState>, body: JsonText) -> Result<Response, Fault> {
    let reset: Reset = body.read()?;
    let now = state.cluster.clock().now();
    let planned = match Resets::of(state.cluster.clone()).plan(&reset, now).await {
        Ok(forecast) => PlannedReset {
            forecast: Some(forecast),
            impossible: Vec::new(),
        },
        Err(error) => PlannedReset {
            forecast: None,
            impossible: match error.refused() {
                Some(ResetRefused::Impossible { why, .. }) => {
                    why.iter().map(ToString::to_string).collect()
                }
                Some(refused) => vec![refused.to_string()],
                None => return Err(error.into()),
            },
        },
    };
    Ok(json(StatusCode::OK, &planned))
}

/// `POST /resets`
async fn start(
    State(state): State<MasterState>,
    params: Params,
    body: JsonText,
) -> Result<Response, Fault> {
    let reset: Reset = body.read()?;
    resets(&state, &params).start(&reset).await?;
    Ok(json(StatusCode::OK, &"OK"))
}

/// `GET /resets/{reset}`
async fn status(State(state): State<MasterState>, names: Names) -> Result<Response, Fault> {
    let now = state.cluster.clock().now();
    let resets = Resets::of(state.cluster.clone());
    let view = state.fleet.view().await?;
    let (record, outlook) = resets.outlook(names.get("reset"), &view, now).await?;
    Ok(json(StatusCode::OK, &shown(&record, outlook)))
}

/// `GET /resets/{reset}/report`
async fn report(State(state): State<MasterState>, names: Names) -> Result<Response, Fault> {
    let resets = Resets::of(state.cluster.clone());
    let name = names.get("reset");
    let record = resets.get(name).await?;
    let robustness = resets.robustness(name).await?;
    let report = ResetReport {
        name: name.to_owned(),
        stage: record.progress.stage.clone(),
        services: services(&robustness, record.reset.guard.as_ref()),
        objectives: objectives(record.progress.monitor.as_ref()),
    };
    Ok(json(StatusCode::OK, &report))
}

/// `GET /resets/{reset}/audit`
async fn audit(
    State(state): State<MasterState>,
    names: Names,
    params: Params,
) -> Result<Response, Fault> {
    let host: Option<HostName> = params
        .non_empty("host")
        .map(str::parse)
        .transpose()
        .map_err(|error: helios_core::model::ParseError| {
            Fault::said(StatusCode::BAD_REQUEST, error)
        })?;
    let resets = Resets::of(state.cluster.clone());
    let trail = resets.trail(names.get("reset")).await?;
    let records = trail.len() as u64;
    let is_asked = |line: &TrailLine| host.is_none() || line.host == host;
    let lines = (0..).zip(trail).filter(|(_, line)| is_asked(line));
    let lines = lines.map(|(sequence, line)| ResetAuditLine {
        sequence,
        at: line.at,
        by: line.by,
        host: line.host,
        text: line.text,
    });
    let mut lines: Vec<ResetAuditLine> = lines.collect();
    lines.drain(..lines.len().saturating_sub(LINES_MAX));
    Ok(json(StatusCode::OK, &ResetAudit { records, lines }))
}

/// `POST /resets/{reset}/pause`
async fn pause(state: State<MasterState>, names: Names, params: Params) -> Result<Response, Fault> {
    say(&state, &names, &params, &Control::Pause).await
}

/// `POST /resets/{reset}/resume`
async fn resume(
    state: State<MasterState>,
    names: Names,
    params: Params,
    body: JsonText,
) -> Result<Response, Fault> {
    let ResumeReset { again, deadline } = body.read()?;
    say(
        &state,
        &names,
        &params,
        &Control::Resume { again, deadline },
    )
    .await
}

/// `POST /resets/{reset}/abort`
async fn abort(state: State<MasterState>, names: Names, params: Params) -> Result<Response, Fault> {
    say(&state, &names, &params, &Control::Abort).await
}

/// `POST /resets/{reset}/evidence`
async fn evidence(
    state: State<MasterState>,
    names: Names,
    params: Params,
    body: JsonText,
) -> Result<Response, Fault> {
    let ResetEvidence {
        objective,
        evidence,
    } = body.read()?;
    let look = Control::Look {
        objective,
        evidence,
    };
    say(&state, &names, &params, &look).await
}

async fn say(
    state: &MasterState,
    names: &Names,
    params: &Params,
    control: &Control,
) -> Result<Response, Fault> {
    let resets = resets(state, params);
    resets.control(names.get("reset"), control).await?;
    Ok(json(StatusCode::OK, &"OK"))
}

fn resets(state: &MasterState, params: &Params) -> Resets {
    Resets::of(state.cluster_for(params.user().as_deref()))
}

/// What a stage is called, without what led to it.
fn word(stage: &Stage) -> &'static str {
    match stage {
        Stage::Running => "running",
        Stage::Paused => "paused",
        Stage::Halted(_) => "halted",
        Stage::Aborting => "aborting",
        Stage::Ended(Ending::Done) => "done",
        Stage::Ended(Ending::Aborted) => "aborted",
    }
}

fn summary(record: &ResetRecord) -> ResetSummary {
    let (reset, progress) = (&record.reset, &record.progress);
    ResetSummary {
        name: reset.name.clone(),
        stage: progress.stage.clone(),
        created: progress.created,
        deadline: reset.deadline,
        done: progress.done.len() as u64,
        away: progress.away.len() as u64,
        mishaps: progress.mishaps.len() as u64,
    }
}

fn shown(record: &ResetRecord, outlook: Outlook) -> ResetStatus {
    let (reset, progress) = (&record.reset, &record.progress);
    let Outlook {
        forecast,
        holds,
        due,
    } = outlook;
    let away = progress.away.iter().map(|(host, away)| {
        let away = AwayHost {
            phase: away.phase,
            since: away.since,
            chosen: away.chosen,
        };
        (host.clone(), away)
    });
    let waiting = holds.into_iter();
    let per_host = forecast.per_host.as_millis();
    ResetStatus {
        name: reset.name.clone(),
        stage: progress.stage.clone(),
        created: progress.created,
        deadline: reset.deadline,
        done: progress.done.len() as u64,
        due,
        left: progress.left,
        away: away.collect(),
        mishaps: progress.mishaps.clone(),
        waiting: waiting
            .map(|(because, hosts)| WaitingHosts { hosts, because })
            .collect(),
        below: progress.below.clone(),
        next: forecast.line.into_iter().take(NEXT_MAX).collect(),
        ends: forecast.ends,
        in_time: forecast.feasible,
        per_host_millis: u64::try_from(per_host).unwrap_or(u64::MAX),
        objectives: objectives(progress.monitor.as_ref()),
    }
}

fn services(robustness: &Robustness, guard: Option<&Guard>) -> Vec<ServiceReport> {
    let services = robustness.by_verdict().into_iter();
    let report = services.map(|(service, story)| ServiceReport {
        service: service.to_owned(),
        verdict: story.verdict(),
        hosts: story.hosts,
        instances: story.instances,
        healthy: story.healthy,
        minimum: story.minimum,
        at: story.at,
        host: story.host.clone(),
        objectives: story.objectives.clone(),
        worse: guard
            .map(|guard| story.gets_worse(guard))
            .unwrap_or_default(),
    });
    report.collect()
}

impl From<ResetError> for Fault {
    fn from(error: ResetError) -> Self {
        use helios_core::cluster::ClusterError;
        match error {
            ClusterError::Refused(refused) => {
                let status = match refused {
                    ResetRefused::NotFound { .. } => StatusCode::NOT_FOUND,
                    ResetRefused::Exists { .. }
                    | ResetRefused::Overlaps { .. }
                    | ResetRefused::Control { .. } => StatusCode::CONFLICT,
                    _ => StatusCode::BAD_REQUEST,
                };
                match refused {
                    ResetRefused::Impossible { .. } => {
                        let next = "`helios reset plan` shows what would be possible";
                        Self::because(status, refused, next)
                    }
                    ResetRefused::Control { .. } => {
                        let next = "`helios reset status` shows how it is";
                        Self::because(status, refused, next)
                    }
                    _ => Self::said(status, refused),
                }
            }
            ClusterError::Store(error) => error.into(),
            other => Self::unexpected(&other),
        }
    }
}
