//! What nothing manages any more is found, told, and ended only where that is allowed and sure.

use std::sync::Arc;
use std::time::Duration;

use helios_core::orphans::{
    KnownContainer, Look, OrphanMode, OrphanPolicy, Process, ProcessId, Role,
};
use helios_core::runtime::ContainerId;
use helios_testkit::host::FakeSurroundings;

use crate::rig::Rig;

fn id() -> ContainerId {
    ContainerId::new("1".repeat(64))
}

/// A container that runs, with one process.
fn alive(owner: &str) -> Look {
    let container = KnownContainer {
        name: "web".to_owned(),
        alive: true,
        owner: Some(owner.to_owned()),
        job: Some("web:1".to_owned()),
        ..KnownContainer::default()
    };
    Look {
        daemon: Some(1),
        daemons: [1].into(),
        before: [(id(), container.clone())].into(),
        processes: vec![Process {
            id: ProcessId { pid: 7, started: 7 },
            parent: 1,
            command: "web".to_owned(),
            role: Role::Member { container: id() },
        }],
        after: [(id(), container)].into(),
        ..Look::default()
    }
}

async fn start(rig: &mut Rig, seen: &FakeSurroundings, mode: OrphanMode) {
    let policy = OrphanPolicy {
        mode,
        ..OrphanPolicy::default()
    };
    let seen = Arc::new(seen.clone());
    rig.start_agent_with(|agent| agent.orphans(seen, policy))
        .await;
}

/// The engine loses its record of the container; the process goes on.
fn lose_container(seen: &FakeSurroundings) {
    seen.change(|look| {
        look.before.clear();
        look.after.clear();
    });
}

async fn until_told(rig: &Rig, part: &str) {
    rig.until(&format!("a problem says {part:?}"), async |rig| {
        let problems = rig.problems().await;
        problems.iter().any(|problem| problem.contains(part))
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_the_engine_lost_is_told_and_left_alone_by_default() {
    let mut rig = Rig::without_agent().await;
    let seen = FakeSurroundings::new();
    seen.change(|look| *look = alive("a1"));
    start(&mut rig, &seen, OrphanMode::Report).await;
    rig.pass(Duration::from_secs(120)).await;
    assert_eq!(rig.problems().await, Vec::<String>::new());
    lose_container(&seen);
    until_told(
        &rig,
        "orphan: process 7 (web) of container 111111111111 of job web:1",
    )
    .await;
    rig.pass(Duration::from_secs(600)).await;
    assert!(seen.reaped().is_empty());
    // Ended by hand, it is told no more.
    seen.change(|look| look.processes.clear());
    rig.until("nothing is wrong", async |rig| {
        rig.problems().await.is_empty()
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn only_what_was_seen_alive_is_ended_where_that_is_wanted() {
    for (owner, reaped) in [("a1", true), ("somebody-else", false)] {
        let mut rig = Rig::without_agent().await;
        let seen = FakeSurroundings::new();
        seen.change(|look| *look = alive(owner));
        start(&mut rig, &seen, OrphanMode::Reap).await;
        rig.until("it was looked", async |_| seen.looks() > 0).await;
        // What is ours is known by what was stored, also after the agent itself was killed.
        rig.kill_agent().await;
        lose_container(&seen);
        start(&mut rig, &seen, OrphanMode::Reap).await;
        until_told(&rig, "orphan: process 7").await;
        assert_eq!(!seen.reaped().is_empty(), reaped, "{owner}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_lost_its_identity_finds_the_containers_it_had() {
    let mut rig = Rig::without_agent().await;
    let seen = FakeSurroundings::new();
    seen.change(|look| *look = alive("a0"));
    rig.start_agent_as("a0").await;
    rig.until_up().await;
    rig.kill_agent().await;
    rig.state.wipe();
    start(&mut rig, &seen, OrphanMode::Report).await;
    rig.pass(Duration::from_secs(300)).await;
    assert!(
        rig.problems().await.is_empty(),
        "the name is not its own yet"
    );
    until_told(&rig, "orphan: container web of agent a0 of job web:1").await;
}

#[tokio::test(start_paused = true)]
async fn a_settled_host_is_searched_once_a_minute() {
    let mut rig = Rig::without_agent().await;
    let seen = FakeSurroundings::new();
    seen.change(|look| *look = alive("a1"));
    lose_container(&seen);
    start(&mut rig, &seen, OrphanMode::Report).await;
    until_told(&rig, "orphan: process 7").await;
    let looks = seen.looks();
    rig.pass(Duration::from_secs(600)).await;
    assert!((9..=11).contains(&(seen.looks() - looks)));
}
