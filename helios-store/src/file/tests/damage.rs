//! A file that is not what it was.

use std::fs;

use redb::{Database, TableDefinition};

use super::*;

/// A directory with some entries, and how they read.
async fn filled() -> (TempDir, String) {
    let dir = TempDir::new().unwrap();
    let store = FileStore::open(&dir).unwrap();
    for n in 0..20 {
        store.commit(create(&format!("dir/n{n}"))).await.unwrap();
    }
    let text = written(&store).await;
    (dir, text)
}

fn corrupt(dir: &TempDir, expected: &str) {
    let error = refusal(dir);
    assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{error}");
    let expected = format!(
        "the store holds something unreadable: {}: {expected}; restore the file from a backup, or \
         move it away to begin with an empty store",
        dir.path().join("helios.redb").display()
    );
    assert_eq!(error.to_string(), expected);
}

#[tokio::test]
async fn an_emptied_or_foreign_file_is_no_store() {
    let (dir, _) = filled().await;
    let path = dir.path().join("helios.redb");
    fs::write(&path, "").unwrap();
    corrupt(&dir, "it is empty");
    fs::write(&path, "{}").unwrap();
    corrupt(&dir, "the file is damaged");
    fs::write(&path, vec![7; 100_000]).unwrap();
    corrupt(&dir, "the file is damaged");
}

#[tokio::test]
async fn a_database_of_somebody_else_is_no_store() {
    let dir = TempDir::new().unwrap();
    drop(Database::create(dir.path().join("helios.redb")).unwrap());
    corrupt(&dir, "the file is damaged");
}

#[tokio::test]
async fn a_format_of_another_version_is_named() {
    let (dir, _) = filled().await;
    let database = Database::create(dir.path().join("helios.redb")).unwrap();
    let transaction = database.begin_write().unwrap();
    let meta = TableDefinition::<&str, u64>::new("meta");
    let mut table = transaction.open_table(meta).unwrap();
    table.insert("format", 2).unwrap();
    drop(table);
    transaction.commit().unwrap();
    drop(database);
    let found = "it has format 2, this program reads format 1: use the one that wrote it";
    corrupt(&dir, found);
}

/// Whatever byte is wrong: the store refuses to open, or shows exactly what it held.
#[tokio::test]
async fn damage_never_passes_for_a_wish() {
    let (dir, whole) = filled().await;
    let path = dir.path().join("helios.redb");
    let bytes = fs::read(&path).unwrap();
    let header = (0..512).filter(|at| bytes[*at] != 0);
    let stored = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(b"dir/n1"));
    let mut refused = 0;
    for at in header.step_by(3).chain(stored) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0xff;
        fs::write(&path, damaged).unwrap();
        match FileStore::open(&dir) {
            Ok(store) => assert_eq!(written(&store).await, whole, "byte {at}"),
            Err(error) => {
                assert_eq!(error.kind(), StoreErrorKind::Corrupt, "byte {at}: {error}");
                refused += 1;
            }
        }
    }
    assert!(refused > 20, "only {refused} damages were seen");
}
