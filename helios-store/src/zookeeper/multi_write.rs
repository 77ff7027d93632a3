//! A transaction on its way, maybe with others.

use std::sync::Arc;

use futures_util::future::{Either, ready};
use helios_core::store::StoreError;
use tokio::time::{Instant, timeout_at};

use super::batch::{Batched, Batcher};
use super::calls::Calls;
use super::fault::Fault;
use super::plan::Step;
use super::request::{self, Answer, NoAnswer};
use super::session::Session;

/// The steps of one transaction, and at most how many bytes they take in a request.
///
/// If the servers refuse several because of one, nothing of any was done, and each is answered
/// [`Apart`](Answer::Apart): nobody is ever told a reason that is somebody else's.
#[derive(Debug)]
pub(super) struct MultiWrite {
    pub(super) steps: Vec<Step>,
    pub(super) bytes: usize,
}

impl Batched for MultiWrite {
    type Answer = Result<Answer, NoAnswer>;

    fn batcher(calls: &Calls) -> &Batcher<Self> {
        &calls.writes
    }

    fn bytes(&self) -> usize {
        self.bytes
    }

    fn send(
        calls: &Calls,
        session: &Arc<Session>,
        writes: Vec<Self>,
    ) -> impl Future<Output = Vec<Self::Answer>> + Send {
        let count = writes.len();
        let steps: Vec<Step> = writes.into_iter().flat_map(|write| write.steps).collect();
        let request = match request::send(session, &steps, &calls.options.access) {
            Ok(request) => Either::Left(request),
            Err(none) => Either::Right(ready(Err(none))),
        };
        async move {
            let answer = match request.await {
                Ok(Answer::Refused { .. }) | Err(NoAnswer::Unsendable(..)) if count > 1 => {
                    Ok(Answer::Apart)
                }
                answer => answer,
            };
            vec![answer; count]
        }
    }

    /// Its outcome is unknown, and what is read from now on must not be older.
    fn forgotten(calls: &Calls) {
        calls.barrier.raise();
    }
}

impl MultiWrite {
    /// Sends it, maybe with others.
    pub(super) async fn together(
        self,
        calls: &Arc<Calls>,
        deadline: Instant,
    ) -> Result<Answer, StoreError> {
        let _turn = calls.turn(deadline).await?;
        let session = calls.session(deadline).await?;
        let mut pending = Batcher::join(calls, session, self);
        let answer = timeout_at(deadline, pending.answer()).await;
        if answer.is_err() && pending.withdraw() {
            let message = "the servers did not answer earlier transactions in time";
            return Err(Fault::unavailable(message).into());
        }
        let answer = answer.ok().flatten();
        let answer = answer.unwrap_or(Err(NoAnswer::Lost(None)));
        if request::is_known(&answer) {
            pending.settled();
        }
        Ok(answer?)
    }

    /// Sends it in a request of its own.
    pub(super) async fn alone(
        self,
        calls: &Calls,
        deadline: Instant,
    ) -> Result<Answer, StoreError> {
        let _turn = calls.turn(deadline).await?;
        let session = calls.session(deadline).await?;
        // Also for a future that is dropped: its outcome, too, nobody knows.
        let untold = calls.barrier.raise_unless_told();
        let request = request::send(&session, &self.steps, &calls.options.access)?;
        let answer = timeout_at(deadline, request).await;
        let answer = answer.unwrap_or(Err(NoAnswer::Lost(None)));
        if request::is_known(&answer) {
            untold.told();
        }
        Ok(answer?)
    }
}
