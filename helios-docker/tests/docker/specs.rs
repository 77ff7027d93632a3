//! What a spec says is what the process sees.

use std::time::Duration;

use futures_util::StreamExt;
use helios_core::Runtime;
use helios_core::runtime::{
    ContainerId, ContainerSpec, Exec, Logs, Mount, MountSource, Protocol, PublishedPort,
    RuntimeErrorKind as Kind,
};
use helios_docker::DockerRuntime;
use helios_testkit::runtime::conformance::{Behaviour, RuntimeHarness};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::DockerHarness;

const WITHIN: Duration = Duration::from_secs(60);

async fn started(runtime: &DockerRuntime, spec: &ContainerSpec) -> ContainerId {
    let id = runtime.create(spec).await.unwrap();
    runtime.start(&id).await.unwrap();
    id
}

async fn says(runtime: &DockerRuntime, id: &ContainerId, command: &str) -> String {
    let command = ["/bin/sh", "-c", command].map(str::to_owned);
    let output = runtime.exec(id, &command, WITHIN).await.unwrap();
    assert_eq!(output.code, 0, "{command:?}: {output:?}");
    String::from_utf8(output.output.to_vec())
        .unwrap()
        .trim()
        .to_owned()
}

fn mount(path: &str, source: MountSource, options: Option<&str>) -> Mount {
    Mount {
        path: path.into(),
        source,
        options: options.map(str::to_owned),
    }
}

#[tokio::test]
async fn the_process_sees_what_the_spec_says() {
    let harness = DockerHarness::new().await;
    let runtime = harness.docker("a").await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "from the host").unwrap();
    let source = folder.path().to_str().unwrap();

    let mut spec = harness.spec("full", Behaviour::Obedient);
    spec.env.insert("COLOUR".into(), "blue = green".into());
    spec.hostname = Some("some-host".into());
    spec.extra_hosts = vec!["db:10.1.2.3".into()];
    spec.dns = vec!["10.9.8.7".into()];
    spec.memory_bytes = Some(64 << 20);
    spec.cpu_shares = Some(512);
    spec.runtime = Some("runc".into());
    spec.drop_capabilities = ["CHOWN".to_owned()].into();
    spec.add_capabilities = ["NET_ADMIN".to_owned()].into();
    spec.security_options = vec!["no-new-privileges".into()];
    spec.mounts = vec![
        mount("/host", MountSource::Bind(source.into()), Some("ro")),
        mount("/anonymous", MountSource::Anonymous, None),
        mount("/memory", MountSource::Tmpfs, Some("size=1m")),
    ];
    let id = started(&runtime, &spec).await;

    for (command, answer) in [
        ("echo $COLOUR", "blue = green"),
        ("hostname", "some-host"),
        ("cat /host/file", "from the host"),
        ("touch /host/no 2>/dev/null || echo read-only", "read-only"),
        ("touch /anonymous/yes && echo writable", "writable"),
        ("grep -c ' /memory tmpfs .*size=1024k' /proc/mounts", "1"),
        ("grep db /etc/hosts | cut -c1-8", "10.1.2.3"),
        ("cat /etc/resolv.conf | grep -c 10.9.8.7", "1"),
        (
            "grep NoNewPrivs /proc/1/status | tr -d '\\t'",
            "NoNewPrivs:1",
        ),
        ("chown 5 /memory 2>/dev/null || echo no chown", "no chown"),
        ("ip link set lo mtu 1400 && echo net admin", "net admin"),
    ] {
        assert_eq!(says(&runtime, &id, command).await, answer, "{command}");
    }
    let inspect = harness
        .client
        .inspect_container(id.as_str(), None)
        .await
        .unwrap();
    let config = inspect.host_config.unwrap();
    assert_eq!(config.memory, Some(64 << 20));
    assert_eq!(config.cpu_shares, Some(512));
    harness.clean_up().await;
}

