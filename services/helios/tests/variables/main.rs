//! The real thing: `helios master` over files as a process, hosts that follow it, and people at the command line.

#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod fleet;
#[cfg(test)]
mod guards;
#[cfg(test)]
mod process;
#[cfg(test)]
#[path = "../serving/prometheus.rs"]
mod prometheus;
#[cfg(test)]
mod rollouts;
#[cfg(test)]
#[path = "../serving/mod.rs"]
#[expect(dead_code, reason = "what follows here is waited for without blocking")]
mod serving;
