//! The agent dies and starts again.

use std::time::Duration;

use helios_core::runtime::ContainerState;
use helios_core::{Goal, PortMapping, TaskState};
use helios_testkit::runtime::FakeImage;

use crate::rig::{Rig, job};

#[tokio::test(start_paused = true)]
async fn a_running_container_is_adopted_untouched() {
    let mut rig = Rig::start().await;
    let web = rig.deploy(&job("web"), Goal::Start).await;
    rig.until_state(&web, TaskState::Running).await;
    let first = rig.running().await;
    let calls = rig.engine.calls().len();
    rig.kill_agent().await;
    rig.pass(Duration::from_secs(10)).await;
    rig.start_agent().await;
    rig.pass(Duration::from_secs(300)).await;
    assert_eq!(rig.running().await, first);
    let touched: Vec<_> = rig.engine.calls().drain(calls..).filter(changes).collect();
    assert!(touched.is_empty(), "{touched:?}");
    assert_eq!(rig.report(&web).await.expect("a report").restarts, 0);
}

fn changes(call: &helios_testkit::runtime::Call) -> bool {
    use helios_testkit::runtime::Verb;
    matches!(
        call.verb,
        Verb::Create | Verb::Start | Verb::Stop | Verb::Remove | Verb::Pull
    )
}

