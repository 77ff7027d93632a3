//! S16: no acknowledged write is lost.

use std::collections::{BTreeMap, BTreeSet};

use super::super::super::trace::{Actor, Event, Fact, Fleet, Outcome, What};
use super::super::super::workload::SEE_TO_IT;
use super::{Check, Verdicts, check};

#[derive(Debug, Default)]
pub(super) struct NoLostWrite {
    committed: BTreeSet<u64>,
    asked: BTreeMap<String, (Actor, String)>,
    told: BTreeMap<String, Outcome>,
    made: BTreeMap<String, u32>,
}

impl Check for NoLostWrite {
    check!(
        NoLostWrite,
        "S16",
        "what was acknowledged was done exactly once, what was refused not at all, and the rest at most once"
    );

    fn see(&mut self, _: &Fleet, event: &Event, verdicts: &mut Verdicts) {
        match &event.what {
            What::Commit {
                request, writes, ..
            } => {
                if *request != 0 && !self.committed.insert(*request) {
                    verdicts.violated(
                        [event.actor],
                        format!("request {request} was committed twice"),
                    );
                }
                for write in writes {
                    let Fact::Audit(audit) = &write.is else {
                        continue;
                    };
                    if audit.action == "nothing" {
                        continue; // It makes sure that a change of unknown outcome was not and will not be made.
                    }
                    let made = self.made.entry(audit.principal.clone()).or_default();
                    *made += 1;
                    if *made > 1 && self.asked.contains_key(&audit.principal) {
                        let message = format!("what {} asked for was done twice", audit.principal);
                        verdicts.violated([event.actor], message);
                    }
                }
            }
            What::Reply {
                request,
                outcome: Outcome::Done,
            } if !self.committed.contains(request) => {
                let message = format!("request {request} was acknowledged, and is not in the log");
                verdicts.violated([event.actor], message);
            }
            What::Asked { principal, change } => {
                self.asked
                    .insert(principal.clone(), (event.actor, change.clone()));
            }
            What::Told { principal, outcome } => {
                self.told.insert(principal.clone(), *outcome);
            }
            _ => {}
        }
    }

    fn end(&mut self, _: &Fleet, verdicts: &mut Verdicts) {
        for (principal, outcome) in &self.told {
            let Some((actor, change)) = self.asked.get(principal) else {
                continue;
            };
            let made = self.made.get(principal).copied().unwrap_or(0);
            // A goal that is set already, or a job that is there already, is asked for and nothing is done.
            let may_be_nothing = change.starts_with("set") || change.starts_with(SEE_TO_IT);
            let wrong = match outcome {
                Outcome::Done => made == 0 && !may_be_nothing,
                Outcome::Failed(_) => made > 0,
                Outcome::Unknown => false,
            };
            if wrong {
                let message = format!(
                    "{principal} asked to {change}, was told {outcome:?}, and it was done {made} times"
                );
                verdicts.violated([*actor], message);
            }
        }
    }
}
