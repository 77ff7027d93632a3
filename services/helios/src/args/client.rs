//! What every client command takes.

use std::path::PathBuf;

use clap::{ArgAction, Args};

/// What every client command takes, before the command or after it.
#[derive(Clone, Debug, Default, Args)]
pub struct ClientOptions {
    /// Address of a master, such as http://127.0.0.1:5801; of several, separated by commas, the first that
    /// answers is used. Given again, it is another cluster, and the command runs on each [default:
    /// HELIOS_MASTER, then ~/.helios/config, then http://127.0.0.1:5801]
    #[arg(short = 'z', long, value_name = "URL")]
    pub master: Vec<String>,
    /// Domains whose masters to find in the name service, separated by commas; each is another cluster
    #[arg(short, long, value_name = "DOMAINS")]
    pub domains: Vec<String>,
    /// What masters are called there [default: srvName in ~/.helios/config, then helios]
    #[arg(long, value_name = "NAME")]
    pub srv_name: Option<String>,
    /// Profile in ~/.helios/config that says which masters to ask, and with which token [default:
    /// HELIOS_PROFILE]
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// In whose name to act [default: the user of the operating system]
    #[arg(short, long, value_name = "NAME")]
    pub username: Option<String>,
    /// File with the access token to give the master [default: HELIOS_TOKEN_FILE; HELIOS_TOKEN is the token
    /// itself]
    #[arg(long, value_name = "FILE")]
    pub access_token: Option<PathBuf>,
    /// File in PEM with the issuers of the master's certificate [default: HELIOS_CACERT, then those that this
    /// machine trusts]
    #[arg(long, value_name = "FILE")]
    pub cacert: Option<PathBuf>,
    /// Ask a master over TLS although its certificate is for another name
    #[arg(short = 'k', long)]
    pub insecure: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Say on stderr what is going on; twice says more
    #[arg(short, long, action = ArgAction::Count)]
    pub verbose: u8,
    /// How long a master may take to answer, in seconds [default: HELIOS_CLI_HTTP_TIMEOUT, then 60]
    #[arg(long, value_name = "SECONDS")]
    pub http_timeout: Option<u64>,
    /// How long to go on trying to reach a master, in seconds [default: HELIOS_CLI_TOTAL_TIMEOUT, then 10]
    #[arg(long, value_name = "SECONDS")]
    pub retry_timeout: Option<u64>,
    /// Scripts say this to switch off something that this program does not do
    #[arg(long, hide = true, value_name = "BOOL")]
    pub google_credentials: Option<bool>,
    /// Scripts say this to switch off something that this program does not do
    #[arg(long, hide = true)]
    pub no_log_setup: bool,
}

impl ClientOptions {
    /// These options, given before the command, with those given after it, which win.
    #[must_use]
    pub fn and(self, later: Self) -> Self {
        let (mut master, mut domains) = (self.master, self.domains);
        master.extend(later.master);
        domains.extend(later.domains);
        Self {
            master,
            domains,
            srv_name: later.srv_name.or(self.srv_name),
            profile: later.profile.or(self.profile),
            username: later.username.or(self.username),
            access_token: later.access_token.or(self.access_token),
            cacert: later.cacert.or(self.cacert),
            insecure: self.insecure || later.insecure,
            json: self.json || later.json,
            verbose: self.verbose.saturating_add(later.verbose),
            http_timeout: later.http_timeout.or(self.http_timeout),
            retry_timeout: later.retry_timeout.or(self.retry_timeout),
            google_credentials: later.google_credentials.or(self.google_credentials),
            no_log_setup: self.no_log_setup || later.no_log_setup,
        }
    }
}
