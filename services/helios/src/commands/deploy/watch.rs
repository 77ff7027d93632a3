//! What `deploy --watch` does after deploying: waits until it is clear how it went.

use std::time::Duration;

use helios_api::wire::{JobStatus, TaskStatus};
use helios_core::model::{Goal, JobId, TaskState, ThrottleState};
use tokio::time::{Instant, sleep};

use crate::commands::Call;
use crate::console::Tone;
use crate::output::one_line;
use crate::{Failure, Outcome};

/// The first pause; each is twice as long as the one before it, up to the interval.
const PAUSE_MIN: Duration = Duration::from_millis(50);

/// The cells of a bar.
const CELLS: usize = 20;

/// How far a job is on a host, seen from its goal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    UnderWay,
    Reached,
    Stuck,
}

/// Says every change of state until the job has reached its goal on all hosts, or is stuck on those where it
/// has not.
pub(super) async fn until_settled(
    job: &JobId,
    hosts: &[String],
    goal: Goal,
    interval_seconds: u64,
    call: &mut Call<'_>,
) -> Result<Outcome, Failure> {
    let begin = Instant::now();
    let interval = Duration::from_secs(interval_seconds);
    let mut pause = PAUSE_MIN;
    let mut said = vec![String::new(); hosts.len()];
    loop {
        let status = call.client.job_status(job).await?;
        let status = status.ok_or_else(|| {
            Failure::new(format!("the job {job} was removed meanwhile"))
                .advise("create it again, or deploy another: `helios jobs` lists those there are")
        })?;
        let stages: Vec<Stage> = hosts
            .iter()
            .map(|host| stage(&status, host, goal))
            .collect();
        for ((host, said), stage) in hosts.iter().zip(&mut said).zip(&stages) {
            let now = describe(status.task_statuses.get(host));
            if *said != now {
                tell(host, &now, *stage, begin.elapsed(), call);
                *said = now;
            }
        }
        show_progress(job, hosts, &stages, begin.elapsed(), call);
        call.console.flush();
        if call.console.is_closed() || stages.iter().all(|stage| *stage == Stage::Reached) {
            call.console.progress(None);
            return Ok(Outcome::Done);
        }
        if stages.iter().all(|stage| *stage != Stage::UnderWay) {
            call.console.progress(None);
            return Err(stuck(job, hosts, &stages));
        }
        sleep(pause).await;
        pause = (pause * 2).min(interval);
    }
}

/// How many hosts are where they should be, and which are waited for.
fn show_progress(
    job: &JobId,
    hosts: &[String],
    stages: &[Stage],
    after: Duration,
    call: &mut Call<'_>,
) {
    if call.json {
        return;
    }
    let reached = stages.iter().filter(|stage| **stage == Stage::Reached);
    let waiting = hosts.iter().zip(stages);
    let waiting = waiting.filter(|(_, stage)| **stage == Stage::UnderWay);
    let waiting: Vec<&str> = waiting.map(|(host, _)| host.as_str()).collect();
    let (reached, all) = (reached.count(), hosts.len());
    let filled = reached * CELLS / all.max(1);
    let text = format!(
        "[{}{}] {reached} of {all}, {:.0} s: {} on {}",
        "#".repeat(filled),
        ".".repeat(CELLS - filled),
        after.as_secs_f64(),
        job.short(),
        waiting.join(", ")
    );
    let text = (!waiting.is_empty()).then_some(text);
    call.console.progress(text.as_deref());
}

fn stage(status: &JobStatus, host: &str, goal: Goal) -> Stage {
    let Some(task) = status.task_statuses.get(host) else {
        // Not reported yet, or undeployed by somebody else.
        let deployed = status.deployments.contains_key(host);
        return if deployed {
            Stage::UnderWay
        } else {
            Stage::Stuck
        };
    };
    match (goal, task.state) {
        (Goal::Start, TaskState::Running) | (Goal::Stop | Goal::Undeploy, TaskState::Stopped) => {
            Stage::Reached
        }
        // What failed is tried again, but there is something to be seen to.
        (_, TaskState::Failed) => Stage::Stuck,
        _ if task.throttled != ThrottleState::No => Stage::Stuck,
        _ => Stage::UnderWay,
    }
}

/// The state in words, and the engine's own if there are any.
fn describe(task: Option<&TaskStatus>) -> String {
    let Some(task) = task else {
        return "not reported yet".to_owned();
    };
    let mut text = task.state.to_string();
    if task.throttled != ThrottleState::No {
        text = format!("{text} ({})", task.throttled);
    }
    if !task.container_error.is_empty() {
        text = format!("{text}: {}", one_line(&task.container_error));
    }
    text
}

fn tell(host: &str, state: &str, stage: Stage, after: Duration, call: &mut Call<'_>) {
    let tone = match stage {
        Stage::UnderWay => Tone::Pending,
        Stage::Reached => Tone::Good,
        Stage::Stuck => Tone::Bad,
    };
    let state = call.console.toned(state, tone);
    let line = format!("{:7.2} s  {host}: {state}", after.as_secs_f64());
    if call.json {
        call.console.mention(line);
    } else {
        call.console.say(line);
    }
}

/// Where it is stuck; what each host says of it has been said already.
fn stuck(job: &JobId, hosts: &[String], stages: &[Stage]) -> Failure {
    let stuck = hosts.iter().zip(stages);
    let stuck = stuck.filter(|(_, stage)| **stage == Stage::Stuck);
    let stuck: Vec<&str> = stuck.map(|(host, _)| host.as_str()).collect();
    Failure::new(format!(
        "{} does not get as far as it should on {}",
        job.short(),
        stuck.join(", ")
    ))
    .advise(
        "the agent keeps trying; `helios status` shows how far it is, `helios undeploy` ends it",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(host: &str, state: &str, throttled: &str) -> JobStatus {
        serde_json::from_value(serde_json::json!({
            "job": null,
            "deployments": {host: {"jobId": "a:1", "goal": "START"}},
            "taskStatuses": {host: {"job": {"id": "a:1"}, "state": state, "throttled": throttled}},
        }))
        .unwrap()
    }

    #[test]
    fn a_job_is_stuck_when_it_failed_or_its_agent_waits_before_it_tries_again() {
        for (state, throttled, goal, expected) in [
            ("PULLING_IMAGE", "NO", Goal::Start, Stage::UnderWay),
            ("RUNNING", "NO", Goal::Start, Stage::Reached),
            ("RUNNING", "FLAPPING", Goal::Start, Stage::Reached),
            ("FAILED", "NO", Goal::Start, Stage::Stuck),
            ("PULLING_IMAGE", "IMAGE_MISSING", Goal::Start, Stage::Stuck),
            ("STOPPED", "NO", Goal::Stop, Stage::Reached),
            ("STOPPED", "NO", Goal::Start, Stage::UnderWay),
        ] {
            let status = status("n1", state, throttled);
            assert_eq!(
                stage(&status, "n1", goal),
                expected,
                "{state} {throttled} {goal}"
            );
        }
    }

    #[test]
    fn a_job_that_somebody_undeploys_will_not_get_there() {
        let status = status("n1", "RUNNING", "NO");
        assert_eq!(stage(&status, "n2", Goal::Start), Stage::Stuck);
    }
}
