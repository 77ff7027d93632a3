//! `helios create-deployment-group`, `edit-deployment-group` and `remove-deployment-group`.

use helios_api::wire::{
    CreateGroupStatus, EditDeploymentGroupResponse, EditGroupStatus, RemoveGroupStatus,
};
use helios_core::model::DeploymentGroup;

use super::{LISTED, selectors, unknown};
use crate::args::{CreateGroupArgs, EditGroupArgs, GroupArgs};
use crate::commands::Call;
use crate::output::compact;
use crate::{Failure, Outcome};

pub(in crate::commands) async fn create(
    args: &CreateGroupArgs,
    call: &mut Call<'_>,
) -> Result<Outcome, Failure> {
    let group = DeploymentGroup::new(&args.name, selectors(&args.selectors)?);
    if !args.quiet && !call.json {
        let group = compact(&group)?;
        call.console
            .say(format_args!("Creating deployment group: {group}"));
    }
    let answer = call.client.create_deployment_group(&group).await?;
    if answer.status == CreateGroupStatus::Conflict {
        if call.json {
            call.say_answer(&answer)?;
        }
        if !args.quiet {
            call.console.mention(format_args!(
                "Failed: {}: {} exists with other selectors; `helios edit-deployment-group` changes them",
                answer.status, args.name
            ));
        }
        return Ok(Outcome::NotDone);
    }
    call.say_answer(&answer)?;
    Ok(Outcome::Done)
}

pub(in crate::commands) async fn edit(
    args: &EditGroupArgs,
    call: &mut Call<'_>,
) -> Result<Outcome, Failure> {
    let group = DeploymentGroup::new(&args.name, selectors(&args.selectors)?);
    if args.plan || !args.yes {
        let preview = call.client.preview_deployment_group(&group).await?;
        if preview.status == EditGroupStatus::GroupNotFound {
            return unknown(&args.name, call);
        }
        if args.plan && call.json {
            call.say_answer(&preview)?;
            return Ok(Outcome::Done);
        }
        let said = describe(&args.name, &preview);
        if args.plan {
            call.console.say(said);
            return Ok(Outcome::Done);
        }
        if !call.console.confirm(said)? {
            return Ok(Outcome::NotDone);
        }
    }
    let answer = call.client.edit_deployment_group(&group).await?;
    if answer.status == EditGroupStatus::GroupNotFound {
        return unknown(&args.name, call);
    }
    if call.json {
        call.say_answer(&answer)?;
    } else {
        let said = describe(&args.name, &answer);
        call.console.say(format_args!("{}: {said}", answer.status));
    }
    Ok(Outcome::Done)
}

/// Who comes and goes.
fn describe(name: &str, preview: &EditDeploymentGroupResponse) -> String {
    let list = |hosts: &[String]| match hosts {
        [] => "nobody".to_owned(),
        hosts => format!("{} ({})", hosts.len(), hosts.join(", ")),
    };
    let (joining, leaving) = (list(&preview.joining), list(&preview.leaving));
    let staying = preview.staying;
    format!("{name}: joining: {joining}; leaving: {leaving}; staying: {staying}")
}

pub(in crate::commands) async fn remove(
    args: &GroupArgs,
    call: &mut Call<'_>,
) -> Result<Outcome, Failure> {
    let name = &args.name;
    let answer = call.client.remove_deployment_group(name).await?;
    if call.json {
        call.say_answer(&answer)?;
    }
    match answer.status {
        RemoveGroupStatus::Removed => {
            if !call.json {
                call.console
                    .say(format_args!("Deployment-group {name} removed"));
            }
            Ok(Outcome::Done)
        }
        RemoveGroupStatus::GroupNotFound => {
            call.console.mention(format_args!(
                "Failed to remove deployment-group {name}, status: {}; {LISTED}",
                answer.status
            ));
            Ok(Outcome::NotDone)
        }
    }
}
