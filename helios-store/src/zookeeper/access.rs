//! Who may do what: the one place that decides access lists.

use std::collections::BTreeSet;

use helios_core::store::Key;
use zookeeper_client::{Acl, AuthId, Permission};

use super::{Credential, Identity};

/// Who this handle is, and the access list of every node it creates.
///
/// ZooKeeper checks each node by its own list and inherits nothing, so a list is set in every create,
/// from here and nowhere else. Three parties exist:
///
/// * **masters** may do everything,
/// * **the agents' group**, a credential all agents share, may read everything and may create entries
///   in the *shared* directories (`history`, `status` and `up` unless told otherwise), and nothing else,
/// * **one agent** may write the entries it created in a shared directory, and nobody else's.
///
/// Agents cannot delete: what they leave is ephemeral and goes with their session, or is removed by a
/// master.
///
/// ```
/// use helios_store::zookeeper::{Access, Credential};
///
/// let masters = Credential::digest("masters", "m")?;
/// let agents = Credential::digest("agents", "a")?;
/// let master = Access::master(masters.clone(), agents.identity());
/// let agent = Access::agent(Credential::digest("web1", "w")?, agents, masters.identity());
/// # Ok::<(), helios_store::zookeeper::CredentialError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Access {
    credentials: Vec<Credential>,
    shared: BTreeSet<Key>,
    lists: Option<Lists>,
}

#[derive(Clone, Debug)]
struct Lists {
    masters: Identity,
    agents: Identity,
    own: Option<Identity>,
}

impl Access {
    /// Everybody who reaches the servers may do everything: for tests, and for ensembles that only
    /// trusted machines reach.
    #[must_use]
    pub fn open() -> Self {
        Self {
            credentials: Vec::new(),
            shared: BTreeSet::new(),
            lists: None,
        }
    }

    /// A master: may do everything.
    #[must_use]
    pub fn master(own: Credential, agents: Identity) -> Self {
        let masters = own.identity();
        Self::guarded(vec![own], masters, agents, None)
    }

    /// An agent: may read everything, and write what it created itself in the shared directories.
    #[must_use]
    pub fn agent(own: Credential, agents: Credential, masters: Identity) -> Self {
        let identity = own.identity();
        let group = agents.identity();
        Self::guarded(vec![agents, own], masters, group, Some(identity))
    }

    /// The directories in which agents create entries of their own, instead of `history`, `status` and `up`. All
    /// masters and agents of a cluster must name the same.
    #[must_use]
    pub fn with_shared(mut self, directories: impl IntoIterator<Item = Key>) -> Self {
        self.shared = directories.into_iter().collect();
        self
    }

    /// The directories in which agents create entries of their own.
    pub fn shared(&self) -> impl Iterator<Item = &Key> {
        self.shared.iter()
    }

    fn guarded(
        credentials: Vec<Credential>,
        masters: Identity,
        agents: Identity,
        own: Option<Identity>,
    ) -> Self {
        let shared = ["history", "status", "up"]
            .into_iter()
            .filter_map(|name| Key::new(name).ok())
            .collect();
        Self {
            credentials,
            shared,
            lists: Some(Lists {
                masters,
                agents,
                own,
            }),
        }
    }

    pub(super) fn credentials(&self) -> &[Credential] {
        &self.credentials
    }

    /// Whether agents create entries somewhere in or below this directory.
    pub(super) fn is_shared(&self, dir: &Key) -> bool {
        self.shared
            .iter()
            .any(|shared| shared == dir || dir.is_below(shared))
    }

    /// Whether it is one of the shared directories itself: agents could not make it again.
    pub(super) fn is_shared_root(&self, dir: &Key) -> bool {
        self.shared.contains(dir)
    }

    /// The list of a directory; `None` is the top of the store.
    pub(super) fn of_directory(&self, dir: Option<&Key>) -> Vec<Acl> {
        let Some(lists) = &self.lists else {
            return anyone();
        };
        let mut agents = Permission::READ;
        if dir.is_some_and(|dir| self.is_shared(dir)) {
            agents = agents | Permission::CREATE;
        }
        vec![
            Acl::new(Permission::ALL, lists.masters.to_auth_id()),
            Acl::new(agents, lists.agents.to_auth_id()),
        ]
    }

    /// The list of an entry that this handle creates.
    pub(super) fn of_entry(&self, key: &Key) -> Vec<Acl> {
        let Some(lists) = &self.lists else {
            return anyone();
        };
        let mut list = vec![
            Acl::new(Permission::ALL, lists.masters.to_auth_id()),
            Acl::new(Permission::READ, lists.agents.to_auth_id()),
        ];
        let shared = key.parent().is_some_and(|dir| self.is_shared(&dir));
        if let (Some(own), true) = (&lists.own, shared) {
            let write = Permission::READ | Permission::WRITE;
            list.push(Acl::new(write, own.to_auth_id()));
        }
        list
    }

    /// Whether this policy leaves every node open.
    pub(super) fn is_open(&self) -> bool {
        self.lists.is_none()
    }
}

/// Whether anybody at all may change a node of that list.
pub(super) fn is_world_writable(list: &[Acl]) -> bool {
    let anybody = AuthId::anyone();
    let reading = Permission::READ;
    list.iter()
        .any(|acl| *acl.auth_id() == anybody && !reading.has(acl.permission()))
}

fn anyone() -> Vec<Acl> {
    vec![Acl::new(Permission::ALL, AuthId::anyone())]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Key {
        Key::new(text).unwrap()
    }

    fn parties() -> (Credential, Credential, Credential) {
        (
            Credential::digest("masters", "m").unwrap(),
            Credential::digest("agents", "a").unwrap(),
            Credential::digest("web1", "w").unwrap(),
        )
    }

    #[test]
    fn an_agent_writes_only_what_it_makes_in_a_shared_directory() {
        let (masters, agents, web1) = parties();
        let own = web1.identity().to_auth_id();
        let access = Access::agent(web1, agents, masters.identity());
        let names_own = |list: Vec<Acl>| list.iter().any(|acl| *acl.auth_id() == own);
        assert!(names_own(access.of_entry(&key("status/web1"))));
        assert!(names_own(access.of_entry(&key("up/web1"))));
        assert!(names_own(access.of_entry(&key("history/web:1/web1"))));
        assert!(!names_own(access.of_entry(&key("hosts/web1"))));
        assert!(!names_own(access.of_entry(&key("status"))));
    }

    #[test]
    fn nothing_guarded_is_world_writable() {
        let (masters, agents, _) = parties();
        let access = Access::master(masters, agents.identity());
        for list in [
            access.of_entry(&key("jobs/a")),
            access.of_entry(&key("up/a")),
            access.of_directory(None),
            access.of_directory(Some(&key("up"))),
        ] {
            assert!(!is_world_writable(&list));
        }
        assert!(is_world_writable(&Access::open().of_directory(None)));
    }

    #[test]
    fn only_shared_directories_take_entries_of_agents() {
        let (masters, agents, _) = parties();
        let group = agents.identity().to_auth_id();
        let access = Access::master(masters, agents.identity());
        let may_create = |dir: &str| {
            access
                .of_directory(Some(&key(dir)))
                .iter()
                .any(|acl| *acl.auth_id() == group && acl.permission().has(Permission::CREATE))
        };
        assert!(
            may_create("up")
                && may_create("history/web:1")
                && may_create("status")
                && may_create("status/deeper")
        );
        assert!(!may_create("hosts") && !may_create("jobs"));
    }
}
