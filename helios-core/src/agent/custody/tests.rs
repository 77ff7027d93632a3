use std::collections::VecDeque;
use std::sync::Mutex;

use async_trait::async_trait;

use super::*;
use crate::orphans::{Because, Claim, KnownContainer, Look, Process, ProcessId, Role, What};
use crate::runtime::{ContainerId, RuntimeError, RuntimeErrorKind};
use crate::state_dir::StateDirError;
use crate::time::Timestamp;

const MINUTE: Duration = Duration::from_secs(60);

/// Surroundings that look as they are told and hang when nothing is left to tell, a directory that counts what it stores, and a
/// clock.
#[derive(Debug, Default)]
struct Host {
    looks: Mutex<VecDeque<Look>>,
    cannot_end: bool,
    saves: Mutex<usize>,
    minutes: Mutex<u32>,
}

impl Clock for Host {
    fn now(&self) -> Timestamp {
        Timestamp::default()
    }

    fn moment(&self) -> Moment {
        Moment::default().plus(MINUTE * *self.minutes.lock().unwrap())
    }
}

#[async_trait]
impl Surroundings for Host {
    async fn look(&self) -> Result<Look, RuntimeError> {
        let next = self.looks.lock().unwrap().pop_front();
        match next {
            Some(look) => Ok(look),
            None => std::future::pending().await,
        }
    }

    async fn reap(&self, _: &What) -> Result<(), RuntimeError> {
        let refused = || RuntimeError::new(RuntimeErrorKind::Failed, "not permitted");
        (!self.cannot_end).then_some(()).ok_or_else(refused)
    }
}

#[async_trait]
impl StateDir for Host {
    async fn load(&self, _: &str) -> Result<Option<Vec<u8>>, StateDirError> {
        Ok(None)
    }

    async fn save(&self, _: &str, _: &[u8]) -> Result<(), StateDirError> {
        *self.saves.lock().unwrap() += 1;
        Ok(())
    }

    async fn set_aside(&self, name: &str) -> Result<String, StateDirError> {
        Ok(name.to_owned())
    }
}

fn process(pid: u32) -> Process {
    let container = ContainerId::new("1".repeat(64));
    Process {
        id: ProcessId { pid, started: 7 },
        parent: 1,
        command: "web".to_owned(),
        role: Role::Member { container },
    }
}

/// A container of ours with one process, and whether the engine knows of it.
fn look(known: bool) -> Look {
    let container = KnownContainer {
        name: "web".to_owned(),
        alive: true,
        owner: Some("a1".to_owned()),
        ..KnownContainer::default()
    };
    let there = known.then(|| (ContainerId::new("1".repeat(64)), container));
    Look {
        daemon: Some(1),
        daemons: [1].into(),
        before: there.clone().into_iter().collect(),
        processes: vec![process(7)],
        after: there.into_iter().collect(),
        ..Look::default()
    }
}

async fn round(host: &Arc<Host>, mode: OrphanMode, known: Known) -> Round {
    let policy = OrphanPolicy {
        mode,
        ..OrphanPolicy::default()
    };
    let begun = Begun {
        surroundings: Arc::clone(host) as _,
        policy,
        owner: Owner::new("a1").unwrap(),
        state: Arc::clone(host) as _,
        clock: Arc::clone(host) as _,
        known,
    };
    begun.run().await
}

fn finding(pid: u32) -> Finding {
    let what = What::Processes {
        container: ContainerId::new("1".repeat(64)),
        processes: vec![process(pid)],
    };
    Finding {
        what,
        because: Because::EngineForgot,
        claim: Claim::Ours,
        job: None,
    }
}

fn custody() -> Custody {
    Custody {
        known: Known::default(),
        predecessor: None,
        findings: Vec::new(),
        reaped: 0,
        trouble: None,
        not_before: Moment::default(),
        round: None,
    }
}

