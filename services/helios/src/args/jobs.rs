//! What the commands about jobs take.

use std::path::PathBuf;

use clap::Args;

/// What `create` takes.
#[derive(Clone, Debug, Default, Args)]
pub struct CreateArgs {
    /// The job's id: name, name:version, or the id of an existing job, whose hash is dropped
    pub id: Option<String>,
    /// The image to run
    pub image: Option<String>,
    /// The command and its arguments; put -- before them if one starts with a dash
    pub args: Vec<String>,
    /// Start with the job in that JSON file, as `inspect --json` prints it
    #[arg(short, long, value_name = "PATH")]
    pub file: Option<PathBuf>,
    /// Start with that existing job: its id or a part of it
    #[arg(short, long, value_name = "JOB")]
    pub template: Option<String>,
    /// Print only the id
    #[arg(short)]
    pub quiet: bool,
    /// Host name inside the container
    #[arg(long, num_args = 0..=1, default_missing_value = "")]
    pub hostname: Option<String>,
    /// Environment variable
    #[arg(long, value_name = "NAME=VALUE")]
    pub env: Vec<String>,
    /// Port of the container
    #[arg(
        short,
        long = "port",
        value_name = "SPEC",
        help = "Port: name=[ip:]internal[:external][/protocol], such as http=8080:80"
    )]
    pub ports: Vec<String>,
    /// Service to register
    #[arg(
        short,
        long = "register",
        value_name = "SPEC",
        help = "Service to register: service[/protocol][=port], such as web/http=http"
    )]
    pub registrations: Vec<String>,
    /// Domain to register services under
    #[arg(long, value_name = "DOMAIN")]
    pub registration_domain: Option<String>,
    /// Volume to mount
    #[arg(
        long = "volume",
        value_name = "SPEC",
        help = "Volume: [source:]path[:ro], where source is a directory of the host or the name of a volume"
    )]
    pub volumes: Vec<String>,
    /// Seconds between leaving service discovery and being stopped
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    pub grace_period: Option<i32>,
    /// When the job is undeployed and removed: ISO 8601, local time if it has no offset
    #[arg(short, long, value_name = "TIME")]
    pub expires: Option<String>,
    /// Healthy when that command ends with code 0 inside the container; split at blanks
    #[arg(long, value_name = "COMMAND", group = "health check")]
    pub exec_check: Option<String>,
    /// Healthy when a GET of that path on the port of that name succeeds, such as http:/health
    #[arg(long, value_name = "PORT:PATH", group = "health check")]
    pub http_check: Option<String>,
    /// Healthy when the port of that name accepts connections
    #[arg(long, value_name = "PORT", group = "health check")]
    pub tcp_check: Option<String>,
    /// Security option of the container engine
    #[arg(long, value_name = "OPTION")]
    pub security_opt: Vec<String>,
    /// Network mode: bridge, host or container:NAME
    #[arg(long, value_name = "MODE")]
    pub network_mode: Option<String>,
    /// Note that nobody interprets
    #[arg(short, long, value_name = "NAME=VALUE")]
    pub metadata: Vec<String>,
    /// Linux capability to add
    #[arg(long, value_name = "NAME")]
    pub add_capability: Vec<String>,
    /// Linux capability to drop
    #[arg(long, value_name = "NAME")]
    pub drop_capability: Vec<String>,
    /// Label of the container; if any is given, those of the file or template are dropped
    #[arg(long, value_name = "NAME=VALUE")]
    pub labels: Vec<String>,
    /// Wish for rolling updates: timeout, parallelism, migrate, overlap, token or ignoreFailures
    #[arg(long, value_name = "NAME=VALUE")]
    pub rollout_options: Vec<String>,
    /// Runtime of the container engine
    #[arg(long, num_args = 0..=1, default_missing_value = "")]
    pub runtime: Option<String>,
    /// Word that has to be repeated to deploy or remove the job
    #[arg(long, num_args = 0..=1, default_missing_value = "")]
    pub token: Option<String>,
}

/// What `remove` takes.
#[derive(Clone, Debug, Args)]
pub struct RemoveArgs {
    /// The job: its id or a part of it
    pub job: String,
    /// The job's token
    #[arg(long, num_args = 0..=1, default_value = "", default_missing_value = "", hide_default_value = true)]
    pub token: String,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
}

/// What `inspect` takes.
#[derive(Clone, Debug, Args)]
pub struct InspectArgs {
    /// The job: its id or a part of it
    pub job: String,
}

/// What `history` takes.
#[derive(Clone, Debug, Args)]
pub struct HistoryArgs {
    /// The job: its id or a part of it
    pub job: String,
}

/// What `jobs` takes.
#[derive(Clone, Debug, Args)]
pub struct JobsArgs {
    /// Only jobs whose id contains this
    pub pattern: Option<String>,
    /// Show full ids
    #[arg(short)]
    pub full: bool,
    /// Print only the ids
    #[arg(short)]
    pub quiet: bool,
    /// Only jobs that are deployed somewhere
    #[arg(short = 'y')]
    pub deployed: bool,
}

/// What `status` takes.
#[derive(Clone, Debug, Args)]
pub struct StatusArgs {
    /// Only jobs whose id contains this
    pub pattern: Option<String>,
    /// The same, as the original spelled it
    #[arg(short, long, conflicts_with = "pattern")]
    pub job: Option<String>,
    /// Only hosts whose name matches this regular expression somewhere
    #[arg(long, value_name = "PATTERN")]
    pub host: Option<String>,
    /// Show full ids
    #[arg(short)]
    pub full: bool,
}

impl StatusArgs {
    /// What the ids of the jobs contain, if that was said.
    #[must_use]
    pub fn id_part(&self) -> Option<&String> {
        self.pattern.as_ref().or(self.job.as_ref())
    }
}
