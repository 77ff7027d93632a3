//! `helios version`.

use serde_json::json;

use super::Call;
use crate::{Failure, Outcome};

const CLIENT_VERSION: &str = env!("CARGO_PKG_VERSION");

/// A master that does not answer is part of the result: the version of this program is known all the same.
pub(super) async fn run(call: &mut Call<'_>) -> Result<Outcome, Failure> {
    let master = match call.client.version().await {
        Ok(version) => version.protocol,
        Err(error) => {
            let failure = Failure::from(error);
            call.console.complain(&failure);
            "unknown".to_owned()
        }
    };
    if call.json {
        call.say_document(&json!({"clientVersion": CLIENT_VERSION, "masterVersion": master}))?;
    } else {
        call.console
            .say(format_args!("Client Version: {CLIENT_VERSION}"));
        call.console.say(format_args!("Master Version: {master}"));
    }
    Ok(Outcome::Done)
}
