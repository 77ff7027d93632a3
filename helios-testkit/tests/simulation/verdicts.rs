//! What the simulator says of agents that cannot be simulated, and whether it can be trusted itself.

use std::collections::HashMap;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use futures_core::future::BoxFuture;
use helios_testkit::sim::campaign::Campaign;
use helios_testkit::sim::{Actor, Check, Event, Faults, Fleet, Sim, Verdicts, Workload, reduce};
use tokio::time::sleep;

fn verdict(sim: Sim) -> String {
    let report = sim.hosts(1).lasting(Duration::from_secs(20)).run();
    let found = report
        .violations
        .iter()
        .find(|violation| violation.check == "well-behaved");
    found.map_or_else(
        || format!("no verdict: {report}"),
        |violation| violation.message.clone(),
    )
}

#[test]
fn an_agent_that_panics_is_named() {
    let sim = Sim::new(1).agent(|host| async move {
        sleep(Duration::from_secs(1)).await;
        assert!(host.host.as_str().is_empty(), "a bug of mine");
    });
    assert_eq!(verdict(sim), "agent0: it panicked: a bug of mine");
}

#[test]
fn an_agent_that_spins_is_named() {
    let sim = Sim::new(1).agent(|_| async {
        loop {
            tokio::task::yield_now().await;
        }
    });
    assert!(verdict(sim).starts_with("agent0: it was polled 100000 times"));
}

#[test]
fn an_agent_that_blocks_its_thread_is_named() {
    let sim = Sim::new(1).agent(|_| async {
        loop {
            sleep_for_real();
        }
    });
    assert!(verdict(sim).starts_with("agent0 blocks"));
}

#[test]
fn an_agent_that_computes_for_ever_is_named() {
    let over = Arc::new(AtomicBool::new(false));
    let is_over = Arc::clone(&over);
    let sim = Sim::new(1).agent(move |_| {
        let is_over = Arc::clone(&is_over);
        async move { while !is_over.load(Ordering::Relaxed) {} }
    });
    assert!(verdict(sim).starts_with("agent0 blocks"));
    over.store(true, Ordering::Relaxed);
}

fn sleep_for_real() {
    thread::sleep(Duration::from_secs(3600));
}

/// What an agent spawns is not looked after by the simulator, and no time passes while it runs.
#[test]
fn an_agent_whose_task_blocks_or_spins_is_named() {
    let tasks: [fn(Arc<AtomicBool>) -> BoxFuture<'static, ()>; 3] = [
        |_| Box::pin(async { sleep_for_real() }),
        |over| {
            Box::pin(async move {
                while !over.load(Ordering::Relaxed) {
                    tokio::task::yield_now().await;
                }
            })
        },
        |_| Box::pin(async { drop(tokio::task::spawn_blocking(sleep_for_real).await) }),
    ];
    thread::scope(|scope| {
        for task in tasks {
            scope.spawn(move || {
                let over = Arc::new(AtomicBool::new(false));
                let is_over = Arc::clone(&over);
                let sim = Sim::new(1).agent(move |host| {
                    drop(tokio::spawn(task(Arc::clone(&is_over))));
                    async move { drop(host.helios_agent().run(std::future::pending()).await) }
                });
                let verdict = verdict(sim);
                assert!(
                    verdict.starts_with("agent0 ran last, and no time has passed for 10s"),
                    "{verdict}"
                );
                over.store(true, Ordering::Relaxed);
            });
        }
    });
}

#[derive(Debug)]
struct Broken;

impl Check for Broken {
    fn name(&self) -> &'static str {
        "broken"
    }

    fn demands(&self) -> &'static str {
        "nothing"
    }

    fn see(&mut self, _: &Fleet, event: &Event, _: &mut Verdicts) {
        assert!(event.seq < 5, "my check is wrong");
    }

    fn end(&mut self, _: &Fleet, _: &mut Verdicts) {}
}

#[test]
fn a_check_that_panics_is_told_of() {
    let verdict = verdict(Sim::new(1).checks(vec![Box::new(Broken)]));
    assert!(verdict.ends_with("my check is wrong"), "{verdict}");
}

#[test]
fn an_agent_that_leaves_tasks_behind_is_named_and_they_do_nothing() {
    let sim = Sim::new(3)
        .hosts(1)
        .faults(Faults::swarm())
        .agent(|host| async move {
            let stray = (host.store.clone(), host.runtime.clone());
            tokio::spawn(async move {
                loop {
                    // Dead with its agent, whoever runs it.
                    drop(stray.1.list().await);
                    sleep(Duration::from_secs(1)).await;
                }
            });
            drop(host.helios_agent().run(std::future::pending()).await);
        });
    let report = sim.run();
    let named = "agent0: a task that it spawned went on when it was dead";
    let mut violations = report.violations.iter();
    assert!(report.violates("well-behaved"), "{report}");
    assert!(
        violations.all(|violation| violation.message.starts_with(named)),
        "{report}"
    );
}

