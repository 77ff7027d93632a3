use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::Value;

use super::*;
use crate::model::Capabilities;

#[derive(Deserialize)]
struct File<T> {
    vectors: Vec<T>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct IdVector {
    #[serde(default)]
    what: String,
    job: Value,
    canonical: Option<String>,
    config_hash: Option<String>,
    id: String,
}

fn check_ids(file: &str, count: usize) {
    let file: File<IdVector> = serde_json::from_str(file).unwrap();
    assert_eq!(file.vectors.len(), count);
    for vector in file.vectors {
        let job = Job::from_json(&vector.job.to_string()).unwrap();
        let canonical = job.canonical_json();
        if let Some(expected) = vector.canonical {
            assert_eq!(canonical, expected, "{}", vector.what);
        }
        if let Some(expected) = vector.config_hash {
            assert_eq!(sha1_hex(&canonical), expected, "{}", vector.what);
        }
        assert_eq!(job.compute_id().to_string(), vector.id, "{}", vector.what);
    }
}

#[test]
fn ids_pinned_by_the_original() {
    check_ids(include_str!("../../../vectors/job-id-pinned.json"), 10);
}

#[test]
fn ids_of_edge_cases() {
    check_ids(include_str!("../../../vectors/job-id-edge-cases.json"), 33);
}

#[test]
fn ids_of_random_jobs() {
    check_ids(include_str!("../../../vectors/job-id-random.json"), 60);
}

#[test]
fn sets_have_the_order_of_the_original() {
    #[derive(Deserialize)]
    struct Vector {
        items: Vec<String>,
        order: Vec<String>,
    }
    let file: File<Vector> =
        serde_json::from_str(include_str!("../../../vectors/java-set-order.json")).unwrap();
    assert!(!file.vectors.is_empty());
    for vector in file.vectors {
        let set: Capabilities = vector.items.into_iter().collect();
        assert_eq!(set.as_slice(), vector.order);
    }
}

#[test]
fn a_crowded_bucket_doubles_the_table_and_a_full_one_does_not() {
    // Eight texts of one hash, a ninth, and two whose order depends on the size of the table.
    let eight = [
        "AaAaAa", "AaAaBB", "AaBBAa", "AaBBBB", "BBAaAa", "BBAaBB", "BBBBAa", "BBBBBB",
    ];
    let order_of_last = |items: &[&str]| {
        let set: Capabilities = items.iter().copied().collect();
        let last: Vec<String> = set
            .iter()
            .filter(|item| item.len() == 1)
            .map(str::to_owned)
            .collect();
        last.concat()
    };
    assert_eq!(order_of_last(&[&eight[..], &["b", "q"]].concat()), "qb");
    assert_eq!(
        order_of_last(&[&eight[..], &["AaAaC#", "b", "q"]].concat()),
        "bq"
    );
}

proptest! {
    #[test]
    fn any_text_is_written_as_json_that_reads_back(text in any::<String>()) {
        let mut json = String::new();
        write_text(&mut json, &text);
        prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
    }

    #[test]
    fn every_part_of_the_content_counts(key in "[a-z]{1,4}", value in ".{0,4}") {
        let plain = Job::new("a:b", "i").unwrap();
        let mut with_env = plain.clone();
        with_env.env = BTreeMap::from([(key, value)]);
        prop_assert_ne!(plain.compute_id(), with_env.compute_id());
    }
}
