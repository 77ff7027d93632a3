//! A plain agent that polls, as somebody might write it in an afternoon, with room for bugs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_core::stream::BoxStream;
use futures_util::StreamExt;
use helios_core::agent::Remembered;
use helios_core::cluster::Cluster;
use helios_core::model::{Goal, Job};
use helios_core::ops::RegisterHost;
use helios_core::reconcile::{JOB_LABEL, Policy, container_spec};
use helios_core::runtime::{
    Container, ContainerId, ContainerState, Containers, Owner, ProbeTarget, RuntimeError,
};
use helios_core::schema::{
    ClusterRecord, HostRecord, HostReport, Keys, OperationIds, Presence, TaskReport, decode, encode,
};
use helios_core::store::{Scope, StoreError, Txn};
use helios_core::{JobId, TaskState, Timestamp};
use helios_testkit::sim::HostCtx;
use tokio::time::{sleep, timeout};

use super::Bug;

const DOCUMENT: &str = "agent.json";

pub(super) struct Plain {
    host: HostCtx,
    bug: Option<Bug>,
    known: Remembered,
    /// Whether goals are known at all, from the disk or from the store.
    knows: bool,
    policy: Policy,
    failures: BTreeMap<JobId, u32>,
    /// Why jobs could not be started.
    troubles: BTreeMap<JobId, String>,
    not_before: BTreeMap<JobId, Timestamp>,
    made: u64,
    ours: Vec<String>,
    made_of: BTreeMap<JobId, ContainerId>,
    /// The jobs that had a container when it last looked.
    here: BTreeSet<JobId>,
    unwanted_since: BTreeMap<String, u64>,
    reported: Option<HostReport>,
    well: BTreeMap<JobId, bool>,
    announced: bool,
    at_start: Option<Remembered>,
    ticks: u64,
    history: Vec<String>,
    watched: Option<HostRecord>,
    looks: Option<BoxStream<'static, Result<Containers, RuntimeError>>>,
    latest: Containers,
}

pub(super) async fn run(mut host: HostCtx, bug: Option<Bug>) {
    if bug == Some(Bug::SharesItsName) {
        host.runtime = host.runtime_of(Owner::new("neighbour").expect("an owner"));
    }
    let loaded = host.disk.load(DOCUMENT).await.ok().flatten();
    let known: Option<Remembered> = loaded.and_then(|text| serde_json::from_slice(&text).ok());
    let policy = Policy {
        namespace: host.id.as_str().to_owned(),
        ..Policy::for_host(host.host.as_str())
    };
    let mut agent = Plain {
        bug,
        knows: known.as_ref().is_some_and(|known| known.epoch.is_some()),
        known: known.unwrap_or_default(),
        policy,
        failures: BTreeMap::new(),
        troubles: BTreeMap::new(),
        not_before: BTreeMap::new(),
        made: 0,
        ours: Vec::new(),
        made_of: BTreeMap::new(),
        here: BTreeSet::new(),
        unwanted_since: BTreeMap::new(),
        reported: None,
        well: BTreeMap::new(),
        announced: false,
        at_start: None,
        ticks: 0,
        history: Vec::new(),
        watched: None,
        looks: (bug == Some(Bug::BelievesLooks)).then(|| host.runtime.watch()),
        latest: Containers::new(),
        host,
    };
    if agent.has(Bug::LostWatch) {
        let watch = agent
            .host
            .store
            .watch(Scope::Entry(Keys::host(&agent.host.host)));
        agent.run_by_watch(watch).await;
    }
    let pause = if agent.has(Bug::LooksRarely) {
        Duration::from_secs(180)
    } else {
        Duration::from_millis(1500)
    };
    loop {
        agent.tick().await;
        sleep(pause).await;
    }
}

impl Plain {
    fn has(&self, bug: Bug) -> bool {
        self.bug == Some(bug)
    }

    /// B10: believes in events, and ends with the first error.
    async fn run_by_watch(
        &mut self,
        mut watch: BoxStream<'static, Result<helios_core::store::Snapshot, StoreError>>,
    ) {
        loop {
            tokio::select! {
                biased;
                Some(item) = watch.next() => {
                    let Ok(snapshot) = item else { break };
                    let key = Keys::host(&self.host.host);
                    self.watched = snapshot.get(key.name()).and_then(|entry| decode(&key, &entry.value).ok());
                }
                () = sleep(Duration::from_millis(1500)) => self.tick().await,
            }
        }
        loop {
            self.tick().await;
            sleep(Duration::from_millis(1500)).await;
        }
    }

