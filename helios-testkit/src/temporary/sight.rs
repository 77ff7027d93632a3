//! What is seen of a job, and what follows for the test that waits for it.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use helios_core::model::ThrottleState;
use helios_core::schema::TaskReport;
use helios_core::{PortMapping, TaskState};

/// How long a job may be FAILED before the test is: an agent that lost a port of its choice to somebody else is
/// FAILED until it has chosen another one.
const FAILED_FOR_MAX: Duration = Duration::from_secs(5);

/// What an agent says of a job.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sight {
    pub(super) state: TaskState,
    pub(super) throttled: ThrottleState,
    pub(super) container: Option<String>,
    pub(super) ports: BTreeMap<String, PortMapping>,
    pub(super) error: String,
    /// How its last container ended, if the agent tells.
    pub(super) exit_code: Option<i64>,
}

/// What a test does about a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Runs,
    Wait,
    /// It will not do by waiting.
    Hopeless,
}

impl Sight {
    /// What to do `failed_for` after the job was first seen FAILED without a break.
    pub(super) fn verdict(&self, failed_for: Duration) -> Verdict {
        match self.state {
            TaskState::Running => Verdict::Runs,
            TaskState::Exited | TaskState::Stopping | TaskState::Stopped => Verdict::Hopeless,
            _ if self.throttled != ThrottleState::No => Verdict::Hopeless,
            TaskState::Failed if failed_for >= FAILED_FOR_MAX => Verdict::Hopeless,
            _ => Verdict::Wait,
        }
    }
}

impl From<&TaskReport> for Sight {
    fn from(report: &TaskReport) -> Self {
        Self {
            state: report.state,
            throttled: report.throttled,
            container: report.container_id.clone(),
            ports: report.ports.clone(),
            error: report.error.clone(),
            exit_code: report.last_exit.as_ref().map(|exit| exit.code),
        }
    }
}

/// One line for people.
impl fmt::Display for Sight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.state)?;
        if self.throttled != ThrottleState::No {
            write!(f, " ({})", self.throttled)?;
        }
        if let Some(code) = self.exit_code {
            write!(f, ", its container ended with code {code}")?;
        }
        if !self.error.is_empty() {
            write!(f, ": {}", self.error)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sight(state: TaskState, throttled: ThrottleState) -> Sight {
        Sight {
            state,
            throttled,
            container: None,
            ports: BTreeMap::new(),
            error: String::new(),
            exit_code: None,
        }
    }

    #[test]
    fn a_test_waits_for_what_may_still_come_and_for_nothing_else() {
        use TaskState::*;
        use ThrottleState::{Flapping, ImageMissing, No};
        for (state, throttled, failed_seconds, verdict) in [
            (Running, No, 0, Verdict::Runs),
            (Running, Flapping, 0, Verdict::Runs),
            (PullingImage, No, 0, Verdict::Wait),
            (Creating, No, 0, Verdict::Wait),
            (Healthchecking, No, 0, Verdict::Wait),
            (Unknown, No, 0, Verdict::Wait),
            (Failed, No, 0, Verdict::Wait),
            (Failed, No, 5, Verdict::Hopeless),
            (Failed, ImageMissing, 0, Verdict::Hopeless),
            (Starting, Flapping, 0, Verdict::Hopeless),
            (Exited, No, 0, Verdict::Hopeless),
            (Stopped, No, 0, Verdict::Hopeless),
        ] {
            let failed_for = Duration::from_secs(failed_seconds);
            assert_eq!(
                sight(state, throttled).verdict(failed_for),
                verdict,
                "{state} {throttled}"
            );
        }
    }

    #[test]
    fn a_sight_says_all_that_is_wrong() {
        let mut sight = sight(TaskState::Exited, ThrottleState::Flapping);
        sight.exit_code = Some(3);
        sight.error = "no".to_owned();
        assert_eq!(
            sight.to_string(),
            "EXITED (FLAPPING), its container ended with code 3: no"
        );
    }
}
