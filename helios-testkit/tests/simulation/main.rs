//! The agent and the masters of Helios under simulated fleets that fail, and planted bugs that must be found.

#[cfg(test)]
mod campaign;
#[cfg(test)]
mod museum;
#[cfg(test)]
mod verdicts;
