//! How long a look takes in which there is nothing to do: `cargo bench -p helios-core --bench reconcile`.

#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]
#![expect(clippy::disallowed_methods, reason = "a benchmark measures time")]

use std::time::{Duration, Instant};

use helios_core::reconcile::{
    Desired, Observed, Policy, container_name, container_spec, reconcile,
};
use helios_core::runtime::{Container, ContainerId, ContainerState};
use helios_core::{Goal, Job, Moment, PortMapping};

/// A host whose `tasks` tasks all run as they should.
fn at_rest(tasks: usize) -> Result<(Desired, Observed), Box<dyn std::error::Error>> {
    let policy = Policy::for_host("web1");
    let mut desired = Desired::new(policy.clone());
    let mut containers = Vec::new();
    let mut leases = std::collections::BTreeMap::new();
    for n in 0..tasks {
        let job = Job::new(&format!("job-{n}:1"), "nginx:1.27")?
            .port("http", PortMapping::tcp(80))
            .env("MODE", "production")
            .with_computed_id();
        let ports =
            std::collections::BTreeMap::from([("http".to_owned(), 20_000 + u16::try_from(n)?)]);
        let spec = container_spec(&job, &ports, &policy);
        containers.push(Container {
            id: ContainerId::new(format!("{n:064x}")),
            name: container_name(&policy.namespace, &job.id),
            digest: Some(spec.digest()),
            labels: spec.labels,
            state: ContainerState::Running,
            ip: None,
        });
        leases.insert(job.id.clone(), ports.into());
        desired = desired.with(job, Goal::Start);
    }
    let observed = Observed {
        containers: Some(containers.into_iter().collect()),
        leases: leases.into(),
        ..Observed::default()
    };
    Ok((desired, observed))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!(
        "{:>8} {:>12} {:>12} {:>12}",
        "tasks", "median", "p99", "per task"
    );
    for tasks in [10, 100, 1_000, 5_000] {
        let (desired, observed) = at_rest(tasks)?;
        let mut times: Vec<Duration> = (0..200)
            .map(|_| {
                let start = Instant::now();
                let plan = std::hint::black_box(reconcile(&desired, &observed, Moment::default()));
                let took = start.elapsed();
                assert!(plan.tasks.iter().all(|line| line.action.is_none()));
                took
            })
            .collect();
        times.sort();
        let at = |percent: usize| {
            times
                .get(times.len() * percent / 100)
                .copied()
                .unwrap_or_default()
        };
        println!(
            "{tasks:>8} {:>12?} {:>12?} {:>12?}",
            at(50),
            at(99),
            at(50) / u32::try_from(tasks)?
        );
    }
    Ok(())
}
