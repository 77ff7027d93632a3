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

#[cfg(test)]
mod tests {
    use super::super::silent::Silent;
    use super::*;
    use crate::model::DockerVersion;

    #[test]
    fn a_report_tells_of_the_host_and_its_agent() {
        let version = DockerVersion {
            version: Some("29.3".to_owned()),
            ..DockerVersion::default()
        };
        let agent = Silent::agent()
            .clock(Arc::new(Silent))
            .machine(Arc::new(Silent))
            .engine(Some(version.clone()), Some("unix:///d.sock".to_owned()))
            .labels([("role", "web")])
            .http("http://127.0.0.1:5803")
            .policy(|policy| policy.environment = [("ZONE".to_owned(), "a".to_owned())].into());
        let told = of_host(&agent, &TaskReports::new(), vec!["trouble".to_owned()]);
        let info = AgentInfo {
            name: Some(format!("{}@web1", std::process::id())),
            uptime: 60_000,
            start_time: 540_000,
            version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            ..AgentInfo::default()
        };
        let host = HostInfo {
            cpus: 1,
            boot_id: Some("b1".to_owned()),
            docker_version: Some(version),
            docker_host: Some("unix:///d.sock".to_owned()),
            ..HostInfo::default()
        };
        let expected = HostReport {
            agent_id: "a1".to_owned(),
            host_info: Some(host),
            agent_info: Some(info),
            labels: [("role".to_owned(), "web".to_owned())].into(),
            environment: [("ZONE".to_owned(), "a".to_owned())].into(),
            http: Some("http://127.0.0.1:5803".to_owned()),
            problems: vec!["trouble".to_owned()],
            ..HostReport::default()
        };
        assert_eq!(told, expected);
    }
}
