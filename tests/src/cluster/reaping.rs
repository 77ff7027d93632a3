//! What masters clean up by themselves.

use std::sync::Arc;
use std::time::Duration;

use helios_core::cluster::Cluster;
use helios_core::model::{Goal, HostName, Job, JobId, TaskState};
use helios_core::ops::{CreateJob, Deploy, RegisterHost, RemoveJob};
use helios_core::reap::{Because, ReapRules, Reaper, Reaping};
use helios_core::schema::{
    HistoryEvent, HistoryRecord, Keys, OperationIds, Presence, TaskReport, encode,
};
use helios_core::store::{Store, Txn};
use helios_core::{Clock, Moment, Timestamp};
use helios_store::MemoryStore;

const DAY: Duration = Duration::from_secs(86_400);

/// A clock that goes when it is told to.
#[derive(Debug, Default)]
struct Hands(std::sync::Mutex<Timestamp>);

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    fn moment(&self) -> Moment {
        Moment::default()
    }
}

struct Rig {
    store: Arc<dyn Store>,
    clock: Arc<Hands>,
    cluster: Cluster,
}

impl Rig {
    fn new() -> Self {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let clock = Arc::new(Hands::default());
        let ids = OperationIds::new("user").unwrap();
        let cluster = Cluster::new(Arc::clone(&store), Arc::clone(&clock) as _, ids);
        Self {
            store,
            clock,
            cluster,
        }
    }

    fn reaper(&self, master: &str, rules: ReapRules) -> Reaper {
        let ids = OperationIds::new(master).unwrap();
        let cluster = Cluster::new(Arc::clone(&self.store), Arc::clone(&self.clock) as _, ids);
        Reaper::new(&cluster, rules)
    }

    fn pass(&self, time: Duration) {
        let mut now = self.clock.0.lock().unwrap();
        *now = now.plus(time);
    }

    async fn host(&self, name: &str, agent_id: &str) -> HostName {
        let host: HostName = name.parse().unwrap();
        let request = RegisterHost {
            host: host.clone(),
            agent_id: agent_id.to_owned(),
        };
        self.cluster.register_host(&request).await.unwrap();
        host
    }

    async fn up(&self, host: &HostName, agent_id: &str) {
        let presence = Presence {
            id: agent_id.to_owned(),
            incarnation: "1".to_owned(),
        };
        let txn = Txn::new().create(Keys::up(host), encode(&presence));
        self.store.commit(txn).await.unwrap();
    }

    async fn down(&self, host: &HostName) {
        let key = Keys::up(host);
        let version = self.store.get(&key).await.unwrap().unwrap().version;
        self.store
            .commit(Txn::new().delete(key, version))
            .await
            .unwrap();
    }

    async fn job(&self, job: Job) -> JobId {
        self.cluster.create_job(&CreateJob::new(job)).await.unwrap()
    }

    async fn deploy(&self, host: &HostName, job: &JobId, token: &str) {
        let request = Deploy {
            token: token.to_owned(),
            ..Deploy::new(host.clone(), job.clone(), Goal::Start)
        };
        self.cluster.deploy(&request).await.unwrap();
    }
}

fn job(name: &str) -> Job {
    Job::new(name, "i").unwrap()
}

#[tokio::test]
async fn an_expired_job_is_undeployed_everywhere_and_removed_whatever_its_token() {
    let rig = Rig::new();
    let hosts = [rig.host("n1", "a").await, rig.host("n2", "b").await];
    let mut expiring = job("old:1");
    expiring.expires = Some(Timestamp::from_millis(1_000));
    expiring.token = "t".to_owned();
    let (id, other) = (rig.job(expiring).await, rig.job(job("new:1")).await);
    for host in &hosts {
        rig.deploy(host, &id, "t").await;
        rig.deploy(host, &other, "").await;
    }
    let masters = ["m1", "m2"].map(|name| rig.reaper(name, ReapRules::default()));
    rig.pass(Duration::from_millis(999));
    assert_eq!(masters[0].round().await.unwrap(), []);
    rig.pass(Duration::from_millis(1));
    // At the same time: neither fails, and it is done once.
    let [one, two] = &masters;
    let (one, two) = tokio::join!(one.round(), two.round());
    assert!(one.unwrap().len() + two.unwrap().len() >= 3);
    let left: Vec<JobId> = rig.cluster.jobs().await.unwrap().names().cloned().collect();
    assert_eq!(left, std::slice::from_ref(&other));
    for host in &hosts {
        let goals = &rig.cluster.host(host).await.unwrap().unwrap().record.goals;
        assert_eq!(goals.keys().collect::<Vec<_>>(), [&other]);
    }
}

