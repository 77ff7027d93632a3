//! What people ask of the masters meanwhile.

mod resets;
mod rolling;

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_core::future::BoxFuture;
use helios_core::cluster::{Cluster, ClusterError};
use helios_core::model::{HealthCheck, Job, PortMapping};
use helios_core::ops::{CreateJob, Deploy, RemoveJob, SetGoal, Undeploy};
use helios_core::schema::Keys;
use helios_core::store::{StoreError, StoreErrorKind, Txn, VALUE_BYTES_MAX};
use helios_core::{Goal, HostName};
use tokio::time::sleep;

pub(super) use rolling::{SEE_TO_IT, labels};

use super::Kept;
use super::dice::Dice;
use super::trace::{Actor, Outcome, What};
use super::world::{Life, World};

/// Changes that are asked of the masters while things fail.
#[derive(Clone)]
pub struct Workload(pub(super) Arc<dyn Fn(MasterCtx) -> BoxFuture<'static, ()> + Send + Sync>);

/// A master, for one of its lives. All of it stops working when the master is killed.
#[derive(Debug)]
pub struct MasterCtx {
    /// Which master it is, from 0.
    pub number: u16,
    /// The cluster, through this master's connection to the store.
    pub cluster: Cluster,
    /// The hosts there are.
    pub hosts: Vec<HostName>,
    /// Chance, different for every life.
    pub dice: Dice,
    pub(super) until: Duration,
    pub(super) kept: Kept,
    pub(super) world: World,
    pub(super) life: Arc<Life>,
    pub(super) asked: u64,
}

impl Workload {
    /// What `work` does, at every start of every master.
    #[must_use]
    pub fn new<F: Future<Output = ()> + Send + 'static>(
        work: impl Fn(MasterCtx) -> F + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(move |master| Box::pin(work(master))))
    }

    /// Jobs of all sorts that come, go, move and change their goals, at a pace that the seed decides.
    #[must_use]
    pub fn mixed() -> Self {
        Self::new(mixed)
    }

    /// Rolling updates over two groups that share hosts: started, paused, stopped, taken back and replaced, with
    /// jobs that get well and jobs that do not, while every master moves them.
    #[must_use]
    pub fn rolling() -> Self {
        Self::new(rolling::rolling)
    }

    /// Fleet resets: started, paused, resumed and aborted, of machines that restart or never come back, while every master moves
    /// them and hosts are deregistered.
    #[must_use]
    pub fn resets() -> Self {
        Self::new(resets::resets)
    }
}

impl MasterCtx {
    /// Makes the store a cluster's, however often that has to be tried: as every master begins.
    pub async fn begin(&self) {
        while self.cluster.init().await.is_err() {
            sleep(Duration::from_secs(1)).await;
        }
    }

    /// Whether the time in which things fail is over. What is wanted should change no more after it.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.world.with(|state| state.now >= self.until)
    }

    /// Makes one change, noting in the trace what was asked and what was told.
    ///
    /// # Errors
    /// Those of `make`.
    pub async fn ask<T, R, F: Future<Output = Result<T, ClusterError<R>>>>(
        &mut self,
        change: impl Into<String>,
        make: impl FnOnce(Cluster) -> F,
    ) -> Result<T, ClusterError<R>> {
        self.asked += 1;
        let (actor, change) = (self.life.actor, change.into());
        let principal = format!("{actor}-{}-{}", self.life.number, self.asked);
        if !self.kept.is_asked(&principal) {
            let message = "the change is left out of this run";
            let error = StoreError::new(StoreErrorKind::Unavailable, message);
            return Err(ClusterError::Store(error));
        }
        let asked = What::Asked {
            principal: principal.clone(),
            change,
        };
        self.world.with(|state| state.record(actor, asked));
        let made = make(self.cluster.on_behalf_of(&principal)).await;
        let outcome = match &made {
            Ok(_) => Outcome::Done,
            Err(ClusterError::Store(error)) if error.kind() == StoreErrorKind::Indeterminate => {
                Outcome::Unknown
            }
            Err(ClusterError::Store(error)) => Outcome::Failed(Some(error.kind())),
            Err(_) => Outcome::Failed(None),
        };
        self.world
            .with(|state| state.record(actor, What::Told { principal, outcome }));
        made
    }
}