#[tokio::test]
async fn a_published_port_leads_inside() {
    let harness = DockerHarness::new().await;
    let runtime = harness.docker("a").await;
    let mut spec = harness.spec("web", Behaviour::Obedient);
    spec.image = "helios-test/web:1".into();
    spec.command = Vec::new();
    spec.ports = vec![PublishedPort {
        container_port: 80,
        host_port: harness.free_port(),
        host_ip: Some("127.0.0.1".parse().unwrap()),
        protocol: Protocol::Tcp,
    }];
    let id = started(&runtime, &spec).await;
    // The server inside listens a moment after its process began.
    let mut page = String::new();
    while !page.contains("helios-test/web:1") {
        let address = ("127.0.0.1", spec.ports[0].host_port);
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let request = b"GET / HTTP/1.0\r\n\r\n";
        if stream.write_all(request).await.is_ok() {
            let _ = stream.read_to_string(&mut page).await;
        }
    }
    let there = runtime
        .list()
        .await
        .unwrap()
        .get(&spec.name)
        .cloned()
        .unwrap();
    assert_eq!(there.id, id);
    assert!(there.ip.is_some());
    harness.clean_up().await;
}

#[tokio::test]
async fn a_command_inside_has_a_code_and_output_and_an_end() {
    let harness = DockerHarness::new().await;
    let runtime = harness.docker("a").await;
    let id = started(&runtime, &harness.spec("one", Behaviour::Obedient)).await;
    let run = async |script: &str, within| {
        let command = ["/bin/sh", "-c", script].map(str::to_owned);
        runtime.exec(&id, &command, within).await
    };
    let output = run("echo out; echo err >&2; exit 3", WITHIN).await.unwrap();
    assert_eq!(output.code, 3);
    assert_eq!(output.output.len(), "out\nerr\n".len());

    let much = run("yes | head -c 1000000", WITHIN).await.unwrap();
    assert_eq!(
        much.output.len(),
        helios_core::runtime::EXEC_OUTPUT_BYTES_MAX
    );

    let endless = run("sleep 1000", Duration::from_millis(300)).await;
    assert_eq!(endless.unwrap_err().kind(), Kind::TimedOut);

    harness.kill(&id).await;
    runtime.stop(&id, Duration::ZERO).await.unwrap();
    assert_eq!(
        run("true", WITHIN).await.unwrap_err().kind(),
        Kind::NotFound
    );
    let other = harness.docker("b").await;
    let foreign = other.exec(&id, &["true".to_owned()], WITHIN).await;
    assert_eq!(foreign.unwrap_err().kind(), Kind::NotFound);
    harness.clean_up().await;
}

#[tokio::test]
async fn logs_end_at_the_present_or_with_the_container() {
    let harness = DockerHarness::new().await;
    let runtime = harness.docker("a").await;
    let mut spec = harness.spec("one", Behaviour::Exits(0));
    spec.command[2] = "for n in 1 2 3; do echo line $n; done".into();
    let id = started(&runtime, &spec).await;
    let read = async |tail, follow| {
        let mut text = String::new();
        let mut logs = runtime.logs(&id, tail, follow);
        while let Some(chunk) = logs.next().await {
            text.push_str(std::str::from_utf8(&chunk.unwrap()).unwrap());
        }
        text
    };
    assert_eq!(read(10, true).await, "line 1\nline 2\nline 3\n");
    assert_eq!(read(2, false).await, "line 2\nline 3\n");

    let none = runtime
        .logs(&ContainerId::new("0123456789ab"), 1, false)
        .next()
        .await;
    assert_eq!(none.unwrap().unwrap_err().kind(), Kind::NotFound);
    harness.clean_up().await;
}

#[tokio::test]
async fn the_engine_tells_its_version() {
    let harness = DockerHarness::new().await;
    let version = harness.docker("a").await.version().await.unwrap();
    assert!(version.version.is_some() && version.api_version.is_some());
    assert_eq!(version.os.as_deref(), Some("linux"));
}
