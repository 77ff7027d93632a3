//! From the command line to an exit code.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::args::{Cli, called_here};
use crate::{Console, Environment, Failure, Outcome, commands};

/// Does what the command line says, and ends with 0 if that was done, and else with 1.
///
/// The first of `arguments` is the name of the program.
pub fn run(
    arguments: impl IntoIterator<Item = OsString>,
    environment: &Environment,
    console: &mut Console,
) -> ExitCode {
    let words: Vec<OsString> = arguments.into_iter().collect();
    let outcome = match Cli::read(words.iter().cloned()) {
        Ok(cli) => commands::run(cli, environment, console),
        Err(error) => match misnamed(&error, &words) {
            Some(failure) => Err(failure),
            None => Ok(explain(&error, console)),
        },
    };
    let outcome = outcome.unwrap_or_else(|failure| {
        console.complain(&failure);
        Outcome::NotDone
    });
    console.flush();
    if let Some(error) = console.what_broke() {
        let failure = Failure::new(format!("the output could not be written ({error})"))
            .advise("make room where it goes; what was asked of a master is done all the same");
        console.complain(&failure);
        return ExitCode::FAILURE;
    }
    match outcome {
        Outcome::Done => ExitCode::SUCCESS,
        Outcome::NotDone => ExitCode::FAILURE,
    }
}

/// A command as another tool calls it.
fn misnamed(error: &clap::Error, words: &[OsString]) -> Option<Failure> {
    let Some(ContextValue::String(said)) = error.get(ContextKind::InvalidSubcommand) else {
        return None;
    };
    // `helios variable get` asks for something else than `helios get`.
    let first = words.get(1).is_some_and(|first| first == said.as_str());
    let next = called_here(said).filter(|_| first)?;
    Some(Failure::new(format!("there is no command {said:?} here")).advise(next))
}

/// Help and version are what was asked for; the rest says what is wrong with the command line.
fn explain(error: &clap::Error, console: &mut Console) -> Outcome {
    let text = if console.is_live() {
        error.render().ansi().to_string()
    } else {
        error.render().to_string()
    };
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            console.say(text.trim_end());
            Outcome::Done
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            console.say(text.trim_end());
            Outcome::NotDone
        }
        _ => {
            console.mention(text.trim_end());
            Outcome::NotDone
        }
    }
}
