//! Rolling updates over whole agents with engines of their own, in virtual time.

#[cfg(test)]
mod crashes;
#[cfg(test)]
mod crashing_store;
#[cfg(test)]
mod fleet;
#[cfg(test)]
mod scale;
#[cfg(test)]
mod scenarios;
