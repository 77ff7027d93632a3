//! The other side: the same operations by the bare client, without deadline, bound or proof of anything.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use zookeeper_client::{Acls, AddWatchMode, Client, CreateMode, CreateOptions};

use crate::ensemble::Ensemble;
use crate::{HOSTS, IN_FLIGHT};

/// A job, hosts and a directory of marks.
pub(crate) struct Bare {
    client: Client,
    marks: AtomicUsize,
    /// How often each host was written.
    written: AtomicUsize,
}

fn open() -> CreateOptions<'static> {
    CreateMode::Persistent.with_acls(Acls::anyone_all())
}

impl Bare {
    pub(crate) async fn prepare(ensemble: &Ensemble) -> Self {
        let client = Client::connect(&ensemble.server(0)).await.unwrap();
        for dir in [
            "/bare",
            "/bare/jobs",
            "/bare/hosts",
            "/bare/audit",
            "/bare/jobs/a",
        ] {
            client.create(dir, b"", &open()).await.unwrap();
        }
        let this = &client;
        stream::iter(0..HOSTS)
            .for_each_concurrent(IN_FLIGHT, |number| async move {
                let path = format!("/bare/hosts/{number}");
                this.create(&path, b"", &open()).await.unwrap();
            })
            .await;
        Self {
            client,
            marks: AtomicUsize::new(0),
            written: AtomicUsize::new(0),
        }
    }

    /// A deployment to each host: check the job, write the host, leave a mark, of so many bytes.
    pub(crate) async fn changes(&self, in_flight: usize, bytes: [usize; 2]) -> Duration {
        let version = i32::try_from(self.written.fetch_add(1, Ordering::Relaxed)).unwrap();
        let start = Instant::now();
        stream::iter(0..HOSTS)
            .for_each_concurrent(in_flight, |number| async move {
                let [host, mark] = bytes.map(|bytes| vec![b'x'; bytes]);
                let mut multi = self.client.new_multi_writer();
                multi.add_check_version("/bare/jobs/a", 0).unwrap();
                let path = format!("/bare/hosts/{number}");
                multi.add_set_data(&path, &host, Some(version)).unwrap();
                let path = format!("/bare/audit/{}", self.marks.fetch_add(1, Ordering::Relaxed));
                multi.add_create(&path, &mark, &open()).unwrap();
                multi.commit().await.unwrap();
            })
            .await;
        start.elapsed()
    }
}

/// So many changes of one host one after the other, each read by another client when its event has come.
pub(crate) async fn watched(ensemble: &Ensemble, changes: usize, value: &[u8]) -> Duration {
    let writer = Client::connect(&ensemble.server(0)).await.unwrap();
    let reader = Client::connect(&ensemble.server(0)).await.unwrap();
    let mode = AddWatchMode::PersistentRecursive;
    // One that no other figure counts the writes of.
    let host = "/bare/watched";
    let _ = writer.create(host, b"", &open()).await;
    let mut watch = reader.watch(host, mode).await.unwrap();
    let start = Instant::now();
    for _ in 0..changes {
        let mut multi = writer.new_multi_writer();
        multi.add_set_data(host, value, None).unwrap();
        multi.commit().await.unwrap();
        let event = watch.changed().await;
        let (data, _) = reader.get_data(&event.path).await.unwrap();
        assert_eq!(data, value);
    }
    start.elapsed()
}
