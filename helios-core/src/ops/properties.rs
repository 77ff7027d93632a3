//! Whatever is asked for, in whatever order, by masters that have read whatever was true a moment ago: what is
//! stored stays consistent.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::model::{Goal, PortMapping};
use crate::schema::{NameRecord, OperationIds, decode};
use crate::store::{Entry, Op, Version};
use crate::time::Timestamp;

/// Something that is asked for, of one of a few hosts, jobs and agents.
#[derive(Clone, Debug)]
enum Ask {
    CreateJob(usize),
    MarkForRemoval(usize),
    FinishRemoval,
    Deploy(usize, usize, Goal),
    Undeploy(usize, usize),
    SetGoal(usize, usize, Goal),
    Register(usize, usize),
    TakeOver(usize, usize),
    Deregister(usize),
}

fn ask() -> impl Strategy<Value = (Ask, usize)> {
    let (host, job, agent) = (0..2_usize, 0..4_usize, 0..2_usize);
    let goal = || prop_oneof![Just(Goal::Start), Just(Goal::Stop)];
    let ask = prop_oneof![
        3 => job.clone().prop_map(Ask::CreateJob),
        1 => job.clone().prop_map(Ask::MarkForRemoval),
        1 => Just(Ask::FinishRemoval),
        4 => (host.clone(), job.clone(), goal()).prop_map(|(h, j, g)| Ask::Deploy(h, j, g)),
        2 => (host.clone(), job.clone()).prop_map(|(h, j)| Ask::Undeploy(h, j)),
        1 => (host.clone(), job, goal()).prop_map(|(h, j, g)| Ask::SetGoal(h, j, g)),
        3 => (host.clone(), agent.clone()).prop_map(|(h, a)| Ask::Register(h, a)),
        1 => (host.clone(), agent).prop_map(|(h, a)| Ask::TakeOver(h, a)),
        1 => host.prop_map(Ask::Deregister),
    ];
    (ask, 0..4_usize)
}

/// One of four jobs, two of which exclude each other by name and two by their port.
fn job(number: usize) -> Job {
    let id = ["web:1", "web:1", "db:1", "cache:1"][number];
    let job = Job::new(id, "busybox").unwrap();
    let job = match number {
        1 => job.env("MODE", "other"),
        2 | 3 => job.port("p", PortMapping::tcp(80).external(9000)),
        _ => job,
    };
    job.with_computed_id()
}

fn host(number: usize) -> HostName {
    format!("host{number}").parse().unwrap()
}

/// What is stored. Versions are never used twice.
type Entries = BTreeMap<Key, Entry>;

/// A removal that was marked: by which operation, and as of which state.
struct Marked {
    request: RemoveJob,
    stamp: Stamp,
    state: usize,
}

/// A store with its past, which is what masters may have read.
struct World {
    states: Vec<Entries>,
    ids: OperationIds,
    versions: u64,
    marked: Vec<Marked>,
}

impl World {
    fn new() -> Self {
        Self {
            states: vec![Entries::new()],
            ids: OperationIds::new("m1").unwrap(),
            versions: 0,
            marked: Vec::new(),
        }
    }

    fn now(&self) -> &Entries {
        self.states.last().unwrap()
    }

