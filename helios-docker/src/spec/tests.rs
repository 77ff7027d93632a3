use helios_core::runtime::{LogDriver, Mount, Protocol};
use serde_json::{Value, json};

use super::*;

fn body(spec: &ContainerSpec) -> Value {
    let owner = Owner::new("agent").unwrap();
    serde_json::to_value(create_body(&owner, spec).unwrap()).unwrap()
}

fn mount(path: &str, source: MountSource, options: Option<&str>) -> Mount {
    Mount {
        path: path.into(),
        source,
        options: options.map(str::to_owned),
    }
}

fn port(
    container_port: u16,
    host_port: u16,
    ip: Option<&str>,
    protocol: Protocol,
) -> PublishedPort {
    PublishedPort {
        container_port,
        host_port,
        host_ip: ip.map(|ip| ip.parse().unwrap()),
        protocol,
    }
}

#[test]
fn a_bare_spec_leaves_everything_to_the_image() {
    let spec = ContainerSpec::new("web", "nginx:1");
    assert_eq!(
        body(&spec),
        json!({
            "Image": "nginx:1",
            "Labels": {
                "helios.runtime.owner": "agent",
                "helios.runtime.digest": spec.digest().as_str(),
            },
            "HostConfig": { "RestartPolicy": { "Name": "no" } },
        })
    );
}

fn syslog() -> LogDriver {
    LogDriver {
        name: "syslog".into(),
        options: [("tag".into(), "web:1".into())].into(),
    }
}

#[test]
fn every_member_has_its_place() {
    let mut spec = ContainerSpec::new("web", "nginx:1");
    spec.command = vec!["serve".into(), "--all".into()];
    spec.env = [("A", "1"), ("B", "x=y")]
        .map(|(k, v)| (k.into(), v.into()))
        .into();
    spec.labels = [("team".into(), "blue".into())].into();
    spec.ports = vec![
        port(80, 8080, None, Protocol::Tcp),
        port(80, 8081, Some("127.0.0.1"), Protocol::Tcp),
        port(53, 5353, None, Protocol::Udp),
    ];
    spec.mounts = vec![
        mount("/data", MountSource::Anonymous, None),
        mount("/etc/app", MountSource::Bind("/srv/app".into()), Some("ro")),
        mount("/var/lib", MountSource::Bind("named".into()), None),
        mount("/scratch", MountSource::Tmpfs, Some("size=1m")),
        mount("/tmp", MountSource::Tmpfs, None),
    ];
    spec.hostname = Some("host-1".into());
    spec.network_mode = Some("host".into());
    spec.memory_bytes = Some(64 << 20);
    spec.memory_swap_bytes = Some(-1);
    spec.cpu_shares = Some(512);
    spec.cpuset = Some("0-1".into());
    spec.add_capabilities = ["NET_ADMIN".into()].into();
    spec.drop_capabilities = ["CHOWN".into(), "KILL".into()].into();
    spec.security_options = vec!["label:disable".into()];
    spec.runtime = Some("runc".into());
    spec.dns = vec!["10.0.0.1".into()];
    spec.extra_hosts = vec!["db:10.0.0.2".into()];
    spec.log_driver = Some(syslog());

    let mut body = body(&spec);
    body["Labels"].take();
    assert_eq!(
        body,
        json!({
            "Image": "nginx:1",
            "Cmd": ["serve", "--all"],
            "Env": ["A=1", "B=x=y"],
            "Hostname": "host-1",
            "Labels": null,
            "ExposedPorts": { "80/tcp": {}, "53/udp": {} },
            "Volumes": { "/data": {} },
            "HostConfig": {
                "PortBindings": {
                    "80/tcp": [
                        { "HostPort": "8080" },
                        { "HostIp": "127.0.0.1", "HostPort": "8081" },
                    ],
                    "53/udp": [{ "HostPort": "5353" }],
                },
                "Binds": ["/srv/app:/etc/app:ro", "named:/var/lib"],
                "Tmpfs": { "/scratch": "size=1m", "/tmp": "" },
                "NetworkMode": "host",
                "Memory": 67_108_864,
                "MemorySwap": -1,
                "CpuShares": 512,
                "CpusetCpus": "0-1",
                "CapAdd": ["NET_ADMIN"],
                "CapDrop": ["CHOWN", "KILL"],
                "SecurityOpt": ["label:disable"],
                "Runtime": "runc",
                "Dns": ["10.0.0.1"],
                "ExtraHosts": ["db:10.0.0.2"],
                "LogConfig": { "Type": "syslog", "Config": { "tag": "web:1" } },
                "RestartPolicy": { "Name": "no" },
            },
        })
    );
}

#[test]
fn what_docker_would_take_and_not_do_is_refused_here() {
    let owner = Owner::new("agent").unwrap();
    for spec in [
        ContainerSpec::new("web", ""),
        ContainerSpec::new("", "nginx:1"),
    ] {
        let error = create_body(&owner, &spec).unwrap_err();
        assert_eq!(error.kind(), RuntimeErrorKind::BadSpec);
    }
}
