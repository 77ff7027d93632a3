//! Dead containers are kept for a look at what happened, and stand in nobody's way.

use std::sync::Arc;
use std::time::Duration;

use helios_core::agent::Agent;
use helios_core::reconcile::KeepDead;
use helios_core::runtime::{Container, ContainerState, RuntimeErrorKind};
use helios_core::{Clock, Goal, JobId, Moment, PortMapping, TaskState, Timestamp};
use helios_testkit::runtime::{Fault, Verb};
use tokio::time::Instant;

use crate::rig::{Rig, job};

const HOUR: Duration = Duration::from_secs(3600);

/// A wall clock that goes with virtual time, and outlives agents.
#[derive(Clone, Debug)]
struct Wall(Instant);

impl Clock for Wall {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_700_000_000_000).plus(self.0.elapsed())
    }

    fn moment(&self) -> Moment {
        Moment::default().plus(self.0.elapsed())
    }
}

/// A host whose engine tells when containers ended.
async fn rig() -> (Rig, Wall) {
    let (rig, wall) = (Rig::without_agent().await, Wall(Instant::now()));
    rig.engine.tell_time(Arc::new(wall.clone()));
    (rig, wall)
}

fn keeping(rig: &Rig, wall: &Wall, count: usize) -> impl FnOnce(Agent) -> Agent + use<> {
    let (runtime, wall) = (Arc::new(rig.runtime()), Arc::new(wall.clone()));
    move |agent| {
        let keep = KeepDead {
            of_each_job: count,
            keep_for: HOUR,
        };
        agent.keep_dead(runtime, keep).clock(wall)
    }
}

/// A host whose agent keeps so many, and a job with a port that runs there.
async fn start(count: usize) -> (Rig, Wall, JobId) {
    let (mut rig, wall) = rig().await;
    let keeping = keeping(&rig, &wall, count);
    rig.start_agent_with(keeping).await;
    rig.until_up().await;
    let web = job("web").port("http", PortMapping::tcp(80));
    let web = rig.deploy(&web.with_computed_id(), Goal::Start).await;
    rig.until_state(&web, TaskState::Running).await;
    (rig, wall, web)
}

/// Lets the container that runs die, and waits for another one; yields the dead one.
async fn replaced(rig: &Rig) -> Container {
    rig.pass(Duration::from_secs(30)).await;
    let dead = rig.running().await.remove(0);
    rig.engine.exit(&dead.name, 3);
    rig.until("another runs", async |rig| {
        let running = rig.running().await;
        running.iter().any(|container| container.id != dead.id)
    })
    .await;
    rig.pass(Duration::from_secs(5)).await;
    dead
}

async fn dead(rig: &Rig) -> Vec<Container> {
    let mut containers = rig.containers().await;
    containers.retain(|container| container.state != ContainerState::Running);
    containers
}

#[tokio::test(start_paused = true)]
async fn the_last_dead_container_is_kept_and_the_fresh_one_has_its_name_and_ports() {
    let (rig, _, web) = start(1).await;
    let ports = rig.until_state(&web, TaskState::Running).await.ports;
    for _ in 0..3 {
        let last = replaced(&rig).await;
        let kept = dead(&rig).await;
        assert_eq!(kept.len(), 1, "{kept:?}");
        assert_eq!(kept[0].id, last.id);
        assert!(kept[0].name.starts_with(&last.name), "{}", kept[0].name);
        let fresh = rig.running().await.remove(0);
        assert_eq!(fresh.name, last.name);
        assert_eq!(rig.until_state(&web, TaskState::Running).await.ports, ports);
    }
    rig.undeploy(&web).await;
    rig.until("only what is kept is left", async |rig| {
        rig.report(&web).await.is_none() && rig.running().await.is_empty()
    })
    .await;
    assert_eq!(dead(&rig).await.len(), 1);
    assert!(
        rig.problems().await.is_empty(),
        "{:?}",
        rig.problems().await
    );
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_starts_again_goes_on_keeping_and_ends_it_in_time() {
    let (mut rig, wall, web) = start(2).await;
    let (first, second) = (replaced(&rig).await, replaced(&rig).await);
    for left in [2, 0] {
        rig.kill_agent().await;
        rig.pass(HOUR / 2).await;
        let keeping = keeping(&rig, &wall, 2);
        rig.start_agent_with(keeping).await;
        rig.until_state(&web, TaskState::Running).await;
        rig.pass(Duration::from_secs(60)).await;
        let dead = dead(&rig).await;
        assert_eq!(dead.len(), left, "{dead:?}");
        let known = [&first.id, &second.id];
        assert!(dead.iter().all(|container| known.contains(&&container.id)));
    }
    assert_eq!(rig.running().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_kept_is_removed_and_one_that_cannot_be_removed_is_in_nobodys_way() {
    let (rig, ..) = start(1).await;
    rig.engine
        .inject(Fault::new(Verb::Rename, RuntimeErrorKind::Failed).times(1));
    replaced(&rig).await;
    assert_eq!(dead(&rig).await.len(), 0);
    replaced(&rig).await;
    rig.engine
        .inject(Fault::new(Verb::Remove, RuntimeErrorKind::Failed).times(3));
    let last = replaced(&rig).await;
    rig.until("the older one is removed at last", async |rig| {
        dead(rig).await.len() == 1
    })
    .await;
    assert_eq!(dead(&rig).await[0].id, last.id);
}

#[tokio::test(start_paused = true)]
async fn the_status_tells_the_last_dead_container() {
    let (mut rig, wall) = rig().await;
    let keeping = keeping(&rig, &wall, 1);
    let mut status = None;
    rig.start_agent_with(|agent| {
        let agent = keeping(agent);
        status = Some(agent.status());
        agent
    })
    .await;
    rig.until_up().await;
    let web = rig.deploy(&job("web"), Goal::Start).await;
    rig.until_state(&web, TaskState::Running).await;
    let last = replaced(&rig).await;
    let status = status.expect("a status").now();
    assert_eq!(status.dead.get(&web), Some(&last.id));
    assert_ne!(status.tasks[&web].container_id, Some(last.id.to_string()));
}
