//! S17: the audit is complete.

use std::collections::{BTreeMap, BTreeSet};

use super::super::super::trace::{Actor, Event, Fact, Fleet, What, Write};
use super::{Check, Verdicts, check};

/// In whose name a cluster acts that acts on nobody's behalf.
const NOBODY: &str = "helios";

#[derive(Debug, Default)]
pub(super) struct AuditComplete {
    /// On whose behalf each master was asked.
    asked: BTreeMap<Actor, BTreeSet<String>>,
}

impl Check for AuditComplete {
    check!(
        AuditComplete,
        "S17",
        "every commit that changes goals has exactly one audit record, of him who asked for it, and no audit record comes without its change"
    );

    fn see(&mut self, _: &Fleet, event: &Event, verdicts: &mut Verdicts) {
        if let What::Asked { principal, .. } = &event.what {
            let asked = self.asked.entry(event.actor).or_default();
            asked.insert(principal.clone());
        }
        let What::Commit { zxid, writes, .. } = &event.what else {
            return;
        };
        if let Some(wrong) = self.of_another(event, writes) {
            verdicts.violated([event.actor], format!("commit {zxid} {wrong}"));
        }
        let audits: Vec<_> = writes
            .iter()
            .filter_map(|write| match &write.is {
                Fact::Audit(audit) => Some(audit.action.as_str()),
                _ => None,
            })
            .collect();
        let goals = |fact: &Fact| {
            fact.host()
                .map(|host| host.goals.clone())
                .unwrap_or_default()
        };
        let changes = writes
            .iter()
            .filter(|write| goals(&write.was) != goals(&write.is))
            .count();
        if changes > 0 && audits.len() != 1 {
            let message = format!(
                "commit {zxid} changes goals with {} audit records",
                audits.len()
            );
            verdicts.violated([event.actor], message);
        }
        if changes == 0
            && let Some(action) = audits.iter().find(|action| about_goals(action))
        {
            verdicts.violated(
                [event.actor],
                format!("commit {zxid} is recorded as {action} and changes no goals"),
            );
        }
    }

    fn end(&mut self, _: &Fleet, _: &mut Verdicts) {}
}

impl AuditComplete {
    /// What a master that is asked for changes records in the name of somebody who did not ask it.
    fn of_another(&self, event: &Event, writes: &[Write]) -> Option<String> {
        let asked = self.asked.get(&event.actor)?;
        let mut audits = writes.iter().filter_map(|write| match &write.is {
            Fact::Audit(audit) if about_goals(&audit.action) => Some(audit),
            _ => None,
        });
        let wrong =
            audits.find(|audit| audit.principal != NOBODY && !asked.contains(&audit.principal))?;
        let (action, principal) = (&wrong.action, &wrong.principal);
        Some(format!(
            "is recorded as {action} by {principal:?}, who did not ask {} for it",
            event.actor
        ))
    }
}

fn about_goals(action: &str) -> bool {
    matches!(action, "deploy" | "undeploy" | "set goal")
}
