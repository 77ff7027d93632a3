//! The commands about deployment groups: one file for each.

mod change;
mod list;
mod progress;
mod rolling_update;
mod status;
mod tell;

pub(super) use change::{create, edit, remove};
pub(super) use list::{inspect, list};
pub(super) use rolling_update::run as rolling_update;
pub(super) use status::{status, watch};
pub(super) use tell::{pause, resume, roll_back, stop};

use helios_api::wire::{RemoveDeploymentGroupResponse, RemoveGroupStatus};
use helios_core::model::{HostSelector, ParseError};

use super::Call;
use crate::{Failure, Outcome};

/// What to do next where there is no such group.
const LISTED: &str = "`helios list-deployment-groups` lists those there are";

fn selectors(texts: &[String]) -> Result<Vec<HostSelector>, Failure> {
    let read = |text: &String| {
        text.parse()
            .map_err(|error: ParseError| Failure::new(error.to_string()))
    };
    texts.iter().map(read).collect()
}

/// That there is no such group, as the original says it.
fn unknown(name: &str, call: &mut Call<'_>) -> Result<Outcome, Failure> {
    if call.json {
        let status = RemoveGroupStatus::GroupNotFound;
        call.say_answer(&RemoveDeploymentGroupResponse { status })?;
    }
    call.console
        .mention(format_args!("Unknown deployment group: {name}; {LISTED}"));
    Ok(Outcome::NotDone)
}
