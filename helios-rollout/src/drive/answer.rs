//! What a host is told.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Book;
use crate::order::Member;
use crate::variable::Value;

/// Everything a host should hold: one flat JSON object of names and values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Desired<'a> {
    /// By name.
    pub values: BTreeMap<&'a str, &'a Value>,
    /// Which change made each of them so; also of variables that were removed.
    #[serde(skip)]
    pub since: Since<'a>,
}

/// Which change of each variable made it what it is for one host. Each number only grows, so of two answers about a variable, whichever
/// masters gave them, the one with the higher number is the newer.
pub type Since<'a> = BTreeMap<&'a str, u64>;

impl Book {
    /// What a host should hold.
    #[must_use]
    pub fn desired(&self, member: &Member) -> Desired<'_> {
        let mut desired = Desired::default();
        for (name, ledger) in &self.ledgers {
            let since = match ledger.holding(member) {
                Some(holding) => {
                    desired.values.insert(name, holding.value);
                    holding.since
                }
                None => ledger.record().settled_at,
            };
            desired.since.insert(name, since);
        }
        desired
    }
}
