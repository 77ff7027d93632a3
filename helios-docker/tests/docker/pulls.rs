//! Credentials, with a registry that asks for some.

use std::fs;

use helios_core::Runtime;
use helios_core::runtime::RuntimeErrorKind as Kind;
use helios_docker::Credentials;

use crate::harness::{DockerHarness, IMAGE, private_registry, registry};

/// "helios:open???sesame>>>~~~": a password that base64 writes differently for URLs.
const LOGIN: &str = "aGVsaW9zOm9wZW4/Pz9zZXNhbWU+Pj5+fn4=";

async fn pull(host: &str, login: &str, image: &str) -> Result<(), Kind> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.json");
    let config = format!(r#"{{"auths":{{"{host}":{{"auth":"{login}"}}}}}}"#);
    fs::write(&path, config).unwrap();
    let harness = DockerHarness::new().await;
    let runtime = harness.docker("a").await;
    let runtime = runtime.with_credentials(Credentials::File(path));
    runtime.pull(image).await.map_err(|error| error.kind())
}

#[tokio::test]
async fn credentials_open_the_registry_they_are_for() {
    let host = private_registry();
    let image = format!("{host}/{IMAGE}");
    assert_eq!(pull(&host, LOGIN, &image).await, Ok(()));
}

#[tokio::test]
async fn credentials_of_another_registry_do_not() {
    let image = format!("{}/{IMAGE}", private_registry());
    let outcome = pull(&registry(), LOGIN, &image).await;
    assert_eq!(outcome, Err(Kind::RegistryDenied));
}

#[tokio::test]
async fn wrong_credentials_are_denied() {
    let host = private_registry();
    let image = format!("{host}/{IMAGE}");
    // "helios:wrong".
    let outcome = pull(&host, "aGVsaW9zOndyb25n", &image).await;
    assert_eq!(outcome, Err(Kind::RegistryDenied));
}

#[tokio::test]
async fn a_malformed_reference_is_an_unknown_image() {
    let harness = DockerHarness::new().await;
    let runtime = harness.docker("a").await;
    let error = runtime.pull("NOT//a reference").await.unwrap_err();
    assert_eq!(error.kind(), Kind::ImageUnknown);
}
