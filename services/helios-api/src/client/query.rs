//! How names and values get into an address.

use std::fmt::Write as _;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What is escaped in a segment of a path: all but what is never special there. Job ids keep their
/// colons.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b':');

/// A path and its query, in the making.
#[derive(Clone, Debug)]
pub(super) struct Target(String);

impl Target {
    /// The path of those segments; each may hold anything.
    pub(super) fn path(segments: &[&str]) -> Self {
        let mut path = String::new();
        for segment in segments {
            // A segment of dots alone would mean another place.
            let dots = matches!(*segment, "." | "..");
            let escaped =
                utf8_percent_encode(segment, if dots { NON_ALPHANUMERIC } else { SEGMENT });
            // Writing to a text cannot fail.
            let _ = write!(path, "/{escaped}");
        }
        Self(path)
    }

    /// Adds a parameter.
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.0.push(if self.0.contains('?') { '&' } else { '?' });
        let pair: String = form_urlencoded::Serializer::new(String::new())
            .append_pair(name, value)
            .finish();
        self.0.push_str(&pair);
        self
    }

    /// Adds a parameter if it has a value.
    pub(super) fn with_any(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Which of a list to show; all of it by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListQuery {
    /// Only what has a name that matches this regular expression somewhere.
    pub name_pattern: Option<String>,
    /// Only what is in this status, where the list has any: `GET /openapi.json` names them.
    pub status: Option<String>,
}

impl ListQuery {
    /// The list at that path, asked for so.
    pub(super) fn of(&self, path: &str) -> Target {
        Target::path(&[path])
            .with_any("namePattern", self.name_pattern.as_deref())
            .with_any("status", self.status.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::{ListQuery, Target};

    #[test]
    fn escapes_each_name_and_value_once() {
        let target = Target::path(&["hosts", "a b/c", "jobs", "web:7:11"])
            .with("selector", "az in (a, b)")
            .with("namePattern", "n[0-9]+&x")
            .with_any("status", None)
            .with_any("user", Some("ann"));
        assert_eq!(
            target.as_str(),
            "/hosts/a%20b%2Fc/jobs/web:7:11?selector=az+in+%28a%2C+b%29&namePattern=n%5B0-9%5D%2B%26x&user=ann"
        );
        assert_eq!(Target::path(&["hosts", ".."]).as_str(), "/hosts/%2E%2E");
    }

    #[test]
    fn asks_for_no_more_of_a_list_than_was_wanted() {
        assert_eq!(ListQuery::default().of("variables").as_str(), "/variables");
        let query = ListQuery {
            name_pattern: Some("^web".to_owned()),
            status: Some("paused".to_owned()),
        };
        let asked = "/variables?namePattern=%5Eweb&status=paused";
        assert_eq!(query.of("variables").as_str(), asked);
    }
}
