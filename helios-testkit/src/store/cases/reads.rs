//! S-01 to S-05: what reads show.

use helios_core::store::{Key, Snapshot, Txn};

use crate::store::trial::{Handle, Rising, Trial, number, written};

const ROUNDS: u64 = 100;

/// The rounds in which the reader is awaited before the next commit.
const PACED: u64 = 10;

pub(in crate::store) async fn s01_absent_and_deleted_entries_are_none(trial: Trial) {
    let handle = trial.open().await;
    let (key, judge) = (trial.key("entry"), trial.judge());
    judge.demand(handle.get(&key).await.is_none(), "never created, yet there");
    handle.put(&key, "").await;
    let empty = handle.text(&key).await;
    judge.demand(empty.as_deref() == Some(""), "an empty value is a value");
    handle.delete(&key).await;
    judge.demand(handle.get(&key).await.is_none(), "deleted, yet there");
    handle.put(&key.clone(), "again").await;
    let below = trial.key("entry-2/below");
    judge.demand(
        handle.get(&below).await.is_none(),
        "below nothing is nothing",
    );
    handle.put(&below, "").await;
    let dir = trial.key("entry-2");
    judge.demand(handle.get(&dir).await.is_none(), "a directory is no entry");
}

pub(in crate::store) async fn s02_a_handle_reads_what_it_committed(trial: Trial) {
    let handle = trial.open().await;
    let (key, judge) = (trial.key("dir/entry"), trial.judge());
    for round in 0..ROUNDS {
        handle.put(&key, round).await;
        let seen = handle.text(&key).await;
        judge.demand(
            seen == Some(round.to_string()),
            format_args!("committed {round}, read {seen:?}"),
        );
        if round % 5 == 0 {
            handle.delete(&key).await;
            judge.demand(
                handle.get(&key).await.is_none(),
                "read after its own delete",
            );
        }
    }
}

pub(in crate::store) async fn s03_reads_never_go_back(trial: Trial) {
    let (writer, reader) = (trial.open().await, trial.open().await);
    let (key, judge) = (trial.key("dir/counter"), trial.judge());
    let mut rising = Rising::new(judge);
    for round in 1..=PACED {
        writer.put(&key, round).await;
        rise_by_get(&reader, &key, &mut rising, round).await;
    }
    let burst = spawn_burst(&writer, &[&key]);
    rise_by_get(&reader, &key, &mut rising, ROUNDS).await;
    join(burst.await);
}

async fn rise_by_get(reader: &Handle, key: &Key, rising: &mut Rising, target: u64) {
    let climb = async {
        while !rising.stays(number(reader.get(key).await.as_ref()), target) {
            tokio::task::yield_now().await;
        }
    };
    reader
        .judge()
        .within("the last commit to be read", climb)
        .await;
}

pub(in crate::store) async fn s04_exactly_the_direct_children_in_order(trial: Trial) {
    let handle = trial.open().await;
    let judge = trial.judge();
    let paths = [
        "dir/b",
        "dir/a",
        "dir/a.b",
        "dir/a-b",
        "dir/B",
        "dir/a:b",
        "dir/a0",
        "dir/_",
        "dir/sub/below",
        "dir/sub/deeper/below",
        "dir2/other",
        "di/other",
        "dir-2",
        "dir.2",
    ];
    for path in paths {
        handle.put(&trial.key(path), "x").await;
    }
    let names = |snapshot: &Snapshot| {
        let names: Vec<&str> = snapshot.iter().map(|(name, _)| name).collect();
        names.join(" ")
    };
    let listed = names(&handle.list(&trial.key("dir")).await);
    let expected = "B _ a a-b a.b a0 a:b b";
    judge.demand(
        listed == expected,
        format_args!("listed {listed}, not {expected}"),
    );
    let listed = names(&handle.list(&trial.key("dir/sub")).await);
    judge.demand(
        listed == "below",
        format_args!("listed {listed} in dir/sub"),
    );
    handle.delete(&trial.key("dir/a")).await;
    let listed = names(&handle.list(&trial.key("dir")).await);
    judge.demand(
        !listed.contains(" a "),
        format_args!("a was deleted, yet {listed}"),
    );
}

