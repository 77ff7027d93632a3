//! What a running transition needs next: a pure function of its log and what is seen.

use std::time::Duration;

use helios_core::Timestamp;

use super::draft::Draft;
use super::evidence::Look;
use super::roster::{batches, difference};
use crate::audit::{AuditError, Entry};
use crate::curve::{Curve, Length};
use crate::guard::{Action, Advice, NoEvidence};
use crate::order::Fleet;
use crate::variable::{Budget, Running, Transition};

/// How many hosts one step tells: what fits a page beside everything else.
const TELLS_MAX: u64 = 1_000;
/// How many hosts that left one record lists.
const LEAVERS_MAX: usize = 1_000;

/// What a master sees.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen<'a> {
    /// The hosts there are; `None` if that has not changed.
    pub(super) roster: Option<&'a Fleet>,
    /// Looks of the guard.
    pub(super) looks: &'a [Look],
    /// Objectives of which nothing was seen for a while, and why.
    pub(super) misses: &'a [(String, NoEvidence)],
    /// The time.
    pub(super) at: Timestamp,
}

/// Adds to the draft what is due, in this order: who is there, what was seen, whether to go on, whom to tell, whether it is over.
///
/// Returns when the next host's turn comes, if that can be foreseen. Doing it twice adds nothing the second time.
pub(super) fn advance(
    draft: &mut Draft<'_>,
    seen: &Seen<'_>,
) -> Result<Option<Timestamp>, AuditError> {
    if let Some(roster) = seen.roster {
        note_members(draft, roster, seen.at)?;
    }
    for look in seen.looks {
        note_look(draft, look, seen.at)?;
    }
    for miss in seen.misses {
        note_miss(draft, miss, seen.at)?;
    }
    heed_guard(draft, seen.at)?;
    tell(draft, seen.at)
}

fn note_members(draft: &mut Draft<'_>, roster: &Fleet, at: Timestamp) -> Result<(), AuditError> {
    let (joined, left) = difference(&draft.state().fleet, roster);
    for joined in batches(&joined) {
        let left = Vec::new();
        draft.push(at, Entry::Members { joined, left })?;
    }
    for left in left.chunks(LEAVERS_MAX) {
        let (joined, left) = (Vec::new(), left.to_vec());
        draft.push(at, Entry::Members { joined, left })?;
    }
    Ok(())
}

fn note_look(draft: &mut Draft<'_>, look: &Look, at: Timestamp) -> Result<(), AuditError> {
    let mut fallen = look.fallen.clone();
    for evidence in &look.evidence {
        let entry = Entry::Looked {
            objective: look.objective.clone(),
            evidence: evidence.clone(),
            fallen: std::mem::take(&mut fallen),
        };
        draft.push(at, entry)?;
    }
    Ok(())
}

/// Noted when it is something new: the words of a failure differ each time.
fn note_miss(
    draft: &mut Draft<'_>,
    (objective, because): &(String, NoEvidence),
    at: Timestamp,
) -> Result<(), AuditError> {
    let monitor = draft.state().monitor.as_ref();
    if !monitor.is_some_and(|monitor| monitor.is_news(objective, because)) {
        return Ok(());
    }
    let (objective, because) = (objective.clone(), because.clone());
    draft.push(at, Entry::Missed { objective, because })
}

/// What the guard advises is noted when it is something new, and done.
fn heed_guard(draft: &mut Draft<'_>, at: Timestamp) -> Result<(), AuditError> {
    let Some(running) = draft.state().variable.running() else {
        return Ok(());
    };
    // On the way back there is nothing left to end; before the start there is nothing to judge.
    if running.rollback.is_some() || at < running.transition.curve.start {
        return Ok(());
    }
    let (paused, back) = (running.is_paused(), way_back(running, at, None));
    let Some(Entry::Advised { advice }) = draft.state().advise(at)? else {
        return Ok(());
    };
    let known = draft.state().advice.as_ref();
    if *known.unwrap_or(&Advice::Proceed) != advice {
        let advice = advice.clone();
        draft.push(at, Entry::Advised { advice })?;
    }
    let held = draft.state().held_by_guard;
    match advice {
        Advice::Proceed if held => draft.push(at, Entry::Released),
        Advice::Hold { .. } if !paused => draft.push(at, Entry::Held),
        Advice::Terminate {
            action: Action::Hold,
            ..
        } if !paused => draft.push(at, Entry::Held),
        Advice::Terminate {
            action: Action::RollBack,
            ..
        } => {
            let curve = Box::new(back);
            draft.push(at, Entry::RolledBack { curve })
        }
        _ => Ok(()),
    }
}

fn tell(draft: &mut Draft<'_>, at: Timestamp) -> Result<Option<Timestamp>, AuditError> {
    if draft.state().variable.running().is_none() {
        return Ok(None);
    }
    let budget = Budget {
        in_flight_max: Some(TELLS_MAX),
        in_flight: 0,
    };
    let Entry::Told { budget, step } = draft.state().tell(at, budget)? else {
        return Ok(None);
    };
    let (wake, more, told) = (step.wake, step.held_back > 0, !step.tells.is_empty());
    if told {
        draft.push(at, Entry::Told { budget, step })?;
    }
    if more {
        return Ok(Some(at));
    }
    if wake.is_some() || !has_arrived(draft, at)? {
        return Ok(wake);
    }
    match &draft.state().monitor {
        // The advice that begins the bake comes with the next step.
        Some(monitor) if is_forward(draft) && !monitor.has_baked(at) => {
            return Ok(Some(monitor.baking_until().unwrap_or(at)));
        }
        _ => draft.push(at, Entry::Finished)?,
    }
    Ok(None)
}

fn is_forward(draft: &Draft<'_>) -> bool {
    let running = draft.state().variable.running();
    running.is_some_and(|running| running.rollback.is_none())
}

/// Whether the clock is at its end and everybody was told.
fn has_arrived(draft: &Draft<'_>, at: Timestamp) -> Result<bool, AuditError> {
    let state = draft.state();
    if state.variable.running().is_none_or(Running::is_paused) {
        return Ok(false);
    }
    let mut ended = state.variable.clone();
    Ok(ended.finish(&state.fleet, at).is_ok())
}

/// The curve of a rollback: straight, at any hour, over that time or else a twentieth of what the way there takes, a second to an hour.
pub(super) fn way_back(running: &Running, at: Timestamp, over: Option<Duration>) -> Curve {
    let over = over.unwrap_or_else(|| {
        let longest = Duration::from_secs(3_600);
        (length(&running.transition) / 20).clamp(Duration::from_secs(1), longest)
    });
    Curve::linear(at, over)
}

/// How long a transition takes.
pub(super) fn length(transition: &Transition) -> Duration {
    let (Length::Elapsed(length) | Length::Open(length)) = transition.curve.length;
    length
}
