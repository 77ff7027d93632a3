//! What an agent gives to every container of its host.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::Range;

use helios_core::reconcile::Policy;

use crate::Failure;
use crate::args::ContainerOptions;

/// What every container is given, as the options say.
#[derive(Debug)]
pub(super) struct Containers {
    environment: BTreeMap<String, String>,
    dns: Vec<IpAddr>,
    binds: Vec<String>,
    extra_hosts: Vec<String>,
    syslog: Option<String>,
    port_range: Option<Range<u16>>,
}

impl Containers {
    /// Reads the options.
    pub(super) fn read(options: &ContainerOptions) -> Result<Self, Failure> {
        let environment = options.env.iter().map(|text| pair("--env", text));
        let binds = options.bind.iter().map(|text| bind(text));
        let extra_hosts = options.add_host.iter().map(|text| extra_host(text));
        Ok(Self {
            environment: environment.collect::<Result<_, _>>()?,
            dns: options.dns.clone(),
            binds: binds.collect::<Result<_, _>>()?,
            extra_hosts: extra_hosts.collect::<Result<_, _>>()?,
            syslog: options
                .syslog_redirect_to
                .as_deref()
                .map(syslog)
                .transpose()?,
            port_range: options.port_range.as_deref().map(port_range).transpose()?,
        })
    }

    /// The environment of every container.
    pub(super) fn environment(&self) -> &BTreeMap<String, String> {
        &self.environment
    }

    /// Changes the agent's rules to that.
    pub(super) fn apply(self, policy: &mut Policy) {
        policy.environment = self.environment;
        policy.dns = self.dns;
        policy.binds = self.binds;
        policy.extra_hosts = self.extra_hosts;
        policy.syslog = self.syslog;
        if let Some(range) = self.port_range {
            policy.port_range = range;
        }
    }
}

/// `NAME=VALUE`.
pub(super) fn pair(option: &str, text: &str) -> Result<(String, String), Failure> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(Failure::new(format!("{option} {text:?} is not NAME=VALUE"))
            .advise(format!("write for example {option} role=web"))),
    }
}

/// `FROM:TO` or `FROM:TO:OPTIONS`, both absolute paths.
fn bind(text: &str) -> Result<String, Failure> {
    let parts: Vec<&str> = text.split(':').collect();
    let paths = parts.get(..2).unwrap_or_default();
    if (2..=3).contains(&parts.len()) && paths.iter().all(|path| path.starts_with('/')) {
        Ok(text.to_owned())
    } else {
        let message = format!("--bind {text:?} is not FROM:TO or FROM:TO:ro with absolute paths");
        Err(Failure::new(message).advise("write for example --bind /etc/ssl:/etc/ssl:ro"))
    }
}

/// `NAME:ADDRESS`; the address may be one of IPv6, which has colons of its own.
fn extra_host(text: &str) -> Result<String, Failure> {
    match text.split_once(':') {
        Some((name, address)) if !name.is_empty() && address.parse::<IpAddr>().is_ok() => {
            Ok(text.to_owned())
        }
        _ => Err(
            Failure::new(format!("--add-host {text:?} is not NAME:ADDRESS"))
                .advise("write for example --add-host db:10.0.0.7"),
        ),
    }
}

/// `HOST:PORT`.
fn syslog(text: &str) -> Result<String, Failure> {
    match text.rsplit_once(':') {
        Some((host, port))
            if !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0) =>
        {
            Ok(text.to_owned())
        }
        _ => Err(Failure::new(format!(
            "--syslog-redirect-to {text:?} is not HOST:PORT, such as 10.0.0.7:514"
        ))),
    }
}

/// `START:END`, without the end.
fn port_range(text: &str) -> Result<Range<u16>, Failure> {
    let bounds = text
        .split_once(':')
        .and_then(|(start, end)| Some(start.parse().ok()?..end.parse().ok()?));
    bounds
        .filter(|range| range.start > 0 && !range.is_empty())
        .ok_or_else(|| {
            let message = format!("--port-range {text:?} is not START:END with ports between");
            Failure::new(message).advise("write for example --port-range 20000:32768")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(change: impl FnOnce(&mut ContainerOptions)) -> Result<Policy, String> {
        let mut options = ContainerOptions::default();
        change(&mut options);
        let containers = Containers::read(&options).map_err(|failure| failure.to_string())?;
        let mut policy = Policy::for_host("web1");
        containers.apply(&mut policy);
        Ok(policy)
    }

    #[test]
    fn what_is_given_becomes_the_agents_rules() {
        let policy = read(|options| {
            options.env = vec!["ZONE=a=b".to_owned()];
            options.dns = vec!["10.0.0.53".parse().unwrap()];
            options.bind = vec!["/etc/hostname:/mnt/hostname:ro".to_owned()];
            options.add_host = vec!["db:10.0.0.7".to_owned(), "six:fd00::1".to_owned()];
            options.syslog_redirect_to = Some("logs.example.net:514".to_owned());
            options.port_range = Some("30000:30010".to_owned());
        });
        let policy = policy.unwrap();
        assert_eq!(
            policy.environment,
            [("ZONE".to_owned(), "a=b".to_owned())].into()
        );
        assert_eq!(policy.dns.len(), 1);
        assert_eq!(policy.binds, ["/etc/hostname:/mnt/hostname:ro"]);
        assert_eq!(policy.extra_hosts, ["db:10.0.0.7", "six:fd00::1"]);
        assert_eq!(policy.syslog.as_deref(), Some("logs.example.net:514"));
        assert_eq!(policy.port_range, 30_000..30_010);
        let usual = Policy::for_host("web1").port_range;
        assert_eq!(read(|_| {}).unwrap().port_range, usual);
    }

    #[test]
    fn what_is_malformed_is_named() {
        for (option, text) in [
            ("--env", "ZONE"),
            ("--bind", "etc:/mnt"),
            ("--bind", "/etc"),
            ("--add-host", "db"),
            ("--add-host", "db:somewhere"),
            ("--syslog-redirect-to", "logs.example.net"),
            ("--syslog-redirect-to", ":514"),
            ("--syslog-redirect-to", "logs:0"),
            ("--port-range", "30010:30000"),
            ("--port-range", "0:10"),
            ("--port-range", "all"),
        ] {
            let failure = read(|options| match option {
                "--env" => options.env.push(text.to_owned()),
                "--bind" => options.bind.push(text.to_owned()),
                "--add-host" => options.add_host.push(text.to_owned()),
                "--syslog-redirect-to" => options.syslog_redirect_to = Some(text.to_owned()),
                _ => options.port_range = Some(text.to_owned()),
            });
            let failure = failure.unwrap_err();
            assert!(
                failure.contains(option) && failure.contains(text),
                "{failure}"
            );
        }
    }
}