    /// Decides by what was stored `behind` commits ago, and commits.
    fn ask(&mut self, ask: &Ask, behind: usize) {
        let stamp = Stamp {
            operation: self.ids.next(),
            at: Timestamp::from_millis(1_700_000_000_000),
            principal: "ann".to_owned(),
        };
        let newest = self.states.len() - 1;
        let index = newest.saturating_sub(behind);
        let seen = &self.states[index];
        let decided = match ask {
            Ask::CreateJob(number) => {
                let key = Keys::job_name(&job(*number).id).unwrap();
                let name = read::<NameRecord>(seen, &key);
                create_job(name.as_deref(), &CreateJob::new(job(*number)), &stamp)
            }
            Ask::MarkForRemoval(number) => {
                return self.mark(RemoveJob::new(job(*number).id), stamp, index);
            }
            Ask::FinishRemoval => return self.finish_removal(index),
            Ask::Deploy(at, number, goal) => {
                let request = Deploy::new(host(*at), job(*number).id, *goal);
                deploy(&deploy_view(seen, *at, *number), &request, &stamp)
            }
            Ask::Undeploy(at, number) => {
                let request = Undeploy::new(host(*at), job(*number).id);
                undeploy(host_record(seen, *at).as_ref(), &request, &stamp)
            }
            Ask::SetGoal(at, number, goal) => {
                let request = SetGoal::new(host(*at), job(*number).id, *goal);
                set_goal(&deploy_view(seen, *at, *number), &request, &stamp)
            }
            Ask::Register(at, agent) | Ask::TakeOver(at, agent) => {
                let request = RegisterHost {
                    host: host(*at),
                    agent_id: format!("a{agent}"),
                };
                let view = RegisterView {
                    host: host_record(seen, *at),
                    ..RegisterView::default()
                };
                if matches!(ask, Ask::Register(..)) {
                    register_host(&view, &request, &stamp)
                } else {
                    take_over_host(&view, &request, &stamp)
                }
            }
            Ask::Deregister(at) => {
                let version = seen.get(&Keys::host(&host(*at))).map(|entry| entry.version);
                let view = DeregisterView {
                    host: version,
                    report: None,
                };
                deregister_host(&view, &host(*at), &stamp)
            }
        };
        if let Ok(txn) = decided
            && !txn.is_empty()
        {
            self.commit(&txn, Some(&stamp));
        }
    }

    fn mark(&mut self, request: RemoveJob, stamp: Stamp, index: usize) {
        let view = remove_view(&self.states[index], &request, false);
        if let Ok(Removal::Mark(txn)) = remove_job(&view, &request, &stamp)
            && self.commit(&txn, None)
        {
            let state = self.states.len() - 1;
            self.marked.push(Marked {
                request,
                stamp,
                state,
            });
        }
    }

    /// Goes on with the removal that was marked last, by what was stored at that time or since: nobody reads
    /// what is older than a commit of their own.
    fn finish_removal(&mut self, index: usize) {
        let Some(marked) = self.marked.pop() else {
            return;
        };
        let seen = &self.states[index.max(marked.state)];
        let view = remove_view(seen, &marked.request, true);
        if let Ok(Removal::Delete(txn)) = remove_job(&view, &marked.request, &marked.stamp) {
            self.commit(&txn, Some(&marked.stamp));
        }
    }

    /// Applies all of it or none; says whether it did. With `audited` it must leave exactly that record.
    fn commit(&mut self, txn: &Txn, audited: Option<&Stamp>) -> bool {
        txn.validate().unwrap();
        let now = self.now().clone();
        let fits = |op: &Op| match op {
            Op::Create { key, .. } => !now.contains_key(key),
            Op::Check { key, version }
            | Op::Update { key, version, .. }
            | Op::Delete { key, version } => {
                now.get(key).is_some_and(|entry| entry.version == *version)
            }
        };
        if !txn.ops().iter().all(fits) {
            return false;
        }
        let mut next = now.clone();
        for op in txn.ops() {
            match op {
                Op::Check { .. } => {}
                Op::Create { key, value, .. } | Op::Update { key, value, .. } => {
                    self.versions += 1;
                    let (value, version) = (value.clone(), Version::from_raw(self.versions));
                    next.insert(key.clone(), Entry { value, version });
                }
                Op::Delete { key, .. } => {
                    next.remove(key);
                }
            }
        }
        check(&now, &next, audited);
        self.states.push(next);
        true
    }
}

fn read<T: serde::de::DeserializeOwned>(seen: &Entries, key: &Key) -> Option<Versioned<T>> {
    Some(Versioned::decode(key, seen.get(key)?).unwrap())
}

fn host_record(seen: &Entries, at: usize) -> Option<Versioned<HostRecord>> {
    read(seen, &Keys::host(&host(at)))
}

