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
mod prometheus;
#[cfg(test)]
mod rollouts;
