//! Several values at once, with as few moves as possible.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use helios_core::model::HostName;

use super::transition::{Part, Transition};
use super::{Held, Value, VariableError};
use crate::order::{Fleet, Order, Sequence, Sorting, interleave};
use crate::share::Share;

/// Changes that must not happen.
pub(super) type Forbidden = BTreeSet<(Value, Value)>;

/// Which hosts move where, so that the hosts in scope hold `parts`.
///
/// Only values with too many hosts give, and only values with too few take: `sum |now - then| / 2` moves, the least possible.
/// Who takes from whom is a flow through the changes that are allowed.
pub(super) fn moves(
    name: &str,
    held: &Held,
    fleet: &Fleet,
    transition: &Transition,
    parts: &[Part],
    forbidden: &Forbidden,
) -> Result<BTreeMap<HostName, Value>, VariableError> {
    let mut holders: BTreeMap<&Value, Vec<usize>> = BTreeMap::new();
    for (index, member) in fleet.members().iter().enumerate() {
        if Order::picks(&transition.scope, member) {
            holders.entry(held.value(member)).or_default().push(index);
        }
    }
    let total = holders.values().map(|hosts| hosts.len() as u64).sum();
    let wanted = counts(parts, total);
    let mut surplus: BTreeMap<&Value, u64> = BTreeMap::new();
    let mut demand: BTreeMap<&Value, u64> = BTreeMap::new();
    for value in holders
        .keys()
        .copied()
        .chain(parts.iter().map(|part| &part.value))
    {
        let now = holders.get(value).map_or(0, |hosts| hosts.len() as u64);
        let then = wanted.get(value).copied().unwrap_or(0);
        surplus.extend((now > then).then(|| (value, now - then)));
        demand.extend((then > now).then(|| (value, then - now)));
    }
    let flow = flow(&surplus, &demand, |from, to| {
        !forbidden.contains(&(from.clone(), to.clone()))
    });
    if let Some((from, to)) = flow.stuck {
        let (name, from, to) = (name.to_owned(), from.clone(), to.clone());
        return Err(VariableError::Forbidden {
            name,
            from,
            to,
            via: None,
        });
    }
    let sorting = Sorting {
        salt: &transition.order.salt,
        strata: &transition.order.strata,
        rotation: transition.order.rotation,
    };
    let mut moves = BTreeMap::new();
    for (from, hosts) in &holders {
        let takers: Vec<(&Value, u64)> = flow.sent(from).collect();
        let sizes: Vec<u64> = takers.iter().map(|(_, count)| *count).collect();
        let line = Sequence::of(fleet, hosts, &sorting, |_| None);
        for (place, taker) in line.places().iter().zip(interleave(&sizes)) {
            if let (Some(member), Some((to, _))) =
                (fleet.members().get(place.member), takers.get(taker))
            {
                moves.insert(member.host.clone(), (*to).clone());
            }
        }
    }
    Ok(moves)
}

/// Hosts per value, to the nearest cumulatively, so that they sum up to `total`.
fn counts(parts: &[Part], total: u64) -> BTreeMap<&Value, u64> {
    let (mut sum, mut before) = (0, 0);
    let mut counts = BTreeMap::new();
    for part in parts {
        sum += part.share.parts();
        let upto = Share::from_parts(sum).of(total);
        counts.insert(&part.value, upto - std::mem::replace(&mut before, upto));
    }
    counts
}

/// How many hosts go from which value to which.
struct Flow<'a> {
    sent: BTreeMap<(&'a Value, &'a Value), u64>,
    /// A value that cannot give all it should, and one that does not get it.
    stuck: Option<(&'a Value, &'a Value)>,
}

impl<'a> Flow<'a> {
    fn sent(&self, from: &Value) -> impl Iterator<Item = (&'a Value, u64)> {
        self.sent
            .iter()
            .filter(move |((giver, _), count)| *giver == from && **count > 0)
            .map(|((_, to), count)| (*to, *count))
    }
}

