//! The way of one host.

use std::time::Duration;

use helios_core::Timestamp;
use helios_core::schema::Drain;

use super::{Action, Asked, Away, Because, Phase, Reset, Sight};

/// How often masters ask for the reset of one host.
const ATTEMPTS_MAX: u32 = 3;

/// How many jobs a mishap names.
const JOBS_NAMED_MAX: usize = 3;

/// A host on its way, and what is seen of it.
pub(super) struct Journey<'a> {
    pub(super) reset: &'a Reset,
    /// `None` if it is not registered.
    pub(super) sight: Option<&'a Sight>,
    pub(super) me: &'a str,
    pub(super) now: Timestamp,
}

/// What becomes of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Move {
    To(Phase, Because),
    /// Another master asks.
    Asked(Asked, Because),
    Done,
    /// Its place is free, and it may be chosen again.
    Released(Because),
    /// Its place is free, because it is not the host any more that was chosen.
    Left(Because),
    Mishap {
        lost: bool,
        because: Because,
    },
}

impl Journey<'_> {
    /// What happens to the host now; `None` if it stays where it is.
    pub(super) fn next(&self, away: &Away) -> Option<Move> {
        let Some(sight) = self.sight else {
            return Some(Move::Left(Because::Deregistered));
        };
        if away.phase < Phase::Resetting {
            if sight.epoch != away.epoch {
                return Some(Move::Left(Because::RegisteredAnew));
            }
            if let Some(other) = sight
                .drain
                .as_ref()
                .filter(|drain| drain.by != self.reset.name)
            {
                return Some(Move::Released(Because::Taken(other.by.clone())));
            }
        }
        match away.phase {
            Phase::Chosen | Phase::Draining => self.while_draining(away, sight),
            Phase::Drained => Some(Move::To(
                Phase::Resetting,
                match self.reset.action {
                    Action::None => Because::Drill,
                    _ => Because::Empty,
                },
            )),
            Phase::Resetting => self.while_resetting(away, sight),
            Phase::Returned | Phase::Checked => self.once_back(away, sight),
        }
    }

    fn while_draining(&self, away: &Away, sight: &Sight) -> Option<Move> {
        let is_drained = sight
            .drain
            .as_ref()
            .is_some_and(|drain| drain.id == away.id);
        if away.phase == Phase::Chosen && is_drained {
            return Some(Move::To(Phase::Draining, Because::OrderSeen));
        }
        if away.phase == Phase::Draining && is_drained && sight.up && sight.empty {
            return Some(Move::To(Phase::Drained, Because::Empty));
        }
        self.is_over(away.chosen, self.reset.patience.drain)
            .then_some(Move::Mishap {
                lost: !sight.up,
                because: Because::DrainTooLong,
            })
    }

    fn while_resetting(&self, away: &Away, sight: &Sight) -> Option<Move> {
        if self.reset.action == Action::None {
            return Some(Move::To(Phase::Returned, Because::Drill));
        }
        if sight.up && sight.boot_id.is_some() && sight.boot_id != away.boot {
            return Some(Move::To(Phase::Returned, Because::Returned));
        }
        if let Some(why) = &sight.trouble {
            let because = Because::ActionFailed(why.clone());
            return Some(Move::Mishap {
                lost: false,
                because,
            });
        }
        if self.is_over(away.since, self.reset.patience.away) {
            let because = match sight.up {
                true => Because::SameBoot,
                false => Because::NotBack,
            };
            return Some(Move::Mishap {
                lost: !sight.up,
                because,
            });
        }
        let is_anew = sight.epoch != away.epoch && sight.boot_id == away.boot;
        if sight.up && is_anew && self.reset.action == Action::Agent {
            // Its order went with its registration, and whoever registered it may have given it jobs.
            return Some(Move::Left(Because::RegisteredAnew));
        }
        let Asked::By { since, attempt, .. } = &away.asked else {
            return None;
        };
        if !sight.up {
            // Whoever asked did not come to say so, but it goes down: nobody asks again.
            return Some(Move::Asked(Asked::Yes, Because::MasterGone));
        }
        if !self.is_over(*since, self.reset.patience.ask.saturating_mul(2)) {
            return None;
        }
        if *attempt >= ATTEMPTS_MAX {
            return Some(Move::Mishap {
                lost: false,
                because: Because::ActionHung,
            });
        }
        let asked = Asked::By {
            master: self.me.to_owned(),
            since: self.now,
            attempt: attempt + 1,
        };
        Some(Move::Asked(asked, Because::MasterGone))
    }

    fn once_back(&self, away: &Away, sight: &Sight) -> Option<Move> {
        // A master that lost its watches sees it as it was before it went down.
        let was_reset = !away.released && self.reset.action != Action::None;
        let is_itself = !was_reset || sight.boot_id != away.boot;
        let is_well = sight.up && is_itself && sight.drain.is_none() && sight.unwell.is_empty();
        match (away.phase, is_well) {
            (Phase::Checked, true) => {
                let settled = self.now.since(away.since) >= self.reset.patience.settle;
                settled.then_some(match away.released {
                    true => Move::Released(Because::Stopped),
                    false => Move::Done,
                })
            }
            (_, true) => Some(Move::To(Phase::Checked, Because::Well)),
            (Phase::Checked, false) => Some(Move::To(Phase::Returned, Because::Unwell)),
            (_, false) => {
                let back = away.back.unwrap_or(away.since);
                let because = match sight.up {
                    true => Because::JobsUnwell(
                        sight.unwell.iter().take(JOBS_NAMED_MAX).cloned().collect(),
                    ),
                    false => Because::NotBack,
                };
                self.is_over(back, self.reset.patience.check)
                    .then_some(Move::Mishap {
                        lost: !sight.up,
                        because,
                    })
            }
        }
    }

    fn is_over(&self, since: Timestamp, patience: Duration) -> bool {
        self.now.since(since) >= patience
    }
}

impl Reset {
    /// How a host that is away is to be drained, if it is.
    pub(super) fn drain_of(&self, away: &Away) -> Option<Drain> {
        (away.phase < Phase::Returned).then(|| Drain {
            by: self.name.clone(),
            id: away.id.clone(),
            since: away.chosen,
            reset: (away.phase == Phase::Resetting && self.action == Action::Agent)
                .then(|| away.boot.clone())
                .flatten(),
        })
    }
}
