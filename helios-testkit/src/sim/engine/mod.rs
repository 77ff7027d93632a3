//! The container engines of a simulated fleet: slow, sometimes away, and with effects that come late.
//!
//! While Docker starts a container nothing else happens with that container, as was seen with 20.10 and a runtime that was
//! made slow. Whatever is asked about it waits until the start is over, in the order in which it came: another start, which
//! then finds it running, a stop, a rename, a remove, forced or not, and an inspect. A create of its name is refused at once,
//! and whoever inspects what has the name, as our runtime does, waits there. The start goes on when its client goes away.
//! Other containers are started, shown and made meanwhile, and a list does not wait: it shows the container as it was before.
//! What a list does not say of a container that does not run takes an inspect, so a complete look waits; one that follows the
//! changes has of it what it had before, which is nothing if it was made since. Other than during a start, nothing waits:
//! what is being stopped can be looked at, and to start it changes nothing.
//!
//! So here a start has its [turn](model::Turn), and everything else waits for that. Once it is there no start takes effect out
//! of its turn, however long its maker has been gone. But a request may be long on its way to the engine, and the port allows it to
//! arrive whenever it likes: of two that are late, one is late at the engine and the other one before it, by chance.

#[cfg(test)]
mod conformance;
mod handle;
mod model;
mod process;
#[cfg(test)]
mod starting;

pub(super) use handle::SimRuntime;
pub(super) use model::{Engine, job_of};
