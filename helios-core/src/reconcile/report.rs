//! The lines of a plan.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::{Goal, JobId};
use crate::runtime::Container;

use super::decide::Decision;
use super::plan::Line;
use super::{Observed, TaskPlan};

/// The line of one task.
pub(super) fn line(
    job: JobId,
    goal: Goal,
    container: Option<&Container>,
    observed: &Observed,
    ports: Option<&Arc<BTreeMap<String, u16>>>,
    decision: Decision,
) -> TaskPlan {
    let last = || {
        observed
            .memories
            .get(&job)?
            .last_exit
            .as_ref()
            .map(|(id, _)| id)
    };
    let report = Line {
        goal,
        state: decision.state,
        container: container
            .map(|container| &container.id)
            .or_else(last)
            .cloned(),
        throttled: decision.throttled,
        ports: ports.cloned().unwrap_or_default(),
        error: decision.error,
    };
    TaskPlan {
        job,
        action: decision.action,
        look: decision.look,
        leaving: decision.leaving,
        because: decision.because,
        waiting: decision.waiting,
        report,
    }
}
