//! Why something is done with a host, or not.

use std::fmt;

use helios_core::Timestamp;
use helios_core::model::HostName;
use serde::{Deserialize, Serialize};

use crate::share::Share;

/// Why a host takes its next step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "ResetBecause")
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Because {
    /// It is not as wanted, and the limits allow it.
    Due,
    /// Its agent follows the order to stop its jobs.
    OrderSeen,
    /// Nothing runs on it.
    Empty,
    /// It is a drill: there is nothing to wait for.
    Drill,
    /// It is back with another boot.
    Returned,
    /// All its jobs are well.
    Well,
    /// Its jobs are not well any more.
    Unwell,
    /// Its jobs stayed well for long enough.
    Settled,
    /// It is not registered any more.
    Deregistered,
    /// It was deregistered, and is registered anew.
    RegisteredAnew,
    /// Another reset, which began earlier, has it.
    Taken(String),
    /// The reset does not go on, and the host was not reset yet.
    Stopped,
    /// A master that was to ask for its reset did not say what came of it.
    MasterGone,
    /// It was not empty in time.
    DrainTooLong,
    /// It was up with the same boot when its time was over.
    SameBoot,
    /// It was not up when its time was over.
    NotBack,
    /// What was to reset it failed.
    ActionFailed(String),
    /// What was to reset it did not answer in time, as often as it was tried.
    ActionHung,
    /// These jobs were not well when its time was over.
    JobsUnwell(Vec<String>),
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Due => f.write_str("it is not as wanted, and the limits allow it"),
            Self::OrderSeen => f.write_str("it is told to stop its jobs"),
            Self::Empty => f.write_str("nothing runs on it any more"),
            Self::Drill => f.write_str("this is a drill: it is left as it is"),
            Self::Returned => f.write_str("it is back, with another boot"),
            Self::Well => f.write_str("all its jobs are well"),
            Self::Unwell => f.write_str("its jobs are not well any more"),
            Self::Settled => f.write_str("its jobs stayed well"),
            Self::Deregistered => f.write_str("it is not registered any more, so its place is free"),
            Self::RegisteredAnew => {
                f.write_str("it was deregistered and is registered anew, so its place is free")
            }
            Self::Taken(by) => write!(f, "reset {by} has it"),
            Self::Stopped => f.write_str("the reset does not go on, so it gets its jobs back"),
            Self::MasterGone => {
                f.write_str("the master that was to ask for its reset did not say what came of it")
            }
            Self::DrainTooLong => f.write_str("its jobs did not stop in time"),
            Self::SameBoot => f.write_str(
                "it is up with the boot it had before: whatever was to reset it did not, or not in time",
            ),
            Self::NotBack => f.write_str("it is not up, and its time is over"),
            Self::ActionFailed(why) => write!(f, "it could not be reset: {why}"),
            Self::ActionHung => f.write_str("what was to reset it gave no answer"),
            Self::JobsUnwell(jobs) => {
                write!(f, "these jobs did not become well in time: {}", jobs.join(", "))
            }
        }
    }
}

/// What stops a reset until somebody resumes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Halt {
    /// More hosts failed or were lost than it may.
    Failures {
        /// How many, since it was last resumed.
        failed: u64,
        /// How many it may.
        budget: u64,
        /// The last of them.
        last: HostName,
    },
    /// A service was below its minimum for too long while one of its hosts was away.
    Service {
        /// Which.
        service: String,
        /// How many of its instances were well.
        healthy: u64,
        /// How many have to be.
        minimum: u64,
    },
    /// The guard ended it.
    Objective {
        /// For which objective.
        objective: String,
    },
    /// The deadline has passed.
    Deadline,
}

impl fmt::Display for Halt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failures {
                failed,
                budget,
                last,
            } => write!(
                f,
                "{failed} hosts failed, the last one {last}, and {budget} may: look at them, then resume"
            ),
            Self::Service {
                service,
                healthy,
                minimum,
            } => write!(
                f,
                "service {service} had {healthy} well instances, and {minimum} is its minimum: bring it back, then resume"
            ),
            Self::Objective { objective } => {
                write!(
                    f,
                    "objective {objective:?} was breached: look why, then resume"
                )
            }
            Self::Deadline => {
                f.write_str("its deadline has passed: resume it with a later one, or abort it")
            }
        }
    }
}

