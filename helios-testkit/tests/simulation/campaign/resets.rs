//! Fleet resets: no limit is broken and none is stuck, whatever becomes of machines, agents and masters.

use std::time::Duration;

use helios_core::HostName;
use helios_core::model::Job;
use helios_rollout::Share;
use helios_rollout::order::Amount;
use helios_rollout::reset::{
    Action, Ending, GroupLimit, Limits, Patience, Reset, ResetRecord, ResetRefused, Resets, Stage,
    Wanted,
};
use helios_testkit::sim::{Bounds, MasterCtx, Report, Sim, What, Workload};
use tokio::time::sleep;

use super::{PLANNED, replayed, years};

/// A host may take as long as three of its steps when nothing fails any more.
fn bounds() -> Bounds {
    Bounds {
        settle: Duration::from_secs(360),
        ..Bounds::default()
    }
}

pub(super) fn swarm(seed: u64) -> Sim {
    Sim::swarm(seed)
        .workload(Workload::resets())
        .bounds(bounds())
        .stable_for(Duration::from_secs(300))
        .replay_with(replayed("HELIOS_SIM_RESETS=1 ", seed))
}

/// A reset of all hosts, one after the other, that bears nothing that goes wrong.
fn reset(master: &MasterCtx) -> Reset {
    let now = master.cluster.now();
    Reset {
        name: "spring".to_owned(),
        hosts: Vec::new(),
        wanted: Wanted::ResetSince(now),
        deadline: now.plus(Duration::from_secs(600)),
        action: if master.number == 0 {
            Action::Agent
        } else {
            Action::Master
        },
        limits: Limits {
            minimum_healthy: Amount::Hosts(1),
            ..Limits::default()
        },
        patience: Patience {
            ask: Duration::from_secs(10),
            settle: Duration::from_secs(3),
            expected: Duration::from_secs(60),
            ..Patience::default()
        },
        guard: None,
    }
}

/// One reset of all hosts, asked for until a master says that it has begun.
async fn one_reset(master: MasterCtx) {
    master.begin().await;
    let ask = async {
        let job = Job::new("all:1", "web:1").expect("a job");
        master.settle(&job, master.hosts.clone()).await;
        let resets = Resets::of(master.cluster.clone());
        loop {
            // It is refused while its service is not well everywhere, or when another master was faster.
            match resets.start(&reset(&master)).await {
                Ok(()) => break,
                Err(error) => match error.refused() {
                    Some(ResetRefused::Exists { .. }) => break,
                    _ if resets.get("spring").await.is_ok() => break,
                    _ => sleep(Duration::from_secs(1)).await,
                },
            }
        }
    };
    let driver = master.reset_driver();
    futures_util::future::join(ask, driver.run(std::future::pending())).await;
}

pub(super) fn scenario(number: u64) -> Sim {
    Sim::new(number)
        .masters(2)
        .hosts(2)
        .lasting(Duration::from_secs(120))
        .bounds(bounds())
        .stable_for(Duration::from_secs(300))
        .workload(Workload::new(one_reset))
        .replay_with(replayed(&format!("HELIOS_SIM_RESETS=1 {PLANNED}"), number))
}

/// The role of a host, of so many.
fn role(host: &HostName, roles: usize) -> String {
    let number = host.as_str().trim_start_matches("host");
    let number: usize = number.parse().expect("a number");
    format!("role-{}", number % roles)
}

/// A service for each role on all its hosts, and a reset of all hosts that bears failures.
async fn a_service_per_role(master: MasterCtx, roles: usize) {
    master.begin().await;
    let ask = async {
        if master.number > 0 {
            return;
        }
        for number in 0..roles {
            let role_of_it = format!("role-{number}");
            let job = Job::new(&format!("{role_of_it}:1"), "web:1").expect("a job");
            let mut hosts = master.hosts.clone();
            hosts.retain(|host| role(host, roles) == role_of_it);
            master.settle(&job, hosts).await;
        }
        let mut reset = reset(&master);
        let by_role = GroupLimit {
            label: "role".to_owned(),
            share: Share::from_percent(20),
            floor: 1,
            ceiling: None,
            keep: 1,
        };
        reset.deadline = master.cluster.now().plus(Duration::from_secs(3_000));
        reset.patience.away = Duration::from_secs(120);
        reset.limits = Limits {
            at_once: 60,
            groups: vec![by_role],
            minimum_healthy: Amount::Share(Share::from_percent(50)),
            failures: 200,
            ..Limits::default()
        };
        while Resets::of(master.cluster.clone())
            .start(&reset)
            .await
            .is_err()
        {
            sleep(Duration::from_secs(1)).await;
        }
    };
    let driver = master.reset_driver();
    futures_util::future::join(ask, driver.run(std::future::pending())).await;
}

/// The reset as it was stored last.
fn last(report: &Report) -> &ResetRecord {
    let commits = report.trace.events.iter().rev();
    let mut writes = commits.filter_map(|event| match &event.what {
        What::Commit { writes, .. } => Some(writes),
        _ => None,
    });
    let last = writes.find_map(|writes| writes.iter().find_map(|write| write.is.reset()));
    last.expect("a reset")
}

/// Two of a hundred never come back, and of some the plug is stuck.
#[test]
fn every_machine_of_a_large_fleet_is_renewed_in_time_but_those_that_fail() {
    let (hosts, roles) = years().map_or((60, 6), |_| (1_000, 50));
    let report = Sim::new(1)
        .masters(2)
        .hosts(hosts)
        .lasting(Duration::from_secs(3_600))
        .bounds(bounds())
        .stable_for(Duration::from_secs(60))
        .agent(move |mut host| {
            host.labels = [("role".to_owned(), role(&host.host, roles))].into();
            async { drop(host.helios_agent().run(std::future::pending()).await) }
        })
        .workload(Workload::new(move |master| {
            a_service_per_role(master, roles)
        }))
        .run();
    assert!(report.is_clean(), "{report}");
    let progress = &last(&report).progress;
    let (done, failed) = (progress.done.len(), progress.mishaps.len());
    println!("{hosts} hosts, {done} done, {failed} failed");
    assert_eq!(progress.stage, Stage::Ended(Ending::Done));
    assert_eq!(done + failed, usize::from(hosts));
    assert!(failed > 0 && failed * 8 < usize::from(hosts), "{failed}");
}
