//! Who this process is to a store that others reach too.

#[cfg(feature = "zookeeper")]
use std::path::Path;

#[cfg(feature = "zookeeper")]
use helios_core::HostName;
#[cfg(feature = "zookeeper")]
use helios_store::zookeeper::{
    Access, Credential, CredentialError, Identity, Tls, ZooKeeperAddress, ZooKeeperOptions,
};

use crate::args::ZooKeeperArgs;
use crate::{Environment, Failure};

/// The variables that passwords are in.
#[cfg(feature = "zookeeper")]
const MASTER_PASSWORD: &str = "HELIOS_ZK_MASTER_PASSWORD";
#[cfg(feature = "zookeeper")]
const AGENT_PASSWORD: &str = "HELIOS_ZK_AGENT_PASSWORD";
#[cfg(feature = "zookeeper")]
const HOST_PASSWORD: &str = "HELIOS_ZK_HOST_PASSWORD";

/// What the command line and the environment say about it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Login<'a> {
    args: &'a ZooKeeperArgs,
    #[cfg_attr(
        not(feature = "zookeeper"),
        expect(dead_code, reason = "holds passwords")
    )]
    environment: &'a Environment,
}

impl<'a> Login<'a> {
    pub(super) fn new(args: &'a ZooKeeperArgs, environment: &'a Environment) -> Self {
        Self { args, environment }
    }

    /// Refuses options that the store has no use for.
    pub(super) fn is_for_none(&self, store: impl std::fmt::Display) -> Result<(), Failure> {
        match self.args.given() {
            Some(option) => Err(Failure::new(format!(
                "{option} is for a store zk://..., and the store is {store}"
            ))
            .advise(format!(
                "leave {option} out, or name an ensemble with --store"
            ))),
            None => Ok(()),
        }
    }
}

#[cfg(feature = "zookeeper")]
impl Login<'_> {
    /// As a master. Without a password the store is open to everybody.
    pub(super) fn master(&self, address: ZooKeeperAddress) -> Result<ZooKeeperOptions, Failure> {
        let options = self.options(address)?;
        if self.environment.variable(MASTER_PASSWORD).is_none() {
            return match self.args.agent_digest {
                Some(_) => Err(missing(MASTER_PASSWORD, "--zk-acl-agent-digest")),
                None => Ok(options),
            };
        }
        let (masters, agents) = self.parties()?;
        Ok(options.access(Access::master(masters, agents)))
    }

    /// The masters, which this process must be one of, and whom they take for agents.
    pub(super) fn parties(&self) -> Result<(Credential, Identity), Failure> {
        let password = self.environment.variable(MASTER_PASSWORD).ok_or_else(|| {
            Failure::new(format!("{MASTER_PASSWORD} is not set"))
                .advise("set it to the password that all masters have")
        })?;
        let masters = digest(&self.args.master_user, password)?;
        let user = &self.args.agent_user;
        let agents = match (
            &self.args.agent_digest,
            self.environment.variable(AGENT_PASSWORD),
        ) {
            (Some(hash), _) => identity(user, hash)?,
            (None, Some(password)) => digest(user, password)?.identity(),
            (None, None) => {
                let failure = Failure::new("nobody says who the agents are");
                return Err(failure.advise(format!(
                    "set {AGENT_PASSWORD}, or give --zk-acl-agent-digest"
                )));
            }
        };
        Ok((masters, agents))
    }

    /// As the agent of `host`. Without a password the store is open to everybody.
    pub(super) fn agent(
        &self,
        address: ZooKeeperAddress,
        host: &HostName,
    ) -> Result<ZooKeeperOptions, Failure> {
        let options = self.options(address)?;
        let password = self.environment.variable(AGENT_PASSWORD);
        let (password, hash) = match (password, &self.args.master_digest) {
            (Some(password), Some(hash)) => (password, hash),
            (None, None) => return Ok(options),
            (None, Some(_)) => return Err(missing(AGENT_PASSWORD, "--zk-acl-master-digest")),
            (Some(_), None) => {
                let failure = Failure::new("nobody says who the masters are");
                return Err(failure.advise(
                    "give --zk-acl-master-digest, which `helios zk init-acl` has printed",
                ));
            }
        };
        let masters = identity(&self.args.master_user, hash)?;
        let agents = digest(&self.args.agent_user, password)?;
        let own = match self.environment.variable(HOST_PASSWORD) {
            Some(password) => digest(host.as_str(), password)?,
            None => agents.clone(),
        };
        Ok(options.access(Access::agent(own, agents, masters)))
    }

    fn options(&self, address: ZooKeeperAddress) -> Result<ZooKeeperOptions, Failure> {
        let mut options = ZooKeeperOptions::new(address);
        if let Some(timeout) = self.args.session_timeout() {
            options = options.session_timeout(timeout);
        }
        if let Some(authorities) = &self.args.tls_ca {
            options = options.tls(self.tls(authorities)?);
        }
        Ok(options)
    }

    fn tls(&self, authorities: &Path) -> Result<Tls, Failure> {
        let tls = Tls::trusting(&read(authorities)?).map_err(|error| {
            Failure::new(format!("--zk-tls-ca {authorities:?}"))
                .caused_by(error)
                .advise(PEM)
        })?;
        let (Some(certificate), Some(key)) = (&self.args.tls_cert, &self.args.tls_key) else {
            return Ok(tls);
        };
        tls.presenting(&read(certificate)?, &read(key)?)
            .map_err(|error| {
                Failure::new(format!(
                    "--zk-tls-cert {certificate:?} with --zk-tls-key {key:?}"
                ))
                .caused_by(error)
                .advise(PEM)
            })
    }
}