pub(in crate::store) async fn s04_an_absent_directory_is_empty(trial: Trial) {
    let handle = trial.open().await;
    let judge = trial.judge();
    let listed = handle.list(&trial.key("nowhere/at/all")).await;
    judge.demand(listed.is_empty(), format_args!("nothing lists {listed:?}"));
    let entry = trial.key("dir/entry");
    handle.put(&entry, "x").await;
    let listed = handle.list(&entry).await;
    judge.demand(listed.is_empty(), format_args!("an entry lists {listed:?}"));
    handle.delete(&entry).await;
    let listed = handle.list(&trial.key("dir")).await;
    judge.demand(
        listed.is_empty(),
        format_args!("an emptied directory lists {listed:?}"),
    );
}

pub(in crate::store) async fn s05_a_listing_shows_what_the_handle_committed(trial: Trial) {
    let handle = trial.open().await;
    let (dir, judge) = (trial.key("dir"), trial.judge());
    for round in 0..ROUNDS / 4 {
        let (old, new) = (trial.key("dir/old"), trial.key(&format!("dir/n{round:03}")));
        handle.put(&old, round).await;
        handle.commit(Txn::new().create(new.clone(), "new")).await;
        let listed = handle.list(&dir).await;
        judge.demand(
            number(listed.get("old")) == round && listed.get(new.name()).is_some(),
            format_args!("after round {round} it lists {}", written(&listed)),
        );
        let read = handle.get(&old).await;
        judge.demand(
            listed.get("old") == read.as_ref(),
            "get and list show an unchanged entry differently",
        );
        handle.delete(&new).await;
        let listed = handle.list(&dir).await;
        judge.demand(
            listed.get(new.name()).is_none(),
            "listed after its own delete",
        );
    }
}

pub(in crate::store) async fn s05_listings_never_go_back(trial: Trial) {
    let (writer, reader) = (trial.open().await, trial.open().await);
    let (dir, judge) = (trial.key("dir"), trial.judge());
    let (first, second) = (trial.key("dir/first"), trial.key("dir/second"));
    let mut rising = [Rising::new(judge), Rising::new(judge)];
    for round in 1..=PACED {
        writer.put(&first, round).await;
        writer.put(&second, round).await;
        rise_by_list(&reader, &dir, &mut rising, round).await;
    }
    let burst = spawn_burst(&writer, &[&first, &second]);
    rise_by_list(&reader, &dir, &mut rising, ROUNDS).await;
    join(burst.await);
}

async fn rise_by_list(reader: &Handle, dir: &Key, rising: &mut [Rising; 2], target: u64) {
    let [first, second] = rising;
    let climb = async {
        loop {
            let listed = reader.list(dir).await;
            let first = first.stays(number(listed.get("first")), target);
            if second.stays(number(listed.get("second")), target) && first {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    reader
        .judge()
        .within("the last commit to be listed", climb)
        .await;
}

/// Commits the rounds after [`PACED`] to all keys in turn, while others read.
fn spawn_burst(writer: &Handle, keys: &[&Key]) -> tokio::task::JoinHandle<()> {
    let writer = writer.clone();
    let keys: Vec<Key> = keys.iter().copied().cloned().collect();
    tokio::spawn(async move {
        for round in PACED + 1..=ROUNDS {
            for key in &keys {
                writer.put(key, round).await;
            }
        }
    })
}

/// Hands on the failure of a task.
pub(super) fn join<T>(task: Result<T, tokio::task::JoinError>) -> T {
    match task {
        Ok(value) => value,
        Err(error) => match error.try_into_panic() {
            Ok(cause) => std::panic::resume_unwind(cause),
            Err(error) => panic!("a task of the suite was cancelled: {error}"),
        },
    }
}
