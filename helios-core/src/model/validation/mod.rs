//! What a job has to fulfil before anybody runs it.

mod container;
mod identity;
mod image;
mod limits;
mod mounts;
mod network;
mod rule;
mod violation;

use std::collections::BTreeSet;

pub use limits::{JOB_ID_BYTES_MAX, JOB_JSON_BYTES_MAX, MAP_ENTRIES_MAX, TEXT_BYTES_MAX};
pub use rule::Rule;
pub use violation::Violation;

use super::Job;
use crate::time::Timestamp;
use violation::Violations;

/// What [`validate`] has to know besides the job.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ValidationRules<'a> {
    /// The present, for the expiry of jobs.
    pub now: Timestamp,
    /// Whether the id must carry the hash of the job's content.
    pub check_hash: bool,
    /// The Linux capabilities a job may add; `None` allows any.
    pub allowed_capabilities: Option<&'a BTreeSet<String>>,
}

impl<'a> ValidationRules<'a> {
    /// What whoever makes a job can check: everything except its hash and its capabilities.
    #[must_use]
    pub fn for_client(now: Timestamp) -> Self {
        Self {
            now,
            check_hash: false,
            allowed_capabilities: None,
        }
    }

    /// What a master checks before it takes a job in.
    #[must_use]
    pub fn for_master(now: Timestamp, allowed_capabilities: &'a BTreeSet<String>) -> Self {
        Self {
            now,
            check_hash: true,
            allowed_capabilities: Some(allowed_capabilities),
        }
    }
}

/// Lists every rule that the job breaks, in the order of its members; nothing for a good job.
///
/// ```
/// use helios_core::model::{Job, Rule, ValidationRules, validate};
/// use helios_core::Timestamp;
///
/// let job = Job::new("web:1", "nginx:")?.volume("data", "");
/// let violations = validate(&job, &ValidationRules::for_client(Timestamp::default()));
/// let rules: Vec<Rule> = violations.iter().map(|violation| violation.rule).collect();
/// assert_eq!(rules, [Rule::TagEmpty, Rule::VolumeNotAbsolute]);
/// assert_eq!(
///     violations[1].to_string(),
///     r#"V30: volumes "data" must be an absolute path in the container, such as /data"#,
/// );
/// # Ok::<(), helios_core::model::ParseError>(())
/// ```
#[must_use]
pub fn validate(job: &Job, rules: &ValidationRules<'_>) -> Vec<Violation> {
    let mut found = Violations::default();
    identity::check(job, rules, &mut found);
    match &job.image {
        Some(image) => image::check(image, &mut found),
        None => found.add(Rule::ImageMissing, "image", "", "must be given"),
    }
    network::check(job, &mut found);
    mounts::check(job, &mut found);
    container::check(job, rules, &mut found);
    limits::check(job, &mut found);
    found.into_vec()
}

#[cfg(test)]
mod tests;