fn ended(unsettled: bool, findings: Option<Vec<Finding>>) -> Round {
    Round {
        known: Known::default(),
        findings,
        unsettled,
        reaped: 2,
        trouble: None,
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_suspect_or_was_ended_is_looked_at_again_soon() {
    for (mode, cannot_end, expected) in [
        // It runs; it is suspect; it is confirmed; and nothing changes any more.
        (
            OrphanMode::Report,
            false,
            [(false, 0), (true, 0), (false, 0), (false, 0)],
        ),
        (
            OrphanMode::Reap,
            false,
            [(false, 0), (true, 0), (true, 1), (true, 1)],
        ),
        (
            OrphanMode::Reap,
            true,
            [(false, 0), (true, 0), (false, 0), (false, 0)],
        ),
    ] {
        let host = Arc::new(Host {
            looks: Mutex::new([look(true), look(false), look(false), look(false)].into()),
            cannot_end,
            ..Host::default()
        });
        let mut known = Known::default();
        let mut seen = Vec::new();
        let mut told = Vec::new();
        for _ in expected {
            let round = round(&host, mode, known).await;
            seen.push((round.unsettled, round.reaped));
            told.push(round.trouble);
            known = round.known;
            *host.minutes.lock().unwrap() += 1;
        }
        assert_eq!(seen, expected, "{mode:?}, cannot end: {cannot_end}");
        let failed = told
            .iter()
            .flatten()
            .all(|told| told.contains("not permitted"));
        assert!(
            failed && told.iter().flatten().count() == usize::from(cannot_end) * 2,
            "{told:?}"
        );
        assert_eq!(
            *host.saves.lock().unwrap(),
            1,
            "what is stored is not stored again"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_look_that_hangs_is_told_and_changes_nothing() {
    let host = Arc::new(Host::default());
    let round = round(&host, OrphanMode::Reap, Known::default()).await;
    let mut custody = custody();
    custody.findings = vec![finding(1)];
    custody.learn(round, &OrphanPolicy::default(), Moment::default());
    let told: Vec<String> = custody.problems().collect();
    let [orphan, hung] = told.as_slice() else {
        panic!("{told:?}")
    };
    assert!(orphan.starts_with("orphan: process 1 "), "{orphan}");
    assert_eq!(hung, "the engine took too long to be searched for orphans");
}

#[test]
fn the_next_round_is_sooner_while_something_is_unsettled_and_never_later() {
    let at = |seconds| Moment::default().plus(Duration::from_secs(seconds));
    let often = OrphanPolicy {
        every: Duration::from_secs(5),
        ..OrphanPolicy::default()
    };
    let mut custody = custody();
    for (policy, unsettled, next, reaped) in [
        (&OrphanPolicy::default(), true, 10, 2),
        (&OrphanPolicy::default(), false, 60, 4),
        (&often, true, 5, 6),
    ] {
        let round = ended(unsettled, Some(vec![finding(1)]));
        custody.learn(round, policy, at(0));
        assert_eq!((custody.not_before, custody.reaped), (at(next), reaped));
    }
    custody.learn(ended(false, None), &often, at(0));
    assert_eq!(custody.findings.len(), 1, "without a look nothing changed");
}

#[test]
fn only_so_many_orphans_are_told_of_one_by_one() {
    let told = TOLD_MAX;
    for (found, lines, last) in [
        (told, told, "process"),
        (told + 1, told + 1, "orphan: 1 more"),
        (told + 5, told + 1, "orphan: 5 more"),
    ] {
        let mut custody = custody();
        custody.findings = (1..).map(finding).take(found).collect();
        let told: Vec<String> = custody.problems().collect();
        assert_eq!(told.len(), lines, "{found}");
        assert!(
            told.last().is_some_and(|line| line.contains(last)),
            "{told:?}"
        );
    }
}

#[test]
fn who_had_the_host_before_is_succeeded_also_during_a_round() {
    let mut custody = custody();
    for holder in ["a1", "a0", "a0", "a1", "a1"] {
        custody.see_holder(holder, "a1");
    }
    custody.learn(
        ended(false, None),
        &OrphanPolicy::default(),
        Moment::default(),
    );
    let former = custody.known.records.former();
    assert_eq!(former.iter().collect::<Vec<_>>(), ["a0"]);
}
