//! What is refused, and what people are told.

use std::time::Duration;

use super::*;
use crate::Share;
use crate::curve::Length;
use crate::order::Amount;
use crate::variable::VariableError;

#[tokio::test]
async fn what_cannot_mean_anything_is_refused_by_name() {
    let (_, master) = started(8, None).await;
    let variables = &master.variables;
    let why = |result: Result<(), ChangeError>| result.unwrap_err().to_string();
    let again = variables.start("docker", &transition(), None).await;
    assert!(why(again).contains("docker has a transition"));
    assert!(why(variables.set("docker", &to_26()).await).contains("transition"));
    assert!(why(variables.remove("docker").await).contains("transition"));
    assert!(why(variables.pause("kernel").await).contains("no variable \"kernel\""));
    assert!(why(variables.set("a/b", &to_26()).await).contains("\"a/b\""));
    variables.abort("docker").await.unwrap();
    assert!(why(variables.abort("docker").await).contains("no transition running"));
    let with = |change: fn(&mut Transition)| {
        let mut transition = transition();
        change(&mut transition);
        async move {
            let started = variables.start("docker", &transition, None).await;
            match started.unwrap_err() {
                helios_core::cluster::ClusterError::Refused(Refusal::Variable(error)) => {
                    use std::error::Error;
                    let source = error.source().map(ToString::to_string);
                    (error.clone(), source.unwrap_or_else(|| error.to_string()))
                }
                other => panic!("{other}"),
            }
        }
    };
    let unknown = |transition: &mut Transition| {
        transition.change = Change::replace("25", "27");
    };
    assert!(matches!(
        with(unknown).await.0,
        VariableError::UnknownValue { .. }
    ));
    let zero = |transition: &mut Transition| {
        transition.curve.length = Length::Elapsed(Duration::ZERO);
    };
    assert!(with(zero).await.1.contains("takes no time"));
    let never = |transition: &mut Transition| {
        let freeze = crate::curve::Freeze::days("1969-12-01", "1970-03-01", "UTC", "winter");
        transition.curve.calendar.freezes.push(freeze.unwrap());
    };
    assert!(with(never).await.1.contains("never gets enough open time"));
    let crossed = |transition: &mut Transition| {
        let mut rule = transition.order.rules[0].clone();
        rule.name = "none at first".to_owned();
        rule.floor = None;
        rule.ceiling = Some(crate::order::Ceiling {
            at_most: Amount::Hosts(0),
            until: Share::from_percent(10),
        });
        transition.order.rules.push(rule);
    };
    let (_, message) = with(crossed).await;
    assert!(
        message.contains("a canary in every role") && message.contains("none at first"),
        "{message}"
    );
    let guard = Guard {
        objectives: vec![Objective {
            query: "up == 0".to_owned(),
            ..guard(Action::Hold).objectives.remove(0)
        }],
        ..guard(Action::Hold)
    };
    let asked = variables.start("docker", &transition(), Some(&guard)).await;
    assert!(why(asked).contains("\"up == 0\""));
}

#[tokio::test]
async fn a_rollout_that_concerns_nobody_is_refused() {
    let (_, master) = fleet_of(8).await;
    let mut nobody = transition();
    nobody.scope = vec!["role=nothing".parse().unwrap()];
    let started = master.variables.start("docker", &nobody, None).await;
    let why = started.unwrap_err().to_string();
    assert!(why.contains("no host takes part"), "{why}");
}
