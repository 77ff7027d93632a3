//! How a rolling update of a deployment group proceeds.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use super::redacted::Redacted;

/// Wishes for a rolling update. What is `None` is decided elsewhere, see
/// [`resolve`](RolloutOptions::resolve).
#[derive(Clone, Default, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RolloutOptions {
    /// How long one step may take, in seconds.
    pub timeout: Option<i64>,
    /// How many hosts are updated at a time.
    pub parallelism: Option<i32>,
    /// Whether deployments of the same job that belong to nobody's group are taken over.
    pub migrate: Option<bool>,
    /// Whether the new job is started before the old one is stopped.
    pub overlap: Option<bool>,
    /// The token of the jobs to deploy and undeploy.
    pub token: Option<String>,
    /// Whether a host that fails is skipped instead of ending the update.
    pub ignore_failures: Option<bool>,
}

read_members!(RolloutOptions {
    "timeout" => timeout,
    "parallelism" => parallelism,
    "migrate" => migrate,
    "overlap" => overlap,
    "token" => token,
    "ignoreFailures" => ignore_failures,
});

optional_member!(RolloutOptions);

impl RolloutOptions {
    /// Decides every option: these (the request's) come first, then the job's, then the defaults.
    ///
    /// ```
    /// use helios_core::model::RolloutOptions;
    ///
    /// let mut request = RolloutOptions::default();
    /// request.parallelism = Some(2);
    /// let mut job = RolloutOptions::default();
    /// (job.parallelism, job.overlap) = (Some(5), Some(true));
    ///
    /// let resolved = request.resolve(Some(&job));
    /// assert_eq!((resolved.parallelism, resolved.overlap, resolved.timeout), (2, true, 300));
    /// ```
    #[must_use]
    pub fn resolve(&self, job: Option<&Self>) -> ResolvedRolloutOptions {
        let unset = Self::default();
        let job = job.unwrap_or(&unset);
        let token = self.token.as_ref().or(job.token.as_ref());
        ResolvedRolloutOptions {
            timeout: self.timeout.or(job.timeout).unwrap_or(300),
            parallelism: self.parallelism.or(job.parallelism).unwrap_or(1),
            migrate: self.migrate.or(job.migrate).unwrap_or(false),
            overlap: self.overlap.or(job.overlap).unwrap_or(false),
            token: token.cloned().unwrap_or_default(),
            ignore_failures: self
                .ignore_failures
                .or(job.ignore_failures)
                .unwrap_or(false),
        }
    }
}

impl fmt::Debug for RolloutOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RolloutOptions")
            .field("timeout", &self.timeout)
            .field("parallelism", &self.parallelism)
            .field("migrate", &self.migrate)
            .field("overlap", &self.overlap)
            .field("token", &self.token.as_deref().map(Redacted))
            .field("ignore_failures", &self.ignore_failures)
            .finish()
    }
}

/// The options of a rolling update with nothing left open.
#[derive(Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ResolvedRolloutOptions {
    /// How long one step may take, in seconds.
    pub timeout: i64,
    /// How many hosts are updated at a time.
    pub parallelism: i32,
    /// Whether deployments of the same job that belong to nobody's group are taken over.
    pub migrate: bool,
    /// Whether the new job is started before the old one is stopped.
    pub overlap: bool,
    /// The token of the jobs to deploy and undeploy.
    pub token: String,
    /// Whether a host that fails is skipped instead of ending the update.
    pub ignore_failures: bool,
}

impl ResolvedRolloutOptions {
    /// How long one step may take. A negative number of seconds is no time at all.
    #[must_use]
    pub fn step_timeout(&self) -> Duration {
        Duration::from_secs(u64::try_from(self.timeout).unwrap_or(0))
    }
}

impl Default for ResolvedRolloutOptions {
    fn default() -> Self {
        RolloutOptions::default().resolve(None)
    }
}

impl fmt::Debug for ResolvedRolloutOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&RolloutOptions::from(self.clone()), f)
    }
}

/// The form in which a group stores them.
impl From<ResolvedRolloutOptions> for RolloutOptions {
    fn from(resolved: ResolvedRolloutOptions) -> Self {
        Self {
            timeout: Some(resolved.timeout),
            parallelism: Some(resolved.parallelism),
            migrate: Some(resolved.migrate),
            overlap: Some(resolved.overlap),
            token: Some(resolved.token),
            ignore_failures: Some(resolved.ignore_failures),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_option_is_resolved_by_itself() {
        let request: RolloutOptions =
            serde_json::from_str(r#"{"timeout":"7","token":""}"#).unwrap();
        let job: RolloutOptions =
            serde_json::from_str(r#"{"timeout":9,"token":"t","migrate":"true"}"#).unwrap();
        let resolved = request.resolve(Some(&job));
        assert_eq!(
            serde_json::to_string(&resolved).unwrap(),
            r#"{"timeout":7,"parallelism":1,"migrate":true,"overlap":false,"token":"","ignoreFailures":false}"#
        );
        assert_eq!(
            RolloutOptions::from(resolved.clone()).resolve(Some(&job)),
            resolved
        );
    }

    #[test]
    fn debug_output_hides_the_token() {
        let job: RolloutOptions = serde_json::from_str(r#"{"token":"s3cret"}"#).unwrap();
        assert!(!format!("{job:?} {:?}", job.resolve(None)).contains("s3cret"));
    }
}