#[tokio::test]
async fn a_host_is_deregistered_when_its_agent_was_away_for_long_and_not_before() {
    let rig = Rig::new();
    let [quiet, gone, back] = ["quiet", "gone", "back"];
    let mut hosts = Vec::new();
    for name in [quiet, gone, back] {
        let host = rig.host(name, name).await;
        rig.up(&host, name).await;
        hosts.push(host);
    }
    let reaper = rig.reaper("m1", ReapRules::default());
    reaper.round().await.unwrap();
    // An agent that has nothing new to say for a year is not dead.
    rig.pass(DAY * 365);
    rig.down(&hosts[1]).await;
    rig.down(&hosts[2]).await;
    assert_eq!(reaper.round().await.unwrap(), []);
    rig.pass(DAY * 13);
    rig.up(&hosts[2], back).await;
    // Who is away is known to every master, also to one that starts later.
    let reaper = rig.reaper("m2", ReapRules::default());
    assert_eq!(reaper.round().await.unwrap(), []);
    rig.down(&hosts[2]).await;
    rig.pass(DAY);
    let reaped = reaper.round().await.unwrap();
    let expected = Reaping::Deregister {
        host: hosts[1].clone(),
        because: Because::Away(DAY * 14),
    };
    assert_eq!(reaped, [expected]);
    assert!(rig.cluster.host(&hosts[1]).await.unwrap().is_none());
    reaper.round().await.unwrap();
    let noted = rig.store.list(&Keys::absences()).await.unwrap();
    assert_eq!(
        noted.iter().map(|(host, _)| host).collect::<Vec<_>>(),
        [back]
    );
}

#[tokio::test]
async fn a_new_agent_of_a_host_is_not_taken_for_the_one_that_was_away() {
    let rig = Rig::new();
    let host = rig.host("n1", "a").await;
    let reaper = rig.reaper("m1", ReapRules::default());
    reaper.round().await.unwrap();
    rig.pass(DAY * 15);
    let taken = RegisterHost {
        host: host.clone(),
        agent_id: "b".to_owned(),
    };
    rig.cluster.take_over_host(&taken).await.unwrap();
    assert_eq!(reaper.round().await.unwrap(), []);
    assert!(rig.cluster.host(&host).await.unwrap().is_some());
}

