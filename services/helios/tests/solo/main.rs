//! The real thing: `helios solo` as a process that is killed, on a real Docker engine.

#[cfg(test)]
mod fleet;
#[cfg(test)]
mod lifecycle;
#[cfg(test)]
mod process;
