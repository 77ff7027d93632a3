//! A disk that is full, that fails, and that is slow.

use std::fs::OpenOptions;
use std::io;
use std::sync::Condvar;
use std::task::Poll;

use futures_util::future::join_all;
use redb::backends::FileBackend;
use redb::{Database, StorageBackend};

use super::*;
use crate::file::disk::Disk;

/// What the test does to the disk.
#[derive(Debug, Default)]
struct Control {
    /// How many changes of the file succeed before one fails.
    healthy: Mutex<Option<u64>>,
    /// Whether only one fails.
    once: AtomicBool,
    shut: Mutex<bool>,
    opened: Condvar,
}

impl Control {
    fn fail_after(&self, healthy: u64, once: bool) {
        self.once.store(once, Ordering::Relaxed);
        *self.healthy.lock().unwrap() = Some(healthy);
    }

    fn heal(&self) {
        *self.healthy.lock().unwrap() = None;
    }

    fn shut(&self, shut: bool) {
        *self.shut.lock().unwrap() = shut;
        self.opened.notify_all();
    }

    fn pass(&self) -> io::Result<()> {
        let shut = self.shut.lock().unwrap();
        drop(self.opened.wait_while(shut, |shut| *shut).unwrap());
        let mut healthy = self.healthy.lock().unwrap();
        match &mut *healthy {
            None => return Ok(()),
            Some(0) if self.once.load(Ordering::Relaxed) => *healthy = None,
            Some(0) => {}
            Some(left) => {
                *left -= 1;
                return Ok(());
            }
        }
        Err(io::Error::from(io::ErrorKind::StorageFull))
    }

    fn spent(&self) -> bool {
        self.healthy.lock().unwrap().is_none_or(|left| left == 0)
    }
}

#[derive(Debug)]
struct Weak {
    file: FileBackend,
    control: Arc<Control>,
}

impl StorageBackend for Weak {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.control.pass()?;
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.control.pass()?;
        self.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.control.pass()?;
        self.file.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }
}

fn open(dir: &TempDir) -> (FileStore, Arc<Control>) {
    let control = Arc::new(Control::default());
    let used = Arc::clone(&control);
    let opener = Box::new(move |path: &Path| {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        let file = FileBackend::new(file)?;
        let control = Arc::clone(&used);
        Database::builder().create_with_backend(Weak { file, control })
    });
    let (disk, tree) = Disk::open_with(dir.path(), opener).unwrap();
    (FileStore::on(disk, Board::new(tree)).unwrap(), control)
}

#[tokio::test]
async fn a_full_disk_refuses_commits_and_nothing_else() {
    let dir = TempDir::new().unwrap();
    let (store, control) = open(&dir);
    store.commit(create("dir/before")).await.unwrap();
    control.fail_after(0, false);
    for _ in 0..3 {
        let error = store.commit(create("dir/lost")).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}");
        assert_eq!(written(&store).await, "before=dir/before@0");
    }
    let up = Txn::new().create_ephemeral(key("dir/up"), "");
    store.session().commit(up).await.unwrap();
    control.heal();
    store.commit(create("dir/after")).await.unwrap();
    let expected = "after=dir/after@0 before=dir/before@0";
    assert_eq!(written(&store).await, expected);
    assert_eq!(after_a_crash(dir.path()).await, expected);
}

#[tokio::test]
async fn the_message_names_the_file_and_the_chain_the_cause() {
    let dir = TempDir::new().unwrap();
    let (store, control) = open(&dir);
    control.fail_after(0, false);
    let error = store.commit(create("dir/lost")).await.unwrap_err();
    let path = dir.path().join("helios.redb");
    let expected = format!(
        "the store cannot be reached: {}: cannot commit",
        path.display()
    );
    assert_eq!(error.to_string(), expected);
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(cause, "I/O error: no storage space");
}

