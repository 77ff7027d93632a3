//! Whatever is stored comes back as it was.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::agent::Remembered;
use crate::model::{Goal, any_job};
use crate::time::Timestamp;

fn text() -> impl Strategy<Value = String> {
    ".{0,6}"
}

fn goals() -> impl Strategy<Value = GoalRecord> {
    let goal = prop_oneof![Just(Goal::Start), Just(Goal::Stop), Just(Goal::Undeploy)];
    let who = (
        prop::option::of(text()),
        prop::option::of(text()),
        prop::option::of(text()),
    );
    (any_job(), goal, who).prop_map(|(job, goal, (user, master, group))| GoalRecord {
        job: Arc::new(job),
        goal,
        user,
        master,
        group,
    })
}

fn drain() -> impl Strategy<Value = Drain> {
    (text(), text(), any::<i64>(), prop::option::of(text())).prop_map(|(by, id, since, reset)| {
        Drain {
            by,
            id,
            since: Timestamp::from_millis(since),
            reset,
        }
    })
}

fn mark() -> impl Strategy<Value = GroupMark> {
    (text(), text(), any::<u32>()).prop_map(|(group, rollout, step)| GroupMark {
        group,
        rollout,
        step: step.into(),
    })
}

fn comes_back<T>(record: &T)
where
    T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug,
{
    let key = Keys::cluster();
    let read: T = decode(&key, &encode(record)).unwrap();
    assert_eq!(read, *record);
    assert_eq!(
        encode(&read),
        encode(record),
        "and is written the same again"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases / 8))]

    #[test]
    fn a_host_comes_back_as_it_was_stored(
        (agent_id, epoch) in (text(), text()),
        revision in any::<u64>(),
        goals in prop::collection::vec(goals(), 0..3),
        drain in prop::option::of(drain()),
        groups in prop::collection::btree_map(text(), mark(), 0..2),
    ) {
        let goals: Goals = goals.into_iter().map(|goal| (goal.job.id.clone(), goal)).collect();
        let record = HostRecord { agent_id, epoch, revision, goals, drain, groups };
        comes_back(&record);
        let ports = Arc::new(BTreeMap::from([("http".to_owned(), 20_001)]));
        let leases = record.goals.keys().map(|id| (id.clone(), Arc::clone(&ports))).collect();
        let remembered = Remembered {
            cluster: Some(record.agent_id.clone()),
            epoch: Some(record.epoch.clone()),
            revision,
            goals: record.goals.clone().into_iter().collect(),
            drain: record.drain,
            leases: Arc::new(leases),
            ..Remembered::default()
        };
        comes_back(&remembered);
    }

    #[test]
    fn jobs_and_their_names_come_back_as_they_were_stored(job in any_job(), removing in prop::option::of(text())) {
        let id = job.id.clone();
        comes_back(&JobRecord { job: Arc::new(job), removing });
        comes_back(&NameRecord { id });
    }

    #[test]
    fn who_is_alive_and_who_changed_what_comes_back(
        (principal, action, detail) in (text(), text(), text()),
        millis in any::<i64>(),
    ) {
        comes_back(&Presence { id: principal.clone(), incarnation: action.clone() });
        comes_back(&ClusterRecord { id: detail.clone() });
        let at = Timestamp::from_millis(millis);
        comes_back(&AuditRecord { at, principal, action, job: None, host: "web1".parse().ok(), detail });
    }

    /// Whatever is in an entry: it is read or refused, and nothing panics.
    #[test]
    fn any_bytes_are_a_record_or_corrupt(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let key = Keys::cluster();
        for error in [
            decode::<HostRecord>(&key, &bytes).err(),
            decode::<JobRecord>(&key, &bytes).err(),
            decode::<HostReport>(&key, &bytes).err(),
            decode::<Presence>(&key, &bytes).err(),
        ].into_iter().flatten() {
            prop_assert_eq!(error.kind(), StoreErrorKind::Corrupt);
        }
    }
}
