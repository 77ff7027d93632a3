//! A question for one entry, maybe asked with others.

use std::collections::BTreeSet;
use std::sync::Arc;

use zookeeper_client::Error;

use super::calls::Calls;
use super::convoy::{BYTES_MAX, Convoy, Load};
use super::read::{BATCH, Found, each};
use super::session::Session;

/// What lies at a path?
#[derive(Debug)]
pub(super) struct Question(String);

impl Question {
    pub(super) fn new(path: String) -> Self {
        Self(path)
    }

    /// Asks in that session.
    pub(super) async fn ask(
        self,
        calls: &Arc<Calls>,
        session: Arc<Session>,
    ) -> Result<Option<Found>, Error> {
        let mut ticket = Convoy::join(calls, session, self);
        let answer = ticket.answer().await;
        ticket.settled();
        answer.unwrap_or(Err(Error::Timeout))
    }
}

impl Load for Question {
    type Answer = Result<Option<Found>, Error>;

    fn convoy(calls: &Calls) -> &Convoy<Self> {
        &calls.questions
    }

    /// What the answer has is not known before; as many as are read of a directory.
    fn bytes(&self) -> usize {
        BYTES_MAX / BATCH
    }

    async fn send(
        _calls: &Calls,
        session: &Arc<Session>,
        questions: Vec<Self>,
    ) -> Vec<Self::Answer> {
        let paths: BTreeSet<&String> = questions.iter().map(|question| &question.0).collect();
        let paths: Vec<String> = paths.into_iter().cloned().collect();
        let answers = each(session, &paths).await;
        let answer = |question: &Self| match (&answers, paths.binary_search(&question.0)) {
            (Ok(answers), Ok(at)) => answers.get(at).cloned().unwrap_or(Ok(None)),
            (Err(error), _) => Err(error.clone()),
            (Ok(_), Err(_)) => Ok(None),
        };
        questions.iter().map(answer).collect()
    }

    /// A read leaves nothing behind.
    fn forgotten(_calls: &Calls) {}
}
