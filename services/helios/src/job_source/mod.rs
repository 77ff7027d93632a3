//! How a job is made of a file, an existing job and options.

mod checks;
mod file;
mod options;

use helios_core::Timestamp;
use helios_core::model::{Job, JobId};

use crate::args::CreateArgs;
use crate::{Environment, Failure};

pub use file::JobFile;
pub use options::apply;

/// What a job starts with, before options are applied.
#[derive(Clone, Debug)]
pub enum Start {
    /// Nothing but options.
    Nothing,
    /// A job file.
    File(JobFile),
    /// An existing job.
    Template(Box<Job>),
}

/// The job that the arguments describe, and what about them was ignored.
///
/// # Errors
/// [`Failure`] when an argument is missing or malformed. Which rules the job breaks is not looked at.
pub fn build(
    start: Start,
    args: &CreateArgs,
    environment: &Environment,
) -> Result<(Job, Vec<String>), Failure> {
    let id = args.id.as_deref().map(reference).transpose()?;
    let mut warnings = Vec::new();
    let mut job = match start {
        Start::Nothing => from_arguments(id, args)?,
        Start::File(file) => {
            warnings.extend(file.warning());
            file.job(id.as_ref())?
        }
        Start::Template(mut job) => {
            let id = id.ok_or_else(|| {
                Failure::new("a job made of a template needs an id of its own")
                    .advise("give one, such as: helios create --template web:7 web:8")
            })?;
            job.id = renamed(&job.id, &id)?;
            *job
        }
    };
    apply(&mut job, args, environment, &mut warnings)?;
    Ok((job, warnings))
}

fn from_arguments(id: Option<JobId>, args: &CreateArgs) -> Result<Job, Failure> {
    let example = "give id and image, such as: helios create web:1 nginx:1.27, or a file with -f";
    let (Some(id), Some(image)) = (id, &args.image) else {
        return Err(
            Failure::new("without a file or a template a job needs an id and an image")
                .advise(example),
        );
    };
    Job::new(id.as_str(), image).map_err(|error| Failure::new(error.to_string()).advise(example))
}

const NAMES: &str = "a job is named like web:1, its name and its version";

fn reference(text: &str) -> Result<JobId, Failure> {
    let id = JobId::parse_reference(text);
    let id = id.map_err(|error| Failure::new(error.to_string()).advise(NAMES))?;
    Ok(id.without_hash())
}

/// The id with that name, and that version if there is one; the hash is computed anew by the master.
fn renamed(id: &JobId, new: &JobId) -> Result<JobId, Failure> {
    let version = Some(new.version()).filter(|version| !version.is_empty());
    JobId::new(new.name(), version.unwrap_or_else(|| id.version()))
        .map_err(|error| Failure::new(error.to_string()).advise(NAMES))
}

/// The present, as the clock of this machine shows it.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_millis(jiff::Timestamp::now().as_millisecond())
}

#[cfg(test)]
mod tests;
