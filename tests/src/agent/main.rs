//! The whole agent on a store in memory and a fake engine, in paused time.

#[cfg(test)]
mod dead;
#[cfg(test)]
mod drain;
#[cfg(test)]
mod history;
#[cfg(test)]
mod images;
#[cfg(test)]
mod lifecycle;
#[cfg(test)]
mod orphans;
#[cfg(test)]
mod restart;
#[cfg(test)]
mod rig;
#[cfg(test)]
mod services;
#[cfg(test)]
mod store_away;
