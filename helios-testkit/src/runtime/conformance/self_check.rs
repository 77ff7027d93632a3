//! The suite itself under test: each planted bug must fail the case that is about it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, stream};
use helios_core::Runtime;
use helios_core::runtime::{
    Container, ContainerId, ContainerSpec, ContainerState, Containers, Owner, RuntimeError,
    RuntimeErrorKind,
};

use super::{Behaviour, FakeHarness, RuntimeHarness, SampleImage, run_on};
use crate::runtime::FakeRuntime;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bug {
    ListsWhatIsForeign,
    ListsNothingWhenAway,
    ListsNoExited,
    WatchSkipsThePresent,
    WatchSeesOnlyThePresent,
    WatchEndsInTrouble,
    PullsNothing,
    CreatesFromAnySpec,
    CreatesWithoutLabels,
    CreatePulls,
    StartsNothing,
    StartsAgain,
    StopsNothing,
    StopsWithoutGrace,
    StopOfTheStoppedFails,
    RemovesNothing,
    RemoveOfTheMissingFails,
}

/// The fake engine with one bug.
#[derive(Debug)]
struct Planted {
    inner: FakeRuntime,
    stranger: FakeRuntime,
    bug: Bug,
}

impl Planted {
    fn has(&self, bug: Bug) -> bool {
        self.bug == bug
    }

    async fn of_id(&self, id: &ContainerId) -> Option<Container> {
        let list = self.inner.list().await.ok()?;
        list.iter().find(|container| container.id == *id).cloned()
    }
}

fn failed() -> RuntimeError {
    RuntimeError::new(RuntimeErrorKind::Failed, "planted")
}

#[async_trait]
impl Runtime for Planted {
    async fn list(&self) -> Result<Containers, RuntimeError> {
        let seen = self.inner.list().await;
        match self.bug {
            Bug::ListsNothingWhenAway => Ok(seen.unwrap_or_default()),
            Bug::ListsWhatIsForeign => {
                let foreign = self.stranger.list().await?;
                Ok(seen?.iter().chain(foreign.iter()).cloned().collect())
            }
            Bug::ListsNoExited => Ok(seen?
                .iter()
                .filter(|container| !matches!(container.state, ContainerState::Exited(_)))
                .cloned()
                .collect()),
            Bug::CreatesWithoutLabels => Ok(seen?
                .iter()
                .cloned()
                .map(|container| Container {
                    labels: Default::default(),
                    ..container
                })
                .collect()),
            _ => seen,
        }
    }

    fn watch(&self) -> BoxStream<'static, Result<Containers, RuntimeError>> {
        let watch = self.inner.watch();
        match self.bug {
            Bug::WatchSkipsThePresent => watch.skip(1).boxed(),
            Bug::WatchSeesOnlyThePresent => watch.take(1).chain(stream::pending()).boxed(),
            Bug::WatchEndsInTrouble => watch
                .take_while(|item| std::future::ready(item.is_ok()))
                .boxed(),
            _ => watch,
        }
    }

    async fn pull(&self, image: &str) -> Result<(), RuntimeError> {
        match self.bug {
            Bug::PullsNothing => Ok(()),
            _ => self.inner.pull(image).await,
        }
    }

    async fn create(&self, spec: &ContainerSpec) -> Result<ContainerId, RuntimeError> {
        if self.has(Bug::CreatePulls) {
            self.inner.pull(&spec.image).await?;
        }
        let there = self.inner.list().await?.get(&spec.name).cloned();
        match there {
            Some(there) if self.has(Bug::CreatesFromAnySpec) => Ok(there.id),
            _ => self.inner.create(spec).await,
        }
    }

    async fn start(&self, id: &ContainerId) -> Result<(), RuntimeError> {
        if self.has(Bug::StartsNothing) {
            return Ok(());
        }
        let state = self.of_id(id).await.map(|container| container.state);
        if self.has(Bug::StartsAgain) && state == Some(ContainerState::Running) {
            self.inner.engine().kill(id.as_str());
        }
        self.inner.start(id).await
    }

    async fn stop(&self, id: &ContainerId, grace: Duration) -> Result<(), RuntimeError> {
        let state = self.of_id(id).await.map(|container| container.state);
        match self.bug {
            Bug::StopsNothing => Ok(()),
            Bug::StopsWithoutGrace => self.inner.stop(id, Duration::ZERO).await,
            Bug::StopOfTheStoppedFails if state != Some(ContainerState::Running) => Err(failed()),
            _ => self.inner.stop(id, grace).await,
        }
    }

    async fn remove(&self, id: &ContainerId) -> Result<(), RuntimeError> {
        match self.bug {
            Bug::RemovesNothing => Ok(()),
            Bug::RemoveOfTheMissingFails if self.of_id(id).await.is_none() => Err(failed()),
            _ => self.inner.remove(id).await,
        }
    }
}

