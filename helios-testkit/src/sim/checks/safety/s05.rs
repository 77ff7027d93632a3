//! S5: no resurrection.

use std::collections::BTreeMap;
use std::time::Duration;

use helios_core::JobId;
use helios_core::runtime::ContainerId;

use super::super::super::trace::{Actor, Change, Event, Fleet, Verb, What};
use super::{Check, Verdicts, check};

/// How long after a read the agent may still act by what it knew before: it stores what it read first.
const THINKS: Duration = Duration::from_secs(2);

#[derive(Debug, Default)]
pub(super) struct NoResurrection {
    /// What agents have begun to end for good, and as of which commit.
    condemned: BTreeMap<(u16, JobId), u64>,
    /// When the disk of a machine was last full: what cannot be stored is not followed.
    disk_full: BTreeMap<u16, Duration>,
    /// When agents last asked for a start.
    asked: BTreeMap<(u16, ContainerId), Duration>,
}

/// How long a start may be on its way.
const ON_ITS_WAY: Duration = Duration::from_secs(60);

/// The longest time for which a disk is full.
const DISK_FULL: Duration = Duration::from_secs(40);

impl Check for NoResurrection {
    check!(
        NoResurrection,
        "S5",
        "what an agent has read to be undeployed is not started again, not even after a restart, nor by the engine itself"
    );

    fn see(&mut self, fleet: &Fleet, event: &Event, verdicts: &mut Verdicts) {
        if let Some(wrong) = self.started_by_itself(fleet, event) {
            verdicts.violated([event.actor], wrong);
        }
        let (Some(state), Actor::Agent(number)) = (fleet.machine_of(event), event.actor) else {
            return;
        };
        if matches!(&event.what, What::Fault(fault) if fault.contains("DiskFull")) {
            self.disk_full.insert(number, event.at);
        }
        let What::Call {
            verb,
            job: Some(job),
            ..
        } = &event.what
        else {
            return;
        };
        let host = &state.machine.host;
        let Some((newest, at, life)) = state.newest else {
            return;
        };
        let is_unwanted = state.is_unwanted(fleet.wanted_at(host, newest), job);
        let full = self
            .disk_full
            .get(&number)
            .is_some_and(|full| event.at < *full + DISK_FULL);
        match verb {
            Verb::Stop | Verb::Remove if is_unwanted && !full => {
                self.condemned.insert((number, job.clone()), newest);
            }
            Verb::Start | Verb::Create => {
                let knew =
                    is_unwanted && life == event.incarnation && event.at > at + THINKS && !full;
                let as_of = self.condemned.get(&(number, job.clone())).copied();
                let ended = as_of.filter(|as_of| {
                    let mut later = fleet
                        .history(host)
                        .iter()
                        .filter(|wanted| wanted.zxid > *as_of);
                    !later.any(|wanted| state.is_wanted(wanted.host.as_ref(), job))
                });
                if knew || ended.is_some() {
                    let as_of = ended.unwrap_or(newest);
                    let message = format!(
                        "{} brings {job} back, which it knew to be undeployed as of commit {as_of}",
                        event.actor
                    );
                    verdicts.violated([event.actor], message);
                }
            }
            _ => {}
        }
    }

    fn end(&mut self, _: &Fleet, _: &mut Verdicts) {}
}

impl NoResurrection {
    /// An engine brings back what its agent knows to be undeployed, and did not ask for: as with a restart policy.
    fn started_by_itself(&mut self, fleet: &Fleet, event: &Event) -> Option<String> {
        let state = fleet.machine_of(event)?;
        match (&event.what, event.actor) {
            (
                What::Call {
                    verb: Verb::Start,
                    container: Some(id),
                    ..
                },
                Actor::Agent(number),
            ) => {
                self.asked.insert((number, id.clone()), event.at);
                None
            }
            (
                What::Effect {
                    call: 0,
                    change: Change::Started(id),
                },
                Actor::Engine(number),
            ) => {
                let (newest, ..) = state.newest?;
                let container = state.containers.get(id)?;
                let own = container.owner == state.machine.agent_id;
                let job = container.job.as_ref().filter(|_| own)?;
                let asked = self.asked.get(&(number, id.clone()));
                let is_late = asked.is_some_and(|at| event.at < *at + ON_ITS_WAY);
                let wanted = fleet.wanted_at(&state.machine.host, newest);
                (!is_late && state.is_unwanted(wanted, job)).then(|| {
                    format!(
                        "{id} runs again by itself, and {job} is undeployed as of commit {newest}"
                    )
                })
            }
            _ => None,
        }
    }
}
