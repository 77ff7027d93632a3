//! Which clusters are meant: the command line, the environment and the configuration file in one.

use super::config::{Config, Profile};
use super::srv::SERVICE;
use crate::args::ClientOptions;
use crate::{Environment, Failure};

/// Where a master is if nobody says anything else: what `helios solo` listens on by default.
const DEFAULT_MASTER: &str = "http://127.0.0.1:5801";
/// How the environment names a domain in place of an address.
const DOMAIN_SCHEME: &str = "domain://";

/// The clusters that are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Choice {
    /// Each by its masters' addresses or by its domain.
    pub(super) clusters: Vec<Cluster>,
    /// What masters are called in the name service.
    pub(super) service: String,
    /// Where credentials come from unless the command line or the environment says something else. What the
    /// file says is for masters that the file names, and goes to no others.
    pub(super) credentials: Profile,
}

/// One cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cluster {
    /// By the addresses of its masters, separated by commas.
    At(String),
    /// By its domain.
    In(String),
}

impl Choice {
    /// What the command line says, or else the environment, or else the file.
    pub(super) fn find(
        options: &ClientOptions,
        environment: &Environment,
    ) -> Result<Self, Failure> {
        let config = Config::load(environment)?;
        let named = Profile {
            masters: options.master.clone(),
            domains: domains(&options.domains),
            ..Profile::default()
        };
        let variable = environment.variable("HELIOS_MASTER");
        let (masters, credentials) = if let Some(profile) = &options.profile {
            if named.names_masters() {
                return Err(Failure::new(format!(
                    "the profile {profile} names masters, and so does the command line"
                ))
                .advise("give --profile without -z and -d"));
            }
            let profile = chosen(&config, profile)?;
            (profile.clone(), profile)
        } else if named.names_masters() {
            (named, Profile::default())
        } else if let Some(master) = variable {
            (of_variable(master), Profile::default())
        } else {
            let profile = match environment.variable("HELIOS_PROFILE") {
                Some(profile) => chosen(&config, profile)?,
                None => config.everyday.clone(),
            };
            (profile.clone(), profile)
        };
        let srv_name = credentials.srv_name.as_ref();
        let srv_name = srv_name.or(config.everyday.srv_name.as_ref());
        let service = options.srv_name.as_ref().or(srv_name);
        Ok(Self {
            clusters: clusters(&masters),
            service: service.map_or(SERVICE, String::as_str).to_owned(),
            credentials,
        })
    }
}

fn chosen(config: &Config, name: &str) -> Result<Profile, Failure> {
    let profile = config.profile(name)?;
    if profile.names_masters() {
        return Ok(profile.clone());
    }
    Err(Failure::new(format!("the profile {name} names no master"))
        .advise("give it masterEndpoints or domains"))
}

fn of_variable(master: &str) -> Profile {
    let list = |name: &str| vec![name.to_owned()];
    match master.strip_prefix(DOMAIN_SCHEME) {
        Some(domain) => Profile {
            domains: list(domain),
            ..Profile::default()
        },
        None => Profile {
            masters: list(master),
            ..Profile::default()
        },
    }
}

/// Addresses come before domains, as the less roundabout way.
fn clusters(profile: &Profile) -> Vec<Cluster> {
    if !profile.masters.is_empty() {
        return profile.masters.iter().cloned().map(Cluster::At).collect();
    }
    if !profile.domains.is_empty() {
        return profile.domains.iter().cloned().map(Cluster::In).collect();
    }
    vec![Cluster::At(DEFAULT_MASTER.to_owned())]
}

fn domains(lists: &[String]) -> Vec<String> {
    let names = lists.iter().flat_map(|list| list.split(','));
    let names = names.map(|name| name.trim().to_owned());
    names.filter(|name| !name.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
masterEndpoints = ["http://file:1"]
accessToken = everyday.token
srvName = fleet
profiles.prod { domains = [prod.net], accessToken = prod.token, srvName = prod }
profiles.empty {}
"#;

    /// What is meant with that file, those options and that environment.
    fn find(options: &ClientOptions, variables: [(&str, &str); 2]) -> Result<Choice, Failure> {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join(".helios")).unwrap();
        std::fs::write(home.path().join(".helios/config"), FILE).unwrap();
        let [a, b] = variables;
        let home = ("HOME", home.path().to_str().unwrap());
        Choice::find(options, &Environment::of_variables([a, b, home]))
    }

    fn check(options: &ClientOptions, variables: [(&str, &str); 2], expected: &str) {
        let choice = find(options, variables).unwrap();
        let clusters = choice.clusters.iter().map(|cluster| match cluster {
            Cluster::At(masters) => masters.clone(),
            Cluster::In(domain) => format!("{domain} ({})", choice.service),
        });
        let token = choice.credentials.access_token.as_ref();
        let token = token.and_then(|file| file.file_name()?.to_str());
        let clusters: Vec<String> = clusters.chain(token.map(str::to_owned)).collect();
        assert_eq!(clusters.join(" "), expected);
    }

    #[test]
    fn the_command_line_comes_before_the_environment_and_that_before_the_file() {
        let none = ClientOptions::default();
        let master = ClientOptions {
            master: vec!["http://a:1".to_owned(), "b:2,c:3".to_owned()],
            domains: vec!["x.net".to_owned()],
            ..ClientOptions::default()
        };
        let domains = ClientOptions {
            domains: vec!["x.net, y.net".to_owned(), "z.net".to_owned()],
            ..ClientOptions::default()
        };
        let other = ClientOptions {
            srv_name: Some("s".to_owned()),
            ..domains.clone()
        };
        let profile = ClientOptions {
            profile: Some("prod".to_owned()),
            ..ClientOptions::default()
        };
        let env = ("HELIOS_MASTER", "http://env:1");
        let domain = ("HELIOS_MASTER", "domain://env.net");
        let prod = ("HELIOS_PROFILE", "prod");
        let no = ("X", "");
        check(&none, [no, no], "http://file:1 everyday.token");
        check(&none, [no, prod], "prod.net (prod) prod.token");
        check(&none, [env, prod], "http://env:1");
        check(&none, [domain, prod], "env.net (fleet)");
        check(&profile, [env, no], "prod.net (prod) prod.token");
        check(&master, [env, prod], "http://a:1 b:2,c:3");
        check(
            &domains,
            [env, no],
            "x.net (fleet) y.net (fleet) z.net (fleet)",
        );
        check(&other, [no, no], "x.net (s) y.net (s) z.net (s)");
    }

    #[test]
    fn without_anything_it_is_the_master_of_this_machine() {
        let choice = Choice::find(&ClientOptions::default(), &Environment::default()).unwrap();
        let here = Cluster::At("http://127.0.0.1:5801".to_owned());
        assert_eq!(choice.clusters, [here]);
    }

    #[test]
    fn says_what_is_wrong_with_a_profile() {
        let profile = |name: &str, master: &[String]| ClientOptions {
            profile: Some(name.to_owned()),
            master: master.to_vec(),
            ..ClientOptions::default()
        };
        let no = ("X", "");
        for (options, part) in [
            (profile("test", &[]), "there is no profile test"),
            (profile("empty", &[]), "names no master"),
            (
                profile("prod", &["http://a:1".to_owned()]),
                "so does the command line",
            ),
        ] {
            let failure = find(&options, [no, no]).unwrap_err();
            assert!(failure.to_string().contains(part), "{failure}");
            assert!(failure.advice().is_some(), "{failure}");
        }
    }
}
