//! A controller of your own that uses the pure functions and nothing else: how far a change should have spread by
//! now, and what a machine has to do about it. How it learns and acts is its own affair; here, in a map.

use std::collections::BTreeMap;
use std::time::Duration;

use helios_core::reconcile::{Action, Desired, Observed, Policy, reconcile};
use helios_core::runtime::{Container, ContainerId, ContainerState, Containers};
use helios_core::{Goal, Job, Moment, Timestamp};
use helios_rollout::Share;
use helios_rollout::curve::{Curve, Pauses};

const HOSTS: u64 = 10;
const HOUR: u64 = 3_600_000;

/// Does to the world what a plan says, and says how often something was done.
fn act(containers: &mut Containers, action: Action) -> usize {
    match action {
        Action::Create(spec) => containers.insert(Container {
            id: ContainerId::new(spec.name.as_str()),
            name: spec.name.clone(),
            digest: Some(spec.digest()),
            labels: spec.labels.clone(),
            state: ContainerState::Created { error: None },
            ip: None,
        }),
        Action::Start(id) => {
            if let Some(container) = containers.get(id.as_str()) {
                let state = ContainerState::Running;
                containers.insert(Container {
                    state,
                    ..container.clone()
                });
            }
        }
        Action::Stop(id, _) | Action::Remove(id) => containers.remove(id.as_str()),
        _ => return 0,
    }
    1
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let [old, new] = ["web:1", "web:2"].map(|id| Job::new(id, "nginx"));
    let (old, new) = (old?.with_computed_id(), new?.with_computed_id());
    let curve = Curve::linear(Timestamp::from_millis(0), Duration::from_secs(10 * 3600));
    let schedule = curve.schedule(&Pauses::default())?;

    let mut world: BTreeMap<u64, Containers> = (0..HOSTS).map(|n| (n, Containers::new())).collect();
    for hour in 0..=10 {
        let share = schedule.share_at(Timestamp::from_millis(i64::try_from(hour * HOUR)?));
        let mut actions = 0;
        for (n, containers) in &mut world {
            // The n-th host moves once the share is beyond it.
            let has_moved = share >= Share::from_percent(u32::try_from((n + 1) * 100 / HOSTS)?);
            let job = if has_moved { &new } else { &old };
            let desired =
                Desired::new(Policy::for_host(format!("h{n}"))).with(job.clone(), Goal::Start);
            // Until nothing is left to do. A plan is made of what is there and of nothing else.
            loop {
                let observed = Observed {
                    containers: Some(containers.clone()),
                    ..Observed::default()
                };
                let plan = reconcile(&desired, &observed, Moment::from_millis(hour * HOUR));
                let next: Vec<Action> = plan
                    .tasks
                    .into_iter()
                    .filter_map(|line| line.action)
                    .collect();
                let done: usize = next.into_iter().map(|action| act(containers, action)).sum();
                actions += done;
                if done == 0 {
                    break;
                }
            }
        }
        println!("hour {hour:>2}: {share} of the fleet, {actions} actions");
    }
    let is_new = |container: &Container| container.name.contains("web_2");
    assert!(
        world
            .values()
            .all(|host| host.len() == 1 && host.iter().all(is_new))
    );
    Ok(())
}
