//! S8: atomicity.

use helios_core::schema::Keys;

use super::super::super::trace::{Event, Fact, Fleet, What, Write};
use super::{Check, Verdicts, check};

#[derive(Debug)]
pub(super) struct Atomicity;

impl Check for Atomicity {
    check!(
        Atomicity,
        "S8",
        "after every commit each deployment names a job that exists, and each job has its name"
    );

    fn see(&mut self, fleet: &Fleet, event: &Event, verdicts: &mut Verdicts) {
        let What::Commit { writes, .. } = &event.what else {
            return;
        };
        if let Some(wrong) = writes.iter().find_map(|write| wrong(fleet, write)) {
            verdicts.violated([event.actor], wrong);
        }
    }

    fn end(&mut self, _: &Fleet, _: &mut Verdicts) {}
}

fn wrong(fleet: &Fleet, write: &Write) -> Option<String> {
    match (&write.was, &write.is) {
        (_, Fact::Host(host)) => {
            let exists = |job| Keys::job(job).is_ok_and(|key| fleet.entries.contains_key(&key));
            let missing = host.goals.keys().find(|job| !exists(*job))?;
            Some(format!("{} has {missing}, which does not exist", write.key))
        }
        (Fact::Job(job, _), Fact::Absent) => {
            let mut all = fleet.entries.iter();
            let user =
                all.find(|(_, fact)| fact.host().is_some_and(|host| host.goals.contains_key(job)));
            if let Some((key, _)) = user {
                return Some(format!("{job} was removed, and {key} has it"));
            }
            let name = Keys::job_name(job).ok()?;
            let stays = fleet.entries.get(&name) == Some(&Fact::Name(job.clone()));
            stays.then(|| format!("{job} was removed, and its name was not"))
        }
        (Fact::Name(job), is) if *is != write.was => {
            let key = Keys::job(job).ok()?;
            let stays = fleet.entries.contains_key(&key);
            stays.then(|| format!("{job} is there, and its name is not"))
        }
        (Fact::Absent, Fact::Job(job, _)) => {
            let name = Keys::job_name(job).ok()?;
            let named = fleet.entries.get(&name) == Some(&Fact::Name(job.clone()));
            (!named).then(|| format!("{job} was created, and its name was not"))
        }
        _ => None,
    }
}
