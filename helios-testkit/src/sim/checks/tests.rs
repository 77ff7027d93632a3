//! What checks find that no planted bug of the museum shows, each with the event in which they find it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use helios_core::runtime::{ContainerId, Protocol};
use helios_core::schema::{AuditRecord, Keys, OperationIds, Presence, Stamp};
use helios_core::store::{Key, StoreErrorKind};
use helios_core::{Goal, HostName, JobId, TaskState, Timestamp};

use super::super::trace::{
    Actor, Change, Event, Fact, HostFact, Machine, Outcome, Phase, ReportFact, Trace, Verb, What,
    Write,
};
use super::{all, judge};

const AGENT: Actor = Actor::Agent(0);
const ENGINE: Actor = Actor::Engine(0);
const MASTER: Actor = Actor::Master(0);

/// What happens, event by event; each a tenth of a second after the one before.
struct Script {
    trace: Trace,
    now: Duration,
    zxid: u64,
}

impl Script {
    /// A host with an agent that has read its goals: to run those jobs.
    fn with(jobs: &[&str]) -> Self {
        let machine = Machine {
            host: host(),
            agent_id: "a0".to_owned(),
        };
        let script = Self {
            trace: Trace {
                machines: BTreeMap::from([(0, machine)]),
                ..Trace::default()
            },
            now: Duration::ZERO,
            zxid: 0,
        };
        let mut script = script.by(AGENT, What::Started);
        for job in jobs {
            script = script.writes(Actor::Store, known(job));
        }
        let mut goals = vec![goals(&[], jobs)];
        if !jobs.is_empty() {
            goals.push(audit("somebody"));
        }
        script
            .writes(Actor::Store, vec![up("a0")])
            .writes(Actor::Store, goals)
            .reads()
    }

    fn by(mut self, actor: Actor, what: What) -> Self {
        self.now += Duration::from_millis(100);
        self.trace.events.push(Event {
            seq: self.trace.events.len(),
            at: self.now,
            actor,
            incarnation: 1,
            what,
        });
        self
    }

    fn after(mut self, seconds: u64) -> Self {
        self.now += Duration::from_secs(seconds);
        self
    }

    fn writes(mut self, actor: Actor, writes: Vec<Write>) -> Self {
        self.zxid += 1;
        let (zxid, request, bytes) = (self.zxid, self.zxid, 100);
        self.by(
            actor,
            What::Commit {
                zxid,
                request,
                bytes,
                writes,
            },
        )
    }

    fn reads(self) -> Self {
        let (key, zxid) = (Keys::host(&host()), self.zxid);
        self.by(AGENT, What::Read { key, zxid })
    }

    fn calls(self, verb: Verb, id: Option<&str>, of: &str) -> Self {
        let what = What::Call {
            call: 1,
            verb,
            job: Some(job(of)),
            container: id.map(ContainerId::new),
        };
        self.by(AGENT, what)
    }

    fn does(self, call: u64, change: Change) -> Self {
        self.by(ENGINE, What::Effect { call, change })
    }

    fn runs(self, id: &str, of: &str, port: u16) -> Self {
        self.made(id, of, port)
            .does(1, Change::Started(ContainerId::new(id)))
    }

    fn made(self, id: &str, of: &str, port: u16) -> Self {
        self.does(
            1,
            Change::Created {
                id: ContainerId::new(id),
                owner: "a0".to_owned(),
                job: Some(job(of)),
                ports: vec![(Protocol::Tcp, port)],
            },
        )
    }

    fn leases(self, ports: &[(&str, u16)]) -> Self {
        let one =
            |(of, port): &(&str, u16)| (job(of), BTreeMap::from([("http".to_owned(), *port)]));
        let what = What::Saved {
            name: "agent.json".to_owned(),
            leases: Some(ports.iter().map(one).collect()),
        };
        self.by(AGENT, what)
    }

