//! The configuration file: `~/.helios/config`.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::document::{Members, Value, parse};
use crate::{Environment, Failure};

/// What the configuration file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Config {
    /// What counts when no profile is chosen.
    pub(super) everyday: Profile,
    profiles: BTreeMap<String, Profile>,
    path: PathBuf,
}

/// Where masters are, and how to prove to them who one is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Profile {
    /// Addresses, each of another cluster.
    pub(super) masters: Vec<String>,
    /// Domains, each of another cluster.
    pub(super) domains: Vec<String>,
    /// What masters are called in the name service.
    pub(super) srv_name: Option<String>,
    /// The file with the access token.
    pub(super) access_token: Option<PathBuf>,
    /// The file with the issuers of the masters' certificates.
    pub(super) ca_cert: Option<PathBuf>,
    /// The folder with the certificate to show to masters and its key.
    pub(super) cert_path: Option<PathBuf>,
    /// In whose name to act.
    pub(super) username: Option<String>,
}

impl Config {
    /// What `~/.helios/config` says; nothing if there is no such file.
    pub(super) fn load(environment: &Environment) -> Result<Self, Failure> {
        let Some(home) = environment.home() else {
            return Ok(Self::default());
        };
        let path = home.join(".helios/config");
        let unreadable = |error: std::io::Error| {
            let path = path.display();
            Failure::new(format!("the configuration file {path} cannot be read"))
                .caused_by(error)
                .advise("make it readable, or remove it")
        };
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            Err(error) => return Err(unreadable(error)),
        };
        match Self::read(&text, &home) {
            Ok(config) => Ok(Self { path, ..config }),
            Err(wrong) => Err(malformed(&path, &wrong)),
        }
    }

    fn read(text: &str, home: &Path) -> Result<Self, String> {
        let mut members = parse(text)?;
        let mut profiles = BTreeMap::new();
        match members.remove("profiles") {
            None => {}
            Some(Value::Members(named)) => {
                for (name, value) in named {
                    let Value::Members(members) = value else {
                        return Err(format!("the profile {name} is {}", value.kind()));
                    };
                    let profile = Profile::read(members, home);
                    profiles.insert(name.clone(), profile.map_err(|e| format!("{name}: {e}"))?);
                }
            }
            Some(other) => return Err(format!("profiles is {}", other.kind())),
        }
        Ok(Self {
            everyday: Profile::read(members, home)?,
            profiles,
            path: PathBuf::new(),
        })
    }

    /// The profile of that name.
    pub(super) fn profile(&self, name: &str) -> Result<&Profile, Failure> {
        self.profiles.get(name).ok_or_else(|| {
            let names: Vec<&str> = self.profiles.keys().map(String::as_str).collect();
            let path = self.path.display();
            let advice = if names.is_empty() {
                format!("write it to {path}: {EXAMPLE}")
            } else {
                format!("choose one of those in {path}: {}", names.join(", "))
            };
            Failure::new(format!("there is no profile {name}")).advise(advice)
        })
    }
}

impl Profile {
    /// Members of other names are somebody else's.
    fn read(mut members: Members, home: &Path) -> Result<Self, String> {
        let mut texts = |name: &str| match members.remove(name) {
            None => Ok(Vec::new()),
            Some(Value::Text(text)) => Ok(vec![text]),
            Some(Value::List(texts)) => Ok(texts),
            Some(other) => Err(format!(
                "{name} needs a text or a list, not {}",
                other.kind()
            )),
        };
        let masters = texts("masterEndpoints")?;
        let domains = texts("domains")?;
        let mut text = |name: &str| match members.remove(name) {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(other) => Err(format!("{name} needs a text, not {}", other.kind())),
        };
        let file = |path: String| match path.strip_prefix("~/") {
            Some(path) => home.join(path),
            None => home.join(".helios").join(path),
        };
        Ok(Self {
            masters,
            domains,
            srv_name: text("srvName")?,
            access_token: text("accessToken")?.map(file),
            ca_cert: text("caCert")?.map(file),
            cert_path: text("certPath")?.map(file),
            username: text("username")?,
        })
    }

    /// Whether it says where masters are.
    pub(super) fn names_masters(&self) -> bool {
        !self.masters.is_empty() || !self.domains.is_empty()
    }
}

const EXAMPLE: &str = "profiles.prod { masterEndpoints = [\"https://master.example.net:5801\"], \
                       accessToken = prod.token }";

fn malformed(path: &Path, wrong: &str) -> Failure {
    let path = path.display();
    Failure::new(format!(
        "the configuration file {path} is malformed: {wrong}"
    ))
    .advise("write it like this: masterEndpoints = [\"http://127.0.0.1:5801\"]")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Config, String> {
        Config::read(text, Path::new("/home/ann"))
    }

    #[test]
    fn what_the_original_wrote_is_understood() {
        let config = read(
            r#"{"masterEndpoints": ["http://a:1", "http://b:2"], "domains": ["x.net"], "srvName": "h", "others": {}}"#,
        );
        let everyday = config.unwrap().everyday;
        assert_eq!(everyday.masters, ["http://a:1", "http://b:2"]);
        assert_eq!(everyday.domains, ["x.net"]);
        assert_eq!(everyday.srv_name.as_deref(), Some("h"));
        assert_eq!(read("domains = x.net").unwrap().everyday.domains, ["x.net"]);
    }

    #[test]
    fn a_profile_has_its_own_masters_and_files() {
        let config = read(
            "profiles.prod {\n domains = [x.net]\n accessToken = prod.token\n caCert = ~/ca.pem\n}\nprofiles.prod.username = ci",
        );
        let config = config.unwrap();
        let prod = config.profile("prod").unwrap();
        assert_eq!(prod.domains, ["x.net"]);
        let files = [&prod.access_token, &prod.ca_cert].map(|file| file.as_deref());
        let expected = ["/home/ann/.helios/prod.token", "/home/ann/ca.pem"];
        assert_eq!(files, expected.map(|path| Some(Path::new(path))));
        assert_eq!(prod.username.as_deref(), Some("ci"));
        assert_eq!(config.everyday, Profile::default());
        let missing = config.profile("test").unwrap_err();
        assert!(missing.advice().unwrap().ends_with(": prod"), "{missing:?}");
    }

    #[test]
    fn says_what_it_stumbled_over() {
        for (text, part) in [
            ("masterEndpoints {}", "not members in braces"),
            ("srvName = []", "not a list"),
            ("profiles = prod", "profiles is a text"),
            ("profiles.prod = 1", "the profile prod is a text"),
            ("profiles.prod.username = []", "prod: username needs a text"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
