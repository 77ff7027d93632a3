//! Jobs on their way through deployment groups.

use std::collections::BTreeMap;
use std::future::pending;
use std::time::Duration;

use futures_util::future::join;
use helios_core::Goal;
use helios_core::cluster::ClusterError;
use helios_core::model::{
    DeploymentGroup, HealthCheck, HostSelector, Job, PortMapping, RolloutOptions,
};
use helios_core::ops::{CreateJob, Deploy, Undeploy};
use helios_rollout::rolling::{Driver, GroupRefused, Groups, Hosts, Policy, RollOut, WhenDown};
use tokio::time::sleep;

use super::super::dice::Dice;
use super::super::trace::Actor;
use super::MasterCtx;

/// How the changes of this workload begin that may find everything as it should be.
pub(in super::super) const SEE_TO_IT: &str = "see to it that";

/// The groups, and the hosts they can have. Some hosts belong to both.
const GROUPS: [(&str, [&str; 2]); 2] = [
    ("front", ["role=web", "zone!=z0"]),
    ("back", ["zone=z0", "role=web"]),
];

/// Moves rollouts, and meanwhile asks for more.
pub(super) async fn rolling(mut master: MasterCtx) {
    master.begin().await;
    let driver = Driver::new(&master.cluster, master.life.actor.to_string());
    join(changes(&mut master), driver.run(pending())).await;
}

async fn changes(master: &mut MasterCtx) {
    let name = master.life.actor.to_string();
    let world = master.world.clone();
    let dice = |count| world.with(|state| state.dice(&format!("roll {name}"), count));
    let pace = dice(0).between(Duration::from_secs(5), Duration::from_secs(45));
    let life = u64::from(master.life.number) << 32;
    let mut count = 0;
    while !master.is_over() {
        count += 1;
        let mut dice = dice(life + count);
        if !master.is_over() {
            one_change(master, &mut dice).await;
        }
        sleep(dice.between(Duration::from_secs(1), pace)).await;
    }
    if master.life.actor == Actor::Master(0) {
        // The last rollouts are asked for when nothing fails any more: these must end in time.
        sleep(Duration::from_secs(6)).await;
        for count in 0..2 {
            let mut dice = dice(u64::MAX - count);
            one_change(master, &mut dice).await;
        }
    }
}

/// Versions of one job for each group: good ones, one that is never well, and one whose image is missing.
fn job(group: &str, version: u64) -> Option<Job> {
    let image = if version == 4 { "missing:1" } else { "web:1" };
    let mut job = Job::new(&format!("{group}:{version}"), image).ok()?;
    job.seconds_to_wait_before_kill = i32::try_from(version * 3).ok();
    match version {
        1 => {
            job.ports.insert("http".to_owned(), PortMapping::tcp(80));
            job.health_check = Some(HealthCheck::http("http", "/"));
        }
        2 => {
            let port = if group == "front" { 20_101 } else { 20_102 };
            job.ports
                .insert("http".to_owned(), PortMapping::tcp(80).external(port));
        }
        3 => {
            job.health_check = Some(HealthCheck::exec(["true"]));
            job.command = vec!["unwell".to_owned()];
        }
        _ => {}
    }
    Some(job)
}

/// Whether it comes about is for the checks to say.
async fn one_change(master: &mut MasterCtx, dice: &mut Dice) {
    let Some((name, selectors)) = dice.pick(&GROUPS).copied() else {
        return;
    };
    let version = dice.pick(&[0, 0, 1, 1, 2, 2, 3, 4]).copied();
    let Some(job) = version.and_then(|version| job(name, version)) else {
        return;
    };
    match dice.below(100) {
        0..50 => roll_out(master, dice, (name, selectors), job).await,
        50..92 => change_group(master, dice, name, selectors).await,
        kind => change_by_hand(master, dice, kind, job).await,
    }
}

