//! A fleet that is a map: a store, and agents that do as they are told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use helios_core::Timestamp;
use helios_core::cluster::{FleetView, Records};
use helios_core::model::{DeploymentGroup, Goal, HostName, Job, JobId, PortMapping, TaskState};
use helios_core::schema::{
    GoalRecord, HostRecord, HostReport, JobRecord, Keys, OperationIds, Presence, Stamp, TaskReport,
    Versioned, decode, encode,
};
use helios_core::store::{Entry, Key, Op, Snapshot, Txn, Version};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::rolling::{GroupRecord, RolloutPlan, advance, step};

pub(super) struct Toy {
    entries: BTreeMap<Key, Entry>,
    commits: u64,
    ids: OperationIds,
    pub(super) now: Timestamp,
    /// The versions of the jobs that never get healthy.
    pub(super) broken: BTreeSet<String>,
    /// The hosts whose agents do nothing.
    pub(super) stuck: BTreeSet<HostName>,
}

pub(super) fn host(name: &str) -> HostName {
    name.parse().unwrap()
}

impl Toy {
    pub(super) fn new() -> Self {
        Self {
            entries: BTreeMap::new(),
            commits: 0,
            ids: OperationIds::new("m").unwrap(),
            now: Timestamp::from_millis(0),
            broken: BTreeSet::new(),
            stuck: BTreeSet::new(),
        }
    }

    pub(super) fn stamp(&self) -> Stamp {
        Stamp {
            operation: self.ids.next(),
            at: self.now,
            principal: "ann".to_owned(),
        }
    }

    pub(super) fn pass(&mut self, seconds: u64) {
        self.now = self.now.plus(Duration::from_secs(seconds));
    }

    /// Commits, and says whether it could.
    pub(super) fn commit(&mut self, txn: &Txn) -> bool {
        txn.validate().unwrap();
        let fits = |op: &Op| {
            let found = self.entries.get(op.key()).map(|entry| entry.version);
            match op {
                Op::Create { .. } => found.is_none(),
                Op::Check { version, .. }
                | Op::Update { version, .. }
                | Op::Delete { version, .. } => found == Some(*version),
            }
        };
        if !txn.ops().iter().all(fits) {
            return false;
        }
        for op in txn.ops() {
            match op {
                Op::Check { .. } => {}
                Op::Create { key, value, .. } | Op::Update { key, value, .. } => {
                    self.commits += 1;
                    let version = Version::from_raw(self.commits);
                    let value = value.clone();
                    self.entries.insert(key.clone(), Entry { value, version });
                }
                Op::Delete { key, .. } => {
                    self.entries.remove(key);
                }
            }
        }
        true
    }

    pub(super) fn put(&mut self, key: &Key, record: &impl Serialize) {
        let value = encode(record);
        let txn = match self.entries.get(key) {
            Some(entry) => Txn::new().update(key.clone(), entry.version, value),
            None => Txn::new().create(key.clone(), value),
        };
        assert!(self.commit(&txn));
    }

    pub(super) fn remove(&mut self, key: &Key) {
        self.entries.remove(key);
    }

    pub(super) fn get<T: DeserializeOwned>(&self, key: &Key) -> Option<Versioned<T>> {
        let entry = self.entries.get(key)?;
        Some(Versioned::decode(key, entry).unwrap())
    }

    fn records<K, T>(&self, dir: &Key) -> Records<K, T>
    where
        K: Ord + Clone + std::str::FromStr<Err: std::fmt::Display>,
        T: DeserializeOwned,
    {
        let prefix = format!("{dir}/");
        let children = self.entries.iter().filter_map(|(key, entry)| {
            let name = key.as_str().strip_prefix(&prefix)?;
            Some((Arc::<str>::from(name), entry.clone()))
        });
        Records::decode(dir, &children.collect::<Snapshot>())
    }

    pub(super) fn fleet(&self) -> FleetView {
        FleetView {
            jobs: self.records(&Keys::jobs()),
            hosts: self.records(&Keys::hosts()),
            up: self.records(&Keys::ups()),
            reports: self.records(&Keys::reports()),
            ..FleetView::default()
        }
    }

    pub(super) fn group(&self, name: &str) -> Option<Versioned<GroupRecord>> {
        self.get(&Keys::group(name).unwrap())
    }

    pub(super) fn job(&mut self, id: &str, port: Option<u16>, token: &str) -> JobId {
        let mut job = Job::new(id, "image").unwrap();
        job.token = token.to_owned();
        let job = match port {
            Some(port) => job.port("http", PortMapping::tcp(80).external(port)),
            None => job,
        };
        let id = job.id.clone();
        let job = Arc::new(job);
        let removing = None;
        self.put(&Keys::job(&id).unwrap(), &JobRecord { job, removing });
        id
    }

