//! What test processes left behind that were killed.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use async_trait::async_trait;
use helios_core::Timestamp;

use super::error::TemporaryError;
use super::marker;
use super::prefix::Prefix;

/// Somewhere tests leave things behind.
#[async_trait]
pub(super) trait Place: fmt::Debug + Send + Sync {
    /// The prefixes of all that is there.
    async fn prefixes(&self) -> Result<BTreeSet<Prefix>, TemporaryError>;

    /// Takes everything away that bears the prefix.
    async fn clean(&self, prefix: &Prefix) -> Result<(), TemporaryError>;
}

/// Takes away what is left in the place, and says of how many tests that was.
pub(super) async fn sweep(
    place: &dyn Place,
    folder: &Path,
    now: Timestamp,
) -> Result<usize, TemporaryError> {
    let mut swept = 0;
    for prefix in place.prefixes().await? {
        let (process, marker) = marker::look(folder, &prefix);
        if prefix.is_leftover(process, now) {
            place.clean(&prefix).await?;
            swept += 1;
            if let Some(marker) = marker {
                marker.clear();
            }
        }
    }
    Ok(swept)
}

/// Takes away the markers of processes that are gone and left nothing, once they are so old that nobody can need
/// them: until then something of theirs may lie in another place.
pub(super) fn forget_the_old(folder: &Path, now: Timestamp) {
    use super::prefix::Process;
    for prefix in marker::prefixes(folder) {
        if prefix.is_leftover(Process::Unknown, now)
            && let (Process::Gone, Some(marker)) = marker::look(folder, &prefix)
        {
            marker.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, PoisonError};

    use super::super::marker::Marker;
    use super::super::prefix::UNKNOWN_KEPT_FOR;
    use super::*;

    #[derive(Debug, Default)]
    struct Shelf(Mutex<BTreeSet<Prefix>>);

    #[async_trait]
    impl Place for Shelf {
        async fn prefixes(&self) -> Result<BTreeSet<Prefix>, TemporaryError> {
            Ok(self
                .0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone())
        }

        async fn clean(&self, prefix: &Prefix) -> Result<(), TemporaryError> {
            self.0.lock().unwrap().remove(prefix);
            Ok(())
        }
    }

    #[tokio::test]
    async fn the_dead_are_swept_and_the_living_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let began = Timestamp::from_millis(1_800_000_000_000);
        let [dead, living, foreign] = [1, 2, 3].map(|nonce| Prefix::new(began, nonce));
        drop(Marker::set(folder.path(), &dead).unwrap());
        let _living = Marker::set(folder.path(), &living).unwrap();
        let shelf = Shelf(Mutex::new(
            [&dead, &living, &foreign].map(Clone::clone).into(),
        ));

        assert_eq!(sweep(&shelf, folder.path(), began).await.unwrap(), 1);
        let left = shelf.prefixes().await.unwrap();
        assert_eq!(left, [living.clone(), foreign].into());
        assert_eq!(
            marker::prefixes(folder.path()),
            std::slice::from_ref(&living)
        );

        let later = began.plus(UNKNOWN_KEPT_FOR * 2);
        assert_eq!(sweep(&shelf, folder.path(), later).await.unwrap(), 1);
        assert_eq!(shelf.prefixes().await.unwrap(), [living].into());
    }

    #[test]
    fn markers_do_not_pile_up() {
        let folder = tempfile::tempdir().unwrap();
        let began = Timestamp::from_millis(1_800_000_000_000);
        drop(Marker::set(folder.path(), &Prefix::new(began, 1)).unwrap());
        forget_the_old(folder.path(), began);
        assert_eq!(marker::prefixes(folder.path()).len(), 1);
        forget_the_old(folder.path(), began.plus(UNKNOWN_KEPT_FOR * 2));
        assert_eq!(marker::prefixes(folder.path()).len(), 0);
    }
}
