//! S17: the audit is complete.

use super::super::super::trace::{Event, Fact, Fleet, What};
use super::{Check, Verdicts, check};

#[derive(Debug)]
pub(super) struct AuditComplete;

impl Check for AuditComplete {
    check!(
        AuditComplete,
        "S17",
        "every commit that changes goals has exactly one audit record, and no audit record comes without its change"
    );

    fn see(&mut self, _: &Fleet, event: &Event, verdicts: &mut Verdicts) {
        let What::Commit { zxid, writes, .. } = &event.what else {
            return;
        };
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
        let about_goals = |action: &&&str| matches!(**action, "deploy" | "undeploy" | "set goal");
        if changes == 0
            && let Some(action) = audits.iter().find(about_goals)
        {
            verdicts.violated(
                [event.actor],
                format!("commit {zxid} is recorded as {action} and changes no goals"),
            );
        }
    }

    fn end(&mut self, _: &Fleet, _: &mut Verdicts) {}
}
