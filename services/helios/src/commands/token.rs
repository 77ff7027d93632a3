//! `helios token`.

use std::time::Duration;

use helios_api::client::ListQuery;
use helios_api::wire::{CreatedToken, Grant, NewToken, Role, TokenInfo};
use helios_core::Timestamp;

use super::Call;
use crate::args::{CreateTokenArgs, RoleArg, TokenArgs, TokenCommand};
use crate::output::{Table, local_time, pretty};
use crate::{Console, Failure, Outcome};

pub(super) async fn run(args: &TokenArgs, call: &mut Call<'_>) -> Result<Outcome, Failure> {
    match &args.command {
        TokenCommand::Create(args) => {
            let created = call.client.create_token(&new_token(args, call.now)).await?;
            say_created(&created, call.json, call.console)?;
        }
        TokenCommand::List(args) => {
            let query = ListQuery {
                name_pattern: args.pattern.clone(),
                ..ListQuery::default()
            };
            let tokens = call.client.tokens(&query).await?;
            say_list(&tokens, call.json, call.console)?;
        }
        TokenCommand::Revoke(args) => {
            if !call.client.revoke_token(&args.name).await? {
                let failure = Failure::new(format!("there is no token {}", args.name));
                return Err(failure.advise("`helios token list` shows those there are"));
            }
            call.console
                .say(format_args!("token {} is revoked", args.name));
        }
    }
    Ok(Outcome::Done)
}

/// The token that is asked for.
pub(crate) fn new_token(args: &CreateTokenArgs, now: Timestamp) -> NewToken {
    let day = Duration::from_secs(86_400);
    NewToken {
        name: args.name.clone(),
        grant: Grant {
            role: match args.role {
                RoleArg::Read => Role::Read,
                RoleArg::Deploy => Role::Deploy,
                RoleArg::Admin => Role::Admin,
            },
            hosts: args.hosts.clone(),
            groups: args.groups.clone(),
        },
        expires: args.days.map(|days| now.plus(day * days)),
    }
}

/// The secret alone on stdout, so that it can go into a file or a variable.
pub(crate) fn say_created(
    created: &CreatedToken,
    json: bool,
    console: &mut Console,
) -> Result<(), Failure> {
    if json {
        console.say(pretty(created)?);
        return Ok(());
    }
    console.mention(format_args!(
        "token {} ({}) is created; keep it safe, it is shown only now:",
        created.info.name, created.info.grant.role
    ));
    console.say(&created.token);
    Ok(())
}

pub(crate) fn say_list(
    tokens: &[TokenInfo],
    json: bool,
    console: &mut Console,
) -> Result<(), Failure> {
    if json {
        console.say(pretty(&tokens)?);
        return Ok(());
    }
    let headings = [
        "NAME",
        "ROLE",
        "HOSTS",
        "GROUPS",
        "CREATED",
        "BY",
        "GOOD UNTIL",
    ];
    let mut table = Table::new(&headings);
    for token in tokens {
        let part = |prefix: &Option<String>| match prefix {
            Some(prefix) => format!("{prefix}*"),
            None => "all".to_owned(),
        };
        let end = token
            .expires
            .map_or_else(|| "revoked".to_owned(), local_time);
        let cells = [
            token.name.clone(),
            token.grant.role.to_string(),
            part(&token.grant.hosts),
            part(&token.grant.groups),
            local_time(token.created),
            token.created_by.clone(),
            end,
        ];
        table.row(cells.map(Into::into));
    }
    table.say(console);
    Ok(())
}
