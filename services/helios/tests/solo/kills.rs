//! The agent's process and the engine's are killed again and again, and the engine's own account is checked.

use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use crate::engine::Engine;
use crate::events::{Events, Line, check};
use crate::process::{IMAGE, Solo, docker};
use crate::serving::within;

const JOBS: [&str; 3] = ["one:1", "two:1", "three:1"];

/// How often: a few in every run, the full number in the nightly one.
fn times(variable: &str, usual: u64) -> u64 {
    let number = std::env::var(variable).ok();
    number.map_or(usual, |text| text.parse().expect("a number"))
}

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// Ports that no other test and no outgoing connection uses. A port that somebody else takes while its job is down
/// is rightly given up for another, which here would look like a lease that changed.
fn port_range() -> String {
    let start = 16_000 + std::process::id() % 30 * 100;
    format!("{start}:{}", start + 100)
}

fn create(solo: &Solo) {
    for job in JOBS {
        solo.ask(&["create", "-q", job, IMAGE, "-p", "p=7", "--", "/bin/idle"]);
    }
}

fn until_running(solo: &Solo, job: &str) {
    within(&format!("{job} is RUNNING"), || {
        (solo.state(job) == "RUNNING").then_some(())
    });
}

fn until_gone(solo: &Solo, job: &str) {
    within(&format!("{job} is gone"), || {
        (solo.state(job).is_empty() && solo.containers_of(job).is_empty()).then_some(())
    });
}

/// At random moments around deployments, deaths and undeployments.
#[test]
fn an_agent_that_is_killed_at_random_moments_runs_each_job_once() {
    let mut solo = Solo::start_with(&["--port-range", &port_range()]);
    let events = Events::listen(Command::new("docker"), &solo.owner(), Vec::new());
    let mut dice = Dice(times("HELIOS_SEED", 1));
    create(&solo);
    for job in JOBS {
        solo.ask(&["deploy", job, "n1"]);
    }
    for kill in 0..times("HELIOS_AGENT_KILLS", 10) {
        // Something to be in the middle of: a death, or a restart that was asked for.
        let job = JOBS[usize::try_from(dice.below(3)).expect("small")];
        match kill % 2 {
            0 => {
                for (id, _) in solo.containers_of(job) {
                    let _ = Command::new("docker").args(["kill", &id]).output();
                }
            }
            _ => {
                solo.ask(&["stop", job, "n1"]);
                solo.ask(&["start", job, "n1"]);
            }
        }
        sleep(Duration::from_millis(dice.below(500)));
        solo.kill();
        sleep(Duration::from_millis(dice.below(200)));
        solo.start_again();
    }
    for job in JOBS {
        until_running(&solo, job);
        assert_eq!(solo.containers_of(job).len(), 1, "{job}");
    }
    solo.ask(&["undeploy", JOBS[0], "n1"]);
    until_gone(&solo, JOBS[0]);
    let job = solo.full_id(JOBS[0]);
    events.note(Line::Undeployed { job });
    solo.kill();
    solo.start_again();
    for job in &JOBS[1..] {
        until_running(&solo, job);
    }
    let lines = events.lines();
    let starts = lines
        .iter()
        .filter(|line| matches!(line, Line::Start { .. }))
        .count();
    assert!(starts >= JOBS.len(), "the engine told of {starts} starts");
    check(&lines).unwrap_or_else(|error| panic!("{error}\n{lines:#?}"));
    docker(&["version"]);
}

/// With and without live-restore, killed and stopped: what goes on is adopted, what ended comes back, once.
#[test]
fn an_engine_that_is_restarted_runs_each_job_once_again() {
    for live_restore in [true, false] {
        let mut engine = Engine::start(live_restore);
        let range = port_range();
        let options = ["--docker", &engine.address(), "--port-range", &range];
        let mut solo = Solo::start_with(&options);
        let mut events = Events::listen(engine.command(), &solo.owner(), Vec::new());
        create(&solo);
        for job in JOBS {
            solo.ask(&["deploy", job, "n1"]);
        }
        let until_all_run = |solo: &Solo| {
            JOBS.map(|job| {
                until_running(solo, job);
                solo.container_of(job)
            })
        };
        let mut running = until_all_run(&solo);
        solo.ask(&["undeploy", JOBS[2], "n1"]);
        until_gone(&solo, JOBS[2]);
        let job = solo.full_id(JOBS[2]);
        events.note(Line::Undeployed { job });
        for restart in 0..times("HELIOS_ENGINE_RESTARTS", 2) / 2 {
            if restart % 2 == 0 {
                engine.kill();
            } else {
                engine.stop();
            }
            let mut lines = events.lines();
            if !live_restore {
                lines.push(Line::EngineAway);
            }
            drop(events);
            engine.start_again();
            events = Events::listen(engine.command(), &solo.owner(), lines);
            for (job, before) in JOBS.iter().zip(&mut running).take(2) {
                let now = within(&format!("{job} runs again"), || {
                    let now = solo.running_of(job)?;
                    (live_restore || now != *before).then_some(now)
                });
                until_running(&solo, job);
                assert!(!live_restore || now == *before, "{job} was adopted");
                *before = now;
            }
        }
        let lines = events.lines();
        let starts = lines
            .iter()
            .filter(|line| matches!(line, Line::Start { .. }));
        assert!(starts.count() >= JOBS.len(), "{lines:?}");
        check(&lines).unwrap_or_else(|error| panic!("{error}\n{lines:#?}"));
        solo.kill();
    }
}

/// A job that is deployed while the engine answers nothing runs once it does, and what ran goes on.
#[test]
fn an_engine_that_hangs_blocks_nothing_for_good() {
    let engine = Engine::start(true);
    let solo = Solo::start_with(&["--docker", &engine.address()]);
    create(&solo);
    solo.ask(&["deploy", JOBS[0], "n1"]);
    until_running(&solo, JOBS[0]);
    let first = solo.container_of(JOBS[0]);
    engine.signal("-STOP");
    solo.ask(&["deploy", JOBS[1], "n1"]);
    sleep(Duration::from_secs(2));
    engine.signal("-CONT");
    until_running(&solo, JOBS[1]);
    assert_eq!(solo.container_of(JOBS[0]), first, "it was left alone");
}
