//! Jobs in files.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use helios_core::model::{JOB_JSON_BYTES_MAX, Job, JobId, unknown_members};

use super::renamed;
use crate::Failure;

/// The longest job file that is read, in bytes: a job may be [`JOB_JSON_BYTES_MAX`] long, and people indent
/// their files.
const FILE_BYTES_MAX: usize = 4 * JOB_JSON_BYTES_MAX;

/// A job as somebody wrote it into a file.
#[derive(Clone, Debug)]
pub struct JobFile {
    name: String,
    json: String,
    unknown: Vec<String>,
    has_id: bool,
}

impl JobFile {
    /// Reads the file at that path, or the standard input for `-`.
    ///
    /// # Errors
    /// [`Failure`] when it cannot be read, is too long, or holds no JSON object.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let name = path.display().to_string();
        let unreadable = |error: std::io::Error| {
            Failure::new(format!("the job file {name} cannot be read"))
                .caused_by(error)
                .advise("check the path after -f")
        };
        let mut source: Box<dyn Read> = if path == Path::new("-") {
            Box::new(std::io::stdin())
        } else {
            Box::new(File::open(path).map_err(unreadable)?)
        };
        let mut bytes = Vec::new();
        let limit = u64::try_from(FILE_BYTES_MAX).unwrap_or(u64::MAX);
        source
            .by_ref()
            .take(limit + 1)
            .read_to_end(&mut bytes)
            .map_err(unreadable)?;
        if bytes.len() > FILE_BYTES_MAX {
            return Err(Failure::new(format!(
                "the job file {name} is too long: it may have at most {FILE_BYTES_MAX} bytes, and the job \
                 in it {JOB_JSON_BYTES_MAX}"
            ))
            .advise("check that it is the right file; a job names what it needs, it does not hold it"));
        }
        let json = String::from_utf8(bytes).map_err(|error| {
            Failure::new(format!("the job file {name} is no UTF-8 text"))
                .caused_by(error)
                .advise("check that it is the right file; `helios inspect --json JOB` writes one")
        })?;
        Self::parse(&name, json)
    }

    fn parse(name: &str, json: String) -> Result<Self, Failure> {
        let unknown = unknown_members(&json).map_err(|error| {
            Failure::new(format!("the job file {name} holds no JSON object"))
                .caused_by(error)
                .advise("write it like this: {\"id\": \"web:1\", \"image\": \"nginx:1.27\"}")
        })?;
        let has_id = serde_json::from_str::<serde_json::Value>(&json)
            .is_ok_and(|job| job.get("id").is_some_and(|id| !id.is_null()));
        Ok(Self {
            name: name.to_owned(),
            json,
            unknown,
            has_id,
        })
    }

    /// Which of its members nobody reads, if there are any.
    #[must_use]
    pub fn warning(&self) -> Option<String> {
        let unknown = self.unknown.join(", ");
        let warning = format!(
            "the job file {} has unknown members, which are ignored: {unknown}",
            self.name
        );
        (!self.unknown.is_empty()).then_some(warning)
    }

    /// The job in it; under that id if one is given.
    ///
    /// # Errors
    /// [`Failure`] when a member has the wrong type, or there is no full id, neither given nor in the file.
    pub fn job(&self, id: Option<&JobId>) -> Result<Job, Failure> {
        let no_id = || {
            Failure::new(format!(
                "the job file {} has no id, and none is given",
                self.name
            ))
            .advise(format!(
                "give one, such as: helios create -f {} web:1",
                self.name
            ))
        };
        let read = |json: &str| {
            Job::from_json(json).map_err(|error| {
                Failure::new(format!("the job file {} holds no job", self.name))
                    .caused_by(error)
                    .advise("correct that member; docs/jobs.md shows them all")
            })
        };
        match id {
            _ if self.has_id => {
                let mut job = read(&self.json)?;
                job.id = renamed(&job.id, id.unwrap_or(&job.id))?;
                Ok(job)
            }
            Some(id) if !id.version().is_empty() => {
                read(&with_id(&self.json, id).ok_or_else(no_id)?)
            }
            _ => Err(no_id()),
        }
    }
}

/// The object with that member. It is added to the text, since reading it into values and writing them again
/// would lose the text of numbers. Of equal members the last one wins.
fn with_id(json: &str, id: &JobId) -> Option<String> {
    let members = json.trim_end().strip_suffix('}')?;
    let comma = if members.trim_end().ends_with('{') {
        ""
    } else {
        ","
    };
    let id = serde_json::to_string(id.as_str()).ok()?;
    Some(format!("{members}{comma}\"id\":{id}}}"))
}
