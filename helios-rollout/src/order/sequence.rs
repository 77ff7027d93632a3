//! The whole fleet in one line.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::chairman::{chairman, weighted};
use super::fleet::{Fleet, Member};
use super::hash::{Purpose, Salted};
use crate::share::Share;

/// Where one host stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The host, as an index into [`Fleet::members`].
    pub member: usize,
    /// Its stratum, as an index into [`Sequence::strata`].
    pub stratum: usize,
    /// How many hosts of its stratum stand before it.
    pub rank: u64,
    /// The weight of all hosts before it.
    pub before: u64,
    /// Its own weight.
    pub weight: u64,
}

/// Hosts of one kind, by the values of the labels that make strata, outermost first: `["eu", "eu-a", "web"]`.
pub type StratumPath = Arc<[String]>;

/// A stratum of a sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stratum {
    /// What its hosts have in common.
    pub path: StratumPath,
    /// How many there are.
    pub hosts: u64,
}

/// Some hosts of a fleet in the order in which they change.
///
/// Inside a stratum a salted hash decides, never a position in a list: one host more or less moves no other there.
/// Strata are merged by Tijdeman's chairman assignment, innermost label first, so that
/// at every prefix each stratum has its share of its parent to within less than one host. Against the whole fleet the
/// deviations of the levels add up: less than one host per level.
/// Any run of `l` consecutive hosts holds fewer than `l * share + 2` of an outermost stratum: the bound on a bad step's blast radius.
///
/// If weights differ, the deviation is at most the largest weight instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sequence {
    places: Vec<Place>,
    strata: Vec<Stratum>,
    weight: u64,
}

/// What decides a sequence.
#[derive(Clone, Copy, Debug)]
pub struct Sorting<'a> {
    /// One per rollout makes rollouts independent of each other; a constant one gives the same guinea pigs each time.
    pub salt: &'a str,
    /// The labels that make strata, outermost first. None: the whole fleet is one stratum.
    pub strata: &'a [String],
    /// Where in the line to begin; what was before goes to the end. With `i/m`, `m` rollouts with the same salt
    /// begin on disjoint hosts. A rotated line keeps the bound on runs, but not the one on prefixes, which becomes two hosts.
    pub rotation: Share,
}

impl Sequence {
    /// The members with `included` (indices into [`Fleet::members`]) in order. Those with a `first` value come before the others
    /// of their stratum, in the order of these values.
    #[must_use]
    pub fn of(
        fleet: &Fleet,
        included: &[usize],
        sorting: &Sorting<'_>,
        first: impl Fn(&Member) -> Option<u64>,
    ) -> Self {
        let salted = Salted::new(Purpose::Host, sorting.salt);
        let mut groups: BTreeMap<Vec<&str>, Vec<Entry<'_>>> = BTreeMap::new();
        for &member in included {
            let Some(host) = fleet.members().get(member) else {
                continue;
            };
            let path = sorting.strata.iter().map(|key| host.label(key)).collect();
            let early =
                first(host).map_or((1, salted.hash(host.host.as_str())), |place| (0, place));
            groups.entry(path).or_default().push(Entry {
                early,
                name: host.host.as_str(),
                member,
                weight: host.weight,
            });
        }
        let mut strata = Vec::with_capacity(groups.len());
        let mut leaves = Vec::with_capacity(groups.len());
        for (stratum, (path, mut entries)) in groups.into_iter().enumerate() {
            entries.sort_unstable();
            strata.push(Stratum {
                path: path.iter().map(|part| (*part).to_owned()).collect(),
                hosts: entries.len() as u64,
            });
            let line = entries
                .iter()
                .map(|entry| Standing {
                    member: entry.member,
                    weight: entry.weight,
                    stratum,
                })
                .collect();
            leaves.push(Branch { path, line });
        }
        let mut line = join(leaves, sorting.salt);
        rotate(&mut line, sorting.rotation);
        Self::count(&line, strata)
    }

