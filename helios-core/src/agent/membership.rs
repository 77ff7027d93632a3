//! How an agent comes to act for its host: registered, and present under its own id.

use std::time::Duration;

use crate::schema::{ClusterRecord, HostRecord, Presence, Versioned};
use crate::store::Version;
use crate::time::Moment;

/// What was last read of the host, each with its version where it is there.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// The cluster; `None` if nothing was read yet.
    pub(super) cluster: Option<Option<Versioned<ClusterRecord>>>,
    /// The registration.
    pub(super) host: Option<Option<Versioned<HostRecord>>>,
    /// How often the registration was looked at.
    pub(super) host_looks: u64,
    /// The presence.
    pub(super) up: Option<Option<Versioned<Presence>>>,
    /// Since when nobody was seen to be present.
    pub(super) absent_since: Option<Moment>,
}

/// What to do next about membership.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing: all is as it should be, or not enough is known.
    None,
    /// Register the host, which nobody has, in that cluster and in no other.
    Register {
        /// The cluster's id.
        cluster: String,
    },
    /// Take the name over from an agent that is gone for good, in that cluster.
    TakeOver {
        /// The cluster's id.
        cluster: String,
    },
    /// Announce this agent's presence.
    Announce,
    /// Clear the agent's own presence of this version: one that an earlier incarnation left, or one under a
    /// name that is another agent's now.
    Clear(Version),
    /// Another live agent has the name.
    Refused {
        /// Its id.
        by: String,
    },
    /// Another agent had the name a moment ago: wait until then whether it comes back.
    WaitFor(Moment),
}

/// Decides the next step of the agent `me`, which belongs to `cluster` if it belongs to one yet.
///
/// A name is taken over only when its owner was not seen for `takeover_after`.
pub(super) fn next_step(
    me: &Presence,
    cluster: Option<&str>,
    seen: &Seen,
    takeover_after: Duration,
    now: Moment,
) -> Step {
    let (Some(Some(found)), Some(host), Some(up)) = (&seen.cluster, &seen.host, &seen.up) else {
        return Step::None;
    };
    let cluster_id = found.id.clone();
    if cluster.is_some_and(|own| own != cluster_id) {
        return Step::None;
    }
    match (host, up) {
        (_, Some(other)) if other.id != me.id => Step::Refused {
            by: other.id.clone(),
        },
        (Some(record), None) if record.agent_id != me.id => {
            let patience_ends = seen.absent_since.unwrap_or(now).plus(takeover_after);
            if now < patience_ends {
                Step::WaitFor(patience_ends)
            } else {
                Step::TakeOver {
                    cluster: cluster_id,
                }
            }
        }
        // The name was lost to another agent, which cannot announce itself before this one steps back.
        (Some(record), Some(present)) if record.agent_id != me.id => Step::Clear(present.version),
        (None, _) => Step::Register {
            cluster: cluster_id,
        },
        (Some(_), None) => Step::Announce,
        (Some(_), Some(present)) if present.incarnation != me.incarnation => {
            Step::Clear(present.version)
        }
        (Some(_), Some(_)) => Step::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn presence(id: &str, incarnation: &str) -> Presence {
        Presence {
            id: id.to_owned(),
            incarnation: incarnation.to_owned(),
        }
    }

    fn seen(agent: Option<&str>, up: Option<Presence>) -> Seen {
        let host = agent.map(|id| {
            let record = HostRecord::new(id, "e");
            Versioned::new(Version::from_raw(1), record)
        });
        Seen {
            cluster: Some(Some(Versioned::new(
                Version::from_raw(3),
                ClusterRecord { id: "c".to_owned() },
            ))),
            host: Some(host),
            host_looks: 1,
            up: Some(up.map(|up| Versioned::new(Version::from_raw(7), up))),
            absent_since: Some(Moment::from_millis(0)),
        }
    }

    fn check(seen: &Seen, at_secs: u64, expected: &Step) {
        let me = presence("me", "1");
        let now = Moment::from_millis(at_secs * 1000);
        let step = next_step(&me, Some("c"), seen, Duration::from_secs(600), now);
        assert_eq!(step, *expected, "{seen:?}");
    }

    #[test]
    fn the_steps_lead_to_presence_under_the_own_id() {
        check(&Seen::default(), 0, &Step::None);
        let cluster = "c".to_owned();
        check(&seen(None, None), 0, &Step::Register { cluster });
        check(&seen(Some("me"), None), 0, &Step::Announce);
        check(
            &seen(Some("me"), Some(presence("me", "0"))),
            0,
            &Step::Clear(Version::from_raw(7)),
        );
        check(&seen(Some("me"), Some(presence("me", "1"))), 0, &Step::None);
    }

    #[test]
    fn a_name_is_taken_over_only_from_the_long_gone() {
        let by = "other".to_owned();
        check(
            &seen(Some("other"), Some(presence("other", "9"))),
            9999,
            &Step::Refused { by },
        );
        check(
            &seen(Some("other"), None),
            599,
            &Step::WaitFor(Moment::from_millis(600_000)),
        );
        let cluster = "c".to_owned();
        check(&seen(Some("other"), None), 600, &Step::TakeOver { cluster });
        let by = "other".to_owned();
        check(
            &seen(None, Some(presence("other", "9"))),
            0,
            &Step::Refused { by },
        );
    }

    #[test]
    fn a_name_that_was_lost_is_given_free() {
        let own = Some(presence("me", "1"));
        check(
            &seen(Some("other"), own),
            0,
            &Step::Clear(Version::from_raw(7)),
        );
    }

    #[test]
    fn a_foreign_cluster_is_left_alone() {
        let step = next_step(
            &presence("me", "1"),
            Some("another"),
            &seen(None, None),
            Duration::ZERO,
            Moment::default(),
        );
        assert_eq!(step, Step::None);
    }
}
