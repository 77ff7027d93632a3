//! S15: bounded size.

use std::time::Duration;

use helios_core::store::StoreErrorKind;

use super::super::super::trace::{Event, Fleet, Outcome, What};
use super::{Check, Verdicts, check};

/// How long after a request that was too large others may notice what became of it.
const SOON: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
pub(super) struct BoundedSize {
    /// The last request that was too large, and when it was refused.
    refused: Option<(u64, Duration)>,
}

impl Check for BoundedSize {
    check!(
        BoundedSize,
        "S15",
        "no commit is larger than the limit, and a request that is changes nothing and costs nobody else the connection"
    );

    fn see(&mut self, fleet: &Fleet, event: &Event, verdicts: &mut Verdicts) {
        let wrong = match &event.what {
            What::Reply {
                request,
                outcome: Outcome::Failed(Some(StoreErrorKind::LimitExceeded)),
            } => {
                self.refused = Some((*request, event.at));
                None
            }
            What::Commit {
                zxid,
                bytes,
                request,
                ..
            } => {
                let most = fleet.bounds.commit_bytes_max;
                let refused = self.refused.filter(|(refused, _)| *refused != 0);
                if *bytes > most {
                    Some(format!(
                        "commit {zxid} has {bytes} bytes, {most} is the most"
                    ))
                } else if refused.is_some_and(|(refused, _)| refused == *request) {
                    Some(format!(
                        "request {request} was too large, and is commit {zxid}"
                    ))
                } else {
                    None
                }
            }
            // Where nothing else fails there is no other reason for it.
            What::ReadFailed { .. } | What::Expired { .. } if !fleet.has_faults => {
                let after = self.refused.map(|(_, at)| event.at.saturating_sub(at));
                after.filter(|after| *after < SOON).map(|after| {
                    format!(
                        "{} has no connection {after:?} after a request that was too large",
                        event.actor
                    )
                })
            }
            _ => None,
        };
        if let Some(wrong) = wrong {
            verdicts.violated([event.actor], wrong);
        }
    }

    fn end(&mut self, _: &Fleet, _: &mut Verdicts) {}
}
