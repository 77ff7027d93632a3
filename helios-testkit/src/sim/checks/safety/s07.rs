//! S7: the bound of an abort.

use helios_rollout::rolling::{GroupRecord, Rollout, RolloutState};

use super::super::super::trace::{Event, Fleet, What, Write};
use super::super::rollouts::{Labels, Move, marked, moves};
use super::{Check, Verdicts, check};

#[derive(Debug, Default)]
pub(super) struct AbortBound {
    labels: Labels,
}

impl Check for AbortBound {
    check!(
        AbortBound,
        "S7",
        "a rollout ends in the commit in which more hosts have failed than may, and starts none once it has ended or is paused"
    );

    fn see(&mut self, _: &Fleet, event: &Event, verdicts: &mut Verdicts) {
        let What::Commit { writes, .. } = &event.what else {
            return;
        };
        self.labels.see(writes);
        let wrong = started_too_late(writes)
            .or_else(|| moves(writes).find_map(|group| self.goes_on(group)));
        if let Some(wrong) = wrong {
            verdicts.violated([event.actor], wrong);
        }
    }

    fn end(&mut self, _: &Fleet, _: &mut Verdicts) {}
}

fn started_too_late(writes: &[Write]) -> Option<String> {
    marked(writes)
        .filter(|marked| marked.starts())
        .find_map(|marked| {
            let group = moves(writes).find(|group| group.moves(marked))?;
            let was = group.was?.rollout.as_ref()?;
            // What was in flight already, its old job gone, is brought to its end.
            let flies = was
                .in_flight
                .keys()
                .any(|host| host.as_str() == marked.host);
            let goes = was.state == RolloutState::RollingOut;
            let may = goes && (was.pause.is_none() || flies);
            (!may).then(|| {
                format!(
                    "{} is started by rollout {} of {}, which is {:?} and paused: {:?}",
                    marked.host, was.id, group.name, was.state, was.pause
                )
            })
        })
}

impl AbortBound {
    fn goes_on(&self, group: Move<'_>) -> Option<String> {
        let record = group.is?;
        let is = record.rollout.as_ref()?;
        // What was done with failures is opened again for hosts to leave, and fewer hosts tolerate fewer of them.
        if let Some((was, is)) = group.same_rollout()
            && was.failed.len() == is.failed.len()
            && was.started == is.started
        {
            return None;
        }
        let failed = u64::try_from(is.failed.len()).unwrap_or(u64::MAX);
        let tolerated = self.tolerated(record, is);
        (failed > tolerated && is.state == RolloutState::RollingOut).then(|| {
            format!(
                "{failed} hosts of {} have failed, {tolerated} may, and rollout {} goes on",
                group.name, is.id
            )
        })
    }

    /// A rollout that goes on when hosts join may tolerate more from then on, and fewer when they leave.
    fn tolerated(&self, record: &GroupRecord, is: &Rollout) -> u64 {
        let selectors = &record.group.host_selectors;
        let members = self.labels.members(selectors, None, "");
        is.policy.tolerance(&record.options(), members.max(is.size))
    }
}
