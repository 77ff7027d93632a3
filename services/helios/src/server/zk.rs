//! `helios zk`.

use helios_core::store::StoreError;
use helios_store::zookeeper::{AclReport, Identity};

use super::log::log_to_stderr;
use super::login::Login;
use super::process::on_threads;
use super::store::{OpenStore, StoreAddress};
use crate::args::{StoreArgs, ZkArgs, ZkCommand};
use crate::{Console, Environment, Failure, Outcome};

pub(crate) fn run(
    args: &ZkArgs,
    environment: &Environment,
    console: &mut Console,
) -> Result<Outcome, Failure> {
    log_to_stderr(environment, "warn");
    match &args.command {
        ZkCommand::InitAcl(store) => init_acl(store, environment, console),
    }
}

/// Gives every node its access list, and says what that changed and whom the lists name.
fn init_acl(
    args: &StoreArgs,
    environment: &Environment,
    console: &mut Console,
) -> Result<Outcome, Failure> {
    let address = StoreAddress::parse(&args.name())?;
    let login = Login::new(&args.zookeeper, environment);
    let StoreAddress::ZooKeeper(_) = address else {
        let failure = Failure::new(format!("the store {address} has no access lists"));
        return Err(failure.advise("name an ensemble: --store zk://h1:2181,h2:2181/helios"));
    };
    let (masters, agents) = login.parties()?;
    on_threads(async {
        let store = address.open(&login).await?;
        let failed = |error: StoreError| {
            Failure::new(format!("the access lists of {address} cannot be set"))
                .caused_by(error)
                .advise("see that the ensemble answers and that HELIOS_ZK_MASTER_PASSWORD is the masters'")
        };
        let report = match &store {
            OpenStore::ZooKeeper(store) => store.init_acl().await.map_err(failed),
            OpenStore::Memory(_) | OpenStore::File(_) => Ok(AclReport::default()),
        };
        store.close().await;
        tell(&report?, console);
        console.say(format_args!(
            "agents are told --zk-acl-master-digest {}",
            hash(&masters.identity())
        ));
        console.say(format_args!(
            "masters are told --zk-acl-agent-digest {}",
            hash(&agents)
        ));
        Ok(Outcome::Done)
    })
}

fn tell(report: &AclReport, console: &mut Console) {
    for key in &report.removed {
        console.say(format_args!(
            "removed {key}: anybody could write it; its agent writes it again"
        ));
    }
    console.say(format_args!(
        "{} nodes, of which {} had another access list",
        report.nodes, report.rewritten
    ));
}

/// The hash without the user.
fn hash(identity: &Identity) -> String {
    let text = identity.to_string();
    text.rsplit_once(':')
        .map_or_else(String::new, |(_, hash)| hash.to_owned())
}
