//! `helios masters`.

use helios_api::client::ListQuery;

use super::Call;
use crate::args::MastersArgs;
use crate::output::relative_host;
use crate::{Failure, Outcome};

pub(super) async fn run(args: &MastersArgs, call: &mut Call<'_>) -> Result<Outcome, Failure> {
    let query = ListQuery {
        name_pattern: args.pattern.clone(),
        ..ListQuery::default()
    };
    let mut masters = call.client.masters(&query).await?;
    masters.sort();
    if call.json {
        let domains = call.environment.search_domains();
        if !args.full {
            masters = masters
                .iter()
                .map(|name| relative_host(name, domains))
                .collect();
        }
        call.say_document(&masters)?;
    } else {
        for name in &masters {
            let name = call.host_name(name, args.full);
            call.console.say(name);
        }
    }
    Ok(Outcome::Done)
}
