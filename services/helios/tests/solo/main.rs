//! The real thing: `helios solo` as a process that is killed, on a real Docker engine.

#[cfg(test)]
mod disk;
#[cfg(test)]
mod engine;
#[cfg(test)]
mod events;
#[cfg(test)]
mod groups;
#[cfg(test)]
mod kills;
#[cfg(test)]
mod lifecycle;
#[cfg(test)]
mod logs;
#[cfg(test)]
mod orphans;
#[cfg(test)]
mod process;
#[cfg(test)]
#[path = "../serving/mod.rs"]
mod serving;
#[cfg(test)]
mod told;
#[cfg(test)]
mod walks;
