//! What people may say to a reset.

use helios_core::Timestamp;
use thiserror::Error;

use super::{Progress, Reset, Stage};
use crate::drive::evidence::Look;
use crate::guard::{Evidence, GuardError, Monitor};

/// Something that cannot be said to a reset as it is.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ControlError {
    /// It is over.
    #[error("it is over: start another one")]
    Over,
    /// It is being ended.
    #[error("it is being aborted: wait until that is done, then start another one")]
    Aborting,
    /// It is paused or halted already.
    #[error("it does not run: resume it, or abort it")]
    NotRunning,
    /// It runs.
    #[error("it runs: there is nothing to resume")]
    Running,
    /// The deadline has passed.
    #[error("its deadline has passed: resume it with a later one")]
    DeadlinePassed,
    /// There is no guard.
    #[error("it has no guard that could look at evidence")]
    NoGuard,
    /// The guard refuses the evidence.
    #[error(transparent)]
    Guard(#[from] GuardError),
}

impl Progress {
    /// No more hosts are chosen; those that are away come back.
    ///
    /// # Errors
    ///
    /// [`ControlError`] if it does not run.
    pub fn pause(&mut self) -> Result<(), ControlError> {
        match self.stage {
            Stage::Running => {
                self.stage = Stage::Paused;
                Ok(())
            }
            Stage::Paused | Stage::Halted(_) => Err(ControlError::NotRunning),
            Stage::Aborting => Err(ControlError::Aborting),
            Stage::Ended(_) => Err(ControlError::Over),
        }
    }

    /// Goes on. The failures so far are accepted; with `again`, the hosts with which something went wrong are due again.
    ///
    /// # Errors
    ///
    /// [`ControlError`] if it runs, is over or is being ended, or if its deadline has passed.
    pub fn resume(
        &mut self,
        reset: &Reset,
        again: bool,
        now: Timestamp,
    ) -> Result<(), ControlError> {
        match self.stage {
            Stage::Paused | Stage::Halted(_) => {}
            Stage::Running => return Err(ControlError::Running),
            Stage::Aborting => return Err(ControlError::Aborting),
            Stage::Ended(_) => return Err(ControlError::Over),
        }
        if now >= reset.deadline {
            return Err(ControlError::DeadlinePassed);
        }
        let monitor = reset.guard.clone();
        self.monitor = monitor.map(|guard| Monitor::new(guard, now)).transpose()?;
        if again {
            self.mishaps.clear();
        }
        self.excused = self.mishaps.len() as u64;
        self.below.clear();
        self.fallen.clear();
        self.stage = Stage::Running;
        Ok(())
    }

    /// Ends it: hosts that were not reset yet get their jobs back, the others come back first.
    ///
    /// # Errors
    ///
    /// [`ControlError`] if it is over or being ended.
    pub fn abort(&mut self) -> Result<(), ControlError> {
        match self.stage {
            Stage::Running | Stage::Paused | Stage::Halted(_) => {
                self.stage = Stage::Aborting;
                Ok(())
            }
            Stage::Aborting => Err(ControlError::Aborting),
            Stage::Ended(_) => Err(ControlError::Over),
        }
    }

    /// Takes evidence into account.
    ///
    /// # Errors
    ///
    /// [`ControlError`] without a guard, and what the guard has against it.
    pub fn look(&mut self, objective: &str, evidence: &Evidence) -> Result<(), ControlError> {
        let monitor = self.monitor.as_mut().ok_or(ControlError::NoGuard)?;
        Ok(monitor.look(objective, evidence)?)
    }

    /// Takes a look of a guard into account; whether that was one that nobody had taken yet.
    pub(super) fn note(&mut self, since: Timestamp, look: &Look) -> Result<bool, ControlError> {
        let monitor = self.monitor.as_mut().ok_or(ControlError::NoGuard)?;
        let mut looked = monitor.looked();
        if !looked.any(|(objective, last)| objective.name == look.objective && last == since) {
            return Ok(false);
        }
        drop(looked);
        for evidence in &look.evidence {
            monitor.look(&look.objective, evidence)?;
        }
        let fallen = self.fallen.entry(look.objective.clone()).or_default();
        look.fallen.iter().for_each(|host| fallen.insert(host));
        Ok(true)
    }
}
