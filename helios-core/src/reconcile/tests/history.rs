//! Whatever happens to a host, it comes to rest.

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Goal(usize, Goal),
    Undeploy(usize),
    Exit(usize),
    Fail(Verb, RuntimeErrorKind),
    Heal,
    Pass,
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let verb = prop_oneof![
        Just(Verb::Pull),
        Just(Verb::Create),
        Just(Verb::Start),
        Just(Verb::Keep),
        Just(Verb::Stop)
    ];
    let kind = prop_oneof![
        Just(RuntimeErrorKind::ImageUnknown),
        Just(RuntimeErrorKind::PortInUse),
        Just(RuntimeErrorKind::Failed),
        Just(RuntimeErrorKind::RegistryUnreachable),
    ];
    prop_oneof![
        (0..4_usize, prop_oneof![Just(Goal::Start), Just(Goal::Stop)])
            .prop_map(|(j, g)| Step::Goal(j, g)),
        (0..4_usize).prop_map(Step::Undeploy),
        (0..4_usize).prop_map(Step::Exit),
        (verb, kind).prop_map(|(verb, kind)| Step::Fail(verb, kind)),
        Just(Step::Heal),
        Just(Step::Pass),
        (0..200_000_u64).prop_map(Step::Wait),
    ]
}

proptest! {
    /// Whatever happened before: once failures end and time passes, exactly what is wanted runs, and then
    /// nothing more is done.
    #[test]
    fn any_history_ends_at_rest_with_what_is_wanted(keep in 0_usize..2, steps in prop::collection::vec(step(), 0..60)) {
        let mut host = Host::new();
        let mut policy = Policy::for_host("web1");
        policy.keep_dead.of_each_job = keep;
        host.desired = Desired::new(policy);
        let jobs: Vec<_> = (0..4)
            .map(|n| job(&format!("j{n}")).port("p", PortMapping::tcp(80)).with_computed_id())
            .collect();
        for step in steps {
            match step {
                Step::Goal(n, goal) => host.deploy(&jobs[n], goal),
                Step::Undeploy(n) => { host.desired.tasks.remove(&jobs[n].id); }
                Step::Exit(n) => {
                    let name = container_name("helios", &jobs[n].id);
                    if host.observed.container(&name).is_some_and(|c| c.state == ContainerState::Running) {
                        host.exit(&jobs[n], 1);
                    }
                }
                Step::Fail(verb, kind) => { host.fail.insert(verb, kind); }
                Step::Heal => host.fail.clear(),
                Step::Pass => { host.pass(); }
                Step::Wait(millis) => host.wait(Duration::from_millis(millis)),
            }
        }
        host.fail.clear();
        for _ in 0..12 {
            host.settle();
            host.wait(Duration::from_secs(130));
        }
        host.settle();
        let again = reconcile(&host.desired, &host.observed, host.now);
        prop_assert!(again.tasks.iter().all(|line| line.action.is_none()));
        for (id, task) in &host.desired.tasks {
            let running = host.observed.container(&task.container)
                .is_some_and(|c| c.state == ContainerState::Running);
            prop_assert_eq!(running, task.goal == Goal::Start, "{}", id);
        }
        let wanted = host.desired.tasks.len();
        let there = host.observed.containers.as_ref().unwrap().iter().filter(|c| !is_kept(c));
        prop_assert!(there.count() <= wanted);
        let ports: Vec<_> = host.observed.leases.values().flat_map(|lease| lease.values()).collect();
        prop_assert_eq!(ports.len(), ports.iter().collect::<std::collections::BTreeSet<_>>().len());
    }
}
