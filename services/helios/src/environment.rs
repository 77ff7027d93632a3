//! What the process finds around it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

/// What the process finds around it. Only here it is read, so that everything else can be tested with
/// another one.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    variables: BTreeMap<String, String>,
    user: Option<String>,
    machine: Option<String>,
    search_domains: Vec<String>,
}

impl Environment {
    /// That of this process.
    #[must_use]
    pub fn of_process() -> Self {
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let resolver = fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
        Self {
            variables,
            user: user_of_process(),
            machine: first_line("/proc/sys/kernel/hostname"),
            search_domains: search_domains(&resolver),
        }
    }

    /// An environment of those variables, and nothing else.
    #[must_use]
    pub fn of_variables<const N: usize>(variables: [(&str, &str); N]) -> Self {
        let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Self {
            variables: variables.into_iter().map(own).collect(),
            ..Self::default()
        }
    }

    /// The variable of that name, unless it is empty.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// The home directory of the user.
    #[must_use]
    pub fn home(&self) -> Option<PathBuf> {
        self.variable("HOME").map(PathBuf::from)
    }

    /// The name of the user.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        let logged_in = || self.variable("LOGNAME").or_else(|| self.variable("USER"));
        self.user.as_deref().or_else(logged_in)
    }

    /// Whether the user may do everything on this machine.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.user.as_deref() == Some("root")
    }

    /// The name of this machine.
    #[must_use]
    pub fn machine(&self) -> Option<&str> {
        self.machine.as_deref()
    }

    /// The domains in which names are looked up, in order.
    #[must_use]
    pub fn search_domains(&self) -> &[String] {
        &self.search_domains
    }
}

/// The name in the user database, not the one in the environment, which anybody can set by mistake.
fn user_of_process() -> Option<String> {
    let uid = fs::metadata("/proc/self").ok()?.uid().to_string();
    let users = fs::read_to_string("/etc/passwd").ok()?;
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, id) = (fields.next()?, fields.nth(1)?);
        (id == uid).then(|| name.to_owned())
    })
}

fn first_line(path: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    text.lines().next().map(str::to_owned)
}

fn search_domains(resolver: &str) -> Vec<String> {
    let mut domains = Vec::new();
    for line in resolver.lines() {
        let mut words = line.split_whitespace();
        // The last such line counts, as for the resolver itself.
        if matches!(words.next(), Some("search" | "domain")) {
            domains = words
                .map(|word| word.trim_matches('.').to_owned())
                .collect();
        }
    }
    domains
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_search_list_counts() {
        let text = "nameserver 1.1.1.1\ndomain a.net\nsearch b.net. c.net\n";
        assert_eq!(search_domains(text), ["b.net", "c.net"]);
        assert!(search_domains("# search x").is_empty());
    }

    #[test]
    fn an_empty_variable_is_none() {
        let environment = Environment::of_variables([("A", ""), ("B", "b")]);
        assert_eq!(
            (environment.variable("A"), environment.variable("B")),
            (None, Some("b"))
        );
    }
}
