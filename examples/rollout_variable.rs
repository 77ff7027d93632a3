//! A value that moves over a fleet: "Docker from 26 to 27", here in three seconds instead of two weeks. Any number of
//! masters drive it, and afterwards its log shows that each of them would have decided the same.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use helios_core::{Cluster, HostName, Timestamp};
use helios_rollout::audit::replay;
use helios_rollout::curve::Curve;
use helios_rollout::drive::{Ledger, Setting, VariableDriver, Variables};
use helios_rollout::order::{Order, Rule};
use helios_rollout::variable::{Change, Transition};
use helios_store::MemoryStore;

/// Evenly over three seconds, for all hosts; a canary in every role before anything else moves.
fn transition(start: Timestamp) -> Transition {
    let mut order = Order::new("docker-27", ["role"]);
    order.rules = vec![Rule::at_least("a canary in every role", 1)];
    let curve = Curve::linear(start, Duration::from_secs(3));
    Transition::new(Change::replace("26.1", "27.0"), curve, order)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let cluster = Cluster::on(Arc::new(MemoryStore::new()))?;
    cluster.init().await?;
    let variables = Variables::on(cluster.clone());
    let nobody = variables.read().await?;
    for n in 0..10 {
        // Hosts that only ask, without an agent: a laptop, a switch, a configuration management of your own.
        let role = if n < 8 { "web" } else { "db" };
        let host: HostName = format!("{role}-{n}").parse()?;
        let labels = BTreeMap::from([("role".to_owned(), role.to_owned())]);
        variables.follow(&nobody, &host, &labels).await?;
    }

    let old = Setting {
        value: "26.1".into(),
        allowed: None,
        forbidden: None,
    };
    variables.set("docker", &old).await?;
    let transition = transition(cluster.clock().now());
    variables.start("docker", &transition, None).await?;
    for _ in 0..2 {
        tokio::spawn(VariableDriver::new(cluster.clone()).run());
    }

    let mut books = variables.watch();
    while let Some(book) = books.next().await {
        let book = book?;
        let ledger = book.ledgers.get("docker").ok_or("the variable is gone")?;
        let Some(running) = ledger.variable().and_then(|docker| docker.running()) else {
            break;
        };
        let told: Vec<_> = running.told.hosts().map(HostName::as_str).collect();
        println!("27.0 on {:>2}: {}", told.len(), told.join(" "));
        explain(ledger, cluster.clock().now())?;
    }

    let log = variables.log("docker").await?;
    let again = replay(&log)?;
    println!(
        "{} entries, decided again: {}",
        log.len(),
        again.variable.held().base()
    );
    Ok(())
}

/// Why a host holds what it holds, and when that changes.
fn explain(ledger: &Ledger, now: Timestamp) -> Result<(), Box<dyn std::error::Error>> {
    let state = ledger.state().ok_or("nothing runs")?;
    let view = state.variable.on(&state.fleet)?;
    let why = view.explain("db-9", now).ok_or("no db-9")?;
    println!("  {why}");
    Ok(())
}
