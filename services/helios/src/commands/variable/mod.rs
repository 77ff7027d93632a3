//! `helios variable`.

mod chart;
mod request;
mod rollout;
mod show;

use helios_api::wire::SetVariable;
use helios_rollout::variable::{Kind, Value};

use super::Call;
use crate::args::{
    ConfirmArgs, PreviewArgs, RollbackArgs, SetArgs, ValueType, VariableArgs, VariableCommand,
};
use crate::{Failure, Outcome, times};

pub(super) async fn run(args: &VariableArgs, call: &mut Call<'_>) -> Result<Outcome, Failure> {
    use VariableCommand as Command;
    let client = call.client;
    match &args.command {
        Command::Set(args) => set(args, call).await,
        Command::List(args) => show::list(args, call).await,
        Command::Show(args) => show::one(&args.name, call).await,
        Command::Remove(args) => {
            let what = "This will remove the variable";
            if !sure(args, what, call)? {
                return Ok(Outcome::NotDone);
            }
            client.remove_variable(&args.name).await?;
            call.say_result(&args.name, &"OK", None)
        }
        Command::Rollout(args) => rollout::run(args, call).await,
        Command::Pause(args) => {
            client.pause_rollout(&args.name).await?;
            call.say_result(&args.name, &"OK", None)
        }
        Command::Resume(args) => {
            client.resume_rollout(&args.name).await?;
            call.say_result(&args.name, &"OK", None)
        }
        Command::Abort(args) => {
            let what = "This will end the rollout where it is, with two values in the fleet:";
            if !sure(args, what, call)? {
                return Ok(Outcome::NotDone);
            }
            client.abort_rollout(&args.name).await?;
            call.say_result(&args.name, &"OK", None)
        }
        Command::Rollback(args) => roll_back(args, call).await,
        Command::Why(args) => show::why(args, call).await,
        Command::When(args) => show::when(args, call).await,
        Command::Preview(args) => preview(args, call).await,
        Command::Audit(args) => show::audit(args, call).await,
        Command::Chart(args) => chart::run(args, call).await,
        Command::Forget(args) => {
            client.forget_follower(&args.host).await?;
            call.say_result(&args.host, &"OK", None)
        }
    }
}

fn sure(args: &ConfirmArgs, what: &str, call: &mut Call<'_>) -> Result<bool, Failure> {
    if args.yes {
        return Ok(true);
    }
    call.console.confirm(format_args!("{what} {}", args.name))
}

async fn set(args: &SetArgs, call: &mut Call<'_>) -> Result<Outcome, Failure> {
    let known = call.client.variable(&args.name).await?;
    let kind = known.map(|known| known.kind);
    let kind = kind.or_else(|| {
        args.kind.map(|kind| match kind {
            ValueType::Text => Kind::Text,
            ValueType::Integer => Kind::Integer,
            ValueType::Bool => Kind::Bool,
        })
    });
    let value = value(&args.value, kind)?;
    let kind = Some(value.kind());
    let each = |texts: &[String]| {
        let values = texts.iter().map(|text| self::value(text, kind));
        values.collect::<Result<Vec<_>, _>>()
    };
    let pairs = args.forbid.iter().map(|pair| match pair.split_once(':') {
        Some((from, to)) => Ok((self::value(from, kind)?, self::value(to, kind)?)),
        None => Err(Failure::new(format!("--forbid {pair:?} is not FROM:TO"))
            .advise("write for example --forbid 26:28")),
    });
    let forbidden: Vec<_> = pairs.collect::<Result<_, _>>()?;
    let body = SetVariable {
        value,
        allowed: Some(each(&args.allow)?).filter(|allowed| !allowed.is_empty()),
        forbidden: Some(forbidden).filter(|forbidden| !forbidden.is_empty()),
    };
    call.client.set_variable(&args.name, &body).await?;
    call.say_result(&args.name, &"OK", None)
}

/// A value of that type; of the type that it looks like, if none is given.
fn value(text: &str, kind: Option<Kind>) -> Result<Value, Failure> {
    let integer = || text.parse::<i64>().map(Value::from).ok();
    let flag = || text.parse::<bool>().map(Value::from).ok();
    let value = match kind {
        None => integer().or_else(flag).or_else(|| Some(text.into())),
        Some(Kind::Text) => Some(text.into()),
        Some(Kind::Integer) => integer(),
        Some(Kind::Bool) => flag(),
    };
    value.ok_or_else(|| {
        let kind = kind.map(|kind| kind.to_string()).unwrap_or_default();
        Failure::new(format!("the variable holds {kind}, and {text:?} is none"))
    })
}

async fn roll_back(args: &RollbackArgs, call: &mut Call<'_>) -> Result<Outcome, Failure> {
    let over = args.over.as_deref().map(times::duration).transpose()?;
    let question = format!(
        "This will give every host that {} changed its old value",
        args.name
    );
    if !args.yes && !call.console.confirm(question)? {
        return Ok(Outcome::NotDone);
    }
    call.client.roll_back(&args.name, over).await?;
    call.say_result(&args.name, &"OK", None)
}

async fn preview(args: &PreviewArgs, call: &mut Call<'_>) -> Result<Outcome, Failure> {
    let at = args.at.as_deref().map(|at| times::moment(at, call.now));
    let preview = call.client.preview(&args.name, at.transpose()?).await?;
    match preview {
        Some(preview) => show::preview(&preview, call),
        None => Err(unknown(&args.name)),
    }
}

/// There is no such variable.
fn unknown(name: &str) -> Failure {
    Failure::new(format!("there is no variable {name:?}"))
        .advise("`helios variable list` shows those there are")
}
