//! Scripts for the toy: a line says what happens, and what follows from it is written below.

use std::fmt::Write as _;

use helios_core::model::{Goal, HostName, JobId, RolloutOptions};
use helios_core::schema::{JobRecord, Keys, Versioned};
use helios_core::store::Txn;

use super::toy::{Toy, host};
use crate::rolling::{self as rolling, GroupRefused, Policy, RollOut, RolloutState};

/// Does it, and says nothing.
macro_rules! done {
    ($act:expr) => {{
        $act;
        String::new()
    }};
}

/// The steps a `run` makes at most.
const STEPS_MAX: usize = 60;

/// Runs a transcript again: its commands, each followed by what it says now.
pub(super) fn run_again(transcript: &str) -> String {
    let mut toy = Toy::new();
    let mut said = String::new();
    for line in transcript.lines() {
        if line.starts_with('#') || line.is_empty() {
            let _ = writeln!(said, "{line}");
        } else if let Some(command) = line.strip_prefix("> ") {
            let _ = writeln!(said, "> {command}");
            let words: Vec<&str> = command.split_whitespace().collect();
            said.push_str(&act(&mut toy, &words));
        }
    }
    said
}

fn act(toy: &mut Toy, words: &[&str]) -> String {
    match words {
        ["host", names, labels @ ..] => {
            let labels: Vec<(&str, &str)> =
                labels.iter().filter_map(|l| l.split_once('=')).collect();
            for name in names.split(',') {
                toy.host(&host(name), &labels);
            }
            String::new()
        }
        ["label", name, labels @ ..] => {
            let labels: Vec<(&str, &str)> =
                labels.iter().filter_map(|l| l.split_once('=')).collect();
            toy.label(&host(name), &labels);
            String::new()
        }
        ["up", name] => done!(toy.up(&host(name))),
        ["down", name] => done!(toy.remove(&Keys::up(&host(name)))),
        ["gone", name] => {
            toy.remove(&Keys::up(&host(name)));
            toy.remove(&Keys::report(&host(name)));
            done!(toy.remove(&Keys::host(&host(name))))
        }
        ["stuck", name] => done!(toy.stuck.insert(host(name))),
        ["free", name] => done!(toy.stuck.remove(&host(name))),
        ["job", id, rest @ ..] => {
            let value = |name: &str| rest.iter().find_map(|word| word.strip_prefix(name));
            let port = value("port=").map(|port| port.parse().unwrap());
            toy.job(id, port, value("token=").unwrap_or_default());
            String::new()
        }
        ["drop-job", id] => done!(toy.remove(&Keys::job(&id.parse().unwrap()).unwrap())),
        ["broken", version] => done!(toy.broken.insert((*version).to_owned())),
        ["mended", version] => done!(toy.broken.remove(*version)),
        ["deploy", name, job] => done!(toy.deploy(&host(name), &job.parse().unwrap(), Goal::Start)),
        ["halt", name, job] => done!(toy.deploy(&host(name), &job.parse().unwrap(), Goal::Stop)),
        ["undeploy", name, job] => done!(toy.undeploy(&host(name), &job.parse().unwrap())),
        ["group", name, selectors @ ..] => done!(toy.create_group(name, selectors)),
        ["pass", seconds] => done!(toy.pass(seconds.parse().unwrap())),
        ["agents"] => done!(toy.agents()),
        ["step"] => toy
            .step("front")
            .map(|plan| format!("{plan}\n"))
            .unwrap_or_default(),
        ["run"] => run(toy),
        ["show"] => show(toy),
        ["goals"] => goals(toy),
        words => ask(toy, words),
    }
}

/// Steps and agents in turn, until nothing happens any more without time passing.
fn run(toy: &mut Toy) -> String {
    let mut said = String::new();
    for _ in 0..STEPS_MAX {
        let plan = toy.step("front").unwrap();
        if !plan.is_empty() {
            for (host, action, because) in plan.moves() {
                let _ = writeln!(said, "{host}: {action}, because {because}");
            }
            if !plan.verdict.is_nothing() {
                let _ = writeln!(said, "{}", plan.verdict);
            }
        }
        let before = toy
            .fleet()
            .reports
            .iter()
            .map(|(_, report)| report.version)
            .max();
        toy.agents();
        let after = toy
            .fleet()
            .reports
            .iter()
            .map(|(_, report)| report.version)
            .max();
        if plan.is_empty() && before == after {
            return said;
        }
    }
    panic!("it never ends:\n{said}");
}