fn deploy_view(seen: &Entries, at: usize, number: usize) -> DeployView {
    DeployView {
        job: read(seen, &Keys::job(&job(number).id).unwrap()),
        host: host_record(seen, at),
    }
}

fn remove_view(seen: &Entries, request: &RemoveJob, marked: bool) -> RemoveView {
    let hosts = hosts(seen).filter(|(_, record)| record.goals.contains_key(&request.job));
    RemoveView {
        job: read(seen, &Keys::job(&request.job).unwrap()),
        name: read(seen, &Keys::job_name(&request.job).unwrap()),
        hosts: hosts.map(|(host, _)| host).collect(),
        marked,
    }
}

fn hosts(seen: &Entries) -> impl Iterator<Item = (HostName, HostRecord)> {
    (0..2).filter_map(|at| Some((host(at), HostRecord::clone(&*host_record(seen, at)?))))
}

fn in_dir<'a>(entries: &'a Entries, dir: &'static str) -> BTreeMap<&'a Key, &'a Bytes> {
    let is_in = move |key: &Key| key.segments().next() == Some(dir);
    let found = entries.iter().filter(|(key, _)| is_in(key));
    found.map(|(key, entry)| (key, &entry.value)).collect()
}

/// What must hold after every commit, whatever it did.
fn check(before: &Entries, after: &Entries, audited: Option<&Stamp>) {
    let jobs = in_dir(after, "jobs");
    let names: BTreeSet<_> = in_dir(after, "names")
        .into_iter()
        .map(|(key, value)| decode::<NameRecord>(key, value).unwrap().id)
        .collect();
    let stored: BTreeSet<_> = jobs
        .iter()
        .map(|(key, value)| decode::<JobRecord>(key, value).unwrap().job.id.clone())
        .collect();
    assert_eq!(
        names, stored,
        "each job has its name, and each name its job"
    );
    for (name, record) in hosts(after) {
        for (id, goal) in &record.goals {
            assert!(stored.contains(id), "{id} is on {name}, and is no job");
            assert_eq!(goal.job.id, *id);
        }
        let ports: Vec<_> = record.static_ports().map(|(_, port, _)| port).collect();
        let distinct: BTreeSet<_> = ports.iter().collect();
        assert_eq!(ports.len(), distinct.len(), "a port of {name} has one job");
        let former = read::<HostRecord>(before, &Keys::host(&name));
        match former.filter(|former| former.epoch == record.epoch) {
            Some(former) if *former.record == record => {}
            Some(former) => assert_eq!(record.revision, former.revision + 1),
            None => assert_eq!((record.revision, record.goals.len()), (1, 0)),
        }
    }
    let (earlier, later) = (in_dir(before, "audit"), in_dir(after, "audit"));
    let new: Vec<_> = later
        .into_iter()
        .filter(|(key, _)| !earlier.contains_key(key))
        .collect();
    assert_eq!(
        new.len(),
        usize::from(audited.is_some()),
        "one record for one change"
    );
    if let (Some(stamp), Some((key, value))) = (audited, new.first()) {
        assert!(key.as_str().ends_with(stamp.operation.as_str()));
        assert_eq!(
            decode::<AuditRecord>(key, value).unwrap().principal,
            stamp.principal
        );
    }
}

proptest! {
    #[test]
    fn whatever_is_asked_by_whoever_is_late_leaves_all_consistent(asked in prop::collection::vec(ask(), 1..60)) {
        let mut world = World::new();
        for (ask, behind) in &asked {
            world.ask(ask, *behind);
        }
    }

    /// Deciding twice decides the same: a transaction follows from what was read, asked and stamped.
    #[test]
    fn an_answer_is_a_function_of_what_was_read(asked in prop::collection::vec(ask(), 1..30)) {
        let run = || {
            let mut world = World::new();
            for (ask, behind) in &asked {
                world.ask(ask, *behind);
            }
            world.states
        };
        prop_assert_eq!(run(), run());
    }
}
