//! What `logs` takes.

use clap::Args;

/// What `logs` takes.
#[derive(Clone, Debug, Args)]
pub struct LogsArgs {
    /// The job: its id or a part of it
    pub job: String,
    /// The host, or what it starts with [default: the only one that has the job]
    pub host: Option<String>,
    /// Go on with what comes, until the container ends
    #[arg(short, long)]
    pub follow: bool,
    /// What the container before the present one wrote, while its agent keeps it
    #[arg(short, long)]
    pub previous: bool,
    /// How many lines of the past [default: 100]
    #[arg(long, value_name = "LINES")]
    pub tail: Option<usize>,
}
