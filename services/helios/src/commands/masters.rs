//! `helios masters`.

use super::Call;
use crate::args::MastersArgs;
use crate::output::relative_host;
use crate::{Failure, Outcome};

pub(super) async fn run(args: &MastersArgs, call: &mut Call<'_>) -> Result<Outcome, Failure> {
    let mut masters = call.client.masters().await?;
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
