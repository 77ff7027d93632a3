//! Resetting the host itself, once for every order.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures_core::future::BoxFuture;
use futures_util::FutureExt;
use serde::{Deserialize, Serialize};
use tracing::{info, warn};

use crate::schema;
use crate::state_dir::{StateDir, StateDirError};

use super::run::{RETRY_AFTER, Running};

/// The document that says which order was begun last.
const DOCUMENT: &str = "reset.json";
/// What the problems of resetting are kept under.
const PROBLEM: &str = "reset";

/// Resets the machine an agent runs on: restarts it, or has it installed anew.
#[async_trait]
pub trait HostReset: fmt::Debug + Send + Sync + 'static {
    /// Resets the machine; usually the agent does not live to see the end.
    ///
    /// # Idempotence
    /// At most once for every `id`: that it is begun is stored first. An agent that dies right then does not
    /// begin again, and the reset of its host fails when its time is over.
    ///
    /// # Errors
    /// What is to be told with the host.
    ///
    /// # Cancellation
    /// The future is dropped with the agent, and with nothing else: what is begun may well have to outlive that.
    async fn reset(&self, id: &str) -> Result<(), String>;

    /// Ends what was begun with that `id`, as far as it can be ended: the order was taken back, because the host's time is over
    /// or the host is somebody else's now.
    ///
    /// The future of [`reset`](Self::reset) is polled until it ends, and until then nothing else is begun. Unless it is told
    /// otherwise, what is begun goes its way.
    fn call_off(&self, id: &str) {
        let _ = id;
    }
}

/// The last order to reset the host, and the work on it.
#[derive(Default)]
pub(super) struct Begun {
    last: Option<String>,
    work: Option<BoxFuture<'static, Result<(), String>>>,
    is_called_off: bool,
}

#[derive(Serialize, Deserialize)]
struct Record {
    id: String,
}

impl Begun {
    /// What was begun before this start.
    pub(super) async fn load(state: &dyn StateDir) -> Result<Self, StateDirError> {
        let document = state.load(DOCUMENT).await?;
        // Of a torn document nothing is known: the host is reset once more at worst, by an order it still has.
        let record = document.and_then(|document| serde_json::from_slice::<Record>(&document).ok());
        Ok(Self {
            last: record.map(|record| record.id),
            ..Self::default()
        })
    }

    /// The work on an order.
    pub(super) fn work(&mut self) -> &mut Option<BoxFuture<'static, Result<(), String>>> {
        &mut self.work
    }
}

impl Running {
    /// Begins to reset the host, if it is ordered and was not begun, and calls off what is not ordered any more.
    pub(super) async fn reset_if_ordered(&mut self) {
        let order = self.live.remembered.drain.as_ref();
        let order = order.filter(|drain| drain.reset.is_some()).cloned();
        self.call_off_unless(order.as_ref().map(|order| &*order.id));
        let Some(order) = order else {
            self.problems.remove(PROBLEM);
            return;
        };
        let is_begun = self.begun.work.is_some() || self.begun.last.as_ref() == Some(&order.id);
        if is_begun || !self.live.is_confirmed() {
            return;
        }
        if self.agent.machine.info().boot_id != order.reset {
            // It was reset, and what was remembered of that is gone.
            return;
        }
        let Some(command) = self.agent.reset.clone() else {
            let trouble = "its agent was not told how: start it with --reset-command";
            self.problems.insert(PROBLEM, order.problem(trouble));
            return;
        };
        let id = order.id.clone();
        let record = schema::encode(&Record { id: id.clone() });
        if let Err(error) = self.agent.state.save(DOCUMENT, &record).await {
            warn!(%error, "the reset of this host is not begun, because that could not be stored");
            self.problems.insert(PROBLEM, error.to_string());
            self.wake_at(Some(self.agent.clock.moment().plus(RETRY_AFTER)));
            return;
        }
        info!(id, "resetting this host");
        self.problems.remove(PROBLEM);
        self.begun = Begun {
            last: Some(id.clone()),
            work: Some(reset(command, id).boxed()),
            is_called_off: false,
        };
    }

    /// Calls off what was begun, once, unless it was begun by this order.
    fn call_off_unless(&mut self, order: Option<&str>) {
        let begun = self.begun.last.as_deref();
        let (Some(id), Some(command)) = (begun, &self.agent.reset) else {
            return;
        };
        if self.begun.work.is_none() || self.begun.is_called_off || order == Some(id) {
            return;
        }
        warn!(
            id,
            "the reset of this host is called off: its order was taken back"
        );
        command.call_off(id);
        self.begun.is_called_off = true;
    }

