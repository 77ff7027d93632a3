//! `helios reset`.

mod follow;
mod request;
mod show;

use helios_api::wire::ResumeReset;
use helios_rollout::reset::Reset;

use super::Call;
use crate::args::{
    AbortResetArgs, ListResetsArgs, ResetArgs, ResetCommand, ResumeResetArgs, StartResetArgs,
};
use crate::{Failure, Outcome, times};

pub(super) async fn run(args: &ResetArgs, call: &mut Call<'_>) -> Result<Outcome, Failure> {
    use ResetCommand as Command;
    match &args.command {
        Command::Plan(spec) => {
            let reset = request::request(spec, call.now)?;
            let outcome = plan(&reset, call).await?;
            Ok(outcome)
        }
        Command::Start(args) => start(args, call).await,
        Command::List(args) => show::list(args, call).await,
        Command::Status(args) => match &args.name {
            None => show::list(&ListResetsArgs::default(), call).await,
            Some(name) if args.follow => follow::run(name, call).await,
            Some(name) => show::status(name, call).await,
        },
        Command::Pause(args) => {
            call.client.pause_reset(&args.name).await?;
            call.say_result(&args.name, &"OK", None)
        }
        Command::Resume(args) => resume(args, call).await,
        Command::Abort(args) => abort(args, call).await,
        Command::Report(args) => show::report(&args.name, call).await,
        Command::Audit(args) => show::audit(args, call).await,
    }
}

/// Shows how the reset would go; not done if it cannot.
async fn plan(reset: &Reset, call: &mut Call<'_>) -> Result<Outcome, Failure> {
    let planned = call.client.plan_reset(reset).await?;
    if call.json {
        call.say_document(&planned)?;
    } else if let Some(forecast) = &planned.forecast {
        show::plan(reset, forecast, call);
    }
    if planned.forecast.is_some() {
        return Ok(Outcome::Done);
    }
    for reason in &planned.impossible {
        call.console
            .mention(format_args!("{}: {reason}", reset.name));
    }
    Ok(Outcome::NotDone)
}

async fn start(args: &StartResetArgs, call: &mut Call<'_>) -> Result<Outcome, Failure> {
    let reset = request::request(&args.spec, call.now)?;
    if !call.json || !args.yes {
        let planned = plan(&reset, call).await?;
        if planned != Outcome::Done {
            return Ok(planned);
        }
    }
    let question = format!("This will start reset {}", reset.name);
    if !args.yes && !call.console.confirm(question)? {
        return Ok(Outcome::NotDone);
    }
    call.client.start_reset(&reset).await?;
    if args.follow {
        return follow::run(&reset.name, call).await;
    }
    call.say_result(&reset.name, &"OK", None)
}

async fn resume(args: &ResumeResetArgs, call: &mut Call<'_>) -> Result<Outcome, Failure> {
    let by = args.by.as_deref().map(|by| times::moment(by, call.now));
    let how = ResumeReset {
        again: args.again,
        deadline: by.transpose()?,
    };
    call.client.resume_reset(&args.name, &how).await?;
    call.say_result(&args.name, &"OK", None)
}

async fn abort(args: &AbortResetArgs, call: &mut Call<'_>) -> Result<Outcome, Failure> {
    let question = format!(
        "This will end reset {} before all its hosts are done",
        args.name
    );
    if !args.yes && !call.console.confirm(question)? {
        return Ok(Outcome::NotDone);
    }
    call.client.abort_reset(&args.name).await?;
    call.say_result(&args.name, &"OK", None)
}

/// There is no such reset.
fn unknown(name: &str) -> Failure {
    Failure::new(format!("there is no reset {name:?}")).advise("`helios reset status` lists them")
}
