//! `helios stop-deployment-group`, `pause-`, `resume-` and `rollback-deployment-group`.

use helios_api::ClientError;

use super::LISTED;
use crate::args::{GroupArgs, ResumeGroupArgs};
use crate::commands::Call;
use crate::{Failure, Outcome};

pub(in crate::commands) async fn stop(
    args: &GroupArgs,
    call: &mut Call<'_>,
) -> Result<Outcome, Failure> {
    let name = &args.name;
    match call.client.stop_deployment_group(name).await {
        Ok(true) => {
            call.console
                .say(format_args!("Deployment-group {name} stopped"));
            Ok(Outcome::Done)
        }
        Ok(false) => Ok(not_found(name, call)),
        Err(error) => {
            Err(Failure::new(format!("Failed to stop deployment-group {name}")).caused_by(error))
        }
    }
}

pub(in crate::commands) async fn pause(
    args: &GroupArgs,
    call: &mut Call<'_>,
) -> Result<Outcome, Failure> {
    let told = call.client.pause_deployment_group(&args.name).await;
    said(
        told,
        &args.name,
        "paused; what is in flight is still waited for",
        call,
    )
}

pub(in crate::commands) async fn resume(
    args: &ResumeGroupArgs,
    call: &mut Call<'_>,
) -> Result<Outcome, Failure> {
    let told = call
        .client
        .resume_deployment_group(&args.name, args.stop_after)
        .await;
    said(told, &args.name, "resumed", call)
}

pub(in crate::commands) async fn roll_back(
    args: &GroupArgs,
    call: &mut Call<'_>,
) -> Result<Outcome, Failure> {
    let told = call.client.roll_back_deployment_group(&args.name).await;
    said(
        told,
        &args.name,
        "goes back; `helios watch-deployment-group` shows how far it is",
        call,
    )
}

fn said(
    told: Result<bool, ClientError>,
    name: &str,
    done: &str,
    call: &mut Call<'_>,
) -> Result<Outcome, Failure> {
    if told? {
        call.console
            .say(format_args!("Deployment-group {name} {done}"));
        Ok(Outcome::Done)
    } else {
        Ok(not_found(name, call))
    }
}

fn not_found(name: &str, call: &mut Call<'_>) -> Outcome {
    call.console
        .mention(format_args!("Deployment-group {name} not found; {LISTED}"));
    Outcome::NotDone
}
