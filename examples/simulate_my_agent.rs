//! An agent of sixty lines, not ours, with a bug that few tests would find; and the trace that shows it.
//!
//! It starts what is wanted and stops what is not, which looks right. But when the store cannot be read it
//! takes the goals for empty, and stops everything.
//!
//! `cargo run --example simulate_my_agent [seed]`

use std::collections::BTreeMap;
use std::time::Duration;

use helios_core::cluster::Cluster;
use helios_core::model::Goal;
use helios_core::ops::RegisterHost;
use helios_core::reconcile::{JOB_LABEL, Policy, container_spec};
use helios_core::runtime::{Container, ContainerState};
use helios_core::schema::{Goals, HostRecord, Keys, OperationIds, decode};
use helios_testkit::sim::{Faults, HostCtx, Sim, checks, reduce};
use tokio::time::sleep;

async fn my_agent(host: HostCtx) {
    let Ok(ids) = OperationIds::new(host.incarnation.clone()) else {
        return;
    };
    let cluster = Cluster::new(host.store.clone(), host.clock.clone(), ids);
    let registration = RegisterHost {
        host: host.host.clone(),
        agent_id: host.id.as_str().to_owned(),
    };
    loop {
        // Whatever goes wrong, the next round tries again.
        let _ = cluster.register_host(&registration).await;
        one_round(&host).await;
        sleep(Duration::from_secs(2)).await;
    }
}

async fn one_round(host: &HostCtx) {
    let key = Keys::host(&host.host);
    let goals = match host.store.get(&key).await {
        Ok(Some(entry)) => decode::<HostRecord>(&key, &entry.value).map(|record| record.goals),
        _ => Ok(Goals::default()), // The bug: what cannot be read is taken for empty.
    };
    let (Ok(goals), Ok(containers)) = (goals, host.runtime.list().await) else {
        return;
    };
    let job_of = |container: &Container| container.labels.get(JOB_LABEL)?.parse().ok();
    for container in containers.iter() {
        let goal = job_of(container).and_then(|job| goals.get(&job));
        if goal.is_none_or(|goal| goal.goal != Goal::Start) {
            let _ = host
                .runtime
                .stop(&container.id, Duration::from_secs(5))
                .await;
            let _ = host.runtime.remove(&container.id).await;
        }
    }
    for goal in goals.values().filter(|goal| goal.goal == Goal::Start) {
        let mut own = containers.iter();
        match own.find(|own| job_of(own).as_ref() == Some(&goal.job.id)) {
            Some(own) if own.state == ContainerState::Running => {}
            Some(own) => drop(host.runtime.start(&own.id).await),
            None => {
                let policy = Policy::for_host(host.host.as_str());
                let spec = container_spec(&goal.job, &BTreeMap::new(), &policy);
                let _ = host.runtime.pull(&spec.image).await;
                if let Ok(id) = host.runtime.create(&spec).await {
                    let _ = host.runtime.start(&id).await;
                }
            }
        }
    }
}

/// Three hosts, many faults, and the two checks that say when nothing may be stopped.
fn fleet(seed: u64) -> Sim {
    let checks = checks::all().into_iter();
    Sim::new(seed)
        .agent(my_agent)
        .faults(Faults::swarm())
        .checks(
            checks
                .filter(|check| matches!(check.name(), "S2" | "S4"))
                .collect(),
        )
        .replay_with(format!("cargo run --example simulate_my_agent {seed}"))
}

fn main() {
    let seed = std::env::args().nth(1).and_then(|seed| seed.parse().ok());
    let mut seeds = seed.map_or(0..100, |seed| seed..seed + 1);
    match seeds.find_map(|seed| reduce(|| fleet(seed))) {
        Some(reduced) => println!("{reduced}"),
        None => println!("no seed shows the bug"),
    }
}