    /// That `check` finds that, in the last event and not before.
    fn found_by(mut self, check: &str, says: &str) {
        let found = |trace: &Trace| {
            let violations = judge(trace, all()).into_iter();
            let mut of_it = violations.filter(|violation| violation.check == check);
            of_it.next().map(|violation| violation.message)
        };
        let message = found(&self.trace).unwrap_or_default();
        assert!(message.contains(says), "{check}: {message:?}, not {says:?}");
        self.trace.events.pop();
        assert_eq!(found(&self.trace), None, "{check} before the last event");
    }
}

fn host() -> HostName {
    "h1".parse().expect("a host")
}

fn job(name: &str) -> JobId {
    name.parse().expect("a job")
}

fn write(key: Key, was: Fact, is: Fact) -> Write {
    Write { key, was, is }
}

/// A job and its name.
fn known(name: &str) -> Vec<Write> {
    let (id, key) = (job(name), Keys::job(&job(name)).expect("a key"));
    let name = Keys::job_name(&id).expect("a key");
    vec![
        write(key, Fact::Absent, Fact::Job(id.clone(), false)),
        write(name, Fact::Absent, Fact::Name(id)),
    ]
}

fn goals(were: &[&str], are: &[&str]) -> Write {
    let fact = |jobs: &[&str]| {
        let goals = jobs.iter().map(|name| (job(name), (Goal::Start, false)));
        Fact::Host(Arc::new(HostFact {
            agent_id: "a0".to_owned(),
            epoch: "e".to_owned(),
            revision: 1,
            goals: goals.collect(),
            groups: BTreeMap::new(),
            drain: None,
        }))
    };
    write(Keys::host(&host()), fact(were), fact(are))
}

fn up(id: &str) -> Write {
    let presence = Presence {
        id: id.to_owned(),
        incarnation: "1".to_owned(),
    };
    write(
        Keys::up(&host()),
        Fact::Absent,
        Fact::Presence(Arc::new(presence)),
    )
}

fn report(of: &str) -> Write {
    let report = ReportFact {
        agent_id: of.to_owned(),
        tasks: BTreeMap::from([(job("web:1"), (TaskState::Failed, String::new()))]),
        labels: BTreeMap::new(),
        boot: None,
    };
    write(
        Keys::report(&host()),
        Fact::Absent,
        Fact::Report(Arc::new(report)),
    )
}

fn audit(principal: &str) -> Write {
    let stamp = Stamp {
        operation: OperationIds::new("o").expect("ids").next(),
        at: Timestamp::default(),
        principal: principal.to_owned(),
    };
    let record = AuditRecord::new(&stamp, "deploy");
    write(
        Keys::audit(stamp.at, &stamp.operation),
        Fact::Absent,
        Fact::Audit(Arc::new(record)),
    )
}

#[test]
fn two_containers_with_one_port() {
    Script::with(&["web:1", "db:1"])
        .leases(&[("web:1", 1), ("db:1", 2)])
        .runs("c1", "web:1", 1)
        .runs("c2", "db:1", 1)
        .found_by("S3", "c2 and c1 both have port 1/tcp");
}

#[test]
fn a_start_with_a_port_that_is_not_leased() {
    Script::with(&["web:1"])
        .leases(&[("web:1", 1)])
        .made("c1", "web:1", 2)
        .calls(Verb::Start, Some("c1"), "web:1")
        .found_by(
            "S3",
            "started with port 2/tcp, which is not leased to web:1",
        );
}

#[test]
fn a_port_that_is_leased_twice() {
    Script::with(&["web:1", "db:1"])
        .leases(&[("web:1", 1), ("db:1", 1)])
        .made("c1", "web:1", 1)
        .made("c2", "db:1", 1)
        .calls(Verb::Start, Some("c2"), "db:1")
        .found_by("S3", "port 1/tcp is leased to db:1 and to web:1 at once");
}

#[test]
fn a_lease_that_ends_too_early() {
    Script::with(&["web:1"])
        .leases(&[("web:1", 1)])
        .runs("c1", "web:1", 1)
        .after(10)
        .leases(&[("web:1", 2)])
        .found_by("S3", "port 1 is not leased to web:1 any more, and c1 runs");
}

