//! Two masters at once, one of which dies at every commit it could die at.

use std::sync::Arc;
use std::time::Duration;

use helios_rollout::rolling::{Policy, RolloutState};
use tokio::time::sleep;

use crate::crashing_store::{CrashingStore, Death};
use crate::fleet::{Fleet, host};

const HOSTS: usize = 4;

/// Rolls out over a fleet with one master that dies and one that does not; whether the first had died.
async fn with_a_death(nth: u32, death: Death) -> bool {
    let mut fleet = Fleet::of(HOSTS).await;
    let dying = Arc::new(CrashingStore::new(fleet.store.session(), nth, death));
    fleet.start_master_on(Arc::clone(&dying) as _);
    fleet.start_master();
    let [old, new] = [fleet.job(1, "web").await, fleet.job(2, "web").await];
    for job in [&old, &new] {
        fleet.roll_out(job, 2, Policy::default()).await;
        let rollout = fleet.until_ended().await;
        assert_eq!(rollout.state, RolloutState::Done, "{rollout:#?}");
        // Each host was started and finished once, whoever died.
        assert_eq!((rollout.started, rollout.done), (4, 4), "{death:?} {nth}");
        assert!(rollout.failed.is_empty());
        for number in 1..=HOSTS {
            assert!(
                fleet.runs_only(&host(number), job).await || job == &new,
                "{number}"
            );
        }
        fleet.until_all_run(HOSTS, job).await;
    }
    dying.is_dead()
}

async fn at_every_commit(death: Death) {
    let mut nth = 1;
    while with_a_death(nth, death).await {
        nth += 1;
        assert!(nth < 60, "a rollout over four hosts takes so many commits");
    }
    assert!(nth > 2, "the masters shared the work: {nth}");
}

#[tokio::test(start_paused = true)]
async fn a_master_that_dies_before_a_commit_stops_no_rollout() {
    at_every_commit(Death::Before).await;
}

#[tokio::test(start_paused = true)]
async fn a_master_that_dies_after_a_commit_stops_no_rollout() {
    at_every_commit(Death::After).await;
}

#[tokio::test(start_paused = true)]
async fn a_rollout_without_a_master_goes_on_when_there_is_one_again() {
    let mut fleet = Fleet::of(3).await;
    let dying = Arc::new(CrashingStore::new(fleet.store.session(), 2, Death::After));
    fleet.start_master_on(Arc::clone(&dying) as _);
    let job = fleet.job(1, "web").await;
    fleet.roll_out(&job, 1, Policy::default()).await;
    sleep(Duration::from_secs(120)).await;
    assert!(dying.is_dead());
    let stuck = fleet.rollout().await;
    assert_eq!(stuck.state, RolloutState::RollingOut);
    fleet.start_master();
    let rollout = fleet.until_ended().await;
    assert_eq!(
        (rollout.state, rollout.done),
        (RolloutState::Done, 3),
        "{rollout:#?}"
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_is_written_while_nothing_is_to_be_done() {
    let mut fleet = Fleet::of(3).await;
    fleet.start_master();
    fleet.start_master();
    let job = fleet.job(1, "web").await;
    fleet.roll_out(&job, 3, Policy::default()).await;
    fleet.until_ended().await;
    fleet.until_all_run(3, &job).await;
    let before = fleet.record().await.version;
    sleep(Duration::from_secs(600)).await;
    assert_eq!(fleet.record().await.version, before);
}
