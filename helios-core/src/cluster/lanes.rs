//! Taking turns at the same entry.

use std::hash::{DefaultHasher, Hash, Hasher};

use tokio::sync::{Mutex, MutexGuard};

/// How many lanes there are. Two entries in one lane merely wait for each other without need, which has to be
/// rare: of 64 changes under way in 64 lanes, 24 would wait.
const LANES: usize = 1024;

/// Turns at entries that many want to change at once.
///
/// Nothing depends on them for being right: the store decides which of several changes wins. But fifty
/// deployments to one host that take turns need fifty commits, and over a thousand if they race.
#[derive(Debug)]
pub(super) struct Lanes(Box<[Mutex<()>]>);

impl Lanes {
    pub(super) fn new() -> Self {
        Self((0..LANES).map(|_| Mutex::new(())).collect())
    }

    /// Waits until it is the caller's turn at what is called `name`. The turn ends with the guard.
    pub(super) async fn turn(&self, name: &str) -> Option<MutexGuard<'_, ()>> {
        let mut hasher = DefaultHasher::new();
        name.hash(&mut hasher);
        let lane = usize::try_from(hasher.finish() % LANES as u64).ok()?;
        Some(self.0.get(lane)?.lock().await)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn only_what_is_called_the_same_waits() {
        let lanes = Lanes::new();
        let first = lanes.turn("web1").now_or_never().flatten();
        assert!(first.is_some());
        assert!(lanes.turn("web1").now_or_never().is_none());
        assert!(lanes.turn("web2").now_or_never().flatten().is_some());
        drop(first);
        assert!(lanes.turn("web1").now_or_never().flatten().is_some());
    }
}