async fn roll_out(
    master: &mut MasterCtx,
    dice: &mut Dice,
    (name, selectors): (&'static str, [&str; 2]),
    job: Job,
) {
    let mut request = RollOut::new(name, job.compute_id());
    (request.options, request.policy) = (options(dice), policy(dice));
    let note = format!("create {}", job.id);
    let created = master.ask(note, |cluster| async move {
        cluster.create_job(&CreateJob::new(job)).await
    });
    drop(created.await);
    let group = DeploymentGroup::new(name, parsed(selectors.first().copied()));
    let note = format!("{SEE_TO_IT} there is group {name}");
    let created = master.ask(note, |cluster| async move {
        Groups::of(cluster).create(&group).await
    });
    drop(created.await);
    let note = format!("roll out {} over {name}", request.job.without_hash());
    let rolled = master.ask(note, |cluster| async move {
        Groups::of(cluster).roll_out(&request).await
    });
    drop(rolled.await);
}

async fn change_group(
    master: &mut MasterCtx,
    dice: &mut Dice,
    name: &'static str,
    selectors: [&str; 2],
) {
    let kind = dice.below(42);
    let what = match kind {
        0..8 => "it is stopped",
        8..16 => "it is paused",
        16..28 => "it goes on",
        28..36 => "it goes back",
        36..40 => "it has other hosts",
        _ => "it is gone",
    };
    let selectors = parsed(dice.pick(&selectors).copied());
    let after = dice.chance(300).then_some(1);
    let note = format!("{SEE_TO_IT} of group {name}: {what}");
    let asked = master.ask::<_, GroupRefused, _>(note, |cluster| async move {
        let groups = Groups::of(cluster);
        match kind {
            0..8 => groups.stop(name).await,
            8..16 => groups.pause(name).await,
            16..28 => groups.resume(name, after).await,
            28..36 => groups.roll_back(name).await,
            36..40 => groups.edit(name, &selectors).await,
            _ => groups.remove(name).await,
        }
    });
    drop(asked.await);
}

/// What people do to hosts while a rollout passes.
async fn change_by_hand(master: &mut MasterCtx, dice: &mut Dice, kind: u64, job: Job) {
    let Some(host) = dice.pick(&master.hosts).cloned() else {
        return;
    };
    let (id, name) = (job.compute_id(), &job.id);
    let outcome: Result<(), ClusterError> = match kind {
        92..95 => {
            let note = format!("undeploy {name} on {host}");
            let undeploy = Undeploy::new(host, id);
            let asked = master.ask(
                note,
                |cluster| async move { cluster.undeploy(&undeploy).await },
            );
            asked.await
        }
        95..98 => {
            let note = format!("deploy {name} on {host}");
            let deploy = Deploy::new(host, id, Goal::Start);
            let asked = master.ask(note, |cluster| async move { cluster.deploy(&deploy).await });
            asked.await
        }
        _ => {
            let note = format!("deregister {host}");
            let asked = master.ask(note, |cluster| async move {
                cluster.deregister_host(&host).await
            });
            asked.await
        }
    };
    drop(outcome);
}

fn parsed(selector: Option<&str>) -> Vec<HostSelector> {
    let parsed = selector.and_then(|text| text.parse().ok());
    parsed.into_iter().collect()
}

fn options(dice: &mut Dice) -> RolloutOptions {
    let mut options = RolloutOptions::default();
    options.timeout = dice.pick(&[15, 30, 60]).copied();
    options.parallelism = dice.pick(&[1, 1, 2, 3]).copied();
    options.migrate = Some(dice.chance(300));
    options.overlap = Some(dice.chance(200));
    options.ignore_failures = Some(dice.chance(150));
    options
}

fn policy(dice: &mut Dice) -> Policy {
    let shares: [Option<Hosts>; 4] = [None, None, "50%".parse().ok(), "2".parse().ok()];
    let failures: [Option<Hosts>; 4] = [None, None, "1".parse().ok(), "40%".parse().ok()];
    Policy {
        parallelism: dice.pick(&shares).copied().flatten(),
        per: dice.chance(200).then(|| "zone".to_owned()),
        failures: dice.pick(&failures).copied().flatten(),
        healthy_seconds: dice.pick(&[0, 0, 5]).copied().unwrap_or(0),
        when_down: dice
            .pick(&[
                WhenDown::Skip,
                WhenDown::Skip,
                WhenDown::Wait,
                WhenDown::Fail,
            ])
            .copied()
            .unwrap_or_default(),
        stop_after: dice.chance(100).then_some(1),
        rollback: dice.chance(300),
        ..Policy::default()
    }
}

/// The labels of a machine, by which groups know it.
pub(in super::super) fn labels(number: u16) -> BTreeMap<String, String> {
    let zone = format!("z{}", number % 2);
    let labels = [("role", "web"), ("zone", zone.as_str())];
    labels
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}