/// Lets each step of a write fail in turn: what was said is what the file holds.
async fn fail_every_step(once: bool) {
    let (mut unavailable, mut unknown) = (0, 0);
    for healthy in 0.. {
        let dir = TempDir::new().unwrap();
        let (store, control) = open(&dir);
        store.commit(create("dir/a")).await.unwrap();
        let value = "x".repeat(20_000);
        let txn = || {
            let update = Txn::new().update(key("dir/a"), Version::from_raw(0), value.clone());
            update.create(key("dir/b"), value.clone())
        };
        control.fail_after(healthy, once);
        let outcome = store.commit(txn()).await;
        let untouched = !control.spent();
        control.heal();
        let shown = written(&store).await;
        let happened = shown.contains("a=x");
        assert_eq!(happened, shown.contains("b=x"), "a part of a transaction");
        match outcome.as_ref().map_err(StoreError::kind) {
            Ok(()) => assert!(happened, "step {healthy}: Ok, but not there"),
            Err(StoreErrorKind::Indeterminate) => unknown += 1,
            Err(StoreErrorKind::Unavailable) => {
                assert!(!happened, "step {healthy}: refused, yet there");
                unavailable += 1;
            }
            Err(other) => panic!("step {healthy}: {other:?}"),
        }
        store.commit(create("dir/next")).await.unwrap();
        let shown = written(&store).await;
        assert_eq!(shown.contains("a=x"), shown.contains("b=x"));
        assert_eq!(after_a_crash(dir.path()).await, shown, "step {healthy}");
        drop(store);
        assert_eq!(written(&FileStore::open(&dir).unwrap()).await, shown);
        if untouched {
            assert!(outcome.is_ok(), "no step failed, yet the commit did");
            assert!(unavailable > 2 && unknown > 0, "{unavailable}, {unknown}");
            return;
        }
    }
}

#[tokio::test]
async fn a_step_that_fails_once_is_settled_at_once() {
    fail_every_step(true).await;
}

#[tokio::test]
async fn a_disk_that_fails_for_good_is_settled_when_it_is_back() {
    fail_every_step(false).await;
}

#[tokio::test]
async fn what_waits_together_is_written_together() {
    let dir = TempDir::new().unwrap();
    let (store, control) = open(&dir);
    control.shut(true);
    let mut first = Box::pin(store.commit(create("dir/first")));
    assert!(poll_once(&mut first).await);
    let others = (0..60).map(|n| store.commit(create(&format!("dir/n{}", n / 2))));
    let mut others = Box::pin(join_all(others));
    assert!(poll_once(&mut others).await);
    control.shut(false);
    first.await.unwrap();
    let outcomes = others.await;
    let won = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert_eq!(won, 30, "of each two that want the same entry, one");
    drop(store);
    let (disk, _) = Disk::open(dir.path()).unwrap();
    assert!(disk.writes() <= 2, "{} writes", disk.writes());
}

/// Callers that give up in time and come again must not pile up work without bound.
#[tokio::test]
async fn a_commit_that_nobody_waits_for_keeps_its_place() {
    let dir = TempDir::new().unwrap();
    let (store, control) = open(&dir);
    control.shut(true);
    for n in 0..10 {
        let mut given_up = Box::pin(store.commit(create(&format!("dir/n{n}"))));
        assert!(poll_once(&mut given_up).await);
    }
    let turns = &store.session.engine.turns;
    assert_eq!(turns.available_permits(), COMMITS_WAITING_MAX - 10);
    control.shut(false);
    store.commit(create("dir/last")).await.unwrap();
    assert_eq!(turns.available_permits(), COMMITS_WAITING_MAX);
    assert_eq!(store.list(&key("dir")).await.unwrap().len(), 11);
}

/// Starts a future and says whether it waits.
async fn poll_once<F: Future + Unpin>(future: &mut F) -> bool {
    std::future::poll_fn(|cx| Poll::Ready(std::pin::Pin::new(&mut *future).poll(cx).is_pending()))
        .await
}