    async fn tick(&mut self) {
        self.ticks += 1;
        let present = self.announce().await.unwrap_or(None);
        self.learn().await;
        if !self.knows {
            return;
        }
        if self.at_start.is_none() {
            self.at_start = Some(self.known.clone());
        }
        if let Ok(containers) = self.containers().await {
            self.here = containers.iter().filter_map(job_of).collect();
            if self.has(Bug::StartsAllAtBoot) && self.ticks == 1 {
                for container in containers.iter() {
                    drop(self.host.runtime.start(&container.id).await);
                }
            }
            self.reap(&containers).await;
            self.run_wanted(&containers).await;
        }
        if let Some(version) = present
            && let Ok(containers) = self.host.runtime.list().await
        {
            drop(self.report(version, &containers).await);
        }
    }

    /// All containers: by a list, or by the latest look of a watch, which leaves out what is being started.
    async fn containers(&mut self) -> Result<Containers, RuntimeError> {
        let Some(looks) = &mut self.looks else {
            return self.host.runtime.list().await;
        };
        // No look takes longer than that: if none comes nothing has changed.
        if let Ok(Some(look)) = timeout(Duration::from_secs(7), looks.next()).await {
            self.latest = look?;
        }
        Ok(self.latest.clone())
    }

    /// Says that this agent is alive. Yields the version of that.
    async fn announce(&mut self) -> Result<Option<helios_core::store::Version>, StoreError> {
        let store = Arc::clone(&self.host.store);
        let up = Keys::up(&self.host.host);
        let own = Presence {
            id: self.host.id.as_str().to_owned(),
            incarnation: self.host.incarnation.clone(),
        };
        if self.has(Bug::AnnouncesOnce) && self.announced {
            return Ok(None);
        }
        if store.get(&Keys::host(&self.host.host)).await?.is_none() {
            let ids =
                OperationIds::new(format!("{}-{}", own.incarnation, self.ticks)).expect("an id");
            let cluster = Cluster::new(store, Arc::clone(&self.host.clock), ids);
            let request = RegisterHost {
                host: self.host.host.clone(),
                agent_id: own.id,
            };
            drop(cluster.register_host(&request).await);
            return Ok(None);
        }
        let Some(entry) = store.get(&up).await? else {
            self.announced = true;
            store
                .commit(Txn::new().create_ephemeral(up, encode(&own)))
                .await?;
            return Ok(None);
        };
        let found: Presence = decode(&up, &entry.value)?;
        if found == own {
            return Ok(Some(entry.version));
        }
        if found.id == own.id {
            store.commit(Txn::new().delete(up, entry.version)).await?;
        }
        Ok(None)
    }

    /// Reads the goals, and keeps them on the disk before anything is done by them.
    async fn learn(&mut self) {
        if self.has(Bug::RestoresGoals) && self.ticks == 1 && self.knows {
            return;
        }
        let key = Keys::host(&self.host.host);
        let cluster = self.host.store.get(&Keys::cluster()).await;
        let entry = self.host.store.get(&key).await;
        if self.has(Bug::UnreadableIsEmpty) && entry.is_err() {
            (self.known.goals, self.knows) = (BTreeMap::new(), true);
            return;
        }
        let (Ok(cluster), Ok(entry)) = (cluster, entry) else {
            return;
        };
        let cluster =
            cluster.and_then(|entry| decode::<ClusterRecord>(&Keys::cluster(), &entry.value).ok());
        let mut record = entry.and_then(|entry| decode::<HostRecord>(&key, &entry.value).ok());
        if self.has(Bug::LostWatch) {
            record = self.watched.clone();
        }
        if self.has(Bug::TimeTravel) {
            (self.known.epoch, self.known.revision) = (None, 0);
            self.known.past_epochs.clear();
        }
        let id = self.host.id.as_str();
        let cluster = cluster.as_ref().map(|record| record.id.as_str());
        let Ok(mut next) = self.known.accept(id, cluster, record.as_ref()) else {
            return;
        };
        let mut leases = (*next.leases).clone();
        if !self.has(Bug::KeepsLeases) {
            leases.retain(|job, _| next.goals.contains_key(job) || self.here.contains(job));
        }
        for (job, goal) in &next.goals {
            leases
                .entry(job.clone())
                .or_insert_with(|| Arc::new(ports_for(&goal.job, self.has(Bug::SamePort))));
        }
        next.leases = Arc::new(leases);
        if next != self.known {
            if self.host.disk.save(DOCUMENT, &encode(&next)).await.is_err() {
                return;
            }
            self.known = next;
        }
        self.knows = true;
    }

