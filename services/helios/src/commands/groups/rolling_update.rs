//! `helios rolling-update`.

use std::collections::BTreeSet;
use std::time::Duration;

use helios_api::wire::{
    DeploymentGroupStatusResponse, GroupStatus, PlanStatus, RollingUpdateRequest,
    RollingUpdateStatus, RolloutPlanResponse,
};
use helios_core::model::{Job, JobId, RolloutOptions, TaskState};
use helios_rollout::rolling::WhenDown;
use serde_json::{Map, Value, json};
use tokio::time::{Instant, sleep};

use super::progress::{bar, summary};
use crate::args::RollingUpdateArgs;
use crate::commands::Call;
use crate::console::Tone;
use crate::output::{counted, one_line};
use crate::{Failure, Outcome};

/// The first pause between two looks; each is twice as long as the one before it, up to the longest.
const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// That a group is empty, which is seldom meant.
const NOBODY: &str =
    "no host matches the group's selectors: `helios hosts --selector` shows what does";

/// How it ended.
enum Ending {
    Done,
    Paused(String),
    Failed(String),
    TimedOut,
}

impl Ending {
    fn word(&self) -> &'static str {
        match self {
            Self::Done => "DONE",
            Self::Paused(_) => "PAUSED",
            Self::Failed(_) => "FAILED",
            Self::TimedOut => "TIMEOUT",
        }
    }

    fn text(&self, group: &str) -> String {
        match self {
            Self::Done => "Done.".to_owned(),
            Self::Paused(because) => format!(
                "Paused: {}; `helios resume-deployment-group {group}` goes on",
                one_line(because)
            ),
            Self::Failed(error) => format!("Failed: {}", one_line(error)),
            Self::TimedOut => "Timed out! (rolling-update still in progress)".to_owned(),
        }
    }

    fn outcome(&self) -> Outcome {
        match self {
            Self::Done | Self::Paused(_) => Outcome::Done,
            Self::Failed(_) | Self::TimedOut => Outcome::NotDone,
        }
    }
}

