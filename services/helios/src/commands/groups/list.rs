//! `helios list-deployment-groups` and `inspect-deployment-group`.

use helios_api::client::ListQuery;
use helios_core::model::ResolvedRolloutOptions;

use super::unknown;
use crate::args::{GroupArgs, ListGroupsArgs};
use crate::commands::Call;
use crate::{Failure, Outcome};

pub(in crate::commands) async fn list(
    args: &ListGroupsArgs,
    call: &mut Call<'_>,
) -> Result<Outcome, Failure> {
    let query = ListQuery {
        name_pattern: args.pattern.clone(),
        status: args.status.clone(),
    };
    let groups = call.client.deployment_groups(&query).await?;
    if call.json {
        call.say_document(&groups)?;
    } else {
        groups.iter().for_each(|group| call.console.say(group));
    }
    Ok(Outcome::Done)
}

pub(in crate::commands) async fn inspect(
    args: &GroupArgs,
    call: &mut Call<'_>,
) -> Result<Outcome, Failure> {
    let Some(group) = call.client.deployment_group(&args.name).await? else {
        return unknown(&args.name, call);
    };
    if call.json {
        call.say_document(&group)?;
        return Ok(Outcome::Done);
    }
    let console = &mut *call.console;
    console.say(format_args!("Name: {}", group.name));
    console.say("Host selectors:");
    for selector in &group.host_selectors {
        console.say(format_args!("  {selector}"));
    }
    match &group.job_id {
        Some(job) => console.say(format_args!("Job: {job}")),
        None => console.say("Job: null"),
    }
    if let Some(reason) = group.rolling_update_reason {
        console.say(format_args!("Rolling update reason: {reason}"));
    }
    if let Some(options) = &group.rollout_options {
        let options: ResolvedRolloutOptions = options.resolve(None);
        console.say("Rollout options:");
        console.say(format_args!("  Migrate: {}", options.migrate));
        console.say(format_args!("  Overlap: {}", options.overlap));
        console.say(format_args!("  Parallelism: {}", options.parallelism));
        console.say(format_args!("  Timeout: {}", options.timeout));
        if !options.token.is_empty() {
            console.say(format_args!("  Token: {}", options.token));
        }
        console.say(format_args!(
            "  Ignore failures: {}",
            options.ignore_failures
        ));
    }
    Ok(Outcome::Done)
}
