//! `helios register`.

use super::Call;
use crate::args::RegisterArgs;
use crate::console::Tone;
use crate::{Failure, Outcome};

pub(super) async fn run(args: &RegisterArgs, call: &mut Call<'_>) -> Result<Outcome, Failure> {
    let RegisterArgs { host, id } = args;
    call.console
        .say(format_args!("Registering host {host} with id {id}"));
    call.client.register_host(host, id).await?;
    let done = call.console.toned("done", Tone::Good);
    call.console.say(format_args!("{host}: {done}"));
    Ok(Outcome::Done)
}
