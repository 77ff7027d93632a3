//! Questions about the masters themselves.

use http::header::SERVER;

use super::query::{ListQuery, Target};
use super::request::Request;
use super::{Client, ClientError};

/// What a master says of its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MasterVersion {
    /// The version of the protocol it speaks.
    pub protocol: String,
    /// The software it is, such as `helios/0.1.0`, if it says so.
    pub software: Option<String>,
}

impl Client {
    /// The names of the masters that run.
    ///
    /// # Errors
    /// As for every question: see [`ClientErrorKind`](super::ClientErrorKind). `Refused` when the pattern is none.
    pub async fn masters(&self, query: &ListQuery) -> Result<Vec<String>, ClientError> {
        let request = Request::get(query.of("masters"));
        self.send(request).await?.found()
    }

    /// The version of a master.
    ///
    /// # Errors
    /// As for every question.
    pub async fn version(&self) -> Result<MasterVersion, ClientError> {
        let target = Target::path(&["version"]);
        let reply = self.send(Request::get(target)).await?;
        let software = reply.header(SERVER.as_str()).map(str::to_owned);
        Ok(MasterVersion {
            protocol: reply.found()?,
            software,
        })
    }
}
