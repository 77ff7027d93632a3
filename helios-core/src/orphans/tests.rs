use std::net::IpAddr;
use std::time::Duration;

use super::*;
use crate::runtime::{ContainerId, Owner, Protocol};
use crate::time::Moment;

const DAEMON: u32 = 100;
const OTHER_DAEMON: u32 = 200;
const OURS: &str = "a1";
const FORMER: &str = "a0";
const STRANGER: &str = "z9";

fn id(name: &str) -> ContainerId {
    ContainerId::new(format!("{name:0>64}"))
}

fn home(address: &str) -> ShimHome {
    ShimHome {
        address: address.to_owned(),
        namespace: "moby".to_owned(),
    }
}

fn process(pid: u32, parent: u32, role: Role) -> Process {
    let started = u64::from(pid) * 10;
    Process {
        id: ProcessId { pid, started },
        parent,
        command: "web".to_owned(),
        role,
    }
}

fn member(pid: u32, container: &str) -> Process {
    let container = id(container);
    process(pid, 1, Role::Member { container })
}

fn shim(pid: u32, container: &str, address: &str) -> Process {
    let (container, home) = (id(container), home(address));
    process(pid, 1, Role::Shim { container, home })
}

fn route(host_port: u16) -> Route {
    Route {
        protocol: Protocol::Tcp,
        host_port,
        container_ip: IpAddr::from([10, 0, 0, 2]),
        container_port: 80,
    }
}

fn proxy(pid: u32, parent: u32, host_port: u16) -> Process {
    process(pid, parent, Role::Proxy(route(host_port)))
}

/// An engine whose data are those of `data`, alone on its machine.
fn machine(data: &str, processes: Vec<Process>) -> Look {
    Look {
        engine: data.to_owned(),
        boot: "boot".to_owned(),
        daemon: Some(DAEMON),
        daemons: [DAEMON].into(),
        homes: [home("ours.sock")].into(),
        processes,
        ..Look::default()
    }
}

fn container(owner: Option<&str>, ports: &[u16]) -> KnownContainer {
    KnownContainer {
        name: "c".to_owned(),
        alive: true,
        owner: owner.map(ToOwned::to_owned),
        job: owner.map(|_| "web:1".to_owned()),
        routes: ports.iter().copied().map(route).collect(),
    }
}

/// The look, and the engine knows that container before and after.
fn knowing(mut look: Look, name: &str, container: &KnownContainer) -> Look {
    for known in [&mut look.before, &mut look.after] {
        known.insert(id(name), container.clone());
    }
    look
}

fn owner() -> Owner {
    Owner::new(OURS).unwrap()
}

fn second(seconds: u64) -> Moment {
    Moment::from_millis(seconds * 1000)
}

/// What an agent that saw `earlier` finds when it looks twice, far enough apart, and sees `now`.
fn found(earlier: &[Look], now: &Look) -> Vec<Finding> {
    let mut records = Records::default();
    records.succeed(FORMER);
    for look in earlier {
        records = records.after(look, &owner());
    }
    let first = judge(now, &records, &owner(), &Sightings::default(), second(0));
    assert_eq!(
        first.confirmed(Duration::ZERO, second(0)),
        [],
        "one look is not enough"
    );
    let records = records.after(now, &owner());
    let again = judge(now, &records, &owner(), &first.sightings, second(10));
    again.confirmed(Duration::from_secs(10), second(10))
}

/// The one finding, as (its kind, because, claim).
fn verdict(earlier: &[Look], now: &Look) -> Option<(&'static str, Because, Claim)> {
    let found = found(earlier, now);
    assert!(found.len() <= 1, "{found:?}");
    found.first().map(|f| (f.what.kind(), f.because, f.claim))
}

#[test]
fn what_the_engine_forgot_is_ours_if_it_was_seen_alive() {
    let left = || machine("data", vec![shim(10, "1", "ours.sock"), member(11, "1")]);
    let alive = knowing(left(), "1", &container(Some(OURS), &[]));
    let found_all = found(std::slice::from_ref(&alive), &left());
    assert_eq!(found_all.len(), 1);
    assert_eq!(
        found_all[0].to_string(),
        "orphan: processes 10 (web), 11 (web) of container 000000000000 of job web:1: the engine does not know \
         the container; it was this agent's"
    );
    assert!(found_all[0].may_be_reaped());
    // Never seen, it may be anybody's: reported, and left alone.
    let unseen = found(&[], &left());
    assert_eq!(
        (unseen[0].claim, unseen[0].may_be_reaped()),
        (Claim::Unknown, false)
    );
    // And while it is alive it is nothing at all.
    assert_eq!(verdict(std::slice::from_ref(&alive), &alive), None);
}

