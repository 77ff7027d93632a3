//! What hosts hold apart from a running transition.

use std::collections::BTreeMap;

use helios_core::model::{HostName, HostSelector};
use serde::{Deserialize, Serialize};

use super::Value;
use crate::order::{Member, Order};

/// The settled state: a value for everybody, replacements that past transitions left behind, and hosts of their own.
///
/// A finished transition with a scope leaves a *layer*, so that a host which joins that scope later gets the new value as well.
/// One that was stopped half-way, and a mix, leave single hosts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Held {
    base: Value,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    layers: Vec<Layer>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", with = "by_value")]
    hosts: BTreeMap<HostName, Value>,
}

/// Many hosts hold few values: each value is written once, with its hosts.
mod by_value {
    use std::collections::BTreeMap;

    use helios_core::model::HostName;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::variable::Value;

    pub(super) fn serialize<S: Serializer>(
        hosts: &BTreeMap<HostName, Value>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let mut groups: BTreeMap<&Value, Vec<&HostName>> = BTreeMap::new();
        for (host, value) in hosts {
            groups.entry(value).or_default().push(host);
        }
        groups.into_iter().collect::<Vec<_>>().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<HostName, Value>, D::Error> {
        let groups = Vec::<(Value, Vec<HostName>)>::deserialize(deserializer)?;
        let pairs = groups
            .into_iter()
            .flat_map(|(value, hosts)| hosts.into_iter().map(move |host| (host, value.clone())));
        Ok(pairs.collect())
    }
}

/// In `scope`, `from` has been replaced with `to`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Layer {
    scope: Vec<HostSelector>,
    from: Value,
    to: Value,
}

impl Held {
    /// Everybody holds `base`.
    #[must_use]
    pub fn all(base: Value) -> Self {
        Self {
            base,
            layers: Vec::new(),
            hosts: BTreeMap::new(),
        }
    }

    /// What a member holds.
    #[must_use]
    pub fn value(&self, member: &Member) -> &Value {
        if let Some(own) = self.hosts.get(&member.host) {
            return own;
        }
        self.layers.iter().fold(&self.base, |value, layer| {
            if *value == layer.from && Order::picks(&layer.scope, member) {
                &layer.to
            } else {
                value
            }
        })
    }

    /// What a host holds of which nothing is known.
    #[must_use]
    pub fn base(&self) -> &Value {
        &self.base
    }

    /// Every value that occurs.
    pub fn values(&self) -> impl Iterator<Item = &Value> {
        let layers = self.layers.iter().map(|layer| &layer.to);
        std::iter::once(&self.base)
            .chain(layers)
            .chain(self.hosts.values())
    }

    /// Replaces `from` with `to` for good, in a scope; `members` are all there are.
    pub(super) fn replace(
        &mut self,
        scope: &[HostSelector],
        from: &Value,
        to: &Value,
        members: &[Member],
    ) {
        for member in members.iter().filter(|member| Order::picks(scope, member)) {
            if let Some(own) = self.hosts.get_mut(&member.host).filter(|own| *own == from) {
                own.clone_from(to);
            }
        }
        if scope.is_empty() && self.layers.is_empty() {
            if self.base == *from {
                self.base.clone_from(to);
            }
            let base = &self.base;
            self.hosts.retain(|_, own| own != base);
            return;
        }
        match self
            .layers
            .last_mut()
            .filter(|last| last.scope == scope && last.to == *from)
        {
            Some(last) if last.from == *to => drop(self.layers.pop()),
            Some(last) => last.to.clone_from(to),
            None => self.layers.push(Layer {
                scope: scope.to_vec(),
                from: from.clone(),
                to: to.clone(),
            }),
        }
    }

    /// Gives one host a value of its own.
    pub(super) fn set(&mut self, member: &Member, value: &Value) {
        self.hosts.remove(&member.host);
        if self.value(member) != value {
            self.hosts.insert(member.host.clone(), value.clone());
        }
    }
}
