//! `helios rolling-update`.

mod follow;
mod plan;

use std::time::Duration;

use helios_api::wire::{RollingUpdateRequest, RollingUpdateStatus};
use helios_core::model::{Job, JobId, RolloutOptions};
use helios_rollout::rolling::WhenDown;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use crate::args::RollingUpdateArgs;
use crate::commands::Call;
use crate::console::Tone;
use crate::{Failure, Outcome};

use follow::{Ending, Follow};

/// That a group is empty, which is seldom meant.
const NOBODY: &str =
    "no host matches the group's selectors: `helios hosts --selector` shows what does";

pub(in crate::commands) async fn run(
    args: &RollingUpdateArgs,
    call: &mut Call<'_>,
) -> Result<Outcome, Failure> {
    let job = call.job(&args.job).await?;
    check(args)?;
    let request = request(args, &job.id);
    if args.plan {
        return plan::show(args, &request, call).await;
    }
    let answer = call.client.rolling_update(&args.group, &request).await?;
    if answer.status != RollingUpdateStatus::Ok {
        if call.json {
            call.say_answer(&answer)?;
        }
        let advice = match answer.status {
            RollingUpdateStatus::GroupNotFound => {
                "`helios list-deployment-groups` lists the groups there are"
            }
            _ => "the job is gone: create it again",
        };
        call.console
            .mention(format_args!("Failed: {}: {advice}", answer.status));
        return Ok(Outcome::NotDone);
    }
    let shown = shown_options(&request.rollout_options, &job);
    if args.detached {
        return started(args, &job.id, shown, call);
    }
    say_start(args, &job.id, &shown, call);
    let begin = Instant::now();
    let mut follow = Follow::new(args, &job.id);
    let ending = follow.until_it_ends(begin, call).await?;
    if follow.is_nobody {
        call.console.mention(NOBODY);
    }
    say_ending(args, &ending, begin.elapsed(), shown, call)
}

/// What is wrong with the numbers, said before anything is asked for.
fn check(args: &RollingUpdateArgs) -> Result<(), Failure> {
    if args.how.timeout.is_some_and(|timeout| timeout < 1) {
        return Err(Failure::new("--timeout must be 1 second or more"));
    }
    if args.rollout_timeout < 1 {
        return Err(Failure::new("--rollout-timeout must be 1 minute or more"));
    }
    if args.how.count().is_some_and(|count| count < 1) {
        return Err(Failure::new("--par must be 1 or more, or a share above 0%"));
    }
    match args.how.policy().fault() {
        Some(fault) => Err(Failure::new(fault)),
        None => Ok(()),
    }
}

fn request(args: &RollingUpdateArgs, job: &JobId) -> RollingUpdateRequest {
    let how = &args.how;
    let flag = |given: bool| given.then_some(true);
    let mut options = RolloutOptions::default();
    options.timeout = how.timeout;
    options.parallelism = how.count();
    options.migrate = flag(how.migrate);
    options.overlap = flag(how.overlap);
    options.token.clone_from(&how.token);
    options.ignore_failures = flag(how.ignore_failures);
    RollingUpdateRequest {
        job: job.clone(),
        rollout_options: options,
        policy: how.policy(),
    }
}

/// The options as the original shows them: what is given, or what the job says, or the defaults if it says
/// nothing at all.
fn shown_options(given: &RolloutOptions, job: &Job) -> Map<String, Value> {
    let of_job = job.rollout_options.clone();
    let of_job = of_job.unwrap_or_else(|| RolloutOptions::default().resolve(None).into());
    let flag = |given: Option<bool>, of_job: Option<bool>| json!(given.or(of_job).unwrap_or(false));
    let members = [
        (
            "parallelism",
            json!(given.parallelism.or(of_job.parallelism)),
        ),
        ("timeout", json!(given.timeout.or(of_job.timeout))),
        ("overlap", flag(given.overlap, of_job.overlap)),
        (
            "token",
            json!(given.token.as_ref().or(of_job.token.as_ref())),
        ),
        (
            "ignoreFailures",
            flag(given.ignore_failures, of_job.ignore_failures),
        ),
        ("migrate", flag(given.migrate, of_job.migrate)),
    ];
    members
        .map(|(name, value)| (name.to_owned(), value))
        .into_iter()
        .collect()
}

fn describe(args: &RollingUpdateArgs, job: &JobId, shown: &Map<String, Value>) -> String {
    let text = |name: &str| match shown.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => String::new(),
    };
    let names = [
        "parallelism",
        "timeout",
        "overlap",
        "token",
        "ignoreFailures",
        "migrate",
    ];
    let options = names
        .map(|name| format!("{name}={}", text(name)))
        .join(", ");
    format!("{} -> {} ({options})", args.group, job.short())
}

fn say_start(
    args: &RollingUpdateArgs,
    job: &JobId,
    shown: &Map<String, Value>,
    call: &mut Call<'_>,
) {
    if !call.json {
        let what = describe(args, job, shown);
        call.console
            .say(format_args!("Rolling update started: {what}\n"));
        call.console.flush();
    }
}

fn started(
    args: &RollingUpdateArgs,
    job: &JobId,
    mut shown: Map<String, Value>,
    call: &mut Call<'_>,
) -> Result<Outcome, Failure> {
    if call.json {
        shown.insert("status".to_owned(), json!("OK"));
        call.say_answer(&shown)?;
    } else {
        let what = describe(args, job, &shown);
        call.console
            .say(format_args!("Rolling update (async) started: {what}"));
    }
    Ok(Outcome::Done)
}

fn say_ending(
    args: &RollingUpdateArgs,
    ending: &Ending,
    took: Duration,
    mut shown: Map<String, Value>,
    call: &mut Call<'_>,
) -> Result<Outcome, Failure> {
    let text = ending.text(&args.group);
    let outcome = ending.outcome();
    if call.json {
        shown.insert("status".to_owned(), json!(ending.word()));
        if let Ending::Paused(error) | Ending::Failed(error) = ending {
            shown.insert("error".to_owned(), json!(error));
        }
        shown.insert("duration".to_owned(), json!(took.as_secs_f64()));
        call.say_answer(&shown)?;
        if outcome == Outcome::NotDone {
            call.console.mention(text);
        }
        return Ok(outcome);
    }
    call.console.say("");
    match ending {
        Ending::Done => call.console.say(call.console.toned(&text, Tone::Good)),
        Ending::Paused(_) => call.console.say(call.console.toned(&text, Tone::Pending)),
        Ending::Failed(_) | Ending::TimedOut => {
            call.console.mention(call.console.toned(&text, Tone::Bad));
        }
    }
    call.console
        .say(format_args!("Duration: {:.2} s", took.as_secs_f64()));
    Ok(outcome)
}

/// What becomes of hosts that are down.
fn when_back(when_down: WhenDown) -> &'static str {
    match when_down {
        WhenDown::Skip => "brought up to date on return",
        WhenDown::Wait => "waited for at the end",
        WhenDown::Fail => "counted as failed",
    }
}
