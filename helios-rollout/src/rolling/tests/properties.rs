//! Any fleet, any trouble, several masters of which some are late: what a rollout never does, and that it
//! ends.

use std::collections::BTreeSet;

use helios_core::Timestamp;
use helios_core::cluster::FleetView;
use helios_core::model::HostName;
use helios_core::schema::{HostRecord, JobRecord, Keys, Versioned};
use helios_core::store::Txn;
use proptest::prelude::*;

use super::script::request;
use super::toy::{Toy, host};
use crate::rolling::{
    self as rolling, Action, FailureCode, GroupRecord, Phase, RolloutPlan, RolloutState, step,
};

const HOSTS: usize = 7;
const GROUP: &str = "front";
const OPTIONS: [&str; 5] = [
    r#"{"timeout":10}"#,
    r#"{"timeout":10,"parallelism":3}"#,
    r#"{"timeout":10,"overlap":true,"policy":{"parallelism":"30%","failures":"1"}}"#,
    r#"{"timeout":10,"parallelism":2,"policy":{"rollback":true,"whenDown":"WAIT"}}"#,
    r#"{"timeout":10,"policy":{"healthySeconds":3,"stopAfter":2,"whenDown":"FAIL","failures":"50%"}}"#,
];

/// What happens next.
#[derive(Clone, Debug)]
enum Event {
    /// A master makes a step.
    Step,
    /// A master plans, and holds its breath.
    Hold,
    /// It goes on, with what it knew then.
    Late,
    Agent(usize),
    Agents,
    Pass(u64),
    Down(usize),
    Up(usize),
    Stuck(usize),
    Free(usize),
    Label(usize, bool),
    Gone(usize),
    Undeploy(usize),
    Break(usize),
    Mend(usize),
    Roll(usize, usize),
    Stop,
    Pause,
    Resume,
    Back,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let h = 0..HOSTS;
    let event = prop_oneof![
        8 => Just(Event::Step),
        2 => Just(Event::Hold),
        2 => Just(Event::Late),
        4 => h.clone().prop_map(Event::Agent),
        4 => Just(Event::Agents),
        3 => (1..8u64).prop_map(Event::Pass),
        1 => h.clone().prop_map(Event::Down),
        1 => h.clone().prop_map(Event::Up),
        1 => h.clone().prop_map(Event::Stuck),
        1 => h.clone().prop_map(Event::Free),
        1 => (h.clone(), any::<bool>()).prop_map(|(n, yes)| Event::Label(n, yes)),
        1 => h.clone().prop_map(Event::Gone),
        1 => h.prop_map(Event::Undeploy),
        1 => (1..4usize).prop_map(Event::Break),
        1 => (1..4usize).prop_map(Event::Mend),
        2 => (1..4usize, 0..OPTIONS.len()).prop_map(|(job, options)| Event::Roll(job, options)),
        1 => prop_oneof![Just(Event::Stop), Just(Event::Pause), Just(Event::Resume), Just(Event::Back)],
    ];
    proptest::collection::vec(event, 1..120)
}

/// What a master read, and when.
type View = (Versioned<GroupRecord>, FleetView, Timestamp);

struct World {
    toy: Toy,
    held: Option<View>,
    /// The rollouts that were replaced.
    superseded: BTreeSet<String>,
}

fn name(number: usize) -> HostName {
    host(&format!("n{number}"))
}

impl World {
    fn new() -> Self {
        let mut toy = Toy::new();
        for number in 0..HOSTS {
            toy.host(&name(number), &[("role", "web")]);
        }
        for job in ["web:1:a", "web:2:b", "web:3:c"] {
            toy.job(job, None, "");
        }
        toy.create_group(GROUP, &["role=web"]);
        Self {
            toy,
            held: None,
            superseded: BTreeSet::new(),
        }
    }

    fn group(&self) -> Versioned<GroupRecord> {
        self.toy.group(GROUP).unwrap()
    }

    fn view(&self) -> View {
        (self.group(), self.toy.fleet(), self.toy.now)
    }

