//! `helios master`.

use std::future::{Future, pending};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;

use helios_core::cluster::Cluster;
use helios_core::reap::{ReapRules, Reaper};
use helios_core::store::StoreError;
use helios_rollout::drive::VariableDriver;
use helios_rollout::reset::{ResetAction, ResetDriver};
use helios_rollout::rolling;

use super::authorities::Authorities;
use super::host::host_name;
use super::listener::Door;
use super::log::{SERVER_LEVEL, log_to_stderr};
use super::login::Login;
use super::process::{Shutdown, on_threads};
use super::prometheus::Prometheus;
use super::reset_action;
use super::store::{OpenStore, StoreAddress};
use crate::args::MasterArgs;
use crate::{Console, Environment, Failure, Outcome};

pub(crate) fn run(
    args: &MasterArgs,
    environment: &Environment,
    console: &mut Console,
) -> Result<Outcome, Failure> {
    log_to_stderr(environment, SERVER_LEVEL);
    let name = host_name(args.name.as_deref(), environment)?;
    let address = StoreAddress::parse(&args.store.name())?;
    let login = Login::new(&args.store.zookeeper, environment);
    on_threads(async {
        let shutdown = Shutdown::on_signals()?;
        let door = Door::open(&args.door).await?;
        let url = door.url();
        let store = address.open(&login).await?;
        let authorities = Authorities::read(&args.outbound)?;
        let reset = reset_action::action(&args.reset, &authorities)?;
        let asking = Asking { reset, authorities };
        let master =
            Master::over(&store, name.to_string(), door, args.reap.rules(), asking).await?;
        console.say(format_args!(
            "helios master {name} ready at {url}, store {address}"
        ));
        console.flush();
        let outcome = master.run(&shutdown).await;
        store.close().await;
        outcome.map(|()| Outcome::Done)
    })
}

/// The HTTP interface of a cluster, and its announcement in the cluster.
#[derive(Debug)]
pub(super) struct Master {
    name: String,
    cluster: Cluster,
    door: Door,
    rules: ReapRules,
    asking: Asking,
}

/// Whom a master asks beside its store, and whom it believes.
#[derive(Debug)]
pub(super) struct Asking {
    /// To reset machines.
    pub(super) reset: Arc<dyn ResetAction>,
    /// Who vouches for the others.
    pub(super) authorities: Authorities,
}

impl Master {
    /// A master over that store, which becomes a cluster's if it is nobody's yet.
    pub(super) async fn over(
        store: &OpenStore,
        name: String,
        door: Door,
        rules: ReapRules,
        asking: Asking,
    ) -> Result<Self, Failure> {
        let cluster = Cluster::on(store.handle()).map_err(|error| {
            Failure::new("the operating system gives no random numbers").caused_by(error)
        })?;
        cluster.init().await.map_err(|error| {
            Failure::new("the store cannot be made a cluster's")
                .caused_by(error)
                .advise("see that the store answers, and that this master may write there")
        })?;
        Ok(Self {
            name,
            cluster,
            door,
            rules,
            asking,
        })
    }

    pub(super) fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// A name that is that of this very start.
    fn this_start(&self) -> String {
        let number = RandomState::new().build_hasher().finish();
        format!("{}-{number:016x}", self.name)
    }

    /// Serves until shutdown.
    pub(super) async fn run(mut self, shutdown: &Shutdown) -> Result<(), Failure> {
        // Everything below looks at the same fleet, which is large.
        let (cluster, follow) = self.cluster.sharing_fleet();
        self.cluster = cluster;
        let followed = async {
            follow.await;
            pending::<()>().await;
        };
        tokio::select! {
            outcome = self.work(shutdown) => outcome,
            () = followed => Ok(()),
        }
    }

    async fn work(self, shutdown: &Shutdown) -> Result<(), Failure> {
        let Asking { reset, authorities } = &self.asking;
        let evidence = Arc::new(Prometheus::trusting(authorities));
        let resets = ResetDriver::new(&self.cluster, self.this_start(), Arc::clone(reset));
        let resets = resets.source(evidence.clone()).run(shutdown.wait());
        let served = self.door.serve(&self.cluster, shutdown);
        let announced = self.cluster.announce_master(&self.name, shutdown.wait());
        let rolled = rolling::Driver::new(&self.cluster, &self.name).run(shutdown.wait());
        let driven = VariableDriver::new(self.cluster.clone()).source(evidence);
        let driven = until(driven.run(), shutdown);
        let reaped = Reaper::new(&self.cluster, self.rules).run(shutdown.wait());
        tokio::try_join!(
            driven,
            told(served, |error| Failure::new("the master cannot serve")
                .caused_by(error)),
            told(announced, |error: StoreError| Failure::new(
                error.to_string()
            )),
            async {
                tokio::join!(rolled, reaped, resets);
                Ok(())
            },
        )?;
        Ok(())
    }
}

/// A loop that has no end of its own.
async fn until(work: impl Future<Output = ()>, shutdown: &Shutdown) -> Result<(), Failure> {
    tokio::select! {
        () = work => {}
        () = shutdown.wait() => {}
    }
    Ok(())
}

async fn told<E>(
    part: impl Future<Output = Result<(), E>>,
    tell: impl Fn(E) -> Failure,
) -> Result<(), Failure> {
    part.await.map_err(tell)
}