    /// Learns how the work on an order ended, which the agent lived to see.
    pub(super) fn reset_ended(&mut self, outcome: Result<(), String>) {
        let order = self.live.remembered.drain.as_ref();
        let order = order.filter(|_| !self.begun.is_called_off);
        if let (Err(trouble), Some(order)) = (outcome, order) {
            let problem = order.problem(&trouble);
            warn!("{problem}");
            self.problems.insert(PROBLEM, problem);
        }
    }
}

async fn reset(command: Arc<dyn HostReset>, id: String) -> Result<(), String> {
    command.reset(&id).await
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::sync::Mutex;

    use super::super::silent::Silent;
    use super::*;
    use crate::schema::Drain;
    use crate::time::Timestamp;

    /// Resets for ever, and keeps what it is told to call off.
    #[derive(Debug, Default)]
    struct Endless(Mutex<Vec<String>>);

    #[async_trait]
    impl HostReset for Endless {
        async fn reset(&self, _: &str) -> Result<(), String> {
            pending().await
        }

        fn call_off(&self, id: &str) {
            self.0.lock().unwrap().push(id.to_owned());
        }
    }

    /// A disk with that one document.
    #[derive(Debug)]
    struct Disk(&'static str);

    #[async_trait]
    impl StateDir for Disk {
        async fn load(&self, _: &str) -> Result<Option<Vec<u8>>, StateDirError> {
            Ok(Some(self.0.into()))
        }

        async fn save(&self, _: &str, _: &[u8]) -> Result<(), StateDirError> {
            pending().await
        }

        async fn set_aside(&self, _: &str) -> Result<String, StateDirError> {
            pending().await
        }
    }

    /// An agent that has begun that order, and works on it or does not any more.
    fn begun(command: &Arc<Endless>, last: Option<&str>, works: bool) -> Running {
        let mut running = Silent::running();
        running.agent.reset = Some(Arc::clone(command) as Arc<dyn HostReset>);
        running.begun = Begun {
            last: last.map(str::to_owned),
            work: works.then(|| pending().boxed()),
            is_called_off: false,
        };
        running
    }

    #[test]
    fn what_is_not_ordered_any_more_is_called_off_once() {
        for (last, works, order, called_off) in [
            (Some("o1"), true, None, true),
            (Some("o1"), true, Some("o2"), true),
            (Some("o1"), true, Some("o1"), false),
            (Some("o1"), false, None, false),
            (None, false, None, false),
        ] {
            let command = Arc::new(Endless::default());
            let mut running = begun(&command, last, works);
            running.call_off_unless(order);
            running.call_off_unless(order);
            let wanted: Vec<_> = called_off.then(|| "o1".to_owned()).into_iter().collect();
            let was = command.0.lock().unwrap();
            assert_eq!(*was, wanted, "{last:?} {works} {order:?}");
        }
    }

    #[test]
    fn an_order_is_begun_once_by_goals_that_were_read_and_one_at_a_time() {
        for (confirmed, last, works, begins) in [
            (true, None, false, true),
            (true, Some("o0"), false, true),
            (true, Some("o0"), true, false),
            (true, Some("o1"), false, false),
            (false, None, false, false),
        ] {
            let mut running = begun(&Arc::default(), last, works);
            running.live.remembered.drain = Some(Drain {
                by: "kernel".to_owned(),
                id: "o1".to_owned(),
                since: Timestamp::from_millis(1),
                reset: Some("b1".to_owned()),
            });
            if confirmed {
                running.live.confirm();
            }
            // It has to be stored before it is begun, and that takes for ever here.
            let is_stored = running.reset_if_ordered().now_or_never().is_none();
            assert_eq!(is_stored, begins, "{confirmed} {last:?} {works}");
        }
    }

    #[test]
    fn the_order_that_was_begun_is_known_after_a_start() {
        for (document, last) in [(r#"{"id":"o1"}"#, Some("o1")), (r#"{"id":"#, None)] {
            let begun = Begun::load(&Disk(document)).now_or_never();
            let begun = begun.expect("at once").unwrap();
            assert_eq!(begun.last.as_deref(), last);
        }
    }
}
