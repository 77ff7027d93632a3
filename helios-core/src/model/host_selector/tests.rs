use serde_json::Value;

use super::*;

fn matches(selector: &str, label: &str, value: &str) -> bool {
    let labels = BTreeMap::from([(label.to_owned(), value.to_owned())]);
    selector.parse::<HostSelector>().unwrap().matches(&labels)
}

#[test]
fn a_host_without_the_label_never_matches() {
    for selector in ["a = x", "a != x", "a in (x)", "a notin (x)"] {
        assert!(!matches(selector, "b", "y"), "{selector}");
    }
    assert!(matches("a != x", "a", "y"));
    assert!(matches("a notin (x, z)", "a", "y"));
    assert!(!matches("a in (x, z)", "a", "y"));
}

#[test]
fn no_selector_means_no_host() {
    let labels = BTreeMap::from([("a".to_owned(), "b".to_owned())]);
    assert!(!HostSelector::all_match(&[], &labels));
    assert!(HostSelector::all_match(&["a=b".parse().unwrap()], &labels));
}

#[test]
fn the_longest_label_that_leaves_a_condition_is_taken() {
    let selector: HostSelector = "anotin(foo)".parse().unwrap();
    assert_eq!(selector.to_string(), "anot in [foo]");
    assert_eq!(
        "a in (,)".parse::<HostSelector>().unwrap().to_string(),
        "a in []"
    );
}

#[test]
fn the_operand_in_json_fits_the_operator() {
    for json in [
        r#"{"label":"a","operator":"IN","operand":"x"}"#,
        r#"{"label":"a","operator":"EQUALS","operand":["x"]}"#,
        r#"{"label":"a","operator":"LIKE","operand":"x"}"#,
        r#"{"label":"a","operator":"EQUALS"}"#,
    ] {
        assert!(
            serde_json::from_str::<HostSelector>(json).is_err(),
            "{json}"
        );
    }
}

#[test]
fn the_vectors_of_the_original() {
    #[derive(Deserialize)]
    struct File {
        vectors: Vec<Vector>,
    }
    #[derive(Deserialize)]
    struct Vector {
        text: String,
        parsed: Option<Value>,
        pretty: Option<String>,
    }
    let file: File =
        serde_json::from_str(include_str!("../../../vectors/host-selector-parse.json")).unwrap();
    assert_eq!(file.vectors.len(), 40);
    for Vector {
        text,
        parsed,
        pretty,
    } in file.vectors
    {
        let selector = text.parse::<HostSelector>().ok();
        assert_eq!(
            selector.as_ref().map(ToString::to_string),
            pretty,
            "{text:?}"
        );
        if let (Some(selector), Some(parsed)) = (selector, parsed) {
            assert_eq!(serde_json::to_value(&selector).unwrap(), parsed, "{text:?}");
            assert_eq!(
                serde_json::from_value::<HostSelector>(parsed).unwrap(),
                selector
            );
        }
    }
}