#[test]
fn an_engine_that_brings_back_what_is_undeployed() {
    Script::with(&["web:1"])
        .runs("c1", "web:1", 1)
        .does(0, Change::Stopped(ContainerId::new("c1")))
        .writes(MASTER, vec![goals(&["web:1"], &[]), audit("a")])
        .reads()
        .does(0, Change::Started(ContainerId::new("c1")))
        .found_by("S5", "c1 runs again by itself");
}

#[test]
fn a_job_without_its_name() {
    let name = Keys::job_name(&job("web:1")).expect("a key");
    Script::with(&["web:1"])
        .writes(
            MASTER,
            vec![write(name, Fact::Name(job("web:1")), Fact::Absent)],
        )
        .found_by("S8", "web:1 is there, and its name is not");
    let mut half = known("web:1");
    half.truncate(1);
    Script::with(&[])
        .writes(MASTER, half)
        .found_by("S8", "web:1 was created, and its name was not");
}

#[test]
fn a_deployment_without_its_job() {
    Script::with(&[])
        .writes(MASTER, vec![goals(&[], &["web:1"]), audit("a")])
        .found_by("S8", "hosts/h1 has web:1, which does not exist");
}

#[test]
fn a_status_that_somebody_else_writes() {
    Script::with(&["web:1"])
        .writes(AGENT, vec![report("a0")])
        .writes(MASTER, vec![report("a0")])
        .found_by("S12", "master0 writes the status of h1 in the name of a0");
}

#[test]
fn an_engine_that_is_asked_too_often() {
    for (verb, most, says) in [(Verb::Pull, 60, "pulled 61"), (Verb::List, 120, "listed")] {
        let mut script = Script::with(&["web:1"]);
        for _ in 0..=most {
            script = script.calls(verb, None, "web:1");
        }
        script.found_by("S14", says);
    }
}

fn too_large(request: u64) -> What {
    let outcome = Outcome::Failed(Some(StoreErrorKind::LimitExceeded));
    What::Reply { request, outcome }
}

#[test]
fn a_request_that_is_too_large_and_is_made() {
    let script = Script::with(&["web:1"]);
    let next = script.zxid + 1;
    script
        .by(MASTER, too_large(next))
        .writes(MASTER, vec![report("a0")])
        .found_by("S15", "was too large, and is commit");
}

#[test]
fn a_request_that_is_too_large_and_costs_another_its_connection() {
    let key = Keys::host(&host());
    Script::with(&["web:1"])
        .by(MASTER, too_large(0))
        .by(AGENT, What::ReadFailed { key })
        .found_by("S15", "agent0 has no connection 100ms after");
}

#[test]
fn an_answer_without_a_commit() {
    let (request, outcome) = (99, Outcome::Done);
    Script::with(&["web:1"])
        .by(MASTER, What::Reply { request, outcome })
        .found_by("S16", "request 99 was acknowledged, and is not in the log");
}

#[test]
fn a_change_in_the_name_of_another() {
    let asked = What::Asked {
        principal: "alice".to_owned(),
        change: "deploy".to_owned(),
    };
    Script::with(&["web:1"])
        .by(MASTER, asked)
        .writes(MASTER, vec![goals(&["web:1"], &[]), audit("bob")])
        .found_by(
            "S17",
            "recorded as deploy by \"bob\", who did not ask master0",
        );
}

#[test]
fn a_record_of_what_was_not_done() {
    Script::with(&["web:1"])
        .writes(MASTER, vec![audit("alice")])
        .found_by("S17", "is recorded as deploy and changes no goals");
}

#[test]
fn a_ghost_that_stays() {
    Script::with(&["web:1"])
        .by(AGENT, What::Crashed)
        .after(30)
        .by(Actor::Test, What::Phase(Phase::Faults))
        .found_by("L5", "up/h1 is there long after its agent was killed");
}

#[test]
fn a_status_that_is_written_again_and_again() {
    let mut script = Script::with(&[])
        .by(Actor::Test, What::Phase(Phase::Heal { lost: Vec::new() }))
        .after(200)
        .by(Actor::Test, What::Phase(Phase::Stable));
    for _ in 0..5 {
        script = script.writes(AGENT, vec![report("a0")]);
    }
    script.found_by("L7", "agent0 wrote status/h1 5 times in an idle minute");
}
