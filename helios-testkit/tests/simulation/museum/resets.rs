//! Masters that move fleet resets wrongly.

use std::time::Duration;

use futures_util::future::join;
use helios_core::HostName;
use helios_core::cluster::ClusterError;
use helios_core::model::Job;
use helios_core::ops::{Refused, audited, drain_host};
use helios_core::schema::{AuditRecord, Drain, HostRecord, Keys, Versioned, encode};
use helios_core::store::Txn;
use helios_rollout::order::Amount;
use helios_rollout::reset::{
    Limits, Order, Patience, Phase, Progress, Reset, ResetRecord, ResetRefused, Resets, Robustness,
    Sights, Wanted, advance,
};
use helios_testkit::sim::MasterCtx;
use tokio::time::sleep;

const RESET: &str = "spring";

/// What is wrong with a master.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    NoLimit,
    AskedIsDone,
    LeavesDrained,
    KeepsPlaces,
}

/// A master that moves one reset well enough, but for what is wrong with it.
pub(super) async fn run(master: MasterCtx, wrong: Option<Wrong>) {
    master.begin().await;
    let drive = async {
        loop {
            sleep(Duration::from_secs(1)).await;
            // What fails is tried again.
            drop(step(&master, wrong).await);
        }
    };
    if master.number == 0 {
        join(begin(&master), drive).await;
    } else {
        drive.await;
    }
}

/// A job on all hosts, a reset of all of them, and a host that is deregistered while it is away.
async fn begin(master: &MasterCtx) {
    let job = Job::new("all:1", "web:1").expect("a job");
    master.settle(&job, master.hosts.clone()).await;
    let resets = Resets::of(master.cluster.clone());
    while resets.get(RESET).await.is_err() {
        drop(resets.start(&reset(master)).await);
        sleep(Duration::from_secs(2)).await;
    }
    while !master.is_over() {
        sleep(Duration::from_secs(1)).await;
        let away = resets.get(RESET).await;
        let away = away.map(|record| record.progress.away.keys().next().cloned());
        if let Ok(Some(host)) = away
            && master.cluster.deregister_host(&host).await.is_ok()
        {
            return;
        }
    }
}

fn reset(master: &MasterCtx) -> Reset {
    let now = master.cluster.now();
    let minute = Duration::from_secs(60);
    Reset {
        name: RESET.to_owned(),
        hosts: Vec::new(),
        wanted: Wanted::ResetSince(now),
        deadline: now.plus(2 * minute),
        action: helios_rollout::reset::Action::Agent,
        limits: Limits {
            minimum_healthy: Amount::Hosts(0),
            first_alone: false,
            ..Limits::default()
        },
        patience: Patience {
            drain: minute,
            away: minute,
            check: minute,
            settle: Duration::from_secs(3),
            expected: Duration::from_secs(10),
            ..Patience::default()
        },
        guard: None,
    }
}

async fn step(master: &MasterCtx, wrong: Option<Wrong>) -> Result<(), ClusterError<ResetRefused>> {
    let found = Resets::of(master.cluster.clone()).get(RESET).await?;
    let view = master.cluster.fleet().await?;
    let sights = Sights::of(&view).expect("a small fleet");
    let mut reset = found.reset.clone();
    if wrong == Some(Wrong::NoLimit) {
        reset.limits.at_once = 100;
    }
    let none = Robustness::default();
    let now = master.cluster.now();
    let plan = advance(&reset, &found.progress, &none, &sights, "plain", now);
    let mut next = plan.next;
    misjudge(&mut next, &found.progress, wrong);
    if next != found.progress {
        return store(master, &found, next).await;
    }
    for order in plan.orders {
        let made = match order {
            Order::Drain { host, drain } => drained(master, &host, Some(drain)).await,
            Order::EndDrain { .. } if wrong == Some(Wrong::LeavesDrained) => Ok(()),
            Order::EndDrain { host } => drained(master, &host, None).await,
            Order::Ask { .. } => Ok(()),
        };
        drop(made);
    }
    Ok(())
}

fn misjudge(next: &mut Progress, was: &Progress, wrong: Option<Wrong>) {
    match wrong {
        Some(Wrong::AskedIsDone) => {
            let asked = was.away.iter();
            let asked = asked.filter(|(_, away)| away.phase == Phase::Resetting);
            for (host, _) in asked {
                next.away.remove(host);
                next.done.insert(host);
            }
        }
        Some(Wrong::KeepsPlaces) if next.left > was.left => {
            next.away.clone_from(&was.away);
            next.left = was.left;
        }
        _ => {}
    }
}

async fn store(
    master: &MasterCtx,
    found: &Versioned<ResetRecord>,
    next: Progress,
) -> Result<(), ClusterError<ResetRefused>> {
    let key = &Keys::reset(RESET).expect("a key");
    let record = &ResetRecord {
        progress: next,
        ..ResetRecord::clone(found)
    };
    let made = master.cluster.transact(RESET, |stamp| async move {
        let txn = Txn::new().update(key.clone(), found.version, encode(record));
        let audit = AuditRecord::new(&stamp, "step of reset");
        Ok(audited(txn, &stamp, &audit))
    });
    made.await.map(drop)
}

async fn drained(
    master: &MasterCtx,
    host: &HostName,
    drain: Option<Drain>,
) -> Result<(), ClusterError<Refused>> {
    let drain = drain.as_ref();
    let made = master.cluster.transact(host.as_str(), |stamp| async move {
        let key = Keys::host(host);
        let seen = master.cluster.read::<HostRecord>(&key).await?;
        Ok(drain_host(seen.as_ref(), host, RESET, drain, &stamp)?)
    });
    made.await.map(drop)
}
