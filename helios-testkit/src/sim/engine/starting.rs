//! What others see of a container while it is being started.

use std::time::Duration;

use futures_util::StreamExt;
use helios_core::runtime::{Container, ContainerState};
use tokio::time::sleep;

use crate::runtime::conformance::{Behaviour, RuntimeHarness};

use super::conformance::simulated;

/// As with Docker: a complete look waits, one that follows changes shows what it had, and a create finds it afterwards.
#[tokio::test(start_paused = true)]
async fn what_is_being_started_is_waited_for() {
    let simulated = simulated().await;
    let engine = simulated.runtime("agent").await;
    let spec = simulated.spec("web", Behaviour::Obedient);
    let mut looks = engine.watch();
    assert!(looks.next().await.unwrap().unwrap().is_empty());
    let id = engine.create(&spec).await.unwrap();
    let others = async {
        sleep(Duration::from_millis(5)).await; // It has arrived by now.
        let latest = looks.next().await.unwrap().unwrap();
        let meanwhile = (latest.is_empty(), simulated.run_of(&id).await);
        (meanwhile, engine.list().await, engine.create(&spec).await)
    };
    let (started, (meanwhile, all, found)) = tokio::join!(engine.start(&id), others);
    started.unwrap();
    assert_eq!(meanwhile, (true, "0".to_owned()));
    let runs = |found: &Container| found.state == ContainerState::Running;
    assert!(all.unwrap().get("web").is_some_and(runs));
    assert_eq!(found.unwrap(), id);
    let latest = looks.next().await.unwrap().unwrap();
    assert!(latest.get("web").is_some_and(runs));
}