/// A largest flow from givers to takers, by shortest augmenting paths (Edmonds and Karp, J. ACM 19, 1972). With a handful of
/// values nothing better is needed.
fn flow<'a>(
    surplus: &BTreeMap<&'a Value, u64>,
    demand: &BTreeMap<&'a Value, u64>,
    allowed: impl Fn(&Value, &Value) -> bool,
) -> Flow<'a> {
    let (mut give, mut take) = (surplus.clone(), demand.clone());
    let mut sent: BTreeMap<(&Value, &Value), u64> = BTreeMap::new();
    while let Some(path) = augmenting_path(&give, &take, &sent, &allowed) {
        // A path alternates: giver, taker, giver, .., taker; an edge from a taker back to a giver cancels what was sent.
        let (Some(first), Some(last)) = (path.first(), path.last()) else {
            break;
        };
        let cancelled = path.windows(3).step_by(2).filter_map(|part| match part {
            [_, taker, giver] => sent.get(&(*giver, *taker)).copied(),
            _ => None,
        });
        let ends = [give.get(first).copied(), take.get(last).copied()];
        let amount = ends
            .into_iter()
            .flatten()
            .chain(cancelled)
            .min()
            .unwrap_or(0);
        for (index, pair) in path.windows(2).enumerate() {
            match pair {
                [giver, taker] if index % 2 == 0 => {
                    *sent.entry((giver, taker)).or_default() += amount;
                }
                [taker, giver] => *sent.entry((giver, taker)).or_default() -= amount,
                _ => {}
            }
        }
        give.entry(first).and_modify(|left| *left -= amount);
        take.entry(last).and_modify(|left| *left -= amount);
    }
    let left = |map: &BTreeMap<&'a Value, u64>| {
        map.iter()
            .find(|(_, left)| **left > 0)
            .map(|(value, _)| *value)
    };
    Flow {
        sent,
        stuck: left(&give).zip(left(&take)),
    }
}

fn augmenting_path<'a>(
    give: &BTreeMap<&'a Value, u64>,
    take: &BTreeMap<&'a Value, u64>,
    sent: &BTreeMap<(&'a Value, &'a Value), u64>,
    allowed: impl Fn(&Value, &Value) -> bool,
) -> Option<Vec<&'a Value>> {
    let starts = give
        .iter()
        .filter(|(_, left)| **left > 0)
        .map(|(giver, _)| *giver);
    let mut queue: VecDeque<Vec<&Value>> = starts.map(|giver| vec![giver]).collect();
    let mut seen = BTreeSet::new();
    while let Some(path) = queue.pop_front() {
        let giver = *path.last()?;
        for (taker, left) in take {
            if !allowed(giver, taker) || !seen.insert(*taker) {
                continue;
            }
            let mut longer = path.clone();
            longer.push(taker);
            if *left > 0 {
                return Some(longer);
            }
            for ((other, _), _) in sent
                .iter()
                .filter(|((_, to), count)| to == taker && **count > 0)
            {
                let mut back = longer.clone();
                back.push(other);
                queue.push_back(back);
            }
        }
    }
    None
}

/// The values between `from` and `to` on a shortest allowed way through `known` values.
pub(super) fn detour(
    from: &Value,
    to: &Value,
    known: &[Value],
    forbidden: &Forbidden,
) -> Option<Vec<Value>> {
    let mut queue = VecDeque::from([vec![from.clone()]]);
    let mut seen = BTreeSet::from([from.clone()]);
    while let Some(path) = queue.pop_front() {
        let here = path.last()?.clone();
        for next in known.iter().chain([to]) {
            if forbidden.contains(&(here.clone(), next.clone())) || !seen.insert(next.clone()) {
                continue;
            }
            if next == to {
                return path.get(1..).map(<[Value]>::to_vec);
            }
            let mut longer = path.clone();
            longer.push(next.clone());
            queue.push_back(longer);
        }
    }
    None
}
