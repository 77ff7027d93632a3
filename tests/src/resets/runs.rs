//! Resets of whole fleets.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use helios_core::schema::{AuditRecord, Keys};
use helios_core::store::Store;
use helios_rollout::reset::{
    Action, Ask, Because, Control, Ending, Halt, ResetAction, ResetRefused, Stage, Verdict,
};
use tokio::time::sleep;

use crate::fleet::{Fleet, host};

#[tokio::test(start_paused = true)]
async fn every_machine_is_restarted_once_and_the_lonely_service_is_found() {
    let mut fleet = Fleet::start(3).await;
    fleet.resets().start(&fleet.reset()).await.expect("a start");
    let masters: Vec<_> = ["m1", "m2", "m3"].map(|name| fleet.master(name)).into();
    let record = fleet.until_over().await;
    assert_eq!(record.progress.stage, Stage::Ended(Ending::Done));
    assert_eq!(
        (record.progress.done.len(), record.progress.mishaps.len()),
        (3, 0)
    );
    assert_eq!(fleet.boots(), [2, 2, 2]);
    let report = fleet.resets().robustness("spring").await.expect("a report");
    let verdicts = report
        .by_verdict()
        .into_iter()
        .map(|(name, story)| (name, story.verdict(), story.hosts));
    assert_eq!(
        verdicts.collect::<Vec<_>>(),
        [
            ("lonely", Verdict::WasDown, 1),
            ("front", Verdict::Robust, 3)
        ]
    );
    masters.iter().for_each(|master| master.abort());
    let trail = fleet.resets().trail("spring").await.expect("a trail");
    assert_eq!(trail.len() as u64, record.trail);
    assert_eq!(trail.first().map(|line| &*line.text), Some("start reset"));
    assert_eq!(trail.last().map(|line| &*line.text), Some("it is done"));
    for machine in fleet.cluster.hosts().await.expect("the hosts").names() {
        let way = trail
            .iter()
            .filter(|line| line.host.as_ref() == Some(machine));
        let way: Vec<&str> = way.map(|line| &*line.text).collect();
        let phases = [
            "chosen",
            "draining",
            "drained",
            "resetting",
            "returned",
            "checked",
            "done",
        ];
        assert_eq!(way.len(), phases.len(), "{way:?}");
        for (line, phase) in way.iter().zip(phases) {
            assert!(
                line.starts_with(&format!("{machine} -> {phase}: ")),
                "{line}"
            );
        }
    }
    assert!(audited(&fleet, "start reset").await == 1 && audited(&fleet, "reset host").await == 3);
}

/// How many audit records of that action there are.
async fn audited(fleet: &Fleet, action: &str) -> usize {
    let mut count = 0;
    let start = fleet.record().await.progress.created;
    for minute in 0..120 {
        let dir = Keys::audit_of(start.plus(Duration::from_secs(60 * minute)));
        let records = fleet.store.list(&dir).await.expect("a list");
        let records = records
            .iter()
            .filter_map(|(_, entry)| serde_json::from_slice::<AuditRecord>(&entry.value).ok());
        count += records.filter(|record| record.action == action).count();
    }
    count
}