fn show(toy: &Toy) -> String {
    let Some(group) = toy.group("front") else {
        return "there is no group\n".to_owned();
    };
    let Some(rollout) = &group.rollout else {
        return format!("no rollout, stopped: {}\n", group.stopped);
    };
    let state = match rollout.state {
        RolloutState::RollingOut => "rolling out",
        RolloutState::Done => "done",
        RolloutState::Failed => "failed",
    };
    let mut said = format!(
        "{} {state}: {} done, {} failed",
        rollout.job,
        rollout.done,
        rollout.failed.len()
    );
    if let Some(pause) = &rollout.pause {
        let _ = write!(said, "; paused: {pause}");
    }
    if let Some(error) = &rollout.error {
        let _ = write!(said, "; {error}");
    }
    said + "\n"
}

fn goals(toy: &Toy) -> String {
    let line = |name: &HostName| {
        let record = toy.record(name);
        let goals: Vec<String> = record
            .goals
            .iter()
            .map(|(job, goal)| {
                format!(
                    "{job} {} {}",
                    goal.goal,
                    goal.group.as_deref().unwrap_or("by hand")
                )
            })
            .collect();
        format!("{name}: {}\n", goals.join(", "))
    };
    toy.hosts().iter().map(line).collect()
}

fn ask(toy: &mut Toy, words: &[&str]) -> String {
    let name = "front";
    let stamp = toy.stamp();
    let seen = toy.group(name);
    let seen = seen.as_ref();
    let txn: Result<Txn, GroupRefused> = match words {
        ["roll", job, json @ ..] => {
            let request = request(name, job, &json.concat());
            let job: Option<Versioned<JobRecord>> = toy.get(&Keys::job(&request.job).unwrap());
            rolling::roll_out(seen, job.as_ref(), &toy.fleet(), &request, &stamp)
        }
        ["plan", job, json @ ..] => {
            let request = request(name, job, &json.concat());
            let job: Option<Versioned<JobRecord>> = toy.get(&Keys::job(&request.job).unwrap());
            let group = seen.map(|seen| &**seen);
            let forecast =
                rolling::forecast(group, job.as_deref(), &toy.fleet(), &request, toy.now);
            return forecast.map_or_else(
                |refused| format!("{refused}\n"),
                |plan| format!("{plan:#?}\n"),
            );
        }
        ["edit", selectors @ ..] => {
            let selectors: Vec<_> = selectors.iter().map(|text| text.parse().unwrap()).collect();
            rolling::edit_group(seen, name, &selectors, &stamp)
        }
        ["remove"] => rolling::remove_group(seen, name, &stamp),
        ["stop"] => rolling::stop_group(seen, name, &stamp),
        ["pause"] => rolling::pause_group(seen, name, &stamp),
        ["resume"] => rolling::resume_group(seen, name, None, &stamp),
        ["resume", more] => rolling::resume_group(seen, name, more.parse().ok(), &stamp),
        ["back"] => {
            let to = seen.and_then(|seen| rolling::job_before(seen));
            let job = to.and_then(|to| toy.get(&Keys::job(to).unwrap()));
            rolling::roll_back(seen, name, job.as_ref(), &stamp)
        }
        words => panic!("no command: {words:?}"),
    };
    match txn {
        Ok(txn) => {
            assert!(toy.commit(&txn));
            String::new()
        }
        Err(refused) => format!("refused: {refused}\n"),
    }
}

/// A rollout, with the options and the policy in one object of JSON.
pub(super) fn request(group: &str, job: &str, json: &str) -> RollOut {
    let job: JobId = job.parse().unwrap();
    let mut members: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(if json.is_empty() { "{}" } else { json }).unwrap();
    let policy = members
        .remove("policy")
        .unwrap_or_else(|| serde_json::json!({}));
    RollOut {
        options: serde_json::from_value::<RolloutOptions>(members.into()).unwrap(),
        policy: serde_json::from_value::<Policy>(policy).unwrap(),
        ..RollOut::new(group, job)
    }
}
