//! What the main process of a simulated container does.

use std::time::Duration;

use super::super::dice::Dice;

/// How long a slow process takes to end.
const SLOW: Duration = Duration::from_secs(1);

/// What the main process does, as the first word of the container's command says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Process {
    /// Runs until it is asked to end; most end soon, some only when they are killed.
    Usual,
    /// `flap`: ends by itself soon after its start, until everything heals.
    Flaps,
    /// `unwell`: runs, and never passes a health check.
    Unwell,
    /// `obedient`: ends at once when it is asked to.
    Obedient,
    /// `slow`: ends about a second after it was asked to.
    Slow,
    /// `stubborn`: ends only when it is killed.
    Stubborn,
    /// `exits` and a number: ends at once, with that code.
    Exits(u8),
    /// `missing`: there is no such command.
    Missing,
    /// `refused`: the engine does not even create it.
    Refused,
}

impl Process {
    pub(crate) fn of(command: &[String]) -> Self {
        let mut words = command.iter().map(String::as_str);
        match words.next() {
            Some("flap") => Self::Flaps,
            Some("unwell") => Self::Unwell,
            Some("obedient") => Self::Obedient,
            Some("slow") => Self::Slow,
            Some("stubborn") => Self::Stubborn,
            Some("exits") => {
                Self::Exits(words.next().and_then(|code| code.parse().ok()).unwrap_or(0))
            }
            Some("missing") => Self::Missing,
            Some("refused") => Self::Refused,
            _ => Self::Usual,
        }
    }

    /// How long it takes to end when it is asked to and killed after `grace`, and with which code.
    pub(super) fn ending(self, grace: Duration, dice: &mut Dice) -> (Duration, i64) {
        match self {
            Self::Obedient => (Duration::ZERO, 0),
            Self::Slow if grace >= SLOW => (SLOW, 0),
            Self::Slow | Self::Stubborn => (grace, 137),
            // Most end long before their grace is over.
            _ if dice.chance(150) => (grace, 143),
            _ => (grace / 10, 143),
        }
    }
}
