//! Masters that come and go while a command runs.

use std::convert::Infallible;
use std::future::pending;
use std::time::Duration;

use tokio::time::sleep;

use super::{Target, srv};
use crate::Environment;

/// How often the masters of domains are looked up again.
const EVERY: Duration = Duration::from_secs(60);

/// Looks the masters of domains up again every minute, for as long as a command runs: a watch may last longer than
/// the masters that it began with. While a domain has none, those from before are asked.
pub(crate) async fn keep_fresh(targets: &[Target], environment: &Environment) -> Infallible {
    keep_fresh_every(EVERY, targets, environment).await
}

async fn keep_fresh_every(
    pause: Duration,
    targets: &[Target],
    environment: &Environment,
) -> Infallible {
    if targets.iter().all(|target| target.service.is_none()) {
        return pending().await;
    }
    loop {
        sleep(pause).await;
        for target in targets {
            if let Some(service) = &target.service {
                look_up(target, service, environment).await;
            }
        }
    }
}

async fn look_up(target: &Target, service: &str, environment: &Environment) {
    let domain = &target.name;
    match srv::masters_of(domain, service, environment).await {
        Ok(masters) => {
            if let Err(error) = target.client.move_to(&masters) {
                tracing::warn!(%error, domain, "the masters that were found cannot be asked");
            }
        }
        Err(error) => tracing::debug!(%error, domain, "the masters are those from before"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::srv::tests::{NameServer, masters};
    use super::*;
    use crate::args::ClientOptions;

    #[tokio::test]
    async fn masters_that_come_later_are_asked_and_those_of_before_while_there_are_none() {
        let server = NameServer::new().await;
        let options = ClientOptions {
            domains: vec!["x.net".to_owned()],
            ..ClientOptions::default()
        };
        let environment = Environment::of_variables([("HELIOS_DNS", server.address.as_str())]);
        let now = |host| masters("_helios._http.x.net", &[(1, 5801, host)]);
        let follow = async {
            server.answers(now("m1.x.net"));
            let targets = super::super::resolve(&options, &environment).await.unwrap();
            let until = async |expected: &str| {
                while targets[0].client.endpoints() != [expected] {
                    tokio::task::yield_now().await;
                }
            };
            let watch = async {
                until("http://m1.x.net:5801").await;
                server.answers(now("m2.x.net"));
                until("http://m2.x.net:5801").await;
                let asked = server.asked();
                server.answers(Vec::new());
                while server.asked() < asked + 4 {
                    tokio::task::yield_now().await;
                }
                until("http://m2.x.net:5801").await;
            };
            let refresh = keep_fresh_every(Duration::from_millis(5), &targets, &environment);
            tokio::select! {
                () = watch => {}
                never = refresh => match never {},
            }
        };
        tokio::select! {
            () = server.serve() => {}
            () = follow => {}
        }
    }
}
