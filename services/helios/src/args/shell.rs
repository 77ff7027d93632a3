//! What helps a shell and its user.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

/// What `completions` takes.
#[derive(Clone, Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    pub shell: Shell,
}

/// What `man` takes.
#[derive(Clone, Debug, Args)]
pub struct ManArgs {
    /// The directory to write the pages into, such as ~/.local/share/man/man1
    pub dir: PathBuf,
}
