//! S5: no resurrection.

use std::collections::BTreeMap;
use std::time::Duration;

use helios_core::JobId;

use super::super::super::trace::{Actor, Event, Fleet, Verb, What};
use super::{Check, Verdicts, check};

/// How long after a read the agent may still act by what it knew before: it stores what it read first.
const THINKS: Duration = Duration::from_secs(2);

#[derive(Debug, Default)]
pub(super) struct NoResurrection {
    /// What agents have begun to end for good, and as of which commit.
    condemned: BTreeMap<(u16, JobId), u64>,
    /// When the disk of a machine was last full: what cannot be stored is not followed.
    disk_full: BTreeMap<u16, Duration>,
}

/// The longest time for which a disk is full.
const DISK_FULL: Duration = Duration::from_secs(40);

impl Check for NoResurrection {
    check!(
        NoResurrection,
        "S5",
        "what an agent has read to be undeployed is not started again, not even after a restart"
    );

    fn see(&mut self, fleet: &Fleet, event: &Event, verdicts: &mut Verdicts) {
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