    /// Takes away what is not to run.
    async fn reap(&mut self, containers: &Containers) {
        let goals = match &self.at_start {
            Some(at_start) if self.has(Bug::ReapsByOldGoals) => at_start.goals.clone(),
            _ => self.known.goals.clone(),
        };
        for container in containers.iter() {
            let wanted = job_of(container).and_then(|job| goals.get(&job));
            let running = container.state == ContainerState::Running;
            if self.has(Bug::ReapsTheOld) && running && self.ticks % 60 == 59 {
                drop(
                    self.host
                        .runtime
                        .stop(&container.id, Duration::from_secs(1))
                        .await,
                );
                continue;
            }
            if self.has(Bug::ForgetsItsOwn) && !self.ours.contains(&container.id.to_string()) {
                continue;
            }
            match wanted.map(|goal| goal.goal) {
                Some(Goal::Start) => {}
                Some(Goal::Stop) => {
                    if running {
                        drop(
                            self.host
                                .runtime
                                .stop(&container.id, Duration::from_secs(3))
                                .await,
                        );
                    }
                }
                Some(Goal::Undeploy) | None => {
                    let since = self
                        .unwanted_since
                        .entry(container.id.to_string())
                        .or_insert(self.ticks);
                    if self.bug == Some(Bug::UndeploysLate) && self.ticks - *since < 80 {
                        continue;
                    }
                    self.made_of.retain(|_, made| *made != container.id);
                    let grace = Duration::from_secs(3);
                    let stopped =
                        !running || self.host.runtime.stop(&container.id, grace).await.is_ok();
                    if stopped && !self.has(Bug::NeverRemoves) {
                        drop(self.host.runtime.remove(&container.id).await);
                    }
                }
            }
        }
    }

    async fn run_wanted(&mut self, containers: &Containers) {
        let goals: Vec<_> = self.known.goals.values().cloned().collect();
        for goal in goals.iter().filter(|goal| goal.goal == Goal::Start) {
            let job = &goal.job;
            let retries_at_once = self.has(Bug::RetriesAtOnce);
            if self
                .not_before
                .get(&job.id)
                .is_some_and(|at| self.host.clock.now() < *at)
                && !retries_at_once
            {
                continue;
            }
            let mut own = containers
                .iter()
                .filter(|container| job_of(container).as_ref() == Some(&job.id));
            let own = if self.has(Bug::NewNames) {
                None
            } else {
                own.next()
            };
            let adopted = own.is_none_or(|own| self.ours.contains(&own.id.to_string()));
            let own = own.filter(|_| adopted || !self.has(Bug::DoesNotAdopt));
            let tries = if retries_at_once { 30 } else { 1 };
            for _ in 0..tries {
                if self.one_step(job, own).await {
                    break;
                }
            }
        }
    }

    /// The next step towards a running container; says whether it worked.
    async fn one_step(&mut self, job: &Job, own: Option<&Container>) -> bool {
        let done = match own.map(|own| (&own.id, &own.state)) {
            Some((_, ContainerState::Running)) => {
                self.look(job, own).await;
                return true;
            }
            Some((id, ContainerState::Created { .. })) => self.start(job, id).await,
            Some((id, _)) => {
                self.made_of.remove(&job.id);
                self.host.runtime.remove(id).await.is_ok()
            }
            None => self.create(job).await,
        };
        self.well.remove(&job.id);
        if !done {
            let failures = self.failures.entry(job.id.clone()).or_default();
            *failures = (*failures + 1).min(6);
            let wait = Duration::from_secs(1 << *failures);
            // By the wall clock, which may jump: only waits that are short by any measure are safe then.
            let not_before = self.host.clock.now().plus(wait);
            if self.has(Bug::WallClock) {
                self.not_before.insert(job.id.clone(), not_before);
            }
        }
        done
    }

