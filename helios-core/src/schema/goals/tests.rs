use super::*;
use crate::schema::{HostRecord, Keys, decode, encode};

const WEB: &str = "web:1:0123456789012345678901234567890123456789";

/// A host with the golden goal, one of a newer master, and one under no job's id.
fn partly_read() -> (String, HostRecord) {
    let golden = include_str!("../golden/host.json").trim_end();
    let newer = format!(
        r#""goals":{{"{WEB}":{{"goal":"HIBERNATE", "job":{{"token":"sesame","n":1e400}}}},"#
    );
    let broken = golden.replacen(r#""goals":{"#, &newer, 1);
    let text = broken.replacen(r#"}},"groups""#, r#"},"nonsense":7},"groups""#, 1);
    assert!(text.contains("nonsense"), "{text}");
    let record = decode(&Keys::hosts(), text.as_bytes()).unwrap();
    (text, record)
}

#[test]
fn a_goal_that_cannot_be_read_hides_no_other_and_comes_back_as_it_was() {
    let golden = include_str!("../golden/host.json").trim_end();
    let whole: HostRecord = decode(&Keys::hosts(), golden.as_bytes()).unwrap();
    let (text, record) = partly_read();
    assert_eq!(*record.goals, *whole.goals, "{text}");
    let unread: Vec<_> = record.goals.unread().keys().collect();
    assert_eq!(unread, ["nonsense", WEB]);
    assert!(record.goals.unread_jobs().eq([WEB.parse().unwrap()]));
    let stored = encode(&record);
    let again: HostRecord = decode(&Keys::hosts(), &stored).unwrap();
    assert_eq!(again, record);
    let stored = std::str::from_utf8(&stored).unwrap();
    let verbatim = [
        r#"{"goal":"HIBERNATE", "job":{"token":"sesame","n":1e400}}"#,
        r#""nonsense":7"#,
    ];
    for verbatim in verbatim {
        assert!(stored.contains(verbatim), "{stored}");
    }
}

#[test]
fn what_is_told_of_one_names_it_and_what_to_do_and_not_its_token() {
    let (_, record) = partly_read();
    let host = "n1".parse().unwrap();
    let told: Vec<String> = record.goals.problems(&host).collect();
    let [nonsense, web] = &told[..] else {
        panic!("{told:?}")
    };
    assert!(nonsense.contains("take it out of the store's entry hosts/n1"));
    assert!(
        web.contains("HIBERNATE") && web.contains("undeploy the job from n1"),
        "{web}"
    );
    assert!(!format!("{told:?} {record:?}").contains("sesame"));
    assert_eq!(record.goals.unread()[WEB].token(), "sesame");
    assert_eq!(record.goals.unread()["nonsense"].token(), "");
}

#[test]
fn one_that_is_deployed_anew_or_given_up_is_gone() {
    let (_, mut record) = partly_read();
    let job: JobId = WEB.parse().unwrap();
    assert!(record.goals.concern(&job) && !record.goals.contains_key(&job));
    let goal = record.goals.values().next().unwrap().clone();
    record.goals.insert(job.clone(), goal);
    let again: HostRecord = decode(&Keys::hosts(), &encode(&record)).unwrap();
    assert!(again.goals.contains_key(&job) && again.goals.unread_of(&job).is_none());
    record.goals.forget(&job);
    let again: HostRecord = decode(&Keys::hosts(), &encode(&record)).unwrap();
    assert!(!again.goals.concern(&job));
}

#[test]
fn goals_that_are_no_goals_at_all_are_refused() {
    let golden = include_str!("../golden/host_drained.json");
    for wrong in [r#""goals":5"#, r#""goals":[]"#, r#""goals":null"#] {
        let text = golden.replacen(r#""goals":{}"#, wrong, 1);
        assert!(text.contains(wrong), "{text}");
        decode::<HostRecord>(&Keys::hosts(), text.as_bytes()).unwrap_err();
    }
}
