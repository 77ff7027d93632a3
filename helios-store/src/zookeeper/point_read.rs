//! A read of one entry, maybe together with others.

use std::collections::BTreeSet;
use std::sync::Arc;

use zookeeper_client::Error;

use super::batch::{BYTES_MAX, Batched, Batcher};
use super::calls::Calls;
use super::read::{BATCH, Found, each};
use super::session::Session;

/// What lies at a path?
#[derive(Debug)]
pub(super) struct PointRead(String);

impl PointRead {
    pub(super) fn new(path: String) -> Self {
        Self(path)
    }

    /// Asks in that session.
    pub(super) async fn ask(
        self,
        calls: &Arc<Calls>,
        session: Arc<Session>,
    ) -> Result<Option<Found>, Error> {
        let mut pending = Batcher::join(calls, session, self);
        let answer = pending.answer().await;
        pending.settled();
        answer.unwrap_or(Err(Error::Timeout))
    }
}

impl Batched for PointRead {
    type Answer = Result<Option<Found>, Error>;

    fn batcher(calls: &Calls) -> &Batcher<Self> {
        &calls.reads
    }

    /// What the answer has is not known before; as many as are read of a directory.
    fn bytes(&self) -> usize {
        BYTES_MAX / BATCH
    }

    async fn send(_calls: &Calls, session: &Arc<Session>, reads: Vec<Self>) -> Vec<Self::Answer> {
        let paths: BTreeSet<&String> = reads.iter().map(|read| &read.0).collect();
        let paths: Vec<String> = paths.into_iter().cloned().collect();
        let answers = each(session, &paths).await;
        let answer = |read: &Self| match (&answers, paths.binary_search(&read.0)) {
            (Ok(answers), Ok(at)) => answers.get(at).cloned().unwrap_or(Ok(None)),
            (Err(error), _) => Err(error.clone()),
            (Ok(_), Err(_)) => Ok(None),
        };
        reads.iter().map(answer).collect()
    }

    /// A read leaves nothing behind.
    fn forgotten(_calls: &Calls) {}
}
