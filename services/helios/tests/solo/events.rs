//! What an engine itself says that it started and that ended, and what must hold of that.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;

/// One line of the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// A container of a job runs, with these ports of the host.
    Start {
        container: String,
        job: String,
        ports: BTreeMap<String, String>,
    },
    /// A container ended.
    Die { container: String },
    /// The test saw that the job is undeployed and gone.
    Undeployed { job: String },
    /// The engine was killed or stopped: what ran is listed anew.
    EngineAway,
}

/// The account of an engine, as it is told.
pub(crate) struct Events {
    stream: Child,
    lines: Arc<Mutex<Vec<Line>>>,
}

impl Events {
    /// Listens from now on to what becomes of the containers of that owner, and goes on with those `lines`.
    pub(crate) fn listen(mut docker: Command, owner: &str, lines: Vec<Line>) -> Self {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("a time");
        let since = (since.as_secs() - 1).to_string();
        let label = format!("label=helios.runtime.owner={owner}");
        let filters = ["event=start", "event=die", &label];
        let filters = filters.iter().flat_map(|filter| ["--filter", filter]);
        let mut stream = docker
            .args(["events", "--since", &since, "--format", "{{json .}}"])
            .args(filters)
            .stdout(Stdio::piped())
            .spawn()
            .expect("docker events");
        let lines = Arc::new(Mutex::new(lines));
        let (told, heard) = (stream.stdout.take().expect("a pipe"), Arc::clone(&lines));
        std::thread::spawn(move || {
            for event in BufReader::new(told).lines().map_while(Result::ok) {
                let event: Value = serde_json::from_str(&event).expect("JSON");
                heard.lock().expect("a lock").push(read(&event));
            }
        });
        Self { stream, lines }
    }

    pub(crate) fn note(&self, line: Line) {
        self.lines.lock().expect("a lock").push(line);
    }

    pub(crate) fn lines(&self) -> Vec<Line> {
        self.lines.lock().expect("a lock").clone()
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        let _ = self.stream.kill();
        let _ = self.stream.wait();
    }
}

fn read(event: &Value) -> Line {
    let actor = &event["Actor"];
    let container = actor["ID"].as_str().expect("an id").to_owned();
    if event["Action"] == "die" {
        return Line::Die { container };
    }
    let labels = actor["Attributes"].as_object().expect("labels");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let port = |(name, value): (&String, &Value)| {
        Some((name.strip_prefix("helios.port.")?.to_owned(), text(value)))
    };
    Line::Start {
        container,
        job: text(&labels["helios.job"]),
        ports: labels.iter().filter_map(port).collect(),
    }
}

/// Looks whether at any time two containers of one job ran (S1), two shared a port or a lease changed (S3), or what
/// was undeployed came back (S5).
pub(crate) fn check(lines: &[Line]) -> Result<(), String> {
    let mut running: BTreeMap<&str, (&str, &BTreeMap<String, String>)> = BTreeMap::new();
    let mut leases: BTreeMap<&str, &BTreeMap<String, String>> = BTreeMap::new();
    let mut gone: BTreeSet<&str> = BTreeSet::new();
    for line in lines {
        match line {
            Line::Start {
                container,
                job,
                ports,
            } => {
                if gone.contains(job.as_str()) {
                    return Err(format!("S5: {job} came back as {container}"));
                }
                let other = running
                    .iter()
                    .find(|(id, (of, _))| of == job && **id != container);
                if let Some((other, _)) = other {
                    return Err(format!(
                        "S1: {container} and {other} of {job} run at a time"
                    ));
                }
                let taken = running.values().find(|(of, theirs)| {
                    of != job
                        && theirs
                            .values()
                            .any(|port| ports.values().any(|p| p == port))
                });
                if let Some((other, _)) = taken {
                    return Err(format!("S3: {job} and {other} share a port"));
                }
                if leases
                    .insert(job, ports)
                    .is_some_and(|before| before != ports)
                {
                    return Err(format!("S3: the ports of {job} changed to {ports:?}"));
                }
                running.insert(container, (job, ports));
            }
            Line::Die { container } => {
                running.remove(container.as_str());
            }
            Line::Undeployed { job } => {
                gone.insert(job);
            }
            Line::EngineAway => running.clear(),
        }
    }
    Ok(())
}

#[test]
fn the_checks_find_what_they_look_for() {
    let start = |container: &str, job: &str, port: &str| Line::Start {
        container: container.to_owned(),
        job: job.to_owned(),
        ports: [("http".to_owned(), port.to_owned())].into(),
    };
    let die = |container: &str| Line::Die {
        container: container.to_owned(),
    };
    let gone = |job: &str| Line::Undeployed {
        job: job.to_owned(),
    };
    for (lines, found) in [
        (
            vec![start("1", "a", "1"), die("1"), start("2", "a", "1")],
            None,
        ),
        (vec![start("1", "a", "1"), start("1", "a", "1")], None),
        (
            vec![start("1", "a", "1"), Line::EngineAway, start("2", "a", "1")],
            None,
        ),
        (vec![start("1", "a", "1"), start("2", "a", "1")], Some("S1")),
        (vec![start("1", "a", "1"), start("2", "b", "1")], Some("S3")),
        (
            vec![start("1", "a", "1"), die("1"), start("2", "a", "2")],
            Some("S3"),
        ),
        (
            vec![
                start("1", "a", "1"),
                die("1"),
                gone("a"),
                start("2", "a", "1"),
            ],
            Some("S5"),
        ),
    ] {
        let error = check(&lines).err();
        assert_eq!(error.as_deref().map(|text| &text[..2]), found, "{lines:?}");
    }
}
