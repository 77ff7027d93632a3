//! `helios history`.

use helios_api::wire::TaskStatusEvent;

use super::Call;
use super::reference::one_job;
use crate::args::HistoryArgs;
use crate::console::Tone;
use crate::output::{Cell, Table, exit_cell, local_time, one_line, state_tone};
use crate::{Failure, Outcome};

pub(super) async fn run(args: &HistoryArgs, call: &mut Call<'_>) -> Result<Outcome, Failure> {
    // A reference to no job is told in words only, also where JSON is asked for.
    let job = one_job(call.client, &args.job).await??;
    let history = call.client.history(&job.id).await?;
    if call.json {
        call.say_document(&history)?;
        return Ok(Outcome::Done);
    }
    let exits = history
        .events
        .iter()
        .any(|event| event.status.last_exit.is_some());
    let errors = history
        .events
        .iter()
        .any(|event| !event.status.container_error.is_empty());
    let mut headings = vec!["HOST", "TIMESTAMP", "STATE", "THROTTLED", "CONTAINERID"];
    headings.extend(exits.then_some("LAST EXIT"));
    headings.extend(errors.then_some("ERROR"));
    let mut table = Table::new(&headings);
    for event in &history.events {
        table.row(row(event, exits, errors));
    }
    table.say(call.console);
    Ok(Outcome::Done)
}

fn row(event: &TaskStatusEvent, exits: bool, errors: bool) -> Vec<Cell> {
    let task = &event.status;
    let container = task.container_id.as_deref().unwrap_or("<none>");
    let mut row = vec![
        one_line(&event.host).into(),
        local_time(event.timestamp).into(),
        Cell::new(task.state.as_str()).tone(state_tone(task)),
        task.throttled.as_str().into(),
        one_line(container).into(),
    ];
    row.extend(exits.then(|| exit_cell(task.last_exit.as_ref())));
    let error = one_line(&task.container_error);
    row.extend(errors.then(|| Cell::new(error).tone(Tone::Bad)));
    row
}