    /// Commits what a master plans from what it read, if nothing of that has changed.
    fn make(&mut self, (group, fleet, now): &View) -> RolloutPlan {
        let plan = rolling::advance(group, fleet, *now);
        let is_there = |key| self.toy.decoded::<serde_json::Value>(key).is_some();
        if plan.absent.iter().any(is_there) {
            return plan;
        }
        let txn = step(group, &plan, fleet, *now, &self.toy.stamp(), "m");
        self.commit(&txn, Some(&plan));
        plan
    }

    fn commit(&mut self, txn: &Txn, plan: Option<&RolloutPlan>) {
        let before = self.group();
        let marks: Vec<_> = self.marks();
        if !self.toy.commit(txn) || txn.is_empty() {
            return;
        }
        let after = self.group();
        let (old, new) = (before.rollout.as_ref(), after.rollout.as_ref());
        let same = old.zip(new).filter(|(old, new)| old.id == new.id);
        if let Some(old) = old.filter(|_| same.is_none()) {
            self.superseded.insert(old.id.clone());
        }
        if let Some((old, new)) = same {
            assert!(
                old.done <= new.done,
                "the hosts that are done only grow in number"
            );
            let grew = new.in_flight.len() > old.in_flight.len();
            assert!(
                old.state != RolloutState::Failed || !grew,
                "an abort is absorbing"
            );
        }
        for (host, rollout) in self.marks() {
            if !marks.contains(&(host.clone(), rollout.clone())) {
                let current = old.map(|old| old.id.as_str());
                assert_eq!(
                    Some(rollout.as_str()),
                    current,
                    "{host} is marked by the rollout under way"
                );
                assert!(!self.superseded.contains(&rollout) || current == Some(rollout.as_str()));
            }
        }
        if let Some(plan) = plan {
            self.check_width(&after, plan);
        }
    }

    /// No more hosts wait to get healthy than the rollout may have, whenever one is started.
    fn check_width(&self, after: &GroupRecord, plan: &RolloutPlan) {
        let Some(rollout) = &after.rollout else {
            return;
        };
        let starts = |action: &Action| matches!(action, Action::Start | Action::Clear);
        let tolerance = rollout.policy.tolerance(&after.options(), rollout.size);
        let width = rollout.policy.width(&after.options(), plan.counts.members);
        let failed = u64::try_from(rollout.failed.len()).unwrap();
        // What was in flight when it was given up may have failed as well, and as many that were leaving; hosts
        // that are down never were.
        let tried = rollout.failed.values();
        let tried = tried.filter(|failure| failure.code != FailureCode::HostDown);
        let widest = rollout.policy.width(&after.options(), HOSTS as u64);
        assert!(u64::try_from(tried.count()).unwrap() <= tolerance.saturating_add(2 * widest));
        if plan.moves().any(|(_, action, _)| starts(action)) {
            let flights = rollout.in_flight.values();
            let flying = flights
                .filter(|flight| flight.phase != Phase::Leaving)
                .count();
            assert!(
                u64::try_from(flying).unwrap() <= width,
                "{flying} in flight, {width} may be"
            );
            assert!(failed <= tolerance, "started after too many had failed");
            assert!(rollout.pause_at.is_none_or(|most| rollout.started <= most));
        }
    }

    fn marks(&self) -> Vec<(HostName, String)> {
        let mark = |name: HostName| {
            let record: HostRecord = self.toy.decoded(&Keys::host(&name))?;
            Some((name, record.groups.get(GROUP)?.rollout.clone()))
        };
        self.toy.hosts().into_iter().filter_map(mark).collect()
    }

    fn is_registered(&self, number: usize) -> bool {
        self.toy.hosts().contains(&name(number))
    }