    pub(super) fn host(&mut self, name: &HostName, labels: &[(&str, &str)]) {
        let record = HostRecord::new(name.to_string(), "e");
        self.put(&Keys::host(name), &record);
        self.up(name);
        self.label(name, labels);
    }

    pub(super) fn label(&mut self, name: &HostName, labels: &[(&str, &str)]) {
        let key = Keys::report(name);
        let mut report = self.report(name);
        let labels = labels
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        report.agent_id = name.to_string();
        report.labels = labels.collect();
        self.put(&key, &report);
    }

    pub(super) fn up(&mut self, name: &HostName) {
        let presence = Presence {
            id: name.to_string(),
            incarnation: "i".to_owned(),
        };
        self.put(&Keys::up(name), &presence);
    }

    pub(super) fn report(&self, name: &HostName) -> HostReport {
        let report = self.get::<HostReport>(&Keys::report(name));
        report
            .map(|report| HostReport::clone(&report))
            .unwrap_or_default()
    }

    pub(super) fn record(&self, name: &HostName) -> HostRecord {
        let record: Versioned<HostRecord> = self.get(&Keys::host(name)).unwrap();
        HostRecord::clone(&record)
    }

    /// As somebody who deploys by hand.
    pub(super) fn deploy(&mut self, name: &HostName, job: &JobId, goal: Goal) {
        let job_record: Versioned<JobRecord> = self.get(&Keys::job(job).unwrap()).unwrap();
        let mut record = self.record(name);
        let group = record.goals.get(job).and_then(|goal| goal.group.clone());
        let goal = GoalRecord {
            job: Arc::clone(&job_record.job),
            goal,
            user: None,
            master: None,
            group,
        };
        record.goals.insert(job.clone(), goal);
        self.put(&Keys::host(name), &record);
    }

    pub(super) fn undeploy(&mut self, name: &HostName, job: &JobId) {
        let mut record = self.record(name);
        record.goals.remove(job);
        self.put(&Keys::host(name), &record);
    }

    pub(super) fn hosts(&self) -> Vec<HostName> {
        let hosts = self.records::<HostName, HostRecord>(&Keys::hosts());
        hosts.names().cloned().collect()
    }

    pub(super) fn is_up(&self, name: &HostName) -> bool {
        self.entries.contains_key(&Keys::up(name))
    }

    /// Lets every agent that is there do all it was told, and report it.
    pub(super) fn agents(&mut self) {
        for name in self.hosts() {
            self.agent(&name);
        }
    }

    pub(super) fn agent(&mut self, name: &HostName) {
        if !self.is_up(name) || self.stuck.contains(name) {
            return;
        }
        let before = self.report(name);
        let mut report = before.clone();
        let goals = self.record(name).goals;
        report.tasks = goals
            .values()
            .map(|goal| (goal.job.id.clone(), self.task(goal)))
            .collect();
        if report != before {
            self.put(&Keys::report(name), &report);
        }
    }

    fn task(&self, goal: &GoalRecord) -> TaskReport {
        let state = match goal.goal {
            Goal::Start if self.broken.contains(goal.job.id.version()) => TaskState::Healthchecking,
            Goal::Start => TaskState::Running,
            _ => TaskState::Stopped,
        };
        TaskReport::new(goal.goal, state, Timestamp::default())
    }

    /// Plans and commits the next step of a group.
    pub(super) fn step(&mut self, name: &str) -> Option<RolloutPlan> {
        let group = self.group(name)?;
        let fleet = self.fleet();
        let plan = advance(&group, &fleet, self.now);
        let txn = step(&group, &plan, &fleet, self.now, &self.stamp(), "m1");
        assert!(self.commit(&txn), "what was read a moment ago");
        Some(plan)
    }

    pub(super) fn create_group(&mut self, name: &str, selectors: &[&str]) {
        let selectors = selectors.iter().map(|text| text.parse().unwrap()).collect();
        let group = DeploymentGroup::new(name, selectors);
        let stamp = self.stamp();
        let txn = crate::rolling::create_group(self.group(name).as_ref(), &group, &stamp);
        assert!(self.commit(&txn.unwrap()));
    }

    /// The entries, for a look at what a commit changed.
    pub(super) fn decoded<T: DeserializeOwned>(&self, key: &Key) -> Option<T> {
        let entry = self.entries.get(key)?;
        Some(decode(key, &entry.value).unwrap())
    }
}
