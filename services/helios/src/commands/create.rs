//! `helios create`.

use helios_api::wire::{CreateJobResponse, CreateStatus};
use helios_core::model::{Job, ValidationRules, validate};

use super::Call;
use super::reference::one_job;
use crate::args::CreateArgs;
use crate::job_source::{self, JobFile, Start};
use crate::output::compact;
use crate::{Failure, Outcome};

pub(super) async fn run(args: &CreateArgs, call: &mut Call<'_>) -> Result<Outcome, Failure> {
    let start = start(args, call).await?;
    let (job, warnings) = job_source::build(start, args, call.environment)?;
    for warning in warnings {
        call.console.mention(format_args!("warning: {warning}"));
    }
    let broken = validate(&job, &ValidationRules::for_client(call.now));
    if !broken.is_empty() {
        let errors = broken.iter().map(ToString::to_string).collect();
        return refused(CreateStatus::InvalidJobDefinition, errors, &job, args, call);
    }
    if !args.quiet && !call.json {
        call.console
            .say(format_args!("Creating job: {}", compact(&job)?));
    }
    let answer = call.client.create_job(&job).await?;
    match (answer.status, &answer.id) {
        (CreateStatus::Ok, id) => {
            let id = id.as_deref().unwrap_or(job.id.as_str());
            match (call.json, args.quiet) {
                (true, _) => call.say_answer(&answer)?,
                (false, true) => call.console.say(id),
                (false, false) => call.console.say(format_args!("Done.\n{id}")),
            }
            Ok(Outcome::Done)
        }
        (status, _) => {
            if call.json {
                call.say_answer(&answer)?;
            }
            Err(explain(status, &answer.errors, &job))
        }
    }
}

async fn start(args: &CreateArgs, call: &mut Call<'_>) -> Result<Start, Failure> {
    match (&args.file, &args.template) {
        (Some(_), Some(_)) => Err(Failure::new("a job starts with a file or with a template")
            .advise("leave out --file or --template")),
        (Some(path), None) => Ok(Start::File(JobFile::read(path)?)),
        (None, None) => Ok(Start::Nothing),
        (None, Some(reference)) => match one_job(call.client, reference).await? {
            Ok(job) => Ok(Start::Template(Box::new(Job::clone(&job)))),
            Err(not_one) => {
                if call.json {
                    let status = if not_one.is_ambiguous() {
                        CreateStatus::AmbiguousJobReference
                    } else {
                        CreateStatus::UnknownJob
                    };
                    call.say_answer(
                        &serde_json::json!({"errors": null, "id": null, "status": status}),
                    )?;
                }
                Err(not_one.into())
            }
        },
    }
}

fn refused(
    status: CreateStatus,
    errors: Vec<String>,
    job: &Job,
    args: &CreateArgs,
    call: &mut Call<'_>,
) -> Result<Outcome, Failure> {
    let failure = explain(status, &errors, job);
    if call.json && !args.quiet {
        call.say_answer(&CreateJobResponse {
            status,
            errors,
            id: Some(job.id.to_string()),
        })?;
    }
    Err(failure)
}

fn explain(status: CreateStatus, errors: &[String], job: &Job) -> Failure {
    let id = &job.id;
    match status {
        CreateStatus::InvalidJobDefinition => {
            let errors: String = errors.iter().map(|error| format!("\n  {error}")).collect();
            Failure::new(format!("the job {id} breaks rules ({status}):{errors}"))
                .advise("correct these members and create it again")
        }
        CreateStatus::JobAlreadyExists => Failure::new(format!(
            "a job {} exists already, and name and version belong to one job only ({status})",
            id.without_hash()
        ))
        .advise("if it is the same, deploy it: `helios inspect` shows it; else give yours another version"),
        status => Failure::new(format!("the job {id} was not created ({status})"))
            .advise("`helios jobs` shows whether there is another of that name"),
    }
}
