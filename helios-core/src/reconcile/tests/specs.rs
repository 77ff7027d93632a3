//! From a job to its container.

use super::*;
use crate::model::{Capabilities, Resources, ServiceEndpoint, ServicePorts};
use crate::runtime::{ContainerSpec, Mount, MountSource, PublishedPort};

fn spec_of(job: &Job, policy: &Policy) -> ContainerSpec {
    let ports = [("dns".to_owned(), 20_001), ("http".to_owned(), 20_000)];
    container_spec(job, &ports.into(), policy)
}

fn plain_spec(job: &Job) -> ContainerSpec {
    spec_of(job, &Policy::for_host("web1"))
}

fn mount(path: &str, source: MountSource, options: Option<&str>) -> Mount {
    Mount {
        path: path.to_owned(),
        source,
        options: options.map(ToOwned::to_owned),
    }
}

fn bind(from: &str) -> MountSource {
    MountSource::Bind(from.to_owned())
}

fn texts(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    pairs.iter().map(pair).collect()
}

#[test]
fn a_container_has_what_its_job_says() {
    let resources = Resources {
        memory: Some(1),
        memory_swap: Some(2),
        cpu_shares: Some(3),
        cpuset: Some("0-1".to_owned()),
    };
    let job = job("web")
        .command(["serve", "--all"])
        .label("team", "blue")
        .hostname("front")
        .network_mode("bridge")
        .runtime("runc")
        .resources(resources)
        .security_opt("label:disable")
        .add_capabilities(["NET_ADMIN"])
        .drop_capabilities(["MKNOD"])
        .seconds_to_wait_before_kill(7)
        .with_computed_id();
    let spec = plain_spec(&job);
    assert_eq!(spec.name, container_name("helios", &job.id));
    assert_eq!(spec.image, "busybox");
    assert_eq!(spec.command, ["serve", "--all"]);
    assert_eq!(spec.hostname.as_deref(), Some("front"));
    assert_eq!(spec.network_mode.as_deref(), Some("bridge"));
    assert_eq!(spec.runtime.as_deref(), Some("runc"));
    assert_eq!(
        (spec.memory_bytes, spec.memory_swap_bytes),
        (Some(1), Some(2))
    );
    assert_eq!(
        (spec.cpu_shares, spec.cpuset.as_deref()),
        (Some(3), Some("0-1"))
    );
    assert_eq!(spec.security_options, ["label:disable"]);
    assert!(spec.add_capabilities.iter().eq(["NET_ADMIN"]));
    assert!(spec.drop_capabilities.iter().eq(["MKNOD"]));
    let id = job.id.to_string();
    let labels = [
        ("helios.job", id.as_str()),
        ("helios.kill-after-seconds", "7"),
        ("helios.port.dns", "20001"),
        ("helios.port.http", "20000"),
        ("team", "blue"),
    ];
    assert_eq!(spec.labels, texts(&labels));
    assert_eq!(job.add_capabilities, Capabilities::from_iter(["NET_ADMIN"]));
}

/// An engine refuses an empty host name and an empty runtime.
#[test]
fn what_is_empty_is_not_said() {
    let spec = plain_spec(&job("web").hostname("").runtime(""));
    assert_eq!((spec.hostname, spec.runtime), (None, None));
}

#[test]
fn the_environment_is_the_agents_then_the_ports_then_the_jobs() {
    let mut policy = Policy::for_host("web1");
    policy.environment = texts(&[("A", "agent"), ("B", "agent"), ("HELIOS_PORT_dns", "agent")]);
    let job = job("web").env("B", "job").env("HELIOS_PORT_http", "job");
    let env = [
        ("A", "agent"),
        ("B", "job"),
        ("HELIOS_PORT_dns", "web1:20001"),
        ("HELIOS_PORT_http", "job"),
    ];
    assert_eq!(spec_of(&job, &policy).env, texts(&env));
}

#[test]
fn ports_are_published_unless_the_network_is_another_ones() {
    let with_ports = job("web")
        .port("http", PortMapping::tcp(80).on([10, 0, 0, 1]))
        .port("dns", PortMapping::udp(53))
        .port("unleased", PortMapping::tcp(99));
    let published = |container_port, host_port, host_ip: Option<[u8; 4]>, protocol| PublishedPort {
        container_port,
        host_port,
        host_ip: host_ip.map(Into::into),
        protocol,
    };
    let ports = [
        published(53, 20_001, None, Protocol::Udp),
        published(80, 20_000, Some([10, 0, 0, 1]), Protocol::Tcp),
    ];
    for (mode, shared) in [
        ("bridge", false),
        ("host", true),
        ("container:db", true),
        ("containers", false),
    ] {
        let spec = plain_spec(&with_ports.clone().network_mode(mode));
        assert_eq!(spec.ports, if shared { &[] } else { &ports[..] }, "{mode}");
    }
    assert_eq!(plain_spec(&with_ports).ports, ports);
}

#[test]
fn what_is_mounted_is_the_jobs_and_then_the_agents() {
    let mut policy = Policy::for_host("web1");
    let binds = ["/etc/hosts", "/var/a:/b", "/var/a:/c:ro"];
    policy.binds = binds.map(ToOwned::to_owned).into();
    policy.dns = vec![[10, 0, 0, 53].into()];
    policy.extra_hosts = vec!["db:10.0.0.1".to_owned()];
    let job = job("web")
        .volume("/data", "")
        .volume("/etc/web:ro", "/srv/web")
        .ramdisk("/tmp", "size=1m")
        .ramdisk("/tmp2", "");
    let spec = spec_of(&job, &policy);
    let mounts = [
        mount("/data", MountSource::Anonymous, None),
        mount("/etc/web", bind("/srv/web"), Some("ro")),
        mount("/tmp", MountSource::Tmpfs, Some("size=1m")),
        mount("/tmp2", MountSource::Tmpfs, None),
        mount("/etc/hosts", bind("/etc/hosts"), None),
        mount("/b", bind("/var/a"), None),
        mount("/c", bind("/var/a"), Some("ro")),
    ];
    assert_eq!(spec.mounts, mounts);
    assert_eq!(spec.dns, ["10.0.0.53"]);
    assert_eq!(spec.extra_hosts, ["db:10.0.0.1"]);
}

/// Its label is all that an agent knows of it which was away while its job was undeployed.
#[test]
fn a_grace_period_is_that_of_the_job_and_none_without_services() {
    let endpoint: ServiceEndpoint = "web/http".parse().unwrap();
    let registered = job("web").register(endpoint, ServicePorts::of("http"));
    for (job, grace) in [
        (job("web"), None),
        (job("web").grace_period(0), None),
        (job("web").grace_period(-1), None),
        (job("web").grace_period(1), Some("1")),
        (registered.clone(), Some("0")),
        (registered.clone().grace_period(0), Some("0")),
        (registered.grace_period(9), Some("9")),
    ] {
        let spec = plain_spec(&job);
        let label = spec.labels.get("helios.grace-seconds");
        assert_eq!(label.map(String::as_str), grace, "{job:?}");
    }
}

#[test]
fn a_name_has_only_what_an_engine_allows() {
    let id: JobId = format!("Web.a-b_c:v/1+2:{}", "a".repeat(40))
        .parse()
        .unwrap();
    let name = container_name("my ns", &id);
    assert_eq!(name, "my_ns-Web.a-b_c_v_1_2_aaaaaaaaaaaa");
}
