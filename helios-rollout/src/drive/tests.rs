use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use helios_core::clock::Clock;
use helios_core::cluster::Cluster;
use helios_core::model::HostName;
use helios_core::schema::OperationIds;
use helios_core::{Moment, Timestamp};
use helios_store::MemoryStore;

use super::*;
use crate::Share;
use crate::audit::{Entry, replay};
use crate::curve::{Curve, Length};
use crate::guard::{Action, Advice, Bake, Guard, Objective};
use crate::order::{Amount, Order, Rule};
use crate::variable::{Change, Transition, Value, VariableError};

/// A clock that a test sets.
#[derive(Debug, Default)]
pub(super) struct TestClock(Mutex<i64>);

impl TestClock {
    pub(super) fn set(&self, seconds: i64) {
        *self.0.lock().unwrap() = seconds * 1_000;
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(*self.0.lock().unwrap())
    }

    fn moment(&self) -> Moment {
        Moment::from_millis(*self.0.lock().unwrap() as u64)
    }
}

/// A store, and masters on it.
struct Rig {
    store: Arc<MemoryStore>,
    clock: Arc<TestClock>,
}

impl Rig {
    fn new() -> Self {
        let (store, clock) = (Arc::new(MemoryStore::new()), Arc::default());
        Self { store, clock }
    }

    fn cluster(&self, name: &str) -> Cluster {
        let ids = OperationIds::new(name).unwrap();
        Cluster::new(self.store.clone(), self.clock.clone(), ids)
    }

    fn master(&self, name: &str) -> Master {
        let cluster = self.cluster(name);
        Master {
            variables: Variables::on(cluster.clone()),
            driver: VariableDriver::new(cluster),
        }
    }
}

struct Master {
    variables: Variables,
    driver: VariableDriver,
}

impl Master {
    async fn tick(&mut self) {
        let fleet = self.variables.cluster().fleet().await.unwrap();
        let book = self.variables.read().await.unwrap();
        self.driver.tick(&fleet, &book).await;
    }

    async fn values(&self) -> BTreeMap<HostName, Value> {
        let book = self.variables.read().await.unwrap();
        let hosts = book.followers.iter().map(|(host, follower)| {
            let member = crate::order::Member::new(host.clone(), follower.labels.clone());
            let desired = book.desired(&member);
            (host.clone(), desired.values["docker"].clone())
        });
        hosts.collect()
    }

    async fn told(&self) -> usize {
        let values = self.values().await;
        values
            .values()
            .filter(|value| **value == "27".into())
            .count()
    }

    async fn follow(&self, index: usize) {
        let labels = BTreeMap::from([("role".to_owned(), format!("role-{}", index % 4))]);
        let book = Book::default();
        self.variables
            .follow(&book, &host(index), &labels)
            .await
            .unwrap();
    }

    async fn is_running(&self) -> bool {
        let ledger = self.variables.ledger("docker").await.unwrap().unwrap();
        ledger.state().is_some()
    }
}

fn host(index: usize) -> HostName {
    format!("host-{index}").parse().unwrap()
}

fn to_26() -> Setting {
    Setting {
        value: "26".into(),
        allowed: None,
        forbidden: None,
    }
}

/// From 26 to 27 over a hundred seconds, with one host of each role first.
fn transition() -> Transition {
    let mut order = Order::new("docker-27", ["role"]);
    order.rules = vec![Rule::at_least("a canary in every role", 1)];
    let curve = Curve::linear(Timestamp::from_millis(0), Duration::from_secs(100));
    Transition::new(Change::replace("26", "27"), curve, order)
}

fn guard(on_harm: Action) -> Guard {
    let objective = Objective {
        name: "health".to_owned(),
        query: Query::Health { grace_seconds: 0 }.to_string(),
        margin_permille: 500,
        gates: vec![],
        on_harm,
        dead_man: Duration::from_secs(600),
    };
    Guard {
        alpha_ppm: 50_000,
        objectives: vec![objective],
        bake: None,
    }
}

/// A master, and a fleet of followers that hold 26.
async fn fleet_of(count: usize) -> (Rig, Master) {
    let rig = Rig::new();
    let master = rig.master("m1");
    for index in 0..count {
        master.follow(index).await;
    }
    master.variables.set("docker", &to_26()).await.unwrap();
    (rig, master)
}

