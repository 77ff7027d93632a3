//! `helios completions` and `helios man`: made of what the command line takes.

use std::fs;
use std::path::Path;

use clap_complete::{Shell, generate};

use crate::args::Cli;
use crate::{Console, Failure, Outcome};

/// Says what that shell has to read to complete commands and options.
pub(super) fn completions(shell: Shell, console: &mut Console) -> Result<Outcome, Failure> {
    let mut script = Vec::new();
    generate(shell, &mut Cli::full_command(), "helios", &mut script);
    console.say(String::from_utf8_lossy(&script).trim_end());
    Ok(Outcome::Done)
}

/// Writes a page for each command.
pub(super) fn man(dir: &Path, console: &mut Console) -> Result<Outcome, Failure> {
    let failed = |error: std::io::Error| {
        let message = format!("the pages cannot be written into {}", dir.display());
        Failure::new(message)
            .caused_by(error)
            .advise("name a directory where you may write")
    };
    fs::create_dir_all(dir).map_err(failed)?;
    clap_mangen::generate_to(Cli::full_command(), dir).map_err(failed)?;
    console.say(format_args!("the pages are in {}", dir.display()));
    Ok(Outcome::Done)
}
