use std::fs;

use super::*;

const SECOND: Duration = Duration::from_secs(30);

async fn find(config: &str, registry: &str) -> Found {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.json");
    fs::write(&path, config).unwrap();
    let lookup = Lookup::new(Credentials::File(path));
    lookup.find(registry, SECOND).await
}

#[tokio::test]
async fn credentials_are_found_for_the_named_registry_and_no_other() {
    // "dXNlcjpwYXNz" is "user:pass".
    let config = r#"{"auths":{"one:5000":{"auth":"dXNlcjpwYXNz"}}}"#;
    let Found::Credentials(found) = find(config, "one:5000").await else {
        panic!("not found");
    };
    assert_eq!(found.username.as_deref(), Some("user"));
    assert_eq!(found.password.as_deref(), Some("pass"));
    assert_eq!(found.serveraddress.as_deref(), Some("one:5000"));
    assert!(matches!(find(config, "two:5000").await, Found::Nothing));
}

#[tokio::test]
async fn no_file_means_no_credentials() {
    let nowhere = Credentials::File("/nowhere/config.json".into());
    let found = Lookup::new(nowhere).find("one", SECOND).await;
    assert!(matches!(found, Found::Nothing));
    let found = Lookup::new(Credentials::Anonymous)
        .find("one", SECOND)
        .await;
    assert!(matches!(found, Found::Nothing));
}

#[tokio::test]
async fn an_illegible_file_is_trouble_that_names_it() {
    let Found::Trouble(why) = find("{", "one").await else {
        panic!("no trouble");
    };
    assert!(why.contains("config.json"), "{why}");
}

#[tokio::test]
async fn a_helper_that_does_not_exist_is_trouble() {
    let config = r#"{"credHelpers":{"one":"of-nobody-at-all"}}"#;
    assert!(matches!(find(config, "one").await, Found::Trouble(_)));
    assert!(matches!(find(config, "two").await, Found::Nothing));
}

#[test]
fn what_a_failing_helper_printed_is_never_repeated() {
    let error = CredentialRetrievalError::HelperFailure {
        helper: "docker-credential-x".into(),
        stdout: "secret".into(),
        stderr: "secret".into(),
    };
    let Found::Trouble(why) = not_found(&error, "config.json".as_ref()) else {
        panic!("no trouble");
    };
    assert!(
        why.contains("docker-credential-x") && !why.contains("secret"),
        "{why}"
    );
}