async fn started(count: usize, guard: Option<&Guard>) -> (Rig, Master) {
    let (rig, master) = fleet_of(count).await;
    let started = master.variables.start("docker", &transition(), guard).await;
    started.unwrap();
    (rig, master)
}

#[tokio::test]
async fn hosts_are_told_when_their_turn_comes_and_a_forecast_made_before_is_what_happens() {
    let (rig, mut master) = started(40, None).await;
    let ledger = master.variables.ledger("docker").await.unwrap().unwrap();
    let state = ledger.state().unwrap();
    let view = state.variable.on(&state.fleet).unwrap();
    let forecast: BTreeMap<HostName, i64> = (0..40)
        .map(|index| {
            let at = view.flips_at(host(index).as_str()).forward.unwrap();
            (host(index), at.as_millis())
        })
        .collect();
    for second in 0..=100 {
        rig.clock.set(second);
        master.tick().await;
        for (host, value) in master.values().await {
            let told = value == "27".into();
            assert_eq!(
                told,
                forecast[&host] <= second * 1_000,
                "{host} at {second}"
            );
        }
    }
    assert!(!master.is_running().await);
    let ledger = master.variables.ledger("docker").await.unwrap().unwrap();
    assert_eq!(ledger.record().past[0].outcome, Outcome::Finished);
    assert_eq!(ledger.record().past[0].told, 40);
    assert_eq!(ledger.variable().unwrap().held().base(), &"27".into());
}

#[tokio::test]
async fn nothing_is_written_while_nothing_is_due() {
    let (rig, mut master) = started(4, None).await;
    rig.clock.set(50);
    for _ in 0..3 {
        master.tick().await;
    }
    let before = master.variables.ledger("docker").await.unwrap().unwrap();
    for _ in 0..5 {
        rig.clock.set(51);
        master.tick().await;
        master.variables.report(&host(1), None).await.unwrap();
        master
            .variables
            .follow(&Book::default(), &host(1), &BTreeMap::new())
            .await
            .unwrap();
    }
    let after = master.variables.ledger("docker").await.unwrap().unwrap();
    assert_eq!(before.record().version, after.record().version);
}

#[tokio::test]
async fn every_decision_of_two_masters_can_be_made_again_from_the_log() {
    let (rig, mut one) = started(60, None).await;
    let mut two = rig.master("m2");
    for second in 0..=100 {
        rig.clock.set(second);
        match second {
            20 => two.follow(100).await,
            30 => one.variables.pause("docker").await.unwrap(),
            40 => two.variables.resume("docker").await.unwrap(),
            50 => one.variables.forget(&host(7)).await.unwrap(),
            // A crash: a new process knows nothing but the store.
            60 => one = rig.master("m3"),
            _ => {}
        }
        let (fleet, book) = (
            one.variables.cluster().fleet().await.unwrap(),
            one.variables.read().await.unwrap(),
        );
        // Both decide from the same picture, and race.
        futures_util::future::join(
            one.driver.tick(&fleet, &book),
            two.driver.tick(&fleet, &book),
        )
        .await;
        assert_eq!(one.values().await, two.values().await);
    }
    let log = one.variables.log("docker").await.unwrap();
    let state = replay(&log).unwrap();
    assert_eq!(state.fleet.members().len(), 60);
    assert!(state.variable.running().is_some(), "ten seconds were lost");
    let told = |record: &&crate::audit::Record| matches!(record.entry, Entry::Told { .. });
    assert!(log.iter().filter(told).count() > 20);
    rig.clock.set(111);
    two.tick().await;
    assert!(!one.is_running().await);
    assert_eq!(one.told().await, 60);
}

#[tokio::test]
async fn a_rollback_takes_back_the_last_told_first_and_leaves_no_trace() {
    let (rig, mut master) = started(40, None).await;
    rig.clock.set(50);
    master.tick().await;
    assert_eq!(master.told().await, 20);
    let before = master.values().await;
    let over = Some(Duration::from_secs(10));
    master.variables.roll_back("docker", over).await.unwrap();
    rig.clock.set(55);
    master.tick().await;
    let half = master.values().await;
    assert!(
        half.iter()
            .all(|(host, value)| *value == "26".into() || before[host] == *value)
    );
    assert!((9..=11).contains(&master.told().await));
    rig.clock.set(60);
    master.tick().await;
    assert_eq!(master.told().await, 0);
    let ledger = master.variables.ledger("docker").await.unwrap().unwrap();
    assert_eq!(ledger.record().past[0].outcome, Outcome::RolledBack);
    replay(&master.variables.log("docker").await.unwrap()).unwrap();
}

