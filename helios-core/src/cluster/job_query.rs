//! How people refer to jobs.

use thiserror::Error;

use crate::model::JobId;

/// What a person gave to refer to jobs: any part of an id.
///
/// ```
/// use helios_core::cluster::JobQuery;
/// use helios_core::JobId;
///
/// let ids: Vec<JobId> = vec!["web:1:aa11".parse()?, "web:10:bb22".parse()?];
/// assert_eq!(JobQuery::new("bb").resolve(&ids)?, ids[1]);
/// assert_eq!(JobQuery::new("web:1").resolve(&ids)?, ids[0]);
/// assert!(JobQuery::new("web").resolve(&ids).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobQuery(String);

/// A reference that does not lead to one job.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum JobQueryError {
    /// No id contains it.
    #[error("no job's id contains {query:?}: look for it among the jobs there are")]
    Unknown {
        /// The reference as given.
        query: String,
    },
    /// Several ids contain it.
    #[error("{query:?} could be {}: give more of the id", shown(candidates))]
    Ambiguous {
        /// The reference as given.
        query: String,
        /// All jobs it could mean.
        candidates: Vec<JobId>,
    },
}

impl JobQuery {
    /// A reference as a person gave it. An empty one matches every job.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Whether the id contains it.
    #[must_use]
    pub fn matches(&self, id: &JobId) -> bool {
        id.as_str().contains(&self.0)
    }

    /// The one job of `ids` that is meant: the one with that very id, or that very name and version, or
    /// the only one whose id contains it.
    ///
    /// # Errors
    /// [`JobQueryError`] when there is no such job, or more than one.
    pub fn resolve<'a>(
        &self,
        ids: impl IntoIterator<Item = &'a JobId>,
    ) -> Result<JobId, JobQueryError> {
        let query = || self.0.clone();
        let found: Vec<&JobId> = ids.into_iter().filter(|id| self.matches(id)).collect();
        let is_exact = |id: &JobId| id.as_str() == self.0 || id.without_hash().as_str() == self.0;
        let mut exact = found.iter().filter(|id| is_exact(id));
        if let (Some(id), None) = (exact.next(), exact.next()) {
            return Ok(JobId::clone(id));
        }
        match found.as_slice() {
            [] => Err(JobQueryError::Unknown { query: query() }),
            [id] => Ok(JobId::clone(id)),
            _ => Err(JobQueryError::Ambiguous {
                query: query(),
                candidates: found.into_iter().cloned().collect(),
            }),
        }
    }
}

/// The most candidates a message shows.
const SHOWN_MAX: usize = 5;

fn shown(candidates: &[JobId]) -> String {
    let mut shown: Vec<String> = candidates
        .iter()
        .take(SHOWN_MAX)
        .map(JobId::short)
        .collect();
    let more = candidates.len().saturating_sub(SHOWN_MAX);
    if more > 0 {
        shown.push(format!("{more} more"));
    }
    shown.join(" or ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(query: &str, expected: Result<&str, &str>) {
        let ids: Vec<JobId> = ["web:1:a1", "web:10:a2", "api:1:b1", "x-web:1:b2"]
            .map(|id| id.parse().unwrap())
            .into();
        let found = JobQuery::new(query).resolve(&ids);
        let found = found
            .as_ref()
            .map(JobId::as_str)
            .map_err(ToString::to_string);
        assert_eq!(found, expected.map_err(str::to_owned), "{query}");
    }

    #[test]
    fn an_exact_id_or_name_and_version_wins_over_parts() {
        check("web:1", Ok("web:1:a1"));
        check("web:1:a1", Ok("web:1:a1"));
        check("api", Ok("api:1:b1"));
        check("b2", Ok("x-web:1:b2"));
    }

    #[test]
    fn what_is_unknown_or_ambiguous_says_what_to_do() {
        check(
            "db",
            Err(r#"no job's id contains "db": look for it among the jobs there are"#),
        );
        check(
            "b",
            Err(
                r#""b" could be web:1:a1 or web:10:a2 or api:1:b1 or x-web:1:b2: give more of the id"#,
            ),
        );
        for (jobs, last) in [(5, "web:5"), (7, "2 more")] {
            let ids: Vec<JobId> = (1..=jobs)
                .map(|version| format!("web:{version}").parse().unwrap())
                .collect();
            let error = JobQuery::new("web").resolve(&ids).unwrap_err().to_string();
            assert!(
                error.ends_with(&format!(" or {last}: give more of the id")),
                "{error}"
            );
        }
    }
}
