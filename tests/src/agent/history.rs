//! What is written down of a job's life.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures_core::stream::BoxStream;
use helios_core::ops::RemoveJob;
use helios_core::schema::{HISTORY_EVENTS_MAX, HistoryEvent};
use helios_core::store::{Entry, Key, Scope, Snapshot, Store, StoreError, StoreErrorKind, Txn};
use helios_core::{Goal, JobId, TaskState};
use helios_store::MemoryStore;
use helios_testkit::runtime::FakeImage;

use crate::rig::{Rig, host, job};

async fn history(rig: &Rig, job: &JobId) -> Vec<HistoryEvent> {
    let histories = rig.cluster.history(job).await.expect("a read");
    let history = histories.get(&host());
    history.map_or_else(Vec::new, |history| history.events.clone())
}

async fn until_last(rig: &Rig, job: &JobId, state: TaskState) -> Vec<HistoryEvent> {
    let what = format!("the history of {job} ends with {state}");
    rig.until(&what, async |rig| {
        let history = history(rig, job).await;
        history
            .last()
            .is_some_and(|event| event.task.state == state)
    })
    .await;
    history(rig, job).await
}

async fn until_up(rig: &Rig) {
    rig.until("the host is up", async |rig| {
        let host = rig.cluster.host(&host()).await.expect("a read");
        host.is_some_and(|host| host.up)
    })
    .await;
}

/// A store that nothing can be written to while it is away.
#[derive(Debug)]
struct SwitchedStore {
    store: MemoryStore,
    is_away: Arc<AtomicBool>,
}

#[async_trait]
impl Store for SwitchedStore {
    async fn get(&self, key: &Key) -> Result<Option<Entry>, StoreError> {
        self.store.get(key).await
    }

    async fn list(&self, dir: &Key) -> Result<Snapshot, StoreError> {
        self.store.list(dir).await
    }

    async fn commit(&self, txn: Txn) -> Result<(), StoreError> {
        if self.is_away.load(Ordering::Relaxed) {
            let kind = StoreErrorKind::Unavailable;
            return Err(StoreError::new(kind, "the store is away"));
        }
        self.store.commit(txn).await
    }

    fn watch(&self, scope: Scope) -> BoxStream<'static, Result<Snapshot, StoreError>> {
        self.store.watch(scope)
    }
}

#[tokio::test(start_paused = true)]
async fn a_life_is_written_down_in_its_order() {
    let rig = Rig::start().await;
    rig.engine.image("far", FakeImage::new());
    let mut far = job("far");
    far.image = Some("far".to_owned());
    let id = rig.deploy(&far.with_computed_id(), Goal::Start).await;
    rig.until_state(&id, TaskState::Running).await;
    rig.undeploy(&id).await;
    rig.until_gone(&id).await;
    let events = until_last(&rig, &id, TaskState::Stopped).await;
    let states: Vec<TaskState> = events.iter().map(|event| event.task.state).collect();
    let expected = [
        TaskState::Creating,
        TaskState::PullingImage,
        TaskState::Creating,
        TaskState::Starting,
        TaskState::Running,
        TaskState::Stopping,
        TaskState::Stopped,
    ];
    assert_eq!(states, expected, "{events:#?}");
    let with_container = events.iter().map(|event| event.task.container_id.is_some());
    let has: Vec<bool> = with_container.collect();
    assert_eq!(has, [false, false, false, true, true, true, true]);
    assert!(events.is_sorted_by_key(|event| event.at));
}

#[tokio::test(start_paused = true)]
async fn only_the_last_events_are_kept_and_they_go_with_the_job() {
    let rig = Rig::start().await;
    let id = rig.deploy(&job("web"), Goal::Start).await;
    for _ in 0..10 {
        rig.until_state(&id, TaskState::Running).await;
        rig.set_goal(&id, Goal::Stop).await;
        rig.until_state(&id, TaskState::Stopped).await;
        rig.set_goal(&id, Goal::Start).await;
    }
    let events = until_last(&rig, &id, TaskState::Running).await;
    assert_eq!(events.len(), HISTORY_EVENTS_MAX);
    rig.undeploy(&id).await;
    rig.until_gone(&id).await;
    rig.cluster
        .remove_job(&RemoveJob::new(id.clone()))
        .await
        .expect("a removal");
    assert_eq!(history(&rig, &id).await, []);
    rig.pass(Duration::from_secs(60)).await;
    assert_eq!(history(&rig, &id).await, [], "the agent brings it back");
}

#[tokio::test(start_paused = true)]
async fn what_happens_while_the_store_is_away_is_written_afterwards() {
    let mut rig = Rig::without_agent().await;
    let is_away = Arc::new(AtomicBool::new(false));
    let switch = Arc::clone(&is_away);
    rig.start_agent_over(|store| SwitchedStore {
        store,
        is_away: switch,
    })
    .await;
    until_up(&rig).await;
    let id = rig.deploy(&job("web"), Goal::Start).await;
    let before = until_last(&rig, &id, TaskState::Running).await;
    is_away.store(true, Ordering::Relaxed);
    let first = rig.running().await.remove(0);
    rig.engine.kill(&first.name);
    rig.until("another container runs", async |rig| {
        let running = rig.running().await;
        running
            .first()
            .is_some_and(|container| container.id != first.id)
    })
    .await;
    rig.pass(Duration::from_secs(30)).await;
    assert_eq!(history(&rig, &id).await, before);
    is_away.store(false, Ordering::Relaxed);
    rig.until("the history goes on", async |rig| {
        history(rig, &id).await.len() > before.len()
    })
    .await;
    let after = until_last(&rig, &id, TaskState::Running).await;
    assert_eq!(after.get(..before.len()), Some(&*before));
    let exited = after
        .iter()
        .any(|event| event.task.state == TaskState::Exited);
    assert!(exited, "{after:#?}");
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_starts_again_has_nothing_new_to_tell() {
    let mut rig = Rig::start().await;
    let id = rig.deploy(&job("web"), Goal::Start).await;
    let before = until_last(&rig, &id, TaskState::Running).await;
    rig.kill_agent().await;
    rig.start_agent().await;
    rig.until_state(&id, TaskState::Running).await;
    rig.pass(Duration::from_secs(90)).await;
    assert_eq!(history(&rig, &id).await, before);
}

#[tokio::test(start_paused = true)]
async fn without_history_a_job_runs_all_the_same() {
    let mut rig = Rig::without_agent().await;
    rig.start_agent_with(helios_core::agent::Agent::without_history)
        .await;
    until_up(&rig).await;
    let id = rig.deploy(&job("web"), Goal::Start).await;
    rig.until_state(&id, TaskState::Running).await;
    rig.pass(Duration::from_secs(60)).await;
    assert_eq!(history(&rig, &id).await, []);
}