    async fn create(&mut self, job: &Job) -> bool {
        let none = BTreeMap::new();
        let ports = self
            .known
            .leases
            .get(&job.id)
            .map_or(&none, |ports| &**ports);
        let mut spec = container_spec(job, ports, &self.policy);
        if self.has(Bug::BelievesLooks) && self.made_of.contains_key(&job.id) {
            // What was made is not shown, and was not removed: something of it may be in the way.
            spec.name.push_str("-again");
        }
        if self.has(Bug::TakesAnyPort) {
            for port in &mut spec.ports {
                port.host_port += 1;
            }
        }
        self.made += 1;
        if self.has(Bug::NewNames) || self.has(Bug::DoesNotAdopt) {
            if self.has(Bug::NewNames) && self.ours.iter().any(|name| *name == job.id.to_string()) {
                return true;
            }
            spec.name = format!("{}-{}-{}", spec.name, self.host.incarnation, self.made);
        }
        let mut made = self.host.runtime.create(&spec).await;
        if made.is_err() && self.host.runtime.pull(&spec.image).await.is_ok() {
            made = self.host.runtime.create(&spec).await;
        }
        match made {
            Ok(id) => {
                self.made_of.insert(job.id.clone(), id.clone());
                self.ours.push(id.to_string());
                self.ours.push(job.id.to_string());
                self.start(job, &id).await
            }
            Err(_) => false,
        }
    }

    async fn start(&mut self, job: &Job, id: &ContainerId) -> bool {
        let started = self.host.runtime.start(id).await;
        self.troubles.remove(&job.id);
        if let Err(error) = &started {
            self.troubles.insert(job.id.clone(), error.to_string());
        }
        started.is_ok()
    }

    async fn look(&mut self, job: &Job, own: Option<&Container>) {
        let (Some(_), Some(own)) = (&job.health_check, own) else {
            return;
        };
        let target = ProbeTarget::Exec {
            command: Vec::new(),
        };
        let well = self
            .host
            .probe
            .probe(&own.id, &target, Duration::from_secs(2))
            .await;
        self.well.insert(job.id.clone(), well.is_ok());
    }

    async fn report(
        &mut self,
        presence: helios_core::store::Version,
        containers: &Containers,
    ) -> Result<(), StoreError> {
        let mut report = HostReport {
            agent_id: self.host.id.as_str().to_owned(),
            ..HostReport::default()
        };
        for (id, goal) in &self.known.goals {
            let mut own = containers
                .iter()
                .filter(|container| job_of(container).as_ref() == Some(id));
            let runs = own.any(|own| own.state == ContainerState::Running);
            let well = goal.job.health_check.is_none() || self.well.get(id) == Some(&true);
            let well = well || self.has(Bug::SkipsHealth);
            let lies = self.has(Bug::SaysRunning) && goal.goal == Goal::Start;
            let state = match (runs, well) {
                (true, true) => TaskState::Running,
                _ if lies => TaskState::Running,
                (true, false) => TaskState::Healthchecking,
                (false, _) => TaskState::Failed,
            };
            let mut task = TaskReport::new(goal.goal, state, Timestamp::default());
            if state == TaskState::Failed && !self.has(Bug::HidesTrouble) {
                task.error = self.troubles.get(id).cloned().unwrap_or_default();
            }
            report.tasks.insert(id.clone(), task);
        }
        if self.has(Bug::GrowsForEver) {
            self.history
                .push("something happened, and is kept for ever ".repeat(20));
            report.problems.clone_from(&self.history);
        }
        let key = Keys::report(&self.host.host);
        let mut txn = Txn::new();
        if !self.has(Bug::ReportsAnyway) {
            txn = txn.check(Keys::up(&self.host.host), presence);
            let host = self.host.store.get(&Keys::host(&self.host.host)).await?;
            let Some(host) = host else { return Ok(()) };
            txn = txn.check(Keys::host(&self.host.host), host.version);
        }
        let value = encode(&report);
        let txn = match self.host.store.get(&key).await? {
            Some(entry) if entry.value == value => return Ok(()),
            Some(entry) => txn.update(key, entry.version, value),
            None => txn.create(key, value),
        };
        if self.has(Bug::ReportsOnce) && self.reported.replace(report.clone()) == Some(report) {
            return Ok(());
        }
        self.host.store.commit(txn).await
    }
}

fn job_of(container: &Container) -> Option<JobId> {
    container.labels.get(JOB_LABEL)?.parse().ok()
}

/// A port for each that the job wants: its own, or one that follows from its name.
fn ports_for(job: &Job, same: bool) -> BTreeMap<String, u16> {
    let number: u16 = job.id.name().bytes().map(u16::from).sum();
    let any = if same {
        21_000
    } else {
        21_000 + number % 500 * 4
    };
    let ports = job.ports.iter().zip(0..);
    ports
        .map(|((name, mapping), index)| {
            let fixed = mapping
                .external_port
                .and_then(|port| u16::try_from(port).ok());
            (name.clone(), fixed.unwrap_or(any + index))
        })
        .collect()
}
