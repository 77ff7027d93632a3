//! Fleet resets from end to end: masters that die, and whole agents on fake engines that restart, in paused time.

#[cfg(test)]
mod dying;
#[cfg(test)]
mod fleet;
#[cfg(test)]
mod guards;
#[cfg(test)]
mod runs;
