//! The curve's own clock: how much open time has passed, at any speed.

/// Open milliseconds as a function of milliseconds since the start.
///
/// Each leg keeps its own speed as a fraction, instead of the rounded point where it ends: ending a leg early, as a pause does, then changes
/// nothing before that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Track {
    legs: Vec<Leg>,
    total: u64,
}

/// A span in which the clock runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Leg {
    pub(super) from: u64,
    pub(super) until: u64,
    /// The open time before it.
    pub(super) open: u64,
    pub(super) speed: Speed,
}

impl Track {
    /// Legs in order; the clock stops at `total`.
    pub(super) fn new(legs: Vec<Leg>, total: u64) -> Self {
        Self { legs, total }
    }

    pub(super) fn at(&self, time: u64) -> u64 {
        let later = self.legs.partition_point(|leg| leg.from <= time);
        let leg = later.checked_sub(1).and_then(|index| self.legs.get(index));
        leg.map_or(0, |leg| leg.at(time).min(self.total))
    }

    /// The first millisecond at which `open` has passed; `None` if it never has.
    pub(super) fn first(&self, open: u64) -> Option<u64> {
        if open == 0 {
            return Some(0);
        }
        let reached = self.legs.partition_point(|leg| leg.open < open);
        let leg = self.legs.get(reached.checked_sub(1)?)?;
        let time = leg.from.saturating_add(leg.speed.time(open - leg.open));
        (open <= self.total && time <= leg.until).then_some(time)
    }
}

impl Leg {
    pub(super) fn at(&self, time: u64) -> u64 {
        self.open + self.speed.distance(time.min(self.until) - self.from)
    }
}

/// Progress per time, as a fraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Speed {
    over: u64,
    under: u64,
}

impl Speed {
    pub(super) const PLANNED: Self = Self { over: 1, under: 1 };

    /// Fast enough for `work` in `left`, but not above the limit.
    pub(super) fn to_make_up(work: u64, left: u64, speed_max_permille: u32) -> Self {
        let limit = Self {
            over: u64::from(speed_max_permille.max(1_000)),
            under: 1_000,
        };
        if limit.distance(left) < work {
            limit
        } else {
            Self {
                over: work.max(1),
                under: left.max(1),
            }
        }
    }

    pub(super) fn distance(self, time: u64) -> u64 {
        if self.over == self.under {
            return time;
        }
        let distance = u128::from(time) * u128::from(self.over) / u128::from(self.under);
        u64::try_from(distance).unwrap_or(u64::MAX)
    }

    pub(super) fn time(self, distance: u64) -> u64 {
        let time = (u128::from(distance) * u128::from(self.under)).div_ceil(u128::from(self.over));
        u64::try_from(time).unwrap_or(u64::MAX)
    }
}
