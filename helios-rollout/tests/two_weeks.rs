//! Two weeks in a second: an upgrade of a whole fleet in office hours, by two masters that crash, over a store and a clock of the test's own.
//!
//! `HELIOS_VARIABLE_HOSTS` is the number of hosts; a twentieth of it is the number of roles, at most 200.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests are tests"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "how large it is, is said by the environment"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use helios_core::clock::Clock;
use helios_core::cluster::Cluster;
use helios_core::model::HostName;
use helios_core::schema::{Keys, OperationIds, encode};
use helios_core::store::{Store, Txn};
use helios_core::{Moment, Timestamp};
use helios_rollout::Share;
use helios_rollout::audit::replay;
use helios_rollout::curve::{Calendar, Curve, Freeze};
use helios_rollout::drive::{
    Book, BookWatch, FollowerRecord, Outcome, Setting, VariableDriver, Variables,
};
use helios_rollout::order::{Floor, Member, Order, Rule};
use helios_rollout::variable::{Change, Transition};
use helios_store::MemoryStore;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use tokio::task::unconstrained;

/// Monday 2026-10-19, 09:00 in Stockholm. Summer time ends on the Sunday after it.
const START: i64 = 1_792_393_200_000;
const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;
/// How often a master looks, here.
const TICK: i64 = 30 * MINUTE;

#[derive(Debug)]
struct Clocks(Mutex<i64>);

impl Clock for Clocks {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(*self.0.lock().unwrap())
    }

    fn moment(&self) -> Moment {
        Moment::from_millis(*self.0.lock().unwrap() as u64)
    }
}

/// Numbers that look random and are the same each time.
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

struct World {
    store: Arc<MemoryStore>,
    clock: Arc<Clocks>,
    masters: u64,
    roles: u64,
}

/// What one master knows; gone when it crashes.
struct Master {
    variables: Variables,
    driver: VariableDriver,
    books: BookWatch,
    book: Book,
}

impl World {
    /// A master that starts.
    fn master(&mut self) -> Master {
        self.masters += 1;
        let ids = OperationIds::new(format!("m{}", self.masters)).unwrap();
        let cluster = Cluster::new(self.store.clone(), self.clock.clone(), ids);
        let variables = Variables::on(cluster.clone());
        Master {
            books: variables.watch(),
            book: Book::default(),
            driver: VariableDriver::new(cluster),
            variables,
        }
    }

    async fn join(&self, hosts: std::ops::Range<u64>) {
        let hosts: Vec<u64> = hosts.collect();
        for some in hosts.chunks(100) {
            let txn = some.iter().fold(Txn::new(), |txn, index| {
                let role = format!("role-{}", index % self.roles);
                let record = FollowerRecord {
                    labels: BTreeMap::from([("role".to_owned(), role)]),
                    failed: None,
                };
                txn.create(Keys::follower(&host(*index)), encode(&record))
            });
            self.store.commit(txn).await.unwrap();
        }
    }

    async fn leave(&self, index: u64) {
        let key = Keys::follower(&host(index));
        let Some(entry) = self.store.get(&key).await.unwrap() else {
            return;
        };
        let txn = Txn::new().delete(key, entry.version);
        self.store.commit(txn).await.unwrap();
    }
}

impl Master {
    async fn tick(&mut self) {
        let fleet = self.variables.cluster().fleet().await.unwrap();
        // All that has happened by now; a store in memory makes nobody wait.
        while let Some(Some(book)) = unconstrained(self.books.next()).now_or_never() {
            self.book = book.unwrap();
        }
        self.driver.tick(&fleet, &self.book).await;
    }

    /// When each host that has not changed will, as far as this can be known now.
    async fn forecast(&self) -> BTreeMap<HostName, i64> {
        let ledger = self.variables.ledger("docker").await.unwrap().unwrap();
        let state = ledger.state().unwrap();
        let view = state.view().unwrap();
        let told = &state.variable.running().unwrap().told;
        let hosts = state
            .fleet
            .members()
            .iter()
            .map(|member| member.host.clone());
        hosts
            .filter(|host| !told.contains(host))
            .filter_map(|host| {
                let at = view.flips_at(host.as_str()).forward?.as_millis();
                Some((host, at))
            })
            .collect()
    }
}

fn host(index: u64) -> HostName {
    format!("host-{index}").parse().unwrap()
}

fn transition() -> Transition {
    let mut rule = Rule::at_least("a canary in every role", 1);
    rule.floor = rule.floor.map(|floor| Floor {
        ramp: Share::from_percent(10),
        ..floor
    });
    let mut order = Order::new("docker-27", ["role"]);
    order.rules = vec![rule];
    let two_weeks = Duration::from_secs(14 * 86_400);
    let curve = Curve {
        calendar: Calendar {
            windows: vec!["Mon-Fri 09:00-16:00 Europe/Stockholm".parse().unwrap()],
            freezes: vec![
                Freeze::days("2026-10-28", "2026-10-28", "Europe/Stockholm", "sale").unwrap(),
            ],
        },
        ..Curve::linear(Timestamp::from_millis(START), two_weeks)
    };
    Transition::new(Change::replace("26", "27"), curve, order)
}

/// Whether hosts may change now, by another way than the curve's.
fn is_open(at: i64) -> bool {
    let zone = TimeZone::get("Europe/Stockholm").unwrap();
    let here = jiff::Timestamp::from_millisecond(at)
        .unwrap()
        .to_zoned(zone);
    let weekend = [Weekday::Saturday, Weekday::Sunday].contains(&here.weekday());
    let sale = here.date() == jiff::civil::date(2026, 10, 28);
    !weekend && !sale && (9..16).contains(&here.hour())
}

