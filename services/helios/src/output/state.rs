//! States as table cells.

use helios_api::wire::TaskStatus;
use helios_core::model::{Goal, TaskState, ThrottleState};
use helios_core::schema::LastExit;

use super::Cell;
use crate::console::Tone;

/// What is wanted.
pub(crate) fn goal_cell(goal: Option<Goal>) -> Cell {
    let tone = match goal {
        Some(Goal::Start) => Tone::Plain,
        _ => Tone::Faint,
    };
    Cell::new(goal.map(Goal::as_str).unwrap_or_default()).tone(tone)
}

/// How far it is, and why it waits if it does.
pub(crate) fn state_cell(status: &TaskStatus) -> Cell {
    let text = match status.throttled {
        ThrottleState::No => status.state.to_string(),
        reason => format!("{} ({reason})", status.state),
    };
    Cell::new(text).tone(state_tone(status))
}

/// How its last container ended: the code, and what the code does not say.
pub(crate) fn exit_cell(exit: Option<&LastExit>) -> Cell {
    let Some(exit) = exit else {
        return Cell::new("");
    };
    let tone = if exit.code == 0 {
        Tone::Plain
    } else {
        Tone::Bad
    };
    let text = match exit.code {
        code if exit.out_of_memory => format!("{code} (out of memory)"),
        code @ 129..=192 => format!("{code} (signal {})", code - 128),
        code => code.to_string(),
    };
    Cell::new(text).tone(tone)
}

/// Whether it is as it should be.
pub(crate) fn state_tone(status: &TaskStatus) -> Tone {
    if status.throttled != ThrottleState::No {
        return Tone::Bad;
    }
    match status.state {
        TaskState::Running => Tone::Good,
        TaskState::Failed | TaskState::Exited => Tone::Bad,
        TaskState::Stopped => Tone::Faint,
        TaskState::PullingImage
        | TaskState::Creating
        | TaskState::Starting
        | TaskState::Healthchecking
        | TaskState::Stopping
        | TaskState::Unknown => Tone::Pending,
    }
}