#[tokio::test]
async fn what_a_host_was_told_never_gets_an_older_number() {
    let (rig, mut master) = started(30, None).await;
    let mut high: BTreeMap<HostName, (u64, Value)> = BTreeMap::new();
    for second in 0..140 {
        rig.clock.set(second);
        match second {
            60 => master.variables.roll_back("docker", None).await.unwrap(),
            90 => master
                .variables
                .start("docker", &transition(), None)
                .await
                .unwrap(),
            95 => master.variables.abort("docker").await.unwrap(),
            100 => master.variables.set("docker", &to_26()).await.unwrap(),
            110 => master.variables.remove("docker").await.unwrap(),
            120 => master.variables.set("docker", &to_26()).await.unwrap(),
            _ => {}
        }
        master.tick().await;
        let book = master.variables.read().await.unwrap();
        for (host, follower) in book.followers.iter() {
            let member = crate::order::Member::new(host.clone(), follower.labels.clone());
            let desired = book.desired(&member);
            let since = desired.since["docker"];
            let value = desired.values.get("docker").copied().cloned();
            let value = value.unwrap_or_else(|| "".into());
            let known = high.insert(host.clone(), (since, value.clone()));
            if let Some((before, old)) = known {
                assert!(
                    before < since || (before == since && old == value),
                    "{host} at {second}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_bad_value_is_stopped_by_what_its_hosts_report_and_taken_back() {
    let guard = guard(Action::RollBack);
    let (rig, mut master) = started(200, Some(&guard)).await;
    let mut most = 0;
    for second in 0..=100 {
        rig.clock.set(second);
        master.tick().await;
        for (host, value) in master.values().await {
            let failed = (value == "27".into()).then_some("exit code 1");
            master.variables.report(&host, failed).await.unwrap();
        }
        most = most.max(master.told().await);
    }
    assert!((1..60).contains(&most), "{most} hosts had the bad value");
    assert_eq!(master.told().await, 0);
    let log = master.variables.log("docker").await.unwrap();
    let state = replay(&log).unwrap();
    assert!(
        state
            .monitor
            .unwrap()
            .outcomes()
            .any(|(_, outcome, _)| outcome == crate::guard::Outcome::HarmShown)
    );
}

#[tokio::test]
async fn hosts_that_were_unwell_before_are_no_evidence() {
    let guard = guard(Action::Hold);
    let (rig, mut master) = fleet_of(100).await;
    for index in 0..50 {
        master
            .variables
            .report(&host(index), Some("disk full"))
            .await
            .unwrap();
    }
    master
        .variables
        .start("docker", &transition(), Some(&guard))
        .await
        .unwrap();
    for second in 0..=100 {
        rig.clock.set(second);
        master.tick().await;
    }
    assert_eq!(master.told().await, 100);
}

#[tokio::test]
async fn a_guard_without_evidence_ends_a_rollout_by_its_dead_man_limit() {
    let mut guard = guard(Action::Hold);
    guard.objectives[0].dead_man = Duration::from_secs(20);
    guard.objectives[0].query = Query::Prometheus {
        url: "http://127.0.0.1:1".to_owned(),
        bad: "bad[$window]".to_owned(),
        all: "all[$window]".to_owned(),
        host_label: "instance".to_owned(),
    }
    .to_string();
    let (rig, mut master) = started(100, Some(&guard)).await;
    for second in 0..60 {
        rig.clock.set(second);
        master.tick().await;
    }
    let told = master.told().await;
    assert!((18..=24).contains(&told), "{told} hosts");
    let resumed = master.variables.resume("docker").await.unwrap_err();
    assert!(
        matches!(resumed.refused(), Some(Refusal::HeldByGuard { .. })),
        "{resumed}"
    );
    master.variables.abort("docker").await.unwrap();
    assert_eq!(master.told().await, told, "they keep what they have");
}

#[tokio::test]
async fn a_guard_holds_at_its_gate_until_harm_is_excluded() {
    let mut guard = guard(Action::Hold);
    guard.objectives[0].gates = vec![Share::from_percent(10)];
    guard.objectives[0].margin_permille = 1_000_000;
    let (rig, mut master) = started(100, Some(&guard)).await;
    for second in 0..40 {
        rig.clock.set(second);
        master.tick().await;
    }
    assert!(master.told().await < 15, "held at the gate");
    let ledger = master.variables.ledger("docker").await.unwrap().unwrap();
    assert!(ledger.state().unwrap().held_by_guard);
    // Old hosts fail and new ones do not: the new value is no worse.
    let values = master.values().await;
    let old = values.iter().filter(|(_, value)| **value == "26".into());
    for (host, _) in old.take(60) {
        master
            .variables
            .report(host, Some("old bug"))
            .await
            .unwrap();
    }
    for second in 40..60 {
        rig.clock.set(second);
        master.tick().await;
    }
    assert!(master.told().await > 20, "released");
    replay(&master.variables.log("docker").await.unwrap()).unwrap();
}

/// A rollout over a hundred seconds that is watched for another hundred.
async fn baked() -> (Rig, Master) {
    let mut guard = guard(Action::RollBack);
    guard.bake = Some(Bake {
        length: Duration::from_secs(100),
        run_length: 1_000,
    });
    let (rig, mut master) = started(60, Some(&guard)).await;
    for second in 0..120 {
        rig.clock.set(second);
        master.tick().await;
    }
    assert_eq!(master.told().await, 60);
    assert!(master.is_running().await, "it is watched after the end");
    (rig, master)
}

#[tokio::test]
async fn a_rollout_ends_after_its_bake() {
    let (rig, mut master) = baked().await;
    for second in 195..205 {
        rig.clock.set(second);
        master.tick().await;
    }
    assert!(!master.is_running().await);
    assert_eq!(master.told().await, 60);
    replay(&master.variables.log("docker").await.unwrap()).unwrap();
}

#[tokio::test]
async fn what_goes_wrong_only_after_the_last_host_is_taken_back_in_the_bake() {
    let (rig, mut master) = baked().await;
    for index in 0..20 {
        let failed = Some("it leaks");
        let reported = master.variables.report(&host(index), failed).await;
        reported.unwrap();
    }
    for second in 120..140 {
        rig.clock.set(second);
        master.tick().await;
    }
    assert_eq!(master.told().await, 0);
    let ledger = master.variables.ledger("docker").await.unwrap().unwrap();
    assert_eq!(ledger.record().past[0].outcome, Outcome::RolledBack);
    let log = master.variables.log("docker").await.unwrap();
    let worse = log.iter().any(|record| {
        let because = crate::guard::Termination::WorseAfterTheEnd;
        matches!(&record.entry, Entry::Advised { advice: Advice::Terminate { because: why, .. } } if *why == because)
    });
    assert!(worse);
    replay(&log).unwrap();
}

#[tokio::test]
async fn a_fleet_that_fits_no_page_is_kept_on_many() {
    let (rig, mut master) = fleet_of(0).await;
    let labels: BTreeMap<String, String> = (0..20)
        .map(|index| (format!("label-{index}"), "x".repeat(250)))
        .collect();
    for index in 0..300 {
        master
            .variables
            .follow(&Book::default(), &host(index), &labels)
            .await
            .unwrap();
    }
    master
        .variables
        .start("docker", &transition(), None)
        .await
        .unwrap();
    let head = master.variables.ledger("docker").await.unwrap().unwrap();
    assert!(head.record().log.as_ref().unwrap().pages > 1);
    rig.clock.set(100);
    for _ in 0..3 {
        master.tick().await;
    }
    assert_eq!(master.told().await, 300);
}

#[tokio::test]
async fn a_host_that_lies_about_its_role_later_stays_what_it_was() {
    let (_, master) = fleet_of(4).await;
    let lie = BTreeMap::from([("role".to_owned(), "database".to_owned())]);
    let book = Book::default();
    master
        .variables
        .follow(&book, &host(1), &lie)
        .await
        .unwrap();
    let book = master.variables.read().await.unwrap();
    assert_eq!(
        book.followers.get(&host(1)).unwrap().labels["role"],
        "role-1"
    );
}

#[tokio::test]
async fn what_cannot_mean_anything_is_refused_by_name() {
    let (_, master) = started(8, None).await;
    let variables = &master.variables;
    let why = |result: Result<(), ChangeError>| result.unwrap_err().to_string();
    let again = variables.start("docker", &transition(), None).await;
    assert!(why(again).contains("docker has a transition"));
    assert!(why(variables.set("docker", &to_26()).await).contains("transition"));
    assert!(why(variables.remove("docker").await).contains("transition"));
    assert!(why(variables.pause("kernel").await).contains("no variable \"kernel\""));
    assert!(why(variables.set("a/b", &to_26()).await).contains("\"a/b\""));
    variables.abort("docker").await.unwrap();
    assert!(why(variables.abort("docker").await).contains("no transition running"));
    let with = |change: fn(&mut Transition)| {
        let mut transition = transition();
        change(&mut transition);
        async move {
            let started = variables.start("docker", &transition, None).await;
            match started.unwrap_err() {
                helios_core::cluster::ClusterError::Refused(Refusal::Variable(error)) => {
                    use std::error::Error;
                    let source = error.source().map(ToString::to_string);
                    (error.clone(), source.unwrap_or_else(|| error.to_string()))
                }
                other => panic!("{other}"),
            }
        }
    };
    let unknown = |transition: &mut Transition| {
        transition.change = Change::replace("25", "27");
    };
    assert!(matches!(
        with(unknown).await.0,
        VariableError::UnknownValue { .. }
    ));
    let zero = |transition: &mut Transition| {
        transition.curve.length = Length::Elapsed(Duration::ZERO);
    };
    assert!(with(zero).await.1.contains("takes no time"));
    let never = |transition: &mut Transition| {
        let freeze = crate::curve::Freeze::days("1969-12-01", "1970-03-01", "UTC", "winter");
        transition.curve.calendar.freezes.push(freeze.unwrap());
    };
    assert!(with(never).await.1.contains("never gets enough open time"));
    let crossed = |transition: &mut Transition| {
        let mut rule = transition.order.rules[0].clone();
        rule.name = "none at first".to_owned();
        rule.floor = None;
        rule.ceiling = Some(crate::order::Ceiling {
            at_most: Amount::Hosts(0),
            until: Share::from_percent(10),
        });
        transition.order.rules.push(rule);
    };
    let (_, message) = with(crossed).await;
    assert!(
        message.contains("a canary in every role") && message.contains("none at first"),
        "{message}"
    );
    let guard = Guard {
        objectives: vec![Objective {
            query: "up == 0".to_owned(),
            ..guard(Action::Hold).objectives.remove(0)
        }],
        ..guard(Action::Hold)
    };
    let asked = variables.start("docker", &transition(), Some(&guard)).await;
    assert!(why(asked).contains("\"up == 0\""));
}

#[tokio::test]
async fn a_rollout_that_concerns_nobody_is_refused() {
    let (_, master) = fleet_of(8).await;
    let mut nobody = transition();
    nobody.scope = vec!["role=nothing".parse().unwrap()];
    let started = master.variables.start("docker", &nobody, None).await;
    let why = started.unwrap_err().to_string();
    assert!(why.contains("no host takes part"), "{why}");
}

#[test]
fn records_are_stored_as_the_golden_files_say() {
    let variable = crate::variable::Variable::new("docker", "26".into()).unwrap();
    let record = VariableRecord {
        changes: 9,
        settled_at: 1,
        variable: Some(variable),
        log: Some(LogHead {
            id: "m1-7-0".to_owned(),
            from: 1,
            pages: 2,
            records: 8,
            running: true,
        }),
        past: vec![Past {
            change: transition().change,
            accepted: Timestamp::from_millis(1_000),
            ended: Timestamp::from_millis(2_000),
            outcome: Outcome::RolledBack,
            told: 3,
        }],
    };
    let follower = FollowerRecord {
        labels: BTreeMap::from([("role".to_owned(), "web".to_owned())]),
        failed: Some("exit code 1".to_owned()),
    };
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let variable = text(&helios_core::schema::encode(&record));
    assert_eq!(variable, include_str!("golden/variable.json").trim_end());
    let follower = text(&helios_core::schema::encode(&follower));
    assert_eq!(follower, include_str!("golden/follower.json").trim_end());
}
