//! What should run on a host, also where it cannot be read.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::{Deref, DerefMut};

use serde::de::Error as _;
use serde::ser::{Error as _, SerializeMap};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::model::{HostName, JobId};

use super::GoalRecord;

/// The goals of a host, by job: a map of those that can be read, and beside it what is there of the others.
///
/// One goal that is broken, or says what only newer programs understand, concerns its own job and no other. It is
/// kept as it was found and written back with every change of the host, so that a change loses nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Goals {
    read: BTreeMap<JobId, GoalRecord>,
    unread: BTreeMap<String, UnreadGoal>,
}

impl Goals {
    /// Those that cannot be read, by job as it is spelled there.
    #[must_use]
    pub fn unread(&self) -> &BTreeMap<String, UnreadGoal> {
        &self.unread
    }

    /// The goal of a job, if it has one that cannot be read.
    #[must_use]
    pub fn unread_of(&self, job: &JobId) -> Option<&UnreadGoal> {
        self.unread.get(job.as_str())
    }

    /// Whether the job has a goal, which perhaps cannot be read.
    #[must_use]
    pub fn concern(&self, job: &JobId) -> bool {
        self.read.contains_key(job) || self.unread_of(job).is_some()
    }

    /// The jobs whose goals cannot be read, without what is no job's id.
    pub fn unread_jobs(&self) -> impl Iterator<Item = JobId> {
        self.unread.keys().filter_map(|job| job.parse().ok())
    }

    /// Gives up the goal of a job, also one that cannot be read.
    pub fn forget(&mut self, job: &JobId) {
        self.read.remove(job);
        self.unread.remove(job.as_str());
    }

    /// What is wrong with them, for people: a line for each that cannot be read.
    pub fn problems(&self, host: &HostName) -> impl Iterator<Item = String> {
        let unread = self.unread.iter();
        unread.map(move |(job, goal)| goal.problem(job, host))
    }
}

/// A goal that cannot be read.
#[derive(Clone, PartialEq, Eq)]
pub struct UnreadGoal {
    /// As it is stored.
    text: Box<str>,
    /// Why it cannot be read.
    pub why: String,
}

impl UnreadGoal {
    /// The token of its job, if one can be seen there, and empty if not.
    #[must_use]
    pub fn token(&self) -> String {
        let seen: Sight = serde_json::from_str(&self.text).unwrap_or_default();
        seen.job.token
    }

    /// What is told of it as the goal of `job` on `host`: what that means, and what can be done.
    #[must_use]
    pub fn problem(&self, job: &str, host: &HostName) -> String {
        let remedy = match job.parse::<JobId>() {
            Ok(_) => format!("undeploy the job from {host} and deploy it again"),
            Err(_) => format!("take it out of the store's entry hosts/{host}"),
        };
        format!(
            "the goal of {job} cannot be read, and what runs for it is left alone: {}; if a newer master wrote it, upgrade \
             whatever says this, and otherwise {remedy}",
            self.why
        )
    }
}

/// What is looked for in a goal that cannot be read.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Sight {
    job: SightOfJob,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct SightOfJob {
    token: String,
}

/// Without the text, which may hold a token.
impl fmt::Debug for UnreadGoal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UnreadGoal({:?})", self.why)
    }
}

impl<'de> Deserialize<'de> for Goals {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Box::<RawValue>::deserialize(deserializer)?;
        if let Ok(read) = serde_json::from_str(text.get()) {
            let unread = BTreeMap::new();
            return Ok(Self { read, unread });
        }
        let texts = serde_json::from_str::<BTreeMap<String, Box<RawValue>>>(text.get());
        let mut goals = Self::default();
        for (job, text) in texts.map_err(D::Error::custom)? {
            match read(&job, &text) {
                Ok((job, goal)) => {
                    goals.read.insert(job, goal);
                }
                Err(why) => {
                    let text: Box<str> = text.get().into();
                    goals.unread.insert(job, UnreadGoal { text, why });
                }
            }
        }
        Ok(goals)
    }
}

/// The goal at that place, or why there is none.
fn read(job: &str, text: &RawValue) -> Result<(JobId, GoalRecord), String> {
    let id = job.parse::<JobId>().map_err(|error| error.to_string())?;
    let goal = serde_json::from_str(text.get()).map_err(|error| error.to_string())?;
    Ok((id, goal))
}

impl Serialize for Goals {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // What was deployed anew takes the place of what could not be read.
        let unread = self
            .unread
            .iter()
            .filter(|(job, _)| !self.read.keys().any(|read| read.as_str() == *job));
        let mut map = serializer.serialize_map(None)?;
        for (job, goal) in &self.read {
            map.serialize_entry(job, goal)?;
        }
        for (job, goal) in unread {
            let text = RawValue::from_string(goal.text.to_string());
            map.serialize_entry(job, &text.map_err(S::Error::custom)?)?;
        }
        map.end()
    }
}

impl Deref for Goals {
    type Target = BTreeMap<JobId, GoalRecord>;

    fn deref(&self) -> &Self::Target {
        &self.read
    }
}

impl DerefMut for Goals {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.read
    }
}

impl<'a> IntoIterator for &'a Goals {
    type Item = (&'a JobId, &'a GoalRecord);
    type IntoIter = std::collections::btree_map::Iter<'a, JobId, GoalRecord>;

    fn into_iter(self) -> Self::IntoIter {
        self.read.iter()
    }
}

impl IntoIterator for Goals {
    type Item = (JobId, GoalRecord);
    type IntoIter = std::collections::btree_map::IntoIter<JobId, GoalRecord>;

    fn into_iter(self) -> Self::IntoIter {
        self.read.into_iter()
    }
}

impl FromIterator<(JobId, GoalRecord)> for Goals {
    fn from_iter<I: IntoIterator<Item = (JobId, GoalRecord)>>(goals: I) -> Self {
        let (read, unread) = (goals.into_iter().collect(), BTreeMap::new());
        Self { read, unread }
    }
}

#[cfg(test)]
mod tests;