    fn ask(&mut self, event: &Event) {
        let stamp = self.toy.stamp();
        let seen = self.group();
        let job =
            |id: &_| -> Option<Versioned<JobRecord>> { self.toy.get(&Keys::job(id).unwrap()) };
        let txn = match event {
            Event::Roll(number, options) => {
                let id = ["web:1:a", "web:2:b", "web:3:c"][number - 1];
                let request = request(GROUP, id, OPTIONS[*options]);
                let job = job(&request.job);
                rolling::roll_out(
                    Some(&seen),
                    job.as_ref(),
                    &self.toy.fleet(),
                    &request,
                    &stamp,
                )
            }
            Event::Stop => rolling::stop_group(Some(&seen), GROUP, &stamp),
            Event::Pause => rolling::pause_group(Some(&seen), GROUP, &stamp),
            Event::Resume => rolling::resume_group(Some(&seen), GROUP, None, &stamp),
            _ => {
                let before = rolling::job_before(&seen).and_then(job);
                rolling::roll_back(Some(&seen), GROUP, before.as_ref(), &stamp)
            }
        };
        if let Ok(txn) = txn {
            self.commit(&txn, None);
        }
    }

    fn happen(&mut self, event: &Event) {
        match event {
            Event::Step => drop(self.make(&self.view())),
            Event::Hold => self.held = Some(self.view()),
            Event::Late => {
                if let Some(view) = self.held.take() {
                    let _ = self.make(&view);
                }
            }
            Event::Agent(n) if self.is_registered(*n) => self.toy.agent(&name(*n)),
            Event::Agents => self.toy.agents(),
            Event::Pass(seconds) => self.toy.pass(*seconds),
            Event::Down(n) => self.toy.remove(&Keys::up(&name(*n))),
            Event::Up(n) if self.is_registered(*n) => self.toy.up(&name(*n)),
            Event::Stuck(n) => drop(self.toy.stuck.insert(name(*n))),
            Event::Free(n) => drop(self.toy.stuck.remove(&name(*n))),
            Event::Label(n, yes) if self.is_registered(*n) => {
                let role = if *yes { "web" } else { "db" };
                self.toy.label(&name(*n), &[("role", role)]);
            }
            Event::Gone(n) => {
                let name = name(*n);
                for key in [Keys::up(&name), Keys::report(&name), Keys::host(&name)] {
                    self.toy.remove(&key);
                }
            }
            Event::Undeploy(n) if self.is_registered(*n) => {
                let jobs = self.toy.record(&name(*n)).goals.into_iter();
                for (job, _) in jobs {
                    self.toy.undeploy(&name(*n), &job);
                }
            }
            Event::Break(version) => drop(self.toy.broken.insert(version.to_string())),
            Event::Mend(version) => drop(self.toy.broken.remove(&version.to_string())),
            Event::Roll(..) | Event::Stop | Event::Pause | Event::Resume | Event::Back => {
                self.ask(event);
            }
            _ => {}
        }
    }

    /// Lets everything get well, and the rollout end.
    fn end(&mut self) {
        self.toy.stuck.clear();
        for host in self.toy.hosts() {
            self.toy.up(&host);
        }
        for round in 0.. {
            self.ask(&Event::Resume);
            let plan = self.make(&self.view());
            let before = self.group();
            self.toy.agents();
            let moving = before
                .rollout
                .as_ref()
                .is_some_and(|r| r.state == RolloutState::RollingOut);
            if plan.is_empty() && !moving {
                return;
            }
            // A group of seven, each with ten seconds to start and three to prove itself.
            assert!(round < 300, "it never ends: {plan}\n{before:#?}");
            self.toy.pass(1);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases / 6))]

    #[test]
    fn a_rollout_keeps_its_limits_and_ends(events in events()) {
        let mut world = World::new();
        for event in &events {
            world.happen(event);
        }
        world.end();
        let group = world.group();
        if let Some(rollout) = group.rollout.as_ref().filter(|r| r.state == RolloutState::Done) {
            for host in world.toy.hosts() {
                let record = world.toy.record(&host);
                let own = |job: &_| record.goals.contains_key(job) && !rollout.failed.contains_key(&host);
                let others = record.goals.iter().filter(|(job, goal)| {
                    goal.group.as_deref() == Some(GROUP) && **job != rollout.job
                });
                if own(&rollout.job) {
                    prop_assert_eq!(others.count(), 0, "{} has the job and old ones", host);
                }
            }
        }
    }
}