#[tokio::test(start_paused = true)]
async fn a_master_may_die_at_every_commit_made_or_not() {
    for commits in 1..=24 {
        for made in [false, true] {
            let mut fleet = Fleet::start(2).await;
            fleet.resets().start(&fleet.reset()).await.expect("a start");
            let dying = fleet.dying_master(commits, made);
            // The next one starts when the first one can be dead already, or still lives.
            sleep(Duration::from_secs(2)).await;
            let next = fleet.master("next");
            let record = fleet.until_over().await;
            let told = (commits, made, &record.progress.mishaps);
            assert_eq!(record.progress.done.len(), 2, "{told:?}");
            assert_eq!(fleet.boots(), [2, 2], "{told:?}");
            let hosts = fleet.cluster.hosts().await.expect("the hosts");
            assert!(
                hosts.iter().all(|(_, host)| host.drain.is_none()),
                "{told:?}"
            );
            next.abort();
            dying.abort();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_aborted_reset_gives_back_the_jobs_and_resets_nothing_more() {
    let mut fleet = Fleet::start(3).await;
    fleet.resets().start(&fleet.reset()).await.expect("a start");
    fleet
        .resets()
        .control("spring", &Control::Abort)
        .await
        .expect("an abort");
    let _master = fleet.master("m1");
    let record = fleet.until_over().await;
    assert_eq!(record.progress.stage, Stage::Ended(Ending::Aborted));
    assert_eq!(fleet.boots(), [1, 1, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_second_reset_of_the_same_hosts_or_name_is_refused() {
    let fleet = Fleet::start(2).await;
    let reset = fleet.reset();
    fleet.resets().start(&reset).await.expect("a start");
    let error = fleet
        .resets()
        .start(&reset)
        .await
        .expect_err("the name is taken");
    assert!(
        matches!(error.refused(), Some(ResetRefused::Exists { .. })),
        "{error}"
    );
    let mut other = reset;
    other.name = "autumn".to_owned();
    let error = fleet
        .resets()
        .start(&other)
        .await
        .expect_err("the hosts are taken");
    assert_eq!(
        error.to_string(),
        "reset spring is for host web1 too and is not over: wait for it, abort it, or choose other hosts"
    );
    other.limits.waived.clear();
    let error = fleet
        .resets()
        .start(&other)
        .await
        .expect_err("a lonely service");
    assert!(
        error.to_string().contains("service lonely has 1 instances"),
        "{error}"
    );
}

/// Answers with an error, or never.
#[derive(Debug)]
struct Broken {
    answers: bool,
}

#[async_trait]
impl ResetAction for Broken {
    async fn ask(&self, _: &Ask) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        if self.answers {
            return Err("no such machine".into());
        }
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn an_action_that_fails_or_hangs_stops_the_reset_and_the_host_has_its_jobs_again() {
    for (answers, why) in [(true, "no such machine"), (false, "no answer within 60 s")] {
        let fleet = Fleet::start(2).await;
        let mut reset = fleet.reset();
        reset.action = Action::Master;
        fleet.resets().start(&reset).await.expect("a start");
        let store = Arc::new(fleet.store.session());
        let _master = fleet.master_over("m1", store, Arc::new(Broken { answers }));
        let halted = async {
            loop {
                let record = fleet.record().await;
                let view = fleet.cluster.fleet().await.expect("a view");
                let drained = view.hosts.iter().any(|(_, host)| host.drain.is_some());
                if matches!(record.progress.stage, Stage::Halted(Halt::Failures { .. })) && !drained
                {
                    return record;
                }
                sleep(Duration::from_millis(200)).await;
            }
        };
        let record = tokio::time::timeout(Duration::from_secs(1200), halted)
            .await
            .expect("a halt");
        let mishap = record.progress.mishaps.values().next().expect("a mishap");
        assert_eq!(mishap.because, Because::ActionFailed(why.to_owned()));
        assert_eq!(fleet.boots(), [1, 1]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_that_cannot_reset_itself_says_why_and_nobody_waits_for_it() {
    let fleet = Fleet::start_with(2, true).await;
    fleet.resets().start(&fleet.reset()).await.expect("a start");
    let _master = fleet.master("m1");
    let halted = async {
        loop {
            let record = fleet.record().await;
            if matches!(record.progress.stage, Stage::Halted(Halt::Failures { .. })) {
                return record;
            }
            sleep(Duration::from_millis(200)).await;
        }
    };
    let waited = Duration::from_secs(60);
    let record = tokio::time::timeout(waited, halted).await.expect("a halt");
    let mishap = record.progress.mishaps.values().next().expect("a mishap");
    let why = Because::ActionFailed("the plug is stuck".to_owned());
    assert_eq!(mishap.because, why);
}

#[tokio::test(start_paused = true)]
async fn an_agent_calls_off_what_hangs_when_its_time_is_over_and_has_its_jobs_again() {
    let mut fleet = Fleet::start(2).await;
    fleet.resets().start(&fleet.reset()).await.expect("a start");
    let _master = fleet.master("m1");
    let order = fleet.pulled.recv().await.expect("a pull");
    let called_off = fleet.called_off.recv().await.expect("the end of it");
    assert_eq!(called_off, order);
    let progress = fleet.record().await.progress;
    assert_eq!(progress.mishaps[&order.0].because, Because::SameBoot);
    fleet.until_well().await;
    assert!(fleet.called_off.try_recv().is_err(), "that once is enough");
}

#[tokio::test(start_paused = true)]
async fn a_deregistered_host_frees_its_place_in_the_middle_of_its_reset() {
    let mut fleet = Fleet::start(3).await;
    fleet.resets().start(&fleet.reset()).await.expect("a start");
    let _master = fleet.master("m1");
    let (gone, _) = fleet.pulled.recv().await.expect("a pull");
    fleet.pull(&gone).await;
    fleet
        .cluster
        .deregister_host(&gone)
        .await
        .expect("a deregistration");
    let others = async {
        while fleet.record().await.progress.done.len() + usize::from(gone == host(0)) < 2 {
            while let Ok((name, _)) = fleet.pulled.try_recv() {
                fleet.pull(&name).await;
                fleet.boot(&name).await;
            }
            sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(3000), others)
        .await
        .expect("the others go on");
    let record = fleet.record().await;
    assert_eq!(
        (record.progress.left, record.progress.mishaps.len()),
        (1, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_was_installed_anew_is_not_reset_again_though_its_agent_forgot() {
    let mut fleet = Fleet::start(2).await;
    fleet.resets().start(&fleet.reset()).await.expect("a start");
    let master = fleet.master("m1");
    let (name, _) = fleet.pulled.recv().await.expect("a pull");
    // No master lives to see it return, so its order stays.
    master.abort();
    fleet.pull(&name).await;
    fleet.forget(&name);
    fleet.boot(&name).await;
    sleep(Duration::from_secs(300)).await;
    assert!(fleet.pulled.try_recv().is_err(), "it was reset again");
    let _next = fleet.master("m2");
    let record = fleet.until_over().await;
    assert_eq!(record.progress.done.len(), 2, "{:?}", record.progress);
    assert_eq!(fleet.boots(), [2, 2]);
}