/// What keeps a host that is due from being chosen now.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Hold {
    /// The reset is paused, halted, or being ended.
    NotRunning,
    /// No window is open, or there is a freeze.
    Closed,
    /// As many hosts as may are away.
    AtOnce {
        /// How many may.
        limit: u64,
    },
    /// The first host is not done yet.
    First,
    /// As many hosts of its group as may are away.
    Group {
        /// The group, as `role=web`.
        group: String,
        /// How many may.
        allowed: u64,
    },
    /// Too few hosts of its group would serve.
    Keep {
        /// The group.
        group: String,
        /// How many have to.
        keep: u64,
    },
    /// Too few instances of a service would be well.
    Service {
        /// Which service.
        service: String,
        /// How many have to be.
        minimum: u64,
    },
    /// The guard waits until this objective shows no harm.
    Objective(String),
    /// It is down.
    Down,
    /// Its agent does not say which boot it is, so nobody could tell whether it was reset.
    NoBoot,
    /// Somebody else drains it.
    Drained(String),
    /// An older reset is for it too.
    Claimed(String),
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRunning => f.write_str("the reset does not go on"),
            Self::Closed => f.write_str("no window is open"),
            Self::AtOnce { limit } => write!(f, "{limit} hosts are away, which is the most"),
            Self::First => f.write_str("the first host is not done yet"),
            Self::Group { group, allowed } => {
                write!(
                    f,
                    "{allowed} hosts with {group} are away, which is the most"
                )
            }
            Self::Keep { group, keep } => {
                write!(f, "{keep} hosts with {group} have to serve")
            }
            Self::Service { service, minimum } => {
                write!(f, "{minimum} instances of {service} have to stay well")
            }
            Self::Objective(name) => {
                write!(
                    f,
                    "objective {name:?} has to show no harm before more hosts are chosen"
                )
            }
            Self::Down => f.write_str("it is down"),
            Self::NoBoot => f.write_str("its agent does not say which boot it is: renew the agent"),
            Self::Drained(by) => write!(f, "it is drained by {by}"),
            Self::Claimed(by) => write!(f, "reset {by} began earlier and is for it too"),
        }
    }
}

/// Why a reset is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Impossible {
    /// Nothing may ever be away, or more than one reset can keep track of.
    AtOnce {
        /// How many can be.
        most: u64,
    },
    /// More failures are to be borne than one reset can keep track of.
    Failures {
        /// How many can be.
        most: u64,
    },
    /// A patience of no time.
    NoTime {
        /// Which.
        which: String,
    },
    /// A host would have to be reset in the future.
    FutureReset,
    /// The windows and freezes leave no time before the deadline.
    NeverOpen {
        /// What the calendar says.
        why: String,
    },
    /// A group may have nobody away.
    Group {
        /// The group, as `role=db`.
        group: String,
        /// How many hosts it has.
        hosts: u64,
        /// How many may be away.
        allowed: u64,
        /// How many have to serve.
        keep: u64,
    },
    /// A service cannot spare the instances of one host.
    Service {
        /// Which.
        service: String,
        /// How many instances it has.
        instances: u64,
        /// How many have to stay well.
        minimum: u64,
        /// The host that could never be chosen.
        host: HostName,
    },
    /// It would take longer.
    Deadline {
        /// The deadline.
        deadline: Timestamp,
        /// When it would end; `None` if the calendar leaves too little time for ever.
        ends: Option<Timestamp>,
        /// How many hosts there are.
        hosts: u64,
        /// How many can be away at once.
        width: u64,
        /// What part of them could be reset in time.
        in_time: Share,
    },
    /// The guard means nothing.
    Guard(String),
    /// More hosts than one reset can keep track of.
    TooManyHosts {
        /// How many.
        hosts: u64,
        /// How many can be.
        most: u64,
    },
}

impl fmt::Display for Impossible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtOnce { most } => {
                write!(
                    f,
                    "the hosts that may be away at once must be from 1 to {most}"
                )
            }
            Self::Failures { most } => write!(f, "at most {most} failures can be borne"),
            Self::NoTime { which } => write!(f, "the patience {which:?} is zero: give it a length"),
            Self::FutureReset => f.write_str(
                "hosts are to be reset since a time that has not come: use now, or an earlier one",
            ),
            Self::NeverOpen { why } => write!(f, "it could never begin: {why}"),
            Self::Group {
                group,
                hosts,
                allowed,
                keep,
            } => write!(
                f,
                "of the {hosts} hosts with {group}, {allowed} may be away and {keep} have to serve, so none can be \
                 reset: change the limits, or waive {group:?}"
            ),
            Self::Service {
                service,
                instances,
                minimum,
                host,
            } => write!(
                f,
                "service {service} has {instances} instances and {minimum} have to stay well, so host {host} can \
                 never be reset: deploy it to more hosts, change its minimum, or waive {service:?}"
            ),
            Self::Deadline {
                ends,
                hosts,
                width,
                in_time,
                ..
            } => {
                let ends = ends.map_or_else(
                    || "and the calendar leaves too little time for it".to_owned(),
                    |ends| format!("so it would end at {}", crate::reset::utc(ends)),
                );
                write!(
                    f,
                    "the {hosts} hosts cannot be reset by the deadline: at most {width} can be away at once, {ends}; \
                     {in_time} of them can be done in time: allow more at once, open more windows, or choose a later deadline"
                )
            }
            Self::Guard(why) => f.write_str(why),
            Self::TooManyHosts { hosts, most } => write!(
                f,
                "it is for {hosts} hosts, and one reset keeps track of {most} at most: use selectors, and several resets"
            ),
        }
    }
}
