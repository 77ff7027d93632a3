//! Reading what the address says.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Path};
use axum::http::StatusCode;
use axum::http::request::Parts;
use helios_core::model::{HostName, JobId};
use percent_encoding::percent_decode_str;

use super::fault::Fault;

/// The parameters of the query, decoded as those of a form: `+` is a blank.
pub(super) struct Params {
    pairs: Vec<(String, String)>,
    /// Whose access token the request came with.
    principal: Option<Principal>,
}

/// Whoever proved to be that by an access token.
#[derive(Clone, Debug)]
pub(super) struct Principal(pub(super) Arc<str>);

impl Params {
    /// The first value of that name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let mut pairs = self.pairs.iter();
        pairs
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The first value of that name, unless it is empty.
    pub(super) fn non_empty(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// Every value of that name.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let named = self.pairs.iter().filter(move |(key, _)| key == name);
        named.map(|(_, value)| value.as_str())
    }

    /// In whose name the request is made: whoever the access token is of, else whoever the request says.
    pub(super) fn user(&self) -> Option<String> {
        let proven = self.principal.as_ref().map(|principal| &*principal.0);
        proven.or_else(|| self.non_empty("user")).map(str::to_owned)
    }

    /// The token of the job it is about; a job without one has the empty token.
    pub(super) fn token(&self) -> String {
        self.get("token").unwrap_or_default().to_owned()
    }
}

impl<S: Sync> FromRequestParts<S> for Params {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let query = parts.uri.query().unwrap_or_default();
        let pairs = form_urlencoded::parse(query.as_bytes());
        Ok(Self {
            pairs: pairs.into_owned().collect(),
            principal: parts.extensions.get().cloned(),
        })
    }
}

/// The names in the path.
pub(super) struct Names(BTreeMap<String, String>);

impl Names {
    /// The host that the path names, as it was written.
    pub(super) fn host(&self) -> &str {
        self.get("host")
    }

    /// What the path has in place of that name, as it was written.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// The variable that the path names, as it was written.
    pub(super) fn variable(&self) -> &str {
        self.0.get("variable").map_or("", String::as_str)
    }

    /// The host that the path names, unless no host can be called that.
    pub(super) fn host_name(&self) -> Option<HostName> {
        self.host().parse().ok()
    }

    /// The job that the path names, with or without a hash.
    pub(super) fn job(&self) -> Result<JobId, Fault> {
        JobId::parse_reference(self.get("job"))
            .map_err(|error| Fault::said(StatusCode::NOT_FOUND, error))
    }

    /// The job that the path names.
    pub(super) fn full_job(&self) -> Result<JobId, Fault> {
        let job = self.job()?;
        if job.is_fully_qualified() {
            Ok(job)
        } else {
            Err(Fault::InvalidId("Invalid id".to_owned()))
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Names {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        let Path(names) = Path::<BTreeMap<String, String>>::from_request_parts(parts, state)
            .await
            .map_err(|error| Fault::bad(error.body_text(), "escape what is no letter or digit"))?;
        // Deployed clients escape twice. No legal name has a `%`, so that undoing it once more is safe.
        let unescaped = names.into_iter().map(|(key, name)| {
            let name = percent_decode_str(&name).decode_utf8_lossy().into_owned();
            (key, name)
        });
        Ok(Self(unescaped.collect()))
    }
}