pub(in crate::commands) async fn run(
    args: &RollingUpdateArgs,
    call: &mut Call<'_>,
) -> Result<Outcome, Failure> {
    let job = call.job(&args.job).await?;
    check(args)?;
    let request = request(args, &job.id);
    if args.plan {
        return plan(args, &request, call).await;
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

/// Watches a rolling update, and says each thing about it once.
struct Follow<'a> {
    args: &'a RollingUpdateArgs,
    job: &'a JobId,
    /// The hosts that were said to run it.
    running: BTreeSet<String>,
    /// Everything else that was said.
    said: BTreeSet<String>,
    /// Whether it is being taken back.
    is_taken_back: bool,
    /// Whether the group has no hosts at all.
    is_nobody: bool,
}

impl<'a> Follow<'a> {
    fn new(args: &'a RollingUpdateArgs, job: &'a JobId) -> Self {
        Self {
            args,
            job,
            running: BTreeSet::new(),
            said: BTreeSet::new(),
            is_taken_back: false,
            is_nobody: false,
        }
    }

    async fn until_it_ends(
        &mut self,
        begin: Instant,
        call: &mut Call<'_>,
    ) -> Result<Ending, Failure> {
        let minutes = u64::try_from(self.args.rollout_timeout).unwrap_or(1);
        let limit = Duration::from_secs(minutes.saturating_mul(60));
        let mut pause = PAUSE_MIN;
        loop {
            let status = call
                .client
                .deployment_group_status(&self.args.group)
                .await?;
            let Some(status) = status else {
                return Ok(Ending::Failed(
                    "the deployment group was removed".to_owned(),
                ));
            };
            let rollout = status.rollout.as_ref();
            self.is_nobody = rollout.is_some_and(|rollout| rollout.members == 0);
            self.tell(&status, call);
            if let Some(ending) = self.ending(&status) {
                call.console.progress(None);
                return Ok(ending);
            }
            if begin.elapsed() >= limit || call.console.is_closed() {
                call.console.progress(None);
                return Ok(Ending::TimedOut);
            }
            sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    fn ending(&mut self, status: &DeploymentGroupStatusResponse) -> Option<Ending> {
        let rollout = status.rollout.as_ref();
        let taken_back = rollout.and_then(|rollout| rollout.takes_back.as_ref());
        self.is_taken_back = taken_back == Some(self.job);
        if status.deployment_group.job_id.as_ref() != Some(self.job) && !self.is_taken_back {
            let text = "Deployment-group job id changed during rolling-update";
            return Some(Ending::Failed(text.to_owned()));
        }
        let paused = rollout.and_then(|rollout| {
            let because = rollout.paused.as_ref()?;
            rollout.in_flight.is_empty().then(|| because.clone())
        });
        match status.status {
            GroupStatus::RollingOut => paused.map(Ending::Paused),
            GroupStatus::Failed => Some(Ending::Failed(status.error.clone().unwrap_or_default())),
            _ if self.is_taken_back => {
                Some(Ending::Failed(status.error.clone().unwrap_or_default()))
            }
            _ => Some(Ending::Done),
        }
    }

    fn tell(&mut self, status: &DeploymentGroupStatusResponse, call: &mut Call<'_>) {
        if call.json {
            return;
        }
        let hosts = &status.host_statuses;
        let target = status.deployment_group.job_id.as_ref();
        if self.once("taken back".to_owned(), self.is_taken_back) {
            self.running.clear();
            let error = status.error.as_deref().map(one_line).unwrap_or_default();
            let error = call.console.toned(&error, Tone::Bad);
            call.console.say(format_args!("Going back: {error}"));
        }
        for host in hosts {
            let runs = host.job_id.as_ref() == target && host.state == Some(TaskState::Running);
            if runs && self.running.insert(host.host.clone()) {
                let state = call.console.toned("RUNNING", Tone::Good);
                let (number, all) = (self.running.len(), hosts.len());
                call.console
                    .say(format_args!("{} -> {state} ({number}/{all})", host.host));
            }
        }
        let Some(progress) = &status.rollout else {
            call.console.flush();
            return;
        };
        for failed in &progress.failed {
            if self.once(format!("{} {}", progress.id, failed.host), true) {
                let code = call.console.toned(&failed.code.to_string(), Tone::Bad);
                let reason = one_line(&failed.reason);
                call.console
                    .say(format_args!("{} -> {code}: {reason}", failed.host));
            }
        }
        for host in &progress.down {
            if self.once(format!("{} down {host}", progress.id), true) {
                let down = call.console.toned("DOWN", Tone::Pending);
                let later = when_back(self.args.how.when_down);
                call.console.say(format_args!("{host} -> {down}: {later}"));
            }
        }
        let line = format!("{} {}", bar(progress), summary(progress));
        call.console.progress(Some(&line));
        call.console.flush();
    }

    fn once(&mut self, what: String, holds: bool) -> bool {
        holds && self.said.insert(what)
    }
}

/// What becomes of hosts that are down.
fn when_back(when_down: WhenDown) -> &'static str {
    match when_down {
        WhenDown::Skip => "brought up to date on return",
        WhenDown::Wait => "waited for at the end",
        WhenDown::Fail => "counted as failed",
    }
}

async fn plan(
    args: &RollingUpdateArgs,
    request: &RollingUpdateRequest,
    call: &mut Call<'_>,
) -> Result<Outcome, Failure> {
    let plan = call
        .client
        .plan_rolling_update(&args.group, request)
        .await?;
    if call.json {
        call.say_document(&plan)?;
    }
    if plan.status != PlanStatus::Ok {
        call.console
            .mention(format_args!("Failed: {}", plan.status));
        return Ok(Outcome::NotDone);
    }
    if !call.json {
        say_plan(args, &request.job, &plan, call);
    }
    Ok(Outcome::Done)
}

fn say_plan(
    args: &RollingUpdateArgs,
    job: &JobId,
    plan: &RolloutPlanResponse,
    call: &mut Call<'_>,
) {
    let hosts: usize = plan.batches.iter().map(Vec::len).sum();
    let console = &mut *call.console;
    let (group, job, batches) = (&args.group, job.short(), plan.batches.len());
    console.say(format_args!(
        "{group} -> {job}: {} in {}; nothing was changed",
        counted(hosts, "host", "s"),
        counted(batches, "batch", "es")
    ));
    for (number, batch) in plan.batches.iter().enumerate() {
        console.say(format_args!("{:5}  {}", number + 1, batch.join(", ")));
    }
    let mut list = |what: &str, hosts: &[String]| {
        if !hosts.is_empty() {
            console.say(format_args!("{what}: {}", hosts.join(", ")));
        }
    };
    list("run it already", &plan.right);
    let down = format!("down, {}", when_back(args.how.when_down));
    list(&down, &plan.down);
    list("left the group, and would be let go", &plan.leaving);
    let failing: Vec<String> = plan
        .failing
        .iter()
        .map(|failing| format!("{}: {}", failing.host, one_line(&failing.reason)))
        .collect();
    list("would fail at once", &failing);
    if hosts == 0 && plan.right.is_empty() && plan.down.is_empty() && plan.failing.is_empty() {
        console.mention(NOBODY);
    }
}
