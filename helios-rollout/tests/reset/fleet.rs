//! A fleet in a test tube, and a master that resets it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use helios_core::model::HostName;
use helios_core::schema::Drain;
use helios_core::{Timestamp, schema};
use helios_rollout::reset::{
    Action, Asked, Instance, Limits, Order, Patience, Phase, Progress, Reset, ResetPlan,
    Robustness, Sight, Sights, Wanted, advance,
};

pub(crate) const MINUTE: i64 = 60_000;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;
/// Monday 2026-10-19, 08:00 UTC.
pub(crate) const START: i64 = 1_792_396_800_000;

pub(crate) fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

pub(crate) fn minutes(count: u64) -> Duration {
    Duration::from_secs(60 * count)
}

pub(crate) fn name(host: &str) -> HostName {
    host.parse().unwrap()
}

/// Every host reset since the start, within a day, one after the other.
pub(crate) fn reset() -> Reset {
    Reset {
        name: "spring".to_owned(),
        hosts: vec![],
        wanted: Wanted::ResetSince(at(START)),
        deadline: at(START + DAY),
        action: Action::Agent,
        limits: Limits {
            first_alone: false,
            ..Limits::default()
        },
        patience: Patience {
            settle: Duration::ZERO,
            expected: minutes(6),
            ..Patience::default()
        },
        guard: None,
    }
}

/// A machine with its agent.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) services: Vec<String>,
    pub(crate) epoch: String,
    pub(crate) up: bool,
    pub(crate) boot: u32,
    pub(crate) up_since: i64,
    pub(crate) drain: Option<Drain>,
    /// Since when the drain, or its end, is as it is.
    pub(crate) changed: i64,
    /// When it will be back, while it is away.
    pub(crate) back_at: Option<i64>,
    /// The resets that its agent did.
    pub(crate) ran: BTreeSet<String>,
    pub(crate) fate: Fate,
}

/// What happens when it is told to reset itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    ComesBack,
    NeverComesBack,
    /// It only restarts its agent.
    SameBoot,
    /// The command never ends.
    Hangs,
    /// It comes back, and its jobs do not.
    Unwell,
}

pub(crate) const STOPPING: i64 = MINUTE;
pub(crate) const BOOTING: i64 = 4 * MINUTE;
pub(crate) const STARTING: i64 = MINUTE;

impl Machine {
    pub(crate) fn new(labels: &[(&str, &str)], services: &[&str]) -> Self {
        let pair = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        Self {
            labels: labels.iter().map(pair).collect(),
            services: services
                .iter()
                .map(|service| (*service).to_owned())
                .collect(),
            epoch: "e1".to_owned(),
            up: true,
            boot: 1,
            up_since: START - 40 * DAY,
            drain: None,
            changed: START - DAY,
            back_at: None,
            ran: BTreeSet::new(),
            fate: Fate::ComesBack,
        }
    }

    pub(crate) fn fate(self, fate: Fate) -> Self {
        Self { fate, ..self }
    }

    fn is_well(&self, now: i64) -> bool {
        let broken = self.fate == Fate::Unwell && self.boot > 1;
        let began = self.changed.max(self.up_since);
        self.up && self.drain.is_none() && now >= began + STARTING && !broken
    }

    pub(crate) fn sight(&self, now: i64) -> Sight {
        let well = self.is_well(now);
        let instance = |service: &String| Instance {
            service: service.clone(),
            healthy: well
                || (self.drain.is_some() && self.up && !self.is_empty(now) && self.boot == 1),
        };
        Sight {
            labels: self.labels.clone(),
            epoch: self.epoch.clone(),
            up: self.up,
            boot_id: Some(format!("boot-{}", self.boot)),
            up_since: Some(at(self.up_since)),
            reboot_pending: false,
            drain: self.drain.clone(),
            trouble: None,
            empty: self.is_empty(now),
            unwell: match well {
                true => vec![],
                false => self
                    .services
                    .iter()
                    .map(|name| format!("{name}:1"))
                    .collect(),
            },
            instances: self.services.iter().map(instance).collect(),
        }
    }

    fn is_empty(&self, now: i64) -> bool {
        self.up && self.drain.is_some() && now >= self.changed + STOPPING
    }

    /// Time goes on.
    fn live(&mut self, now: i64) {
        let boot = format!("boot-{}", self.boot);
        let order = self.drain.as_ref();
        let order = order.filter(|drain| drain.reset.as_ref() == Some(&boot));
        let id = order.map(|drain| drain.id.clone());
        if self.up
            && let Some(id) = id
            && self.ran.insert(id)
        {
            self.reset(now);
        }
        if self.back_at.is_some_and(|back| back <= now) {
            (self.up, self.back_at) = (true, None);
            if self.fate != Fate::SameBoot {
                (self.boot, self.up_since) = (self.boot + 1, now);
            }
        }
    }

    /// Goes down, to come back if it does.
    pub(crate) fn reset(&mut self, now: i64) {
        match self.fate {
            Fate::Hangs => {}
            Fate::NeverComesBack => self.up = false,
            Fate::ComesBack | Fate::SameBoot | Fate::Unwell => {
                (self.up, self.back_at) = (false, Some(now + BOOTING));
            }
        }
    }
}