    fn count(line: &[Standing], strata: Vec<Stratum>) -> Self {
        let mut ranks = vec![0_u64; strata.len()];
        let mut before = 0;
        let place = |standing: &Standing| {
            let rank = ranks
                .get_mut(standing.stratum)
                .map_or(0, |next| std::mem::replace(next, *next + 1));
            let weight = u64::from(standing.weight);
            before += weight;
            Place {
                member: standing.member,
                stratum: standing.stratum,
                rank,
                before: before - weight,
                weight,
            }
        };
        let places = line.iter().map(place).collect();
        Self {
            places,
            strata,
            weight: before,
        }
    }

    /// The hosts, first to last.
    #[must_use]
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// The strata, sorted by path.
    #[must_use]
    pub fn strata(&self) -> &[Stratum] {
        &self.strata
    }

    /// The weight of all of them.
    #[must_use]
    pub fn weight(&self) -> u64 {
        self.weight
    }
}

/// A host in its stratum: told ones first, then by hash, and by name should two hashes be equal.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Entry<'a> {
    early: (u8, u64),
    name: &'a str,
    member: usize,
    weight: u32,
}

#[derive(Clone, Copy)]
struct Standing {
    member: usize,
    weight: u32,
    stratum: usize,
}

/// The hosts below one node of the tree of strata, in order.
struct Branch<'a> {
    path: Vec<&'a str>,
    line: Vec<Standing>,
}

/// Merges siblings until only the root is left. Branches arrive sorted by path, so siblings are neighbours.
fn join(mut branches: Vec<Branch<'_>>, salt: &str) -> Vec<Standing> {
    let depth = branches.first().map_or(0, |branch| branch.path.len());
    for level in (0..depth).rev() {
        let mut parents: Vec<(Vec<&str>, Vec<Branch<'_>>)> = Vec::new();
        for branch in branches {
            let parent = branch.path.get(..level).unwrap_or_default();
            match parents.last_mut() {
                Some((path, children)) if path.as_slice() == parent => children.push(branch),
                _ => parents.push((parent.to_vec(), vec![branch])),
            }
        }
        branches = parents
            .into_iter()
            .map(|(path, children)| merge(path, children, salt))
            .collect();
    }
    branches
        .into_iter()
        .flat_map(|branch| branch.line)
        .collect()
}

/// Merges siblings into one line.
///
/// Tijdeman's order serves large strata a little sooner than small ones. Read backwards it keeps every bound, and errs the other way; so
/// a coin that the salt throws makes each host's mean place, over many rollouts, the middle. Siblings of equal standing are told apart by hash
/// for the same reason.
fn merge<'a>(path: Vec<&'a str>, mut children: Vec<Branch<'a>>, salt: &str) -> Branch<'a> {
    let by_hash = Salted::new(Purpose::Stratum, salt);
    children
        .sort_by_cached_key(|child| (by_hash.hash(&child.path.join("\u{0}")), child.path.clone()));
    let weights = |child: &Branch<'_>| child.line.iter().map(|standing| standing.weight).collect();
    let weights: Vec<Vec<u32>> = children.iter().map(weights).collect();
    let picks = if weights.iter().flatten().all(|weight| *weight == 1) {
        let mut picks = chairman(
            &weights
                .iter()
                .map(|line| line.len() as u64)
                .collect::<Vec<_>>(),
        );
        if Salted::new(Purpose::Coin, salt).hash(&path.join("\u{0}")) & 1 == 1 {
            picks.reverse();
        }
        picks
    } else {
        weighted(&weights)
    };
    let mut lines: Vec<_> = children
        .into_iter()
        .map(|child| child.line.into_iter())
        .collect();
    let line = picks
        .into_iter()
        .filter_map(|index| lines.get_mut(index)?.next())
        .collect();
    Branch { path, line }
}

/// Moves the line round the circle, so that a rotation of `r` puts last what came first.
fn rotate(line: &mut [Standing], rotation: Share) {
    let steps = usize::try_from(rotation.of(line.len() as u64)).unwrap_or(0);
    line.rotate_left(steps.min(line.len()));
}
