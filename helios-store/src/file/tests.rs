mod damage;
mod faults;

use std::path::Path;

use helios_core::store::Version;
use tempfile::TempDir;

use super::*;

fn key(text: &str) -> Key {
    Key::new(text).unwrap()
}

fn create(text: &str) -> Txn {
    Txn::new().create(key(text), text.to_owned())
}

/// All entries of `dir/…` in one line.
async fn written(store: &FileStore) -> String {
    let listed = store.list(&key("dir")).await.unwrap();
    let lines = listed.iter().map(|(name, entry)| {
        let value = String::from_utf8_lossy(&entry.value).into_owned();
        format!("{name}={value}@{}", entry.version.as_raw())
    });
    lines.collect::<Vec<_>>().join(" ")
}

/// What opening a copy of the directory as it lies on disk now gives: what a crash would leave.
async fn after_a_crash(dir: &Path) -> String {
    let copy = TempDir::new().unwrap();
    let file = "helios.redb";
    std::fs::copy(dir.join(file), copy.path().join(file)).unwrap();
    written(&FileStore::open(&copy).unwrap()).await
}

fn refusal(dir: impl AsRef<Path>) -> StoreError {
    FileStore::open(dir).expect_err("it opens")
}

#[tokio::test]
async fn a_second_opening_is_refused_until_the_first_is_over() {
    let dir = TempDir::new().unwrap();
    let store = FileStore::open(&dir).unwrap();
    let other = store.session();
    drop(store);
    let error = refusal(&dir);
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    let expected = format!(
        "the store cannot be reached: {} is open already, in this process or another; \
         a file store has one at a time",
        dir.path().display()
    );
    assert_eq!(error.to_string(), expected);
    drop(other);
    FileStore::open(&dir).unwrap();
}

#[tokio::test]
async fn a_crash_leaves_what_was_acknowledged_and_no_ephemeral_entry() {
    let dir = TempDir::new().unwrap();
    let store = FileStore::open(dir.path().join("made/on/the/way")).unwrap();
    let mixed = create("dir/lasting").create_ephemeral(key("dir/ephemeral"), "");
    store.commit(mixed).await.unwrap();
    let update = Txn::new().update(key("dir/lasting"), Version::from_raw(0), "2");
    store.commit(update).await.unwrap();
    assert_eq!(written(&store).await, "ephemeral=@0 lasting=2@1");
    let left = after_a_crash(&dir.path().join("made/on/the/way")).await;
    assert_eq!(left, "lasting=2@1");
}

#[tokio::test]
async fn a_closed_session_is_of_no_more_use() {
    let dir = TempDir::new().unwrap();
    let store = FileStore::open(&dir).unwrap();
    let agent = store.session();
    let up = Txn::new().create_ephemeral(key("dir/up"), "");
    agent.commit(up.clone()).await.unwrap();
    agent.close().await;
    agent.close().await;
    assert_eq!(written(&store).await, "");
    let errors = [
        agent.commit(up).await.unwrap_err(),
        agent.get(&key("dir/up")).await.unwrap_err(),
        agent.list(&key("dir")).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_can_read_the_file() {
    use std::os::unix::fs::PermissionsExt;
    let dir = TempDir::new().unwrap();
    let _store = FileStore::open(&dir).unwrap();
    let meta = std::fs::metadata(dir.path().join("helios.redb")).unwrap();
    assert_eq!(meta.permissions().mode() & 0o777, 0o600);
}
