use super::*;

fn id(digit: char) -> ContainerId {
    ContainerId::new(digit.to_string().repeat(64))
}

fn seen(command: &str, arguments: &str, containers: &[ContainerId]) -> Seen {
    Seen {
        started: 1,
        parent: 1,
        command: command.to_owned(),
        arguments: arguments.split(' ').map(ToOwned::to_owned).collect(),
        containers: containers.to_vec(),
    }
}

fn machine(processes: Vec<(u32, Seen)>) -> Processes {
    Processes {
        boot: "boot".to_owned(),
        all: processes.into_iter().collect(),
    }
}

#[test]
fn a_process_is_read_whatever_its_command_is_called() {
    let tail = "23643 23664 23664 0 -1 4194560 1098 0 0 0 1 1 0 0 20 0 1 0 604766 2322432 385";
    for (command, state, read) in [
        ("web", "S", true),
        ("a) R 1 (b", "T", true),
        ("web", "Z", false),
        ("web", "X", false),
    ] {
        let line = format!("23664 ({command}) {state} {tail}");
        let expected = read.then(|| (command.to_owned(), 23643, 604_766));
        assert_eq!(parse_stat(&line), expected, "{line}");
    }
    assert_eq!(parse_stat(""), None);
    assert_eq!(parse_stat("1 (init) S"), None);
}

#[test]
fn containers_are_found_on_every_way_that_engines_group_them() {
    let a = "a".repeat(64);
    let b = "b".repeat(64);
    for (text, expected) in [
        (
            format!("9:name=systemd:/docker/{a}\n8:pids:/docker/{a}\n"),
            vec![id('a')],
        ),
        (
            format!("0::/system.slice/docker-{a}.scope\n"),
            vec![id('a')],
        ),
        (
            format!("3:cpu:/\n2:pids:/docker/{a}/docker/{b}/x\n"),
            vec![id('a'), id('b')],
        ),
        // Others' groups, and parts of ids.
        (format!("0::/kubepods/besteffort/{a}\n"), vec![]),
        (format!("0::/machine.slice/libpod-{a}.scope\n"), vec![]),
        (format!("0::/docker/{}\n", &a[..63]), vec![]),
        (format!("0::/docker/{}\n", a.to_uppercase()), vec![]),
        ("0::/docker/buildkit/x\n".to_owned(), vec![]),
        ("0::/system.slice/docker.service\n".to_owned(), vec![]),
        (String::new(), vec![]),
    ] {
        assert_eq!(parse_cgroup(&text), expected, "{text}");
    }
}

#[test]
fn a_shim_and_a_proxy_are_known_by_their_arguments() {
    let a = "a".repeat(64);
    let shim =
        format!("/usr/bin/containerd-shim-runc-v2 -namespace moby -id {a} -address /run/c.sock");
    let role = seen("containerd-shim", &shim, &[]).role(&[]);
    let home = ShimHome {
        address: "/run/c.sock".to_owned(),
        namespace: "moby".to_owned(),
    };
    let container = id('a');
    assert_eq!(role, Some(Role::Shim { container, home }));

    let proxy = "docker-proxy -proto tcp -host-ip 127.0.0.1 -host-port 28080 -container-ip 10.1.2.3 -container-port 80";
    let Some(Role::Proxy(route)) = seen("docker-proxy", proxy, &[]).role(&[]) else {
        panic!("no proxy");
    };
    assert_eq!(route.to_string(), "port 28080/tcp for 10.1.2.3:80");
    for wrong in [
        proxy.replace("-proto tcp", "-proto sctp"),
        proxy.replace("-host-port 28080", ""),
        proxy.replace("10.1.2.3", "somewhere"),
    ] {
        assert_eq!(seen("docker-proxy", &wrong, &[]).role(&[]), None, "{wrong}");
    }
    let pause = seen(
        "containerd-shim",
        "shim -namespace k8s.io -id pause -address /x",
        &[],
    );
    assert_eq!(pause.role(&[]), None);
}

/// An engine in a container has shims whose arguments read like ours, and containers that we do not know.
#[test]
fn what_an_engine_within_a_container_runs_belongs_to_that_container() {
    let b = "b".repeat(64);
    let shim =
        format!("shim -namespace moby -id {b} -address /var/run/docker/containerd/containerd.sock");
    let inner = seen("containerd-shim", &shim, &[id('a')]);
    let container = id('a');
    assert_eq!(inner.role(&[]), Some(Role::Member { container }));
    let nested = seen("web", "", &[id('a'), id('b')]);
    let container = id('a');
    assert_eq!(nested.role(&[]), Some(Role::Member { container }));
    // And for an agent that is in there too, they are what they say.
    let container = id('b');
    assert_eq!(nested.role(&[id('a')]), Some(Role::Member { container }));
    assert!(matches!(inner.role(&[id('a')]), Some(Role::Shim { .. })));
}

#[test]
fn the_engine_is_the_one_behind_the_socket_or_the_only_one() {
    let daemon = || seen("dockerd", "dockerd", &[]);
    let two = machine(vec![
        (1, seen("systemd", "", &[])),
        (5, daemon()),
        (6, daemon()),
    ]);
    assert_eq!(two.daemon(Some(6)), Some(6));
    // The init system opened the socket, and either may have got it.
    assert_eq!((two.daemon(Some(1)), two.daemon(None)), (None, None));
    let within = seen("dockerd", "dockerd", &[id('a')]);
    let one = machine(vec![(5, daemon()), (6, within)]);
    assert_eq!((one.daemon(Some(1)), one.daemon(None)), (Some(5), Some(5)));
}

#[test]
fn where_shims_belong_follows_from_how_the_engine_was_started() {
    let home = |address: &str, namespace: &str| ShimHome {
        address: address.to_owned(),
        namespace: namespace.to_owned(),
    };
    let mut managed = seen(
        "containerd",
        "containerd --config /run/x/containerd.toml",
        &[],
    );
    managed.parent = 5;
    for (arguments, child, expected) in [
        (
            "dockerd",
            false,
            home("/run/containerd/containerd.sock", "moby"),
        ),
        ("dockerd", true, home("/run/x/containerd.sock", "moby")),
        (
            "dockerd --containerd=/c.sock --containerd-namespace n",
            false,
            home("/c.sock", "n"),
        ),
    ] {
        let mut processes = vec![(5, seen("dockerd", arguments, &[]))];
        processes.extend(child.then(|| (7, managed.clone())));
        assert_eq!(
            machine(processes).homes_of(5),
            [expected].into(),
            "{arguments}"
        );
    }
}

#[test]
fn this_process_is_read_and_has_nothing_to_do_with_containers_it_is_not_in() {
    let me = std::process::id();
    let all = Processes::read();
    assert_eq!(all.all[&me].started, Seen::read(me).unwrap().started);
    assert_eq!(all.boot.len(), 36);
    let inside = all.all[&me].containers.clone();
    assert_eq!(all.all[&me].role(&inside), None);
}