/// A fleet, what is stored about its reset, and the time.
pub(crate) struct World {
    pub(crate) now: i64,
    pub(crate) machines: BTreeMap<HostName, Machine>,
    pub(crate) reset: Reset,
    pub(crate) progress: Progress,
    pub(crate) robustness: Robustness,
    /// What happened to hosts, a line each.
    pub(crate) told: Vec<String>,
    /// The calls of the master's action.
    pub(crate) asked: Vec<(HostName, String)>,
    pub(crate) me: &'static str,
}

/// What a master does before it dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    /// It does not die.
    End,
    /// It dies before it stores what it decided.
    Stored,
    /// It dies after so many orders.
    Orders(usize),
}

impl World {
    pub(crate) fn new(reset: Reset, machines: impl IntoIterator<Item = (String, Machine)>) -> Self {
        Self {
            now: START,
            machines: machines
                .into_iter()
                .map(|(host, machine)| (name(&host), machine))
                .collect(),
            progress: Progress::new(&reset, at(START)).unwrap(),
            robustness: Robustness::default(),
            told: Vec::new(),
            asked: Vec::new(),
            me: "m1",
            reset,
        }
    }

    pub(crate) fn sights(&self) -> Sights {
        let sights = self
            .machines
            .iter()
            .map(|(host, machine)| (host.clone(), machine.sight(self.now)));
        Sights::new(sights).unwrap()
    }

    pub(crate) fn plan(&self) -> ResetPlan {
        let (reset, now) = (&self.reset, at(self.now));
        advance(
            reset,
            &self.progress,
            &self.robustness,
            &self.sights(),
            self.me,
            now,
        )
    }

    /// A master decides, stores and gives orders, until there is nothing more to do now.
    pub(crate) fn drive(&mut self) {
        while self.step(Until::End) {}
    }

    /// One look of a master. Whether there may be more to do.
    pub(crate) fn step(&mut self, until: Until) -> bool {
        let plan = self.plan();
        let is_news = plan.next != self.progress || plan.robustness != self.robustness;
        if is_news {
            if until != Until::Stored {
                self.store(plan);
            }
            return until == Until::End;
        }
        let most = match until {
            Until::End => usize::MAX,
            Until::Stored => 0,
            Until::Orders(most) => most,
        };
        let mut more = false;
        for order in plan.orders.into_iter().take(most) {
            more |= self.obey(order);
        }
        more && until == Until::End
    }

    fn store(&mut self, plan: ResetPlan) {
        let time = (self.now - START) / 1000;
        let clock = format!("{:02}:{:02}:{:02}", time / 3600, time / 60 % 60, time % 60);
        let lines = plan.lines.iter().map(|line| format!("{clock} {line}"));
        self.told.extend(lines);
        if plan.next.stage != self.progress.stage {
            self.told.push(format!(
                "{clock} reset: {}",
                serde_json::to_string(&plan.next.stage).unwrap()
            ));
        }
        // What is stored is all that goes on.
        self.progress = serde_json::from_slice(&schema::encode(&plan.next)).unwrap();
        self.robustness = serde_json::from_slice(&schema::encode(&plan.robustness)).unwrap();
    }

    fn obey(&mut self, order: Order) -> bool {
        let now = self.now;
        let mut change = |host: &HostName, drain: Option<Drain>| {
            if let Some(machine) = self.machines.get_mut(host) {
                if machine.drain.is_some() != drain.is_some() {
                    machine.changed = now;
                }
                machine.drain = drain;
            }
        };
        match order {
            Order::Drain { host, drain } => change(&host, Some(drain)),
            Order::EndDrain { host } => change(&host, None),
            Order::Ask { host, id } => {
                if self.asked.contains(&(host.clone(), id.clone())) {
                    return false;
                }
                self.asked.push((host, id));
                return false;
            }
        }
        true
    }

    /// The asked master says that it asked.
    pub(crate) fn has_asked(&mut self, host: &str) {
        self.progress.away.get_mut(&name(host)).unwrap().asked = Asked::Yes;
    }

    /// Time goes on for everybody.
    pub(crate) fn pass(&mut self, millis: i64) {
        self.now += millis;
        let now = self.now;
        self.machines
            .values_mut()
            .for_each(|machine| machine.live(now));
    }

    /// Lets the master drive while time goes on, at most a week; until something holds.
    pub(crate) fn until(&mut self, holds: impl Fn(&Self) -> bool) {
        for _ in 0..7 * 24 * 120 {
            self.drive();
            if holds(self) {
                return;
            }
            self.pass(30_000);
        }
        panic!(
            "not within a week:\n{}\n{:#?}",
            self.told.join("\n"),
            self.plan().holds
        );
    }

    pub(crate) fn until_over(&mut self) {
        self.until(|world| world.progress.is_over());
    }

    pub(crate) fn until_phase(&mut self, host: &str, phase: Phase) {
        let host = name(host);
        self.until(|world| {
            world
                .progress
                .away
                .get(&host)
                .is_some_and(|away| away.phase == phase)
        });
    }

    pub(crate) fn phase(&self, host: &str) -> Option<Phase> {
        self.progress.away.get(&name(host)).map(|away| away.phase)
    }

    pub(crate) fn machine(&mut self, host: &str) -> &mut Machine {
        self.machines.get_mut(&name(host)).unwrap()
    }
}

/// So many web servers, each with an instance of the same service.
pub(crate) fn web(count: usize) -> Vec<(String, Machine)> {
    (1..=count)
        .map(|i| {
            (
                format!("web-{i}"),
                Machine::new(&[("role", "web")], &["front"]),
            )
        })
        .collect()
}
