//! The pure middle by itself: ask what an agent would do, and why, with no store, no engine and no clock.

use helios_core::reconcile::{Desired, Observed, Policy, container_name, reconcile};
use helios_core::runtime::{Container, ContainerId, ContainerState, Containers, Exit};
use helios_core::{Goal, Job, Moment};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let policy = Policy::for_host("web1");
    let web = Job::new("web:1", "nginx:1.27")?.with_computed_id();
    let old = Job::new("old:1", "nginx:1.19")?.with_computed_id();

    // The web server died a while ago, and a container of a job that is not deployed any more still runs.
    let container = |job: &Job, id: &str, state| Container {
        id: ContainerId::new(id),
        name: container_name(&policy.namespace, &job.id),
        digest: None,
        labels: [("helios.job".to_owned(), job.id.to_string())].into(),
        state,
        ip: None,
    };
    let died = ContainerState::Exited(Exit {
        code: 137,
        ..Exit::default()
    });
    let containers: Containers = [
        container(&web, "c1", died),
        container(&old, "c2", ContainerState::Running),
    ]
    .into_iter()
    .collect();

    let desired = Desired::new(policy.clone()).with(web, Goal::Start);
    let observed = Observed {
        containers: Some(containers),
        ..Observed::default()
    };
    let plan = reconcile(&desired, &observed, Moment::from_millis(60_000));
    for line in &plan.tasks {
        println!(
            "{}: {:?}, because {}",
            line.job.short(),
            line.action,
            line.because
        );
    }
    assert_eq!(plan.tasks.len(), 2);
    Ok(())
}