struct PlantedHarness {
    inner: FakeHarness,
    bug: Bug,
}

#[async_trait]
impl RuntimeHarness for PlantedHarness {
    async fn runtime(&self, owner: &str) -> Arc<dyn Runtime> {
        let engine = self.inner.engine();
        let stranger = if owner == "a" { "b" } else { "a" };
        Arc::new(Planted {
            inner: engine.runtime(Owner::new(owner).unwrap()),
            stranger: engine.runtime(Owner::new(stranger).unwrap()),
            bug: self.bug,
        })
    }

    fn spec(&self, name: &str, behaviour: Behaviour) -> ContainerSpec {
        self.inner.spec(name, behaviour)
    }

    fn image(&self, sample: SampleImage) -> String {
        self.inner.image(sample)
    }

    fn free_port(&self) -> u16 {
        self.inner.free_port()
    }

    async fn ready(&self, id: &ContainerId) {
        self.inner.ready(id).await;
    }

    async fn run_of(&self, id: &ContainerId) -> String {
        self.inner.run_of(id).await
    }

    async fn kill(&self, id: &ContainerId) {
        self.inner.kill(id).await;
    }

    async fn cut(&self) {
        self.inner.cut().await;
    }

    async fn heal(&self) {
        self.inner.heal().await;
    }

    async fn clean_up(&self) {
        self.inner.clean_up().await;
    }
}

/// The bug must fail the case. On paused time, so that what never happens is over at once.
fn fails(bug: Bug, case: &str) {
    let executor = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        run_on(&executor, case, || async move {
            PlantedHarness {
                inner: FakeHarness::new(),
                bug,
            }
        });
    }));
    assert!(outcome.is_err(), "{bug:?} went unnoticed by {case}");
}

#[test]
fn every_planted_bug_fails_the_case_that_is_about_it() {
    for (bug, case) in [
        (
            Bug::ListsWhatIsForeign,
            "r01_never_lists_what_another_owner_has",
        ),
        (
            Bug::ListsNothingWhenAway,
            "r01_an_engine_that_is_away_is_an_error_and_not_an_empty_list",
        ),
        (Bug::ListsNoExited, "r01_lists_containers_in_every_state"),
        (
            Bug::WatchSkipsThePresent,
            "r03_watch_begins_with_the_present",
        ),
        (
            Bug::WatchSeesOnlyThePresent,
            "r04_watch_shows_every_later_change",
        ),
        (
            Bug::WatchSeesOnlyThePresent,
            "r04_watch_shows_a_process_that_was_killed",
        ),
        (
            Bug::WatchEndsInTrouble,
            "r05_trouble_is_an_item_and_not_the_end",
        ),
        (Bug::PullsNothing, "r06_a_pulled_image_can_be_created"),
        (
            Bug::CreatesFromAnySpec,
            "r07_another_spec_of_the_name_is_refused",
        ),
        (
            Bug::CreatesWithoutLabels,
            "r08_labels_and_digest_are_there_from_the_start",
        ),
        (Bug::CreatePulls, "r09_create_pulls_nothing"),
        (Bug::StartsNothing, "r11_a_started_container_runs"),
        (Bug::StartsAgain, "r12_starting_the_running_changes_nothing"),
        (Bug::StopsNothing, "r13_a_stopped_container_does_not_run"),
        (Bug::StopsWithoutGrace, "r14_a_process_has_its_grace"),
        (
            Bug::StopOfTheStoppedFails,
            "r15_stopping_what_does_not_run_succeeds",
        ),
        (
            Bug::RemovesNothing,
            "r16_the_name_of_a_removed_container_is_free",
        ),
        (
            Bug::RemoveOfTheMissingFails,
            "r17_removing_the_missing_succeeds",
        ),
    ] {
        fails(bug, case);
    }
}

#[test]
fn a_case_that_does_not_exist_is_no_success() {
    let run = || super::run("r99_nothing", || async { FakeHarness::new() });
    assert!(catch_unwind(run).is_err());
}
