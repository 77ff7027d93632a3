//! `helios logs`.

use helios_api::client::LogsQuery;

use super::Call;
use crate::args::LogsArgs;
use crate::{Failure, Outcome};

pub(super) async fn run(args: &LogsArgs, call: &mut Call<'_>) -> Result<Outcome, Failure> {
    let job = call.job(&args.job).await?;
    let query = LogsQuery {
        tail: args.tail,
        follow: args.follow,
        previous: args.previous,
    };
    let mut log = call
        .client
        .logs(&args.host, job.id.as_str(), &query)
        .await?;
    while let Some(chunk) = log.next().await {
        call.console.pass_on(&chunk?);
        if call.console.is_closed() {
            break;
        }
    }
    Ok(Outcome::Done)
}