/// The upgrade, what was foreseen, and what happened.
struct Run {
    world: World,
    masters: [Master; 2],
    dice: Dice,
    at: i64,
    hosts: u64,
    told: BTreeSet<HostName>,
    forecast: BTreeMap<HostName, i64>,
    forecasts: u64,
    /// Which state of the variable was compared last.
    changes: u64,
    crashes: u64,
    paused: bool,
}

impl Run {
    async fn begin(size: u64) -> Self {
        let at = START - DAY;
        let mut world = World {
            store: Arc::new(MemoryStore::new()),
            clock: Arc::new(Clocks(Mutex::new(at))),
            masters: 0,
            roles: (size / 20).min(200),
        };
        let masters = [world.master(), world.master()];
        world.join(0..size).await;
        let to_26 = Setting {
            value: "26".into(),
            allowed: None,
            forbidden: None,
        };
        let variables = &masters[0].variables;
        variables.set("docker", &to_26).await.unwrap();
        variables
            .start("docker", &transition(), None)
            .await
            .unwrap();
        let forecast = masters[0].forecast().await;
        assert_eq!(forecast.len() as u64, size);
        Self {
            world,
            masters,
            dice: Dice(1),
            at,
            hosts: size,
            told: BTreeSet::new(),
            forecast,
            forecasts: 1,
            changes: 0,
            crashes: 0,
            paused: false,
        }
    }

    /// Half an hour. Returns whether the upgrade goes on.
    async fn tick(&mut self) -> bool {
        self.at += TICK;
        assert!(self.at < START + 60 * DAY, "{} were told", self.told.len());
        *self.world.clock.0.lock().unwrap() = self.at;
        let moved = self.dice.below(20) == 0 && self.something_happens().await;
        // A master that crashes forgets all it knew.
        if self.dice.below(40) == 0 {
            let index = self.dice.below(2) as usize;
            self.masters[index] = self.world.master();
            self.crashes += 1;
        }
        let first = self.dice.below(2) as usize;
        for index in [first, 1 - first] {
            self.masters[index].tick().await;
        }
        self.compare(moved).await
    }

    /// What makes a new forecast necessary.
    async fn something_happens(&mut self) -> bool {
        match self.dice.below(4) {
            0 => {
                let more = self.hosts / 100;
                self.world.join(self.hosts..self.hosts + more).await;
                self.hosts += more;
            }
            1 => self.world.leave(self.dice.below(self.hosts)).await,
            2 if self.at > START => {
                let variables = &self.masters[0].variables;
                match self.paused {
                    true => variables.resume("docker").await.unwrap(),
                    false => variables.pause("docker").await.unwrap(),
                }
                self.paused = !self.paused;
            }
            _ => return false,
        }
        true
    }

    /// Compares what was foreseen with who has been told; and foresees anew, if something happened.
    async fn compare(&mut self, moved: bool) -> bool {
        let variables = &self.masters[0].variables;
        let ledger = variables.ledger("docker").await.unwrap().unwrap();
        let Some(state) = ledger.state() else {
            return false;
        };
        let at = self.at;
        let told = &state.variable.running().unwrap().told;
        let members = state.fleet.members().iter().map(|member| &member.host);
        let changed = ledger.record().changes
            != std::mem::replace(&mut self.changes, ledger.record().changes);
        for host in members.filter(|_| changed) {
            if !told.contains(host) {
                let before = self.told.contains(host);
                assert!(!before, "{host} was told, and is not any more");
            } else if self.told.insert(host.clone()) {
                let due = self.forecast.remove(host);
                if moved {
                    continue;
                }
                let due = due.unwrap_or_else(|| panic!("{host} was not foreseen"));
                assert!(
                    at - TICK < due && due <= at,
                    "{host}: {due} was foreseen, and it was {at}"
                );
                // It is the open time before its turn that makes it come.
                assert!(is_open(due - 1), "{host} changed at a closed hour");
            }
        }
        if !moved && !self.paused {
            let forgotten = self.forecast.iter().find(|(_, due)| **due <= at);
            assert_eq!(forgotten, None, "it was forgotten at {at}");
        }
        if moved && !self.paused {
            self.forecast = self.masters[0].forecast().await;
            self.forecasts += 1;
        }
        true
    }
}

#[tokio::test]
async fn a_fleet_is_upgraded_in_two_weeks_as_was_foreseen() {
    let size = std::env::var("HELIOS_VARIABLE_HOSTS");
    let size = size.map_or(100, |text| text.parse().unwrap());
    let mut run = Run::begin(size).await;
    while run.tick().await {}

    let variables = &run.masters[0].variables;
    let log = variables.log("docker").await.unwrap();
    replay(&log).unwrap();
    let book = variables.read().await.unwrap();
    let past = &book.ledgers["docker"].record().past[0];
    assert_eq!(past.outcome, Outcome::Finished);
    for (host, follower) in book.followers.iter() {
        let member = Member::new(host.clone(), follower.labels.clone());
        assert_eq!(book.desired(&member).values["docker"], &"27".into());
    }
    println!(
        "{size} hosts in {} roles, and {} that joined, were told in {:.1} days: {} crashes of masters, {} forecasts, each of them right; \
         {} records replayed",
        run.world.roles,
        run.hosts - size,
        (run.at - START) as f64 / DAY as f64,
        run.crashes,
        run.forecasts,
        log.len(),
    );
}
