//! Images are removed by their reference, and never from under a container.

use std::process::Command;

use helios_core::Runtime;
use helios_core::runtime::{ContainerSpec, Images};

use crate::harness::{DockerHarness, IMAGE, registry};

fn docker(args: &[&str]) -> String {
    let output = Command::new("docker").args(args).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "docker {args:?}: {said}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[tokio::test]
async fn a_pulled_reference_goes_and_the_image_stays_where_it_has_another_name() {
    let harness = DockerHarness::new().await;
    let runtime = harness.docker("a").await;
    let image = format!("{}/helios-test/shelf-{}:1", registry(), std::process::id());
    docker(&["tag", IMAGE, &image]);
    docker(&["push", "--quiet", &image]);
    docker(&["rmi", &image]);
    assert_eq!(runtime.image_id(&image).await.unwrap(), None);
    runtime.pull(&image).await.unwrap();
    let own = runtime.image_id(IMAGE).await.unwrap();
    assert!(own.is_some());
    assert_eq!(runtime.image_id(&image).await.unwrap(), own);
    runtime.remove_image(&image).await.unwrap();
    assert_eq!(runtime.image_id(&image).await.unwrap(), None);
    assert_eq!(runtime.image_id(IMAGE).await.unwrap(), own);
    runtime.remove_image(&image).await.unwrap();
}

#[tokio::test]
async fn an_image_that_a_container_was_made_from_stays() {
    let harness = DockerHarness::new().await;
    let runtime = harness.docker("a").await;
    let name = format!("helios-test/in-use-{}:1", std::process::id());
    let base = docker(&["create", IMAGE, "/bin/idle"]);
    docker(&["commit", &base, &name]);
    docker(&["rm", &base]);
    let spec = ContainerSpec::new(format!("in-use-{}", std::process::id()), &name);
    let id = runtime.create(&spec).await.unwrap();
    let error = runtime.remove_image(&name).await.unwrap_err();
    assert!(error.to_string().contains(&name), "{error}");
    assert!(runtime.image_id(&name).await.unwrap().is_some());
    runtime.remove(&id).await.unwrap();
    runtime.remove_image(&name).await.unwrap();
    assert_eq!(runtime.image_id(&name).await.unwrap(), None);
}