#[tokio::test(start_paused = true)]
async fn what_died_while_the_agent_was_down_is_started_again() {
    let mut rig = Rig::start().await;
    let web = rig.deploy(&job("web"), Goal::Start).await;
    rig.until_state(&web, TaskState::Running).await;
    let first = rig.running().await.remove(0);
    rig.kill_agent().await;
    rig.engine.kill(&first.name);
    rig.start_agent().await;
    rig.until("another runs", async |rig| {
        rig.running()
            .await
            .iter()
            .any(|container| container.id != first.id)
    })
    .await;
    assert_eq!(rig.containers().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_was_undeployed_while_the_agent_was_down_is_stopped_with_its_grace() {
    let mut rig = Rig::start().await;
    let patient = job("web")
        .seconds_to_wait_before_kill(33)
        .with_computed_id();
    let web = rig.deploy(&patient, Goal::Start).await;
    rig.until_state(&web, TaskState::Running).await;
    rig.kill_agent().await;
    rig.undeploy(&web).await;
    rig.engine.image("busybox", FakeImage::new().here());
    rig.start_agent().await;
    rig.until_gone(&web).await;
    let stops: Vec<_> = rig
        .engine
        .calls()
        .into_iter()
        .filter(|call| call.verb == helios_testkit::runtime::Verb::Stop)
        .collect();
    assert_eq!(stops.len(), 1, "stopped, not just removed");
}

#[tokio::test(start_paused = true)]
async fn goals_that_changed_meanwhile_are_followed() {
    let mut rig = Rig::start().await;
    let web = rig.deploy(&job("web"), Goal::Start).await;
    rig.until_state(&web, TaskState::Running).await;
    rig.kill_agent().await;
    rig.set_goal(&web, Goal::Stop).await;
    rig.start_agent().await;
    rig.until_state(&web, TaskState::Stopped).await;
    rig.kill_agent().await;
    rig.set_goal(&web, Goal::Start).await;
    rig.start_agent().await;
    rig.until_state(&web, TaskState::Running).await;
    assert_eq!(rig.containers().await.len(), 1);
}

/// Kills the agent after every few milliseconds of a deployment: between pull, lease, create, start and
/// report.
#[tokio::test(start_paused = true)]
async fn killed_at_any_moment_it_ends_with_exactly_one_running_container() {
    for moment in 0..60 {
        let mut rig = Rig::without_agent().await;
        rig.engine.image(
            "busybox",
            FakeImage::new()
                .pull_takes(Duration::from_millis(10))
                .start_takes(Duration::from_millis(10)),
        );
        rig.start_agent().await;
        let web = job("web")
            .port("http", PortMapping::tcp(80))
            .with_computed_id();
        rig.until("the host is registered", async |rig| {
            rig.cluster
                .host(&crate::rig::host())
                .await
                .expect("a read")
                .is_some()
        })
        .await;
        let web = rig.deploy(&web, Goal::Start).await;
        rig.pass(Duration::from_millis(moment)).await;
        rig.kill_agent().await;
        rig.pass(Duration::from_millis(moment % 7)).await;
        rig.start_agent().await;
        let report = rig.until_state(&web, TaskState::Running).await;
        let containers = rig.containers().await;
        assert_eq!(containers.len(), 1, "killed after {moment} ms");
        assert_eq!(containers[0].state, ContainerState::Running);
        let port = report.ports["http"]
            .external_port
            .expect("a port")
            .to_string();
        assert_eq!(containers[0].labels["helios.port.http"], port);
    }
}

#[tokio::test(start_paused = true)]
async fn ports_are_kept_over_restarts_of_the_container_and_the_agent() {
    let mut rig = Rig::start().await;
    let web = job("web")
        .port("http", PortMapping::tcp(80))
        .with_computed_id();
    let web = rig.deploy(&web, Goal::Start).await;
    let first = rig.until_state(&web, TaskState::Running).await;
    rig.pass(Duration::from_secs(30)).await;
    rig.engine.kill(&rig.running().await[0].name);
    rig.pass(Duration::from_secs(5)).await;
    assert_eq!(
        rig.until_state(&web, TaskState::Running).await.ports,
        first.ports
    );
    rig.kill_agent().await;
    rig.start_agent().await;
    rig.pass(Duration::from_secs(5)).await;
    assert_eq!(
        rig.until_state(&web, TaskState::Running).await.ports,
        first.ports
    );
}

#[tokio::test(start_paused = true)]
async fn a_lost_state_directory_is_rebuilt_and_nothing_is_stopped() {
    let mut rig = Rig::start().await;
    let web = job("web")
        .port("http", PortMapping::tcp(80))
        .with_computed_id();
    let web = rig.deploy(&web, Goal::Start).await;
    let first = rig.until_state(&web, TaskState::Running).await;
    let container = rig.running().await;
    rig.kill_agent().await;
    rig.state.wipe();
    rig.state.put("agent-id", b"a1");
    rig.start_agent().await;
    rig.pass(Duration::from_secs(60)).await;
    assert_eq!(rig.running().await, container);
    assert_eq!(
        rig.until_state(&web, TaskState::Running).await.ports,
        first.ports
    );
}

#[tokio::test(start_paused = true)]
async fn a_corrupt_state_file_is_set_aside_named_and_rebuilt() {
    let mut rig = Rig::start().await;
    let web = rig.deploy(&job("web"), Goal::Start).await;
    rig.until_state(&web, TaskState::Running).await;
    let container = rig.running().await;
    rig.kill_agent().await;
    rig.state.put("agent.json", b"{ torn");
    rig.start_agent().await;
    rig.until("the trouble is named", async |rig| {
        rig.problems()
            .await
            .iter()
            .any(|problem| problem.contains("agent.json.unreadable"))
    })
    .await;
    rig.pass(Duration::from_secs(120)).await;
    assert_eq!(rig.running().await, container);
}

#[tokio::test(start_paused = true)]
async fn a_full_disk_stops_new_work_and_nothing_else() {
    let rig = Rig::start().await;
    let web = rig.deploy(&job("web"), Goal::Start).await;
    rig.until_state(&web, TaskState::Running).await;
    rig.state.set_full(true);
    let api = rig.deploy(&job("api"), Goal::Start).await;
    rig.until("the trouble is told", async |rig| {
        rig.problems()
            .await
            .iter()
            .any(|problem| problem.contains("no space left"))
    })
    .await;
    assert_eq!(rig.running().await.len(), 1);
    rig.pass(Duration::from_secs(60)).await;
    rig.engine.kill(&rig.running().await[0].name);
    rig.pass(Duration::from_secs(5)).await;
    assert_eq!(
        rig.running().await.len(),
        1,
        "what is known is kept running"
    );
    rig.state.set_full(false);
    rig.until_state(&api, TaskState::Running).await;
}
