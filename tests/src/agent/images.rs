//! Images that the agent pulled go when nobody needs them, and no others.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use helios_core::runtime::{Images, RuntimeError, RuntimeErrorKind};
use helios_core::{Goal, Job, JobId, TaskState};
use helios_testkit::runtime::FakeImage;

use crate::rig::{Rig, job};

const HOUR: Duration = Duration::from_secs(3600);
const MINUTE: Duration = Duration::from_secs(60);

/// What the engine says of images, and which it was told to remove.
#[derive(Clone, Debug, Default)]
struct Shelf(Arc<Mutex<Content>>);

#[derive(Debug, Default)]
struct Content {
    ids: BTreeMap<String, String>,
    in_use: bool,
    asked: Vec<String>,
}

#[async_trait]
impl Images for Shelf {
    async fn image_id(&self, reference: &str) -> Result<Option<String>, RuntimeError> {
        Ok(self.0.lock().expect("the lock").ids.get(reference).cloned())
    }

    async fn remove_image(&self, reference: &str) -> Result<(), RuntimeError> {
        let mut content = self.0.lock().expect("the lock");
        content.asked.push(reference.to_owned());
        if content.in_use {
            return Err(RuntimeError::new(RuntimeErrorKind::Failed, "it is in use"));
        }
        content.ids.remove(reference);
        Ok(())
    }
}

impl Shelf {
    fn with(images: &[(&str, &str)]) -> Self {
        let shelf = Self::default();
        images.iter().for_each(|(name, id)| shelf.put(name, id));
        shelf
    }

    fn put(&self, name: &str, id: &str) {
        let mut content = self.0.lock().expect("the lock");
        content.ids.insert(name.to_owned(), id.to_owned());
    }

    fn in_use(&self, in_use: bool) {
        self.0.lock().expect("the lock").in_use = in_use;
    }

    /// What was to be removed since the last time.
    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().expect("the lock").asked)
    }
}

async fn start_again(rig: &mut Rig, shelf: &Shelf) {
    let images = Arc::new(shelf.clone());
    rig.start_agent_with(|agent| agent.images(images, HOUR))
        .await;
    rig.until_up().await;
}

/// A host that has `busybox` and has to pull `pulled:1`.
async fn start(shelf: &Shelf) -> Rig {
    let mut rig = Rig::without_agent().await;
    rig.engine.image("pulled:1", FakeImage::new());
    start_again(&mut rig, shelf).await;
    rig
}

fn of_pulled(name: &str) -> Job {
    let mut job = job(name);
    job.image = Some("pulled:1".to_owned());
    job.with_computed_id()
}

async fn runs(rig: &Rig, job: &Job) -> JobId {
    let id = rig.deploy(job, Goal::Start).await;
    rig.until_state(&id, TaskState::Running).await;
    id
}

#[tokio::test(start_paused = true)]
async fn an_image_that_was_pulled_goes_when_no_job_has_needed_it_for_long_enough() {
    let shelf = Shelf::with(&[("pulled:1", "id1"), ("busybox", "id0")]);
    let rig = start(&shelf).await;
    let (pulled, here) = (
        runs(&rig, &of_pulled("a")).await,
        runs(&rig, &job("b")).await,
    );
    rig.pass(2 * HOUR).await;
    rig.undeploy(&pulled).await;
    rig.undeploy(&here).await;
    rig.until_gone(&pulled).await;
    rig.pass(HOUR - MINUTE).await;
    assert_eq!(shelf.asked(), <[&str; 0]>::default());
    rig.pass(2 * MINUTE).await;
    assert_eq!(shelf.asked(), ["pulled:1"], "busybox was here before");
}

#[tokio::test(start_paused = true)]
async fn a_stopped_job_keeps_its_image_and_one_that_comes_back_in_time_too() {
    let shelf = Shelf::with(&[("pulled:1", "id1")]);
    let rig = start(&shelf).await;
    let first = runs(&rig, &of_pulled("a")).await;
    rig.set_goal(&first, Goal::Stop).await;
    rig.pass(2 * HOUR).await;
    rig.undeploy(&first).await;
    rig.pass(HOUR / 2).await;
    let second = runs(&rig, &of_pulled("b")).await;
    rig.pass(HOUR).await;
    rig.undeploy(&second).await;
    rig.pass(HOUR / 2).await;
    assert_eq!(shelf.asked(), <[&str; 0]>::default());
}

#[tokio::test(start_paused = true)]
async fn what_was_pulled_is_known_after_a_restart_and_tried_again_when_it_is_in_use() {
    let shelf = Shelf::with(&[("pulled:1", "id1")]);
    let mut rig = start(&shelf).await;
    let id = runs(&rig, &of_pulled("a")).await;
    rig.pass(MINUTE).await;
    rig.kill_agent().await;
    rig.undeploy(&id).await;
    shelf.in_use(true);
    start_again(&mut rig, &shelf).await;
    rig.pass(HOUR + MINUTE).await;
    assert_eq!(shelf.asked(), ["pulled:1"]);
    rig.pass(HOUR / 2).await;
    assert_eq!(shelf.asked(), <[&str; 0]>::default(), "not again and again");
    shelf.in_use(false);
    rig.pass(HOUR).await;
    assert_eq!(shelf.asked(), ["pulled:1"]);
}

#[tokio::test(start_paused = true)]
async fn a_name_that_means_another_image_by_now_is_left_alone() {
    let shelf = Shelf::with(&[("pulled:1", "id1")]);
    let rig = start(&shelf).await;
    let id = runs(&rig, &of_pulled("a")).await;
    rig.pass(MINUTE).await;
    rig.undeploy(&id).await;
    shelf.put("pulled:1", "somebody's own build");
    rig.pass(3 * HOUR).await;
    assert_eq!(shelf.asked(), <[&str; 0]>::default());
}
