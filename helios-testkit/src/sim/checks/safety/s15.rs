//! S15: bounded size.

use super::super::super::trace::{Event, Fleet, What};
use super::{Check, Verdicts, check};

#[derive(Debug)]
pub(super) struct BoundedSize;

impl Check for BoundedSize {
    check!(BoundedSize, "S15", "no commit is larger than the limit");

    fn see(&mut self, fleet: &Fleet, event: &Event, verdicts: &mut Verdicts) {
        let What::Commit { zxid, bytes, .. } = &event.what else {
            return;
        };
        let most = fleet.bounds.commit_bytes_max;
        if *bytes > most {
            verdicts.violated(
                [event.actor],
                format!("commit {zxid} has {bytes} bytes, {most} is the most"),
            );
        }
    }

    fn end(&mut self, _: &Fleet, _: &mut Verdicts) {}
}