#[test]
fn what_was_alive_at_either_end_of_the_look_is_no_orphan() {
    let processes = vec![member(11, "1")];
    let running = container(Some(OURS), &[]);
    for (before, after) in [(true, false), (false, true)] {
        let mut look = machine("data", processes.clone());
        let lists = [(before, &mut look.before), (after, &mut look.after)];
        for (_, list) in lists.into_iter().filter(|(there, _)| *there) {
            list.insert(id("1"), running.clone());
        }
        assert_eq!(verdict(&[], &look), None, "before {before}, after {after}");
    }
}

#[test]
fn a_container_that_ended_with_processes_left_is_reported_by_its_label() {
    let ended = |owner| KnownContainer {
        alive: false,
        ..container(owner, &[])
    };
    for (owner, claim) in [
        (Some(OURS), Claim::Ours),
        (Some(STRANGER), Claim::Unknown),
        (None, Claim::Unknown),
    ] {
        let look = knowing(machine("data", vec![member(11, "1")]), "1", &ended(owner));
        let expected = Some(("processes", Because::EngineSaysEnded, claim));
        assert_eq!(verdict(&[], &look), expected, "{owner:?}");
    }
}

#[test]
fn another_engine_on_the_machine_keeps_its_own() {
    let mut look = machine(
        "data",
        vec![
            shim(10, "1", "theirs.sock"),
            member(11, "1"),
            proxy(12, OTHER_DAEMON, 8080),
            // Its parent is gone, and whose it was nobody can say.
            proxy(13, 1, 8081),
            // No shim, so it could be either's.
            member(14, "2"),
        ],
    );
    look.daemons.insert(OTHER_DAEMON);
    assert_eq!(found(&[], &look), []);
    // A namespace of its own in the same containerd is another engine too.
    let mut look = machine("data", vec![shim(10, "1", "ours.sock"), member(11, "1")]);
    if let Role::Shim { home, .. } = &mut look.processes[0].role {
        home.namespace = "plugins.moby".to_owned();
    }
    assert_eq!(found(&[], &look), []);
}

#[test]
fn shims_of_known_containers_show_where_the_engine_lives() {
    let mut look = machine(
        "data",
        vec![shim(10, "1", "moved.sock"), shim(20, "2", "moved.sock")],
    );
    look.homes.clear();
    let alone = machine("data", vec![shim(20, "2", "moved.sock")]);
    assert_eq!(
        verdict(
            &[],
            &Look {
                homes: [].into(),
                ..alone
            }
        ),
        None
    );
    let look = knowing(look, "1", &container(None, &[]));
    let expected = Some(("processes", Because::EngineForgot, Claim::Unknown));
    assert_eq!(verdict(&[], &look), expected);
}

#[test]
fn data_that_were_exchanged_make_ours_a_matter_for_people() {
    let left = |data| machine(data, vec![member(11, "1")]);
    let alive = knowing(left("old data"), "1", &container(Some(OURS), &[]));
    let found = found(&[alive], &left("new data"));
    assert_eq!(
        (found[0].claim, found[0].may_be_reaped()),
        (Claim::OfAnotherEngine, false)
    );
}

#[test]
fn a_proxy_with_nothing_behind_is_ours_only_if_this_very_process_served_us() {
    let alive = |owner| {
        let look = machine("data", vec![proxy(12, DAEMON, 8080)]);
        knowing(look, "1", &container(Some(owner), &[8080]))
    };
    let orphaned = |parent| machine("data", vec![proxy(12, parent, 8080)]);
    for parent in [DAEMON, 1] {
        for (seen, claim) in [
            (vec![alive(OURS)], Claim::Ours),
            (vec![alive(STRANGER)], Claim::Unknown),
            (vec![], Claim::Unknown),
        ] {
            let expected = Some(("proxy", Because::NothingBehind, claim));
            assert_eq!(
                verdict(&seen, &orphaned(parent)),
                expected,
                "{parent} {claim:?}"
            );
        }
    }
    // The same number, another process, with the same port and address: a stranger's.
    let mut stranger = orphaned(1);
    stranger.processes[0].id.started += 1;
    let expected = Some(("proxy", Because::NothingBehind, Claim::Unknown));
    assert_eq!(verdict(&[alive(OURS)], &stranger), expected);
    // The same number and start after another boot.
    let rebooted = Look {
        boot: "next".to_owned(),
        ..orphaned(1)
    };
    assert_eq!(verdict(&[alive(OURS)], &rebooted), expected);
}