#[cfg(feature = "zookeeper")]
const PEM: &str = "name a file in PEM that this process may read: docs/zookeeper.md";

#[cfg(feature = "zookeeper")]
fn read(file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file).map_err(|error| {
        Failure::new(format!("cannot read {}", file.display()))
            .caused_by(error)
            .advise(PEM)
    })
}

#[cfg(feature = "zookeeper")]
fn digest(user: &str, password: &str) -> Result<Credential, Failure> {
    Credential::digest(user, password).map_err(refused)
}

#[cfg(feature = "zookeeper")]
fn identity(user: &str, hash: &str) -> Result<Identity, Failure> {
    format!("digest:{user}:{hash}").parse().map_err(refused)
}

#[cfg(feature = "zookeeper")]
fn refused(error: CredentialError) -> Failure {
    Failure::new("these credentials cannot be used")
        .caused_by(error)
        .advise("`helios zk init-acl` prints the digests; passwords are in the environment")
}

#[cfg(feature = "zookeeper")]
fn missing(variable: &str, option: &str) -> Failure {
    Failure::new(format!("{option} is given, but {variable} is not set"))
        .advise("set it in the environment of this process; passwords are no options")
}

#[cfg(test)]
#[cfg(feature = "zookeeper")]
mod tests {
    use super::*;

    fn args() -> ZooKeeperArgs {
        ZooKeeperArgs {
            session_timeout: Some(5000),
            master_user: "helios-master".to_owned(),
            agent_user: "helios-agent".to_owned(),
            ..ZooKeeperArgs::default()
        }
    }

    fn address() -> ZooKeeperAddress {
        "zk://h1".parse().unwrap()
    }

    #[test]
    fn half_a_login_is_refused_and_says_what_is_missing() {
        let nothing = Environment::default();
        let host = "web1".parse().unwrap();
        let mut args = args();
        let login = Login::new(&args, &nothing);
        assert!(login.master(address()).is_ok() && login.agent(address(), &host).is_ok());
        assert!(login.is_for_none("memory:").is_err());

        let half = Environment::of_variables([(MASTER_PASSWORD, "m")]);
        let failure = Login::new(&args, &half).master(address()).unwrap_err();
        assert!(failure.advice().unwrap().contains(AGENT_PASSWORD));
        let half = Environment::of_variables([(AGENT_PASSWORD, "a")]);
        let failure = Login::new(&args, &half)
            .agent(address(), &host)
            .unwrap_err();
        assert!(failure.advice().unwrap().contains("--zk-acl-master-digest"));

        args.agent_digest = Some("x".to_owned());
        args.master_digest = Some("x".to_owned());
        let login = Login::new(&args, &nothing);
        let failure = login.master(address()).unwrap_err().to_string();
        assert!(failure.contains(MASTER_PASSWORD), "{failure}");
        let failure = login.agent(address(), &host).unwrap_err().to_string();
        assert!(failure.contains(AGENT_PASSWORD), "{failure}");
    }
}
