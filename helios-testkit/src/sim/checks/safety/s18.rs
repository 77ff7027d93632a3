//! S18: rollouts only go forward.

use std::collections::{BTreeMap, BTreeSet};

use helios_core::HostName;
use helios_rollout::rolling::Rollout;

use super::super::super::trace::{Event, Fleet, What, Write};
use super::super::rollouts::{Move, in_flight, marked, moves};
use super::{Check, Verdicts, check};

#[derive(Debug, Default)]
pub(super) struct MonotoneRollout {
    /// The rollouts that were replaced by another one.
    replaced: BTreeSet<String>,
    /// The hosts that a rollout is done with.
    finished: BTreeMap<String, BTreeSet<HostName>>,
}

impl Check for MonotoneRollout {
    check!(
        MonotoneRollout,
        "S18",
        "what a rollout has done stays done, and once another one has replaced it, it does nothing more"
    );

    fn see(&mut self, _: &Fleet, event: &Event, verdicts: &mut Verdicts) {
        let What::Commit { writes, .. } = &event.what else {
            return;
        };
        let wrong = self
            .acts_though_replaced(writes)
            .or_else(|| moves(writes).find_map(|group| self.goes_back(group)));
        if let Some(wrong) = wrong {
            verdicts.violated([event.actor], wrong);
        }
        self.forget(writes);
        for group in moves(writes) {
            self.learn(group);
        }
    }

    fn end(&mut self, _: &Fleet, _: &mut Verdicts) {}
}

impl MonotoneRollout {
    fn acts_though_replaced(&self, writes: &[Write]) -> Option<String> {
        let mut marked = marked(writes);
        if let Some(marked) = marked.find(|marked| self.replaced.contains(&marked.mark.rollout)) {
            return Some(format!(
                "{} is moved for rollout {}, which was replaced",
                marked.host, marked.mark.rollout
            ));
        }
        let mut rollouts = moves(writes).filter_map(|group| group.is?.rollout.as_ref());
        let back = rollouts.find(|rollout| self.replaced.contains(&rollout.id))?;
        Some(format!("rollout {} was replaced, and goes on", back.id))
    }

    fn goes_back(&self, group: Move<'_>) -> Option<String> {
        let (was, is) = group.same_rollout()?;
        let lost = was
            .failed
            .keys()
            .find(|host| !is.failed.contains_key(*host));
        if let Some(host) = lost {
            return Some(format!("rollout {} forgets that {host} failed", is.id));
        }
        if is.step < was.step || is.done < was.done {
            return Some(format!(
                "rollout {} goes back from step {} with {} done to step {} with {} done",
                is.id, was.step, was.done, is.step, is.done
            ));
        }
        let finished = self.finished.get(&is.id)?;
        let again = in_flight(is)
            .into_iter()
            .find(|host| finished.contains(*host))?;
        Some(format!("rollout {} starts {again} again", is.id))
    }

    /// A host that was registered anew, or has left its group, may be moved again.
    fn forget(&mut self, writes: &[Write]) {
        for write in writes {
            let Some(host) = write.key.as_str().strip_prefix("hosts/") else {
                continue;
            };
            let keeps = |group: &String| {
                write
                    .is
                    .host()
                    .is_some_and(|is| is.groups.contains_key(group))
            };
            let lost = write
                .was
                .host()
                .is_none_or(|was| !was.groups.keys().all(keeps));
            if lost {
                for finished in self.finished.values_mut() {
                    finished.retain(|known| known.as_str() != host);
                }
            }
        }
    }

    fn learn(&mut self, group: Move<'_>) {
        if let Some((was, is)) = group.same_rollout() {
            let finished = finished(was, is).cloned();
            self.finished
                .entry(is.id.clone())
                .or_default()
                .extend(finished);
        } else if let Some(was) = group.was.and_then(|group| group.rollout.as_ref()) {
            self.replaced.insert(was.id.clone());
            self.finished.remove(&was.id);
        }
    }
}

/// The hosts that were in flight and are done.
fn finished<'a>(was: &'a Rollout, is: &'a Rollout) -> impl Iterator<Item = &'a HostName> {
    let gone = in_flight(was).into_iter();
    gone.filter(|host| !is.in_flight.contains_key(*host) && !is.failed.contains_key(*host))
        .filter(|_| is.done > was.done)
}