#[tokio::test]
async fn a_job_is_unused_when_it_is_old_deployed_nowhere_quiet_and_named_by_nothing() {
    let rig = Rig::new();
    let rules = ReapRules {
        unused_jobs_after: Some(DAY),
        history: true,
        ..ReapRules::default()
    };
    let host = rig.host("n1", "a").await;
    let unused = rig.job(job("unused:1")).await;
    let deployed = rig.job(job("deployed:1")).await;
    let lately = rig.job(job("lately:1")).await;
    let grouped = rig.job(job("grouped:1")).await;
    let strange = rig.job(job("strange:1")).await;
    rig.deploy(&host, &deployed, "").await;
    let history = |at: i64| {
        let at = Timestamp::from_millis(at);
        let task = TaskReport::new(Goal::Start, TaskState::Running, at);
        let events = [HistoryEvent { at, task }].into();
        encode(&HistoryRecord { events }).to_vec()
    };
    let put = async |key, value: Vec<u8>| {
        let txn = Txn::new().create(key, value);
        rig.store.commit(txn).await.unwrap();
    };
    put(Keys::history(&lately, &host).unwrap(), history(80_000_000)).await;
    put(Keys::history(&unused, &host).unwrap(), history(5)).await;
    put(Keys::history(&strange, &host).unwrap(), b"?".to_vec()).await;
    let group = format!(r#"{{"job":"{grouped}"}}"#);
    put(Keys::group("web").unwrap(), group.into_bytes()).await;
    let reaper = rig.reaper("m1", rules);
    assert_eq!(reaper.round().await.unwrap(), []);
    rig.pass(DAY + Duration::from_millis(5));
    let new = rig.job(job("new:1")).await;
    let expected = Reaping::Remove {
        job: unused.clone(),
        because: Because::Unused(DAY),
    };
    assert_eq!(reaper.round().await.unwrap(), [expected]);
    let left = rig.cluster.jobs().await.unwrap();
    for id in [&deployed, &lately, &grouped, &strange, &new] {
        assert!(left.get(id).is_some(), "{id}");
    }
    reaper.round().await.unwrap();
    let dir = Keys::histories(&unused).unwrap();
    assert!(rig.store.list(&dir).await.unwrap().is_empty());
    let kept = Keys::histories(&lately).unwrap();
    assert!(!rig.store.list(&kept).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_is_left_of_a_job_that_nobody_saw_go_is_forgotten() {
    let rig = Rig::new();
    let hosts = [rig.host("n1", "a").await, rig.host("n2", "b").await];
    let (gone, again) = (rig.job(job("gone:1")).await, rig.job(job("again:1")).await);
    let histories = |job: &JobId| Keys::histories(job).unwrap();
    let write = async |job: &JobId, host| {
        let key = Keys::history(job, host).unwrap();
        let record = encode(&HistoryRecord::default());
        rig.store.commit(Txn::new().create(key, record)).await
    };
    // Nobody cleans up by then, and the agents write what happened after the jobs are gone.
    for id in [&gone, &again] {
        let request = RemoveJob::new(id.clone());
        rig.cluster.remove_job(&request).await.unwrap();
    }
    assert_eq!(rig.job(job("again:1")).await, again);
    for id in [&gone, &again] {
        write(id, &hosts[0]).await.unwrap();
    }
    let left = async |dir| rig.store.list(&dir).await.unwrap().len();
    rig.pass(DAY);
    rig.reaper("m0", ReapRules::default())
        .round()
        .await
        .unwrap();
    assert_eq!(left(histories(&gone)).await, 1, "it was not asked to");
    let masters = ["m1", "m2"].map(|name| {
        let history = true;
        let rules = ReapRules::default();
        rig.reaper(name, ReapRules { history, ..rules })
    });
    let (one, two) = tokio::join!(masters[0].round(), masters[1].round());
    assert_eq!((one.unwrap(), two.unwrap()), (vec![], vec![]));
    assert_eq!(left(histories(&gone)).await, 0);
    assert_eq!(left(histories(&again)).await, 1, "it is there again");
    masters[0].round().await.unwrap();
    assert_eq!(left(Keys::removals()).await, 0);
}

#[tokio::test]
async fn what_agents_write_after_a_removal_is_forgotten_an_hour_later() {
    let rig = Rig::new();
    let host = rig.host("n1", "a").await;
    let id = rig.job(job("web:1")).await;
    let request = RemoveJob::new(id.clone());
    rig.cluster.remove_job(&request).await.unwrap();
    let history = true;
    let rules = ReapRules::default();
    let reaper = rig.reaper("m1", ReapRules { history, ..rules });
    let record = encode(&HistoryRecord::default());
    let txn = Txn::new().create(Keys::history(&id, &host).unwrap(), record);
    rig.store.commit(txn).await.unwrap();
    let left = async |dir| rig.store.list(&dir).await.unwrap().len();
    let dir = Keys::histories(&id).unwrap();
    for (seconds, there) in [(3_599, 1), (1, 0)] {
        rig.pass(Duration::from_secs(seconds));
        reaper.round().await.unwrap();
        let found = (left(dir.clone()).await, left(Keys::removals()).await);
        assert_eq!(found, (there, there));
    }
}
