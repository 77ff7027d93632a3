//! What concerns access tokens.

use clap::{Args, Subcommand, ValueEnum};

use super::ZooKeeperArgs;

/// What `token` takes.
#[derive(Clone, Debug, Args)]
pub struct TokenArgs {
    /// What to do
    #[command(subcommand)]
    pub command: TokenCommand,
}

/// What can be done about access tokens.
#[derive(Clone, Debug, Subcommand)]
pub enum TokenCommand {
    /// Creates a token, and prints it: nobody can find it out later
    Create(CreateTokenArgs),
    /// Lists tokens, without their secrets
    List(ListTokensArgs),
    /// Revokes a token: masters refuse it from then on
    Revoke(RevokeTokenArgs),
}

impl TokenCommand {
    /// Where the tokens are, if not a master is to be asked.
    #[must_use]
    pub fn at(&self) -> &TokenStoreArgs {
        match self {
            Self::Create(args) => &args.at,
            Self::List(args) => &args.at,
            Self::Revoke(args) => &args.at,
        }
    }
}

/// What `token create` takes.
#[derive(Clone, Debug, Args)]
pub struct CreateTokenArgs {
    /// Its name, which is what changes made with it are recorded under
    pub name: String,
    /// What it allows: read; deploy, which is to read and to change what runs where; or admin, everything
    #[arg(long, value_enum, default_value = "deploy")]
    pub role: RoleArg,
    /// Allow changes only on hosts whose name begins like this
    #[arg(long, value_name = "PREFIX")]
    pub hosts: Option<String>,
    /// Allow changes only to groups whose name begins like this
    #[arg(long, value_name = "PREFIX")]
    pub groups: Option<String>,
    /// For how many days it is good [default: until it is revoked]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub days: Option<u32>,
    /// Where the tokens are
    #[command(flatten)]
    pub at: TokenStoreArgs,
}

/// What `token list` takes.
#[derive(Clone, Debug, Args)]
pub struct ListTokensArgs {
    /// Only tokens whose name matches this regular expression somewhere
    #[arg(conflicts_with = "store")]
    pub pattern: Option<String>,
    /// Where the tokens are
    #[command(flatten)]
    pub at: TokenStoreArgs,
}

/// What `token revoke` takes.
#[derive(Clone, Debug, Args)]
pub struct RevokeTokenArgs {
    /// Its name
    pub name: String,
    /// Where the tokens are
    #[command(flatten)]
    pub at: TokenStoreArgs,
}

/// Where the tokens are, if not a master is to be asked.
#[derive(Clone, Debug, Default, Args)]
pub struct TokenStoreArgs {
    /// Ask no master, but this store: for the first token of a cluster
    #[arg(long, value_name = "STORE")]
    pub store: Option<String>,
    /// How an ensemble is talked to
    #[command(flatten)]
    pub zookeeper: ZooKeeperArgs,
}

/// What a token allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RoleArg {
    /// To look.
    Read,
    /// To change what runs where.
    Deploy,
    /// Everything.
    Admin,
}
