//! Dead containers that are kept for a look at what happened.
//!
//! A container that ended and is to be followed by a fresh one gets another name, which says by itself that it is only
//! kept: nothing about it has to be remembered, and its name, its ports and its place are free.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::JobId;
use crate::runtime::{Container, ContainerId, ContainerState, Containers};
use crate::time::Timestamp;

use super::container_spec::job_of;

/// How much of its id a kept container's name ends with.
const ID_CHARS: usize = 12;

/// How many dead containers are kept, and for how long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeepDead {
    /// The last so many of each job; none with 0.
    pub of_each_job: usize,
    /// For so long after they ended.
    pub keep_for: Duration,
}

/// The dead containers that are kept on a host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dead {
    /// Those that are kept no longer.
    pub spent: Vec<ContainerId>,
    /// Of each job the one that ended last, of those that are still kept.
    pub latest: BTreeMap<JobId, ContainerId>,
    /// When the next one will be kept no longer.
    pub next_in: Option<Duration>,
}

/// The name of that container once it is only kept: its own, and the beginning of its id.
pub(super) fn kept_name(container: &Container) -> String {
    format!("{}.{}", container.name, id_of(container))
}

/// Whether the container is one that is only kept, as its name says.
pub(crate) fn is_kept(container: &Container) -> bool {
    let before = container.name.strip_suffix(id_of(container));
    before.is_some_and(|before| before.ends_with('.'))
}

fn id_of(container: &Container) -> &str {
    let id = container.id.as_str();
    id.char_indices()
        .nth(ID_CHARS)
        .map_or(id, |(end, _)| id.get(..end).unwrap_or(id))
}

/// Which of the kept containers are kept no longer.
///
/// It follows from what the engine lists alone, so that it does not matter how often the agent was started meanwhile. A
/// wall clock that jumps has one removed early or late, and nothing else. One that did not end, does not say when, or
/// ended further in the future than it would be kept is not kept: the clock was wrong then, and no time is the right one.
#[must_use]
pub fn dead(containers: &Containers, keep: KeepDead, now: Timestamp) -> Dead {
    let mut by_job: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for container in containers.iter().filter(|container| is_kept(container)) {
        let ended = match &container.state {
            ContainerState::Exited(exit) => exit.ended_at,
            _ => None,
        };
        let ended = ended.filter(|ended| ended.since(now) <= keep.keep_for);
        let of_job = by_job.entry(job_of(container)).or_default();
        of_job.push((Reverse(ended), &container.id));
    }
    let mut dead = Dead::default();
    for (job, mut of_job) in by_job {
        of_job.sort();
        for (rank, (Reverse(ended), id)) in of_job.into_iter().enumerate() {
            let left = ended.and_then(|ended| keep.keep_for.checked_sub(now.since(ended)));
            match left.filter(|left| rank < keep.of_each_job && !left.is_zero()) {
                None => dead.spent.push(id.clone()),
                Some(left) => {
                    dead.next_in = dead.next_in.into_iter().chain([left]).min();
                    if let (0, Some(job)) = (rank, &job) {
                        dead.latest.insert(job.clone(), id.clone());
                    }
                }
            }
        }
    }
    dead
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reconcile::JOB_LABEL;
    use crate::runtime::Exit;

    const MINUTE: Duration = Duration::from_secs(60);

    fn ended(id: &str, job: &str, minute: u64) -> Container {
        let exit = Exit {
            ended_at: Some(at(minute)),
            ..Exit::default()
        };
        let container = Container {
            id: ContainerId::new(id),
            name: format!("helios-{job}"),
            digest: None,
            labels: [(JOB_LABEL.to_owned(), format!("{job}:1:{}", "a".repeat(40)))].into(),
            state: ContainerState::Exited(exit),
            ip: None,
        };
        let name = kept_name(&container);
        Container { name, ..container }
    }

    fn at(minute: u64) -> Timestamp {
        Timestamp::default().plus(MINUTE * u32::try_from(minute).unwrap())
    }

    fn ids(ids: &[&str]) -> Vec<ContainerId> {
        ids.iter().map(|id| ContainerId::new(*id)).collect()
    }

    const KEEP: KeepDead = KeepDead {
        of_each_job: 2,
        keep_for: Duration::from_secs(3600),
    };

    #[test]
    fn a_kept_container_is_known_by_its_name() {
        let kept = ended("0123456789abcdef", "web", 0);
        assert_eq!(kept.name, "helios-web.0123456789ab");
        assert!(is_kept(&kept));
        let name = "helios-web".to_owned();
        assert!(!is_kept(&Container { name, ..kept }));
    }

    #[test]
    fn the_last_of_each_job_are_kept_for_their_time() {
        let containers: Containers = [
            ended("c1", "web", 10),
            ended("c2", "web", 30),
            ended("c3", "web", 20),
            ended("c4", "db", 5),
        ]
        .into_iter()
        .collect();
        let now = dead(&containers, KEEP, at(30));
        assert_eq!(now.spent, ids(&["c1"]));
        assert_eq!(now.next_in, Some(35 * MINUTE));
        let latest: Vec<_> = now.latest.into_values().collect();
        assert_eq!(latest, ids(&["c4", "c2"]));
        let later = dead(&containers, KEEP, at(81));
        assert_eq!(later.spent, ids(&["c4", "c3", "c1"]));
        assert_eq!(later.next_in, Some(9 * MINUTE));
        // Set back a little, a clock has nothing removed.
        assert_eq!(dead(&containers, KEEP, at(0)).spent, ids(&["c1"]));
    }

    /// It was kept until the clock would have shown that year again.
    #[test]
    fn what_ended_by_a_clock_that_was_years_ahead_is_spent() {
        let containers: Containers = [ended("c1", "web", 61), ended("c2", "db", 60)]
            .into_iter()
            .collect();
        assert_eq!(dead(&containers, KEEP, at(0)).spent, ids(&["c1"]));
    }

    #[test]
    fn what_is_not_dead_or_not_to_be_kept_is_spent() {
        let mut running = ended("c1", "web", 10);
        running.state = ContainerState::Running;
        let containers: Containers = [running, ended("c2", "db", 10)].into_iter().collect();
        assert_eq!(dead(&containers, KEEP, at(10)).spent, ids(&["c1"]));
        let none = KeepDead {
            of_each_job: 0,
            ..KEEP
        };
        assert_eq!(dead(&containers, none, at(10)).spent.len(), 2);
    }
}
