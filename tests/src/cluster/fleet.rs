//! Following a whole cluster.

use std::sync::Arc;

use futures_util::StreamExt;
use helios_core::cluster::FleetView;
use helios_core::ops::{CreateJob, Deploy, RegisterHost};
use helios_core::schema::{Keys, OperationIds};
use helios_core::store::Txn;
use helios_core::{Cluster, Goal, HostName, Job, Store};
use helios_store::MemoryStore;

use crate::stopped_clock::StoppedClock;

/// What is in a view, in short.
fn outline(view: &FleetView) -> String {
    let jobs: Vec<_> = view
        .jobs
        .names()
        .map(|id| id.without_hash().to_string())
        .collect();
    let hosts: Vec<_> = view
        .hosts
        .iter()
        .map(|(name, host)| format!("{name}={}", host.goals.len()))
        .collect();
    let bad: Vec<_> = view
        .unreadable()
        .map(|entry| entry.key.to_string())
        .collect();
    format!(
        "{} | {} | {}",
        jobs.join(" "),
        hosts.join(" "),
        bad.join(" ")
    )
}

#[tokio::test]
async fn a_watch_shows_every_change_and_shares_what_stays() {
    let tree = MemoryStore::new();
    let ids = OperationIds::new("m1").unwrap();
    let cluster = Cluster::new(Arc::new(tree.session()), Arc::new(StoppedClock), ids);
    let mut watch = cluster.watch_fleet();
    assert_eq!(outline(&watch.next().await.unwrap().unwrap()), " |  | ");

    let job = Job::new("web:1", "nginx").unwrap();
    let job = cluster.create_job(&CreateJob::new(job)).await.unwrap();
    let hosts: Vec<HostName> = ["a", "b"].map(|name| name.parse().unwrap()).into();
    for host in &hosts {
        let request = RegisterHost {
            host: host.clone(),
            agent_id: "x".to_owned(),
        };
        cluster.register_host(&request).await.unwrap();
    }
    let before = until(&mut watch, "web:1 | a=0 b=0 | ").await;
    let request = Deploy::new(hosts[0].clone(), job.clone(), Goal::Start);
    cluster.deploy(&request).await.unwrap();
    let after = until(&mut watch, "web:1 | a=1 b=0 | ").await;
    let record =
        |view: &FleetView, host: &HostName| Arc::clone(&view.hosts.get(host).unwrap().record);
    assert!(Arc::ptr_eq(
        &record(&before, &hosts[1]),
        &record(&after, &hosts[1])
    ));
    assert!(!Arc::ptr_eq(
        &record(&before, &hosts[0]),
        &record(&after, &hosts[0])
    ));
    assert_eq!(outline(&cluster.fleet().await.unwrap()), outline(&after));
    let waited = cluster.wait_until(|view| view.jobs.len() == 1).await;
    assert_eq!(outline(&waited.unwrap()), outline(&after));

    let bad = Keys::host(&"c".parse().unwrap());
    tree.commit(Txn::new().create(bad, "{}")).await.unwrap();
    let view = until(&mut watch, "web:1 | a=1 b=0 | hosts/c").await;
    let status = view.job_status(&job).unwrap();
    assert_eq!(
        status.deployments.keys().copied().collect::<Vec<_>>(),
        [&hosts[0]]
    );
}

/// The first view that looks like that. Views in between may be merged, so they are not counted.
async fn until(
    watch: &mut (impl StreamExt<Item = Result<FleetView, helios_core::store::StoreError>> + Unpin),
    expected: &str,
) -> FleetView {
    loop {
        let view = watch.next().await.unwrap().unwrap();
        if outline(&view) == expected {
            return view;
        }
    }
}