/// A small world of jobs, so that the same ones come and go again and again.
fn job(number: u64) -> Option<Job> {
    let image = if number == 6 { "missing:1" } else { "web:1" };
    let mut job = Job::new(&format!("job{number}:1"), image).ok()?;
    job.seconds_to_wait_before_kill = i32::try_from(number * 3).ok();
    match number {
        1 => {
            job.ports.insert("http".to_owned(), PortMapping::tcp(80));
        }
        2 => {
            job.ports
                .insert("http".to_owned(), PortMapping::tcp(80).external(20_001));
        }
        3 => {
            job.ports.insert("http".to_owned(), PortMapping::tcp(80));
            job.health_check = Some(HealthCheck::http("http", "/"));
        }
        4 => {
            job.health_check = Some(HealthCheck::exec(["true"]));
            job.command = vec!["unwell".to_owned()];
        }
        5 => job.command = vec!["flap".to_owned()],
        7 => {
            job.ports
                .insert("dns".to_owned(), PortMapping::udp(53).external(20_001));
            job.ports
                .insert("more".to_owned(), PortMapping::tcp(54).external(20_001));
        }
        _ => {}
    }
    Some(job)
}

async fn mixed(mut master: MasterCtx) {
    let name = format!("{}", master.life.actor);
    master.begin().await;
    let world = master.world.clone();
    let dice = |count| world.with(|state| state.dice(&format!("work {name}"), count));
    let pace = dice(0).between(Duration::from_secs(2), Duration::from_secs(25));
    let life = u64::from(master.life.number) << 32;
    let mut count = 0;
    while !master.is_over() {
        count += 1;
        let mut dice = dice(life + count);
        sleep(dice.between(Duration::from_millis(50), pace)).await;
        if !master.is_over() {
            one_change(&mut master, &mut dice).await;
        }
        let is_too_much = world.with(|state| {
            let mut dice = state.dice(&format!("too much {name}"), life + count);
            dice.chance(5)
        });
        if is_too_much {
            ask_too_much(&mut master).await;
        }
    }
    if master.life.actor == Actor::Master(0) {
        // The last changes are asked for when nothing fails any more: these must come about in time.
        sleep(Duration::from_secs(6)).await;
        for count in 0..3 {
            let mut dice = dice(u64::MAX - count);
            one_change(&mut master, &mut dice).await;
        }
    }
}

/// Asks the store to keep more than it may. It has to refuse that, and nobody else is to notice.
async fn ask_too_much(master: &mut MasterCtx) {
    let much = master.ask("store too much", |cluster| async move {
        let value = vec![b'x'; VALUE_BYTES_MAX + 1];
        let txn = Txn::new().create(Keys::cluster(), value);
        Ok::<_, ClusterError>(cluster.store().commit(txn).await?)
    });
    drop(much.await);
}

/// Whether it comes about is for the checks to say.
async fn one_change(master: &mut MasterCtx, dice: &mut Dice) {
    let (Some(job), Some(host)) = (job(dice.below(9)), dice.pick(&master.hosts).cloned()) else {
        return;
    };
    let id = job.compute_id();
    let kind = dice.below(100);
    let note = |verb: &str| format!("{verb} {} on {host}", job.id);
    let goal = if dice.chance(250) {
        Goal::Stop
    } else {
        Goal::Start
    };
    let outcome = match kind {
        0..55 => {
            let created = master.ask(note("create"), |cluster| async move {
                cluster.create_job(&CreateJob::new(job.clone())).await
            });
            drop(created.await);
            let deploy = Deploy::new(host.clone(), id, Goal::Start);
            let note = format!("deploy {} on {host}", deploy.job.without_hash());
            master
                .ask(note, |cluster| async move { cluster.deploy(&deploy).await })
                .await
        }
        55..80 => {
            let undeploy = Undeploy::new(host.clone(), id);
            master
                .ask(note("undeploy"), |cluster| async move {
                    cluster.undeploy(&undeploy).await
                })
                .await
        }
        80..93 => {
            let set = SetGoal::new(host.clone(), id, goal);
            master
                .ask(note("set the goal of"), |cluster| async move {
                    cluster.set_goal(&set).await
                })
                .await
        }
        93..97 => {
            master
                .ask(note("remove"), |cluster| async move {
                    cluster.remove_job(&RemoveJob::new(id)).await
                })
                .await
        }
        97..98 => {
            master
                .ask(format!("deregister {host}"), |cluster| async move {
                    cluster.deregister_host(&host).await
                })
                .await
        }
        _ => {
            // At once there and back: faster than anybody resyncs.
            let undeploy = Undeploy::new(host.clone(), id.clone());
            let first = master.ask(note("undeploy"), |cluster| async move {
                cluster.undeploy(&undeploy).await
            });
            drop(first.await);
            let deploy = Deploy::new(host.clone(), id, Goal::Start);
            master
                .ask(note("redeploy"), |cluster| async move {
                    cluster.deploy(&deploy).await
                })
                .await
        }
    };
    drop(outcome);
}

impl fmt::Debug for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workload").finish_non_exhaustive()
    }
}