#[test]
fn a_proxy_that_serves_somebody_is_never_ended() {
    let look = machine("data", vec![proxy(12, DAEMON, 8080)]);
    let ours = knowing(look, "1", &container(Some(OURS), &[8080]));
    // The address and port went to a stranger's container; the process is the one that served ours.
    let look = machine("data", vec![proxy(12, 1, 8080)]);
    let theirs = knowing(look, "2", &container(Some(STRANGER), &[8080]));
    let found = found(&[ours], &theirs);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        (found[0].because, found[0].may_be_reaped()),
        (Because::ParentGone, false)
    );
}

#[test]
fn a_port_that_two_containers_claim_proves_nothing() {
    let look = machine("data", vec![proxy(12, DAEMON, 8080)]);
    let look = knowing(look, "1", &container(Some(OURS), &[8080]));
    let both = knowing(look, "2", &container(Some(STRANGER), &[8080]));
    let orphaned = machine("data", vec![proxy(12, 1, 8080)]);
    let expected = Some(("proxy", Because::NothingBehind, Claim::Unknown));
    assert_eq!(verdict(&[both], &orphaned), expected);
}

#[test]
fn containers_of_a_former_agent_are_found_and_those_of_another_are_not() {
    let mut look = machine("data", vec![]);
    for (name, owner) in [
        ("1", Some(OURS)),
        ("2", Some(FORMER)),
        ("3", Some(STRANGER)),
        ("4", None),
    ] {
        look = knowing(look, name, &container(owner, &[]));
    }
    let found = found(&[], &look);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        found[0].to_string(),
        "orphan: container c of agent a0 of job web:1: that agent had this host before; it was this agent's"
    );
}

#[test]
fn without_a_view_of_the_engines_process_no_process_is_judged() {
    let mut look = machine("data", vec![member(11, "1"), proxy(12, 1, 8080)]);
    look.daemon = None;
    look.daemons.clear();
    assert_eq!(found(&[], &look), []);
}

#[test]
fn only_processes_that_were_there_twice_count() {
    let records = Records::default();
    let first = machine("data", vec![member(11, "1")]);
    let first = judge(&first, &records, &owner(), &Sightings::default(), second(0));
    let second_look = machine("data", vec![member(11, "1"), member(12, "1")]);
    let again = judge(
        &second_look,
        &records,
        &owner(),
        &first.sightings,
        second(10),
    );
    let confirmed = again.confirmed(Duration::from_secs(10), second(10));
    let What::Processes { processes, .. } = &confirmed[0].what else {
        panic!("{confirmed:?}");
    };
    assert_eq!(processes.iter().map(|p| p.id.pid).collect::<Vec<_>>(), [11]);
    // Too soon after the first look.
    assert_eq!(again.confirmed(Duration::from_secs(11), second(10)), []);
    // A look without it in between begins anew.
    let none = machine("data", vec![]);
    let none = judge(&none, &records, &owner(), &first.sightings, second(5));
    let anew = judge(
        &second_look,
        &records,
        &owner(),
        &none.sightings,
        second(10),
    );
    assert_eq!(anew.confirmed(Duration::from_secs(10), second(10)), []);
}

#[test]
fn records_do_not_grow_and_survive_being_stored() {
    let alive = machine("data", vec![member(11, "1"), proxy(12, DAEMON, 8080)]);
    let alive = knowing(alive, "1", &container(Some(OURS), &[8080]));
    let mut records = Records::default();
    records.succeed(FORMER);
    let seen = records.after(&alive, &owner());
    assert_ne!(seen, records);
    assert_eq!(
        seen,
        seen.after(&alive, &owner()),
        "the same look teaches nothing new"
    );
    let stored = serde_json::to_vec(&seen).unwrap();
    assert_eq!(serde_json::from_slice::<Records>(&stored).unwrap(), seen);
    // Left without a container, it is remembered for as long as a trace of it is there.
    let orphaned = machine("data", vec![proxy(12, 1, 8080)]);
    assert!(
        seen.after(&orphaned, &owner())
            .container(id("1").as_str())
            .is_some()
    );
    let gone = machine("data", vec![]);
    let forgotten = seen.after(&gone, &owner());
    assert!(forgotten.container(id("1").as_str()).is_none());
    assert!(forgotten.former().contains(FORMER));
}
