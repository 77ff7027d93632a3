//! Changes of many masters, through a bad connection, on a store that does no more than it must.

#[cfg(test)]
mod bad_connection;
#[cfg(test)]
mod changes;
#[cfg(test)]
mod fleet;
#[cfg(test)]
mod invariants;
#[cfg(test)]
mod lost_answers;
#[cfg(test)]
mod many_masters;
#[cfg(test)]
mod reaping;
#[cfg(test)]
mod stopped_clock;
