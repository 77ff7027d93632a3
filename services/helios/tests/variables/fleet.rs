//! Hosts that follow on loopback, in the process of the test.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use helios_api::Client;
use helios_api::client::Follower;
use helios_api::wire::VariableStatus;
use helios_rollout::variable::Value;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::process::Master;

/// What each host holds of the variable `docker`, as it has enacted it.
pub(crate) type Enacted = Arc<Mutex<BTreeMap<String, Value>>>;

/// Hosts until this is dropped.
pub(crate) struct Fleet {
    pub(crate) enacted: Enacted,
    size: usize,
    _hosts: JoinSet<()>,
}

impl Fleet {
    /// Hosts of ten roles; one value cannot be enacted.
    pub(crate) fn of(size: usize, broken: Option<&str>, master: &Master) -> Self {
        let enacted = Enacted::default();
        let mut hosts = JoinSet::new();
        let client = Client::new(&master.url).unwrap();
        let broken: Option<Value> = broken.map(Value::from);
        for index in 0..size {
            let name = format!("host-{index}");
            let path = master.dir.path().join(format!("{name}.json"));
            let follower = Follower::open(client.clone(), name.as_str(), path).unwrap();
            let follower = follower
                .labels([("role".to_owned(), format!("role-{}", index % 10))])
                .every(Duration::from_millis(1_000));
            hosts.spawn(live(name, follower, broken.clone(), Arc::clone(&enacted)));
        }
        Self {
            enacted,
            size,
            _hosts: hosts,
        }
    }

    pub(crate) fn all_hold(&self, wanted: &str) -> Option<()> {
        let enacted = self.enacted.lock().unwrap();
        let all =
            enacted.len() == self.size && enacted.values().all(|value| *value == wanted.into());
        all.then_some(())
    }

    /// Until all hosts hold a value and the master knows all of them.
    pub(crate) async fn settled(&self, value: &str, master: &Master) {
        within("all hosts hold it", || self.all_hold(value)).await;
        within("the master knows all", || {
            (show(master).hosts[0].hosts == self.size as u64).then_some(())
        })
        .await;
    }
}

async fn live(name: String, mut follower: Follower, broken: Option<Value>, enacted: Enacted) {
    loop {
        let value = follower.next().await.get("docker").cloned();
        let bad = value.is_some() && value == broken;
        if let Some(value) = value {
            enacted.lock().unwrap().insert(name.clone(), value);
        }
        let outcome = if bad {
            Err("it does not start".to_owned())
        } else {
            Ok(())
        };
        follower.enacted(outcome).unwrap();
        if bad {
            sleep(follower.pause()).await;
            // The master may be away.
            let _ = follower.ask().await;
            follower.again();
        }
    }
}

pub(crate) fn show(master: &Master) -> VariableStatus {
    serde_json::from_str(&master.ask(&["variable", "show", "docker", "--json"])).unwrap()
}

pub(crate) async fn within<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(120);
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(Instant::now() < deadline, "not within two minutes: {what}");
        sleep(Duration::from_millis(200)).await;
    }
}
