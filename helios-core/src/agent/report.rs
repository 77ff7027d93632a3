//! What the agent tells the store about its host.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::{AgentInfo, HostInfo, HostName, Job, JobId, TaskState};
use crate::reconcile::{Memory, TaskPlan};
use crate::schema::{self, HostReport, Keys, TaskReport};
use crate::store::{Store, StoreError, Txn};
use crate::time::Timestamp;

use super::Agent;

/// The report of one task: what the plan says of it, with what is remembered.
pub(super) fn task_report(
    line: &TaskPlan,
    job: Option<&Job>,
    memory: Option<&Memory>,
    before: Option<&TaskReport>,
    now: Timestamp,
) -> TaskReport {
    let state: TaskState = line.report.state;
    let since = before
        .filter(|before| before.state == state)
        .map_or(now, |before| before.since);
    let mappings = job.map(|job| &job.ports);
    let ports = line.report.ports.iter().filter_map(|(name, port)| {
        let mut mapping = mappings?.get(name)?.clone();
        mapping.external_port = Some(i32::from(*port));
        Some((name.clone(), mapping))
    });
    TaskReport {
        goal: line.report.goal,
        state,
        container_id: line.report.container.as_ref().map(ToString::to_string),
        throttled: line.report.throttled,
        ports: ports.collect(),
        error: line.report.error.clone(),
        restarts: memory.map_or(0, |memory| memory.starts.saturating_sub(1)),
        last_exit: memory
            .and_then(|memory| memory.last_exit.as_ref())
            .map(|(_, exit)| exit.into()),
        since,
    }
}

/// Writes the report, on the condition that the registration and the presence it was made under still stand,
/// which `place` checks: an agent that lost its place writes nothing more.
pub(super) async fn write(
    store: Arc<dyn Store>,
    host: HostName,
    report: Arc<HostReport>,
    place: Txn,
) -> Result<Arc<HostReport>, StoreError> {
    let key = Keys::report(&host);
    let value = schema::encode(&*report);
    let txn = match store.get(&key).await? {
        Some(entry) if entry.value == value => return Ok(report),
        Some(entry) => place.update(key, entry.version, value),
        None => place.create(key, value),
    };
    store.commit(txn).await?;
    Ok(report)
}

/// The whole report of the host.
pub(super) fn of_host(agent: &Agent, tasks: &TaskReports, problems: Vec<String>) -> HostReport {
    let moment = agent.clock.moment();
    let uptime = i64::try_from(moment.as_millis()).unwrap_or(i64::MAX);
    let (docker_version, docker_host) = agent.engine.clone();
    HostReport {
        agent_id: agent.id.as_str().to_owned(),
        tasks: tasks.clone(),
        host_info: Some(HostInfo {
            docker_version,
            docker_host,
            ..agent.machine.info()
        }),
        agent_info: Some(AgentInfo {
            name: Some(format!("{}@{}", std::process::id(), agent.host)),
            uptime,
            start_time: agent.clock.now().as_millis().saturating_sub(uptime),
            version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            ..AgentInfo::default()
        }),
        labels: agent.labels.clone(),
        environment: agent.policy.environment.clone(),
        http: agent.http.clone(),
        problems,
    }
}

/// The tasks' reports by job.
pub(super) type TaskReports = BTreeMap<JobId, TaskReport>;