#[test]
fn an_agent_that_is_not_deterministic_is_shown() {
    let make = || {
        Sim::new(1)
            .hosts(1)
            .lasting(Duration::from_secs(20))
            .agent(|host| async move {
                let names: HashMap<u32, &str> = (0..64).map(|n| (n, "x")).collect();
                for number in names.keys().take(3) {
                    let key = format!("status/{number}").parse().expect("a key");
                    drop(host.store.get(&key).await);
                }
                std::future::pending::<()>().await;
            })
    };
    let report = Sim::run_twice(make);
    assert!(report.violates("deterministic"), "{report}");
    // A campaign asks by itself, once in a while.
    let campaign = Campaign::of([1], |_| make());
    let failure = campaign.failures.first().expect("a failure");
    assert!(failure.violates("deterministic"), "{campaign}");
    let clean = Sim::run_twice(|| Sim::swarm(7));
    assert!(!clean.violates("deterministic"), "{clean}");
}

/// One swarm of a hundred, each seed with plain changes, with rolling updates and with fleet resets.
fn checked_twice() -> impl Iterator<Item = (String, Sim)> {
    let rounds = crate::campaign::rounds();
    let each = crate::campaign::years().map_or(5, |_| 30);
    let seeds = each * rounds.start..each * rounds.end;
    seeds.flat_map(|seed| {
        let rolling = Sim::swarm(seed).workload(Workload::rolling());
        let resets = Sim::swarm(seed).workload(Workload::resets());
        [
            (format!("plain-{seed}"), Sim::swarm(seed)),
            (format!("rolling-{seed}"), rolling),
            (format!("resets-{seed}"), resets),
        ]
    })
}

/// Prints the hashes of a few traces, or one of them whole; run by the next test in processes of their own.
#[test]
fn print_hashes() {
    let whole = std::env::var("HELIOS_SIM_TRACE").ok();
    for (name, sim) in checked_twice() {
        if whole.is_none() {
            println!("hash {name} {:016x}", sim.run().trace.hash());
        } else if whole.as_ref() == Some(&name) {
            for event in sim.run().trace.events {
                println!("hash {event}");
            }
        }
    }
}

/// What a process of its own prints; with `whole`, all of that trace.
fn printed(whole: Option<&str>) -> Vec<String> {
    let this = std::env::current_exe().expect("this program");
    let mut command = Command::new(this);
    command.args(["--exact", "verdicts::print_hashes", "--nocapture"]);
    if let Some(name) = whole {
        command.env("HELIOS_SIM_TRACE", name);
    }
    let output = command.output().expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines = text.lines().filter(|line| line.contains("hash "));
    lines.map(ToOwned::to_owned).collect()
}

#[test]
fn two_processes_see_the_same() {
    let (first, second) = (printed(None), printed(None));
    assert_eq!(first.len(), checked_twice().count());
    assert_eq!(second.len(), first.len());
    let mut both = first.iter().zip(&second);
    let Some((first, second)) = both.find(|(first, second)| first != second) else {
        return;
    };
    let name = first.split(' ').nth_back(1).expect("a name");
    let (one, other) = (printed(Some(name)), printed(Some(name)));
    let mut events = one.iter().zip(&other);
    let differs = events.find(|(one, other)| one != other);
    panic!(
        "{first} here, {second} there: something depends on chance that is not the seed's, as the order of a HashMap, an unbiased \
         select, an address or the time of day; the first event that differs: {differs:#?}"
    );
}

/// Seven hosts, two masters and four minutes of everything that can fail.
fn big_fleet(seed: u64) -> Sim {
    Sim::new(seed)
        .masters(2)
        .hosts(7)
        .lasting(Duration::from_secs(240))
        .faults(Faults::swarm())
        .agent(|host| crate::museum::plain(host, crate::museum::Bug::UnreadableIsEmpty))
}

/// Prints the example of docs/simulator.md.
#[test]
fn a_failure_of_a_big_fleet_comes_back_small() {
    let mut reports = (0..50).map(|seed| big_fleet(seed).run());
    let failed = reports.find(|report| report.violates("S4") && report.faults.len() > 20);
    let failed = failed.expect("a seed that shows the bug");
    let (seed, check) = (failed.seed, failed.violations[0].check);
    let reduced = reduce(|| big_fleet(seed)).expect("it fails again");
    println!("{reduced}");
    assert!(reduced.report.violates(check), "{reduced}");
    let (kept, all) = (&reduced.kept, &reduced.all);
    let agents = kept.actors.iter().flatten();
    let agents = agents.filter(|actor| matches!(actor, Actor::Agent(_)));
    assert_eq!(agents.count(), 1, "{reduced}");
    assert!(kept.actors.iter().flatten().count() == 2, "{reduced}");
    assert!(kept.changes.iter().flatten().count() <= 3, "{reduced}");
    let faults = |kept: &Option<_>| kept.iter().flatten().count();
    assert!(faults(&kept.faults) * 4 <= faults(&all.faults), "{reduced}");
    assert!(kept.until < all.until, "{reduced}");
    // What is printed is enough to run it again.
    let text = kept.to_string();
    let again = big_fleet(seed).keep(text.parse().expect("what is kept"));
    assert_eq!(again.run().trace.hash(), reduced.report.trace.hash());
}
