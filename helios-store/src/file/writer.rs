//! The one thread that changes a file store.

use std::mem;
use std::sync::Arc;

use helios_core::store::{StoreError, Txn};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

use super::disk::{Disk, Fate};
use super::failure::Failure;
use crate::board::Board;
use crate::tree::{Changed, SessionId, Tree};

/// The most messages that share one write.
const BATCH_MESSAGES_MAX: usize = 1024;

/// What a handle asks of the writer.
pub(super) enum Message {
    Open(SessionId),
    Commit {
        txn: Txn,
        session: SessionId,
        reply: oneshot::Sender<Result<(), StoreError>>,
        /// Given back with the answer, also when nobody waits for it any more: it bounds the queue.
        turn: Option<OwnedSemaphorePermit>,
    },
    End(SessionId, Option<oneshot::Sender<()>>),
    Stop,
}

/// Plays messages on the tree, writes what came of it, and only then shows and acknowledges it.
pub(super) struct Writer {
    board: Arc<Board>,
    disk: Disk,
    messages: mpsc::UnboundedReceiver<Message>,
    /// A write of unknown fate. Until it is known, nothing else is accepted.
    unsettled: Option<Vec<Changed>>,
}

/// What a batch of messages would do.
struct Played {
    tree: Tree,
    changed: Vec<Changed>,
    /// One for each message; nothing is to be told for those that are no commit.
    outcomes: Vec<Result<(), StoreError>>,
}

impl Writer {
    pub(super) fn new(
        board: Arc<Board>,
        disk: Disk,
        messages: mpsc::UnboundedReceiver<Message>,
    ) -> Self {
        Self {
            board,
            disk,
            messages,
            unsettled: None,
        }
    }

    /// Works until it is told to stop or all handles are gone.
    pub(super) fn run(mut self) {
        while let Some(first) = self.messages.blocking_recv() {
            let mut batch = vec![first];
            while batch.len() < BATCH_MESSAGES_MAX
                && let Ok(next) = self.messages.try_recv()
            {
                batch.push(next);
            }
            let stop = batch.iter().any(|message| matches!(message, Message::Stop));
            self.process(batch);
            if stop {
                return;
            }
        }
    }

    fn process(&mut self, batch: Vec<Message>) {
        let refused = self.settle().err();
        let present = self.board.read(Tree::clone);
        let mut played = play(present.clone(), &batch, refused.as_ref());
        let failure = match self.disk.write(&played.changed) {
            Fate::Written => None,
            Fate::NotWritten(failure) => Some(failure),
            Fate::Unknown(failure) => {
                self.unsettled = Some(mem::take(&mut played.changed));
                Some(failure)
            }
        };
        if let Some(failure) = failure {
            tracing::warn!(because = %failure.to_error(), "commits were not written");
            played = play(present, &batch, Some(&failure));
        }
        self.board.publish(played.tree, &played.changed);
        // Whoever hears that it is not known may read again at once, so the answer had better be there.
        if let Err(failure) = self.settle() {
            tracing::warn!(because = %failure.to_error(), "the last write is still not known");
        }
        acknowledge(batch, played.outcomes);
    }

    /// Finds out what became of a write of unknown fate, and shows it if it happened.
    fn settle(&mut self) -> Result<(), Failure> {
        if self.unsettled.is_none() {
            return Ok(());
        }
        let happened = self.disk.settle()?;
        let changed = self.unsettled.take().unwrap_or_default();
        if happened {
            let mut tree = self.board.read(Tree::clone);
            changed.iter().for_each(|changed| tree.replay(changed));
            self.board.publish(tree, &changed);
        }
        Ok(())
    }
}

/// Plays a batch in its order; with a fault of the disk all its commits are refused for that.
fn play(mut tree: Tree, batch: &[Message], refused: Option<&Failure>) -> Played {
    let mut changed = Vec::new();
    let mut outcomes = Vec::with_capacity(batch.len());
    for message in batch {
        let step = match (message, refused) {
            (Message::Open(session), _) => {
                tree.open_session(*session);
                Ok(Vec::new())
            }
            (Message::End(session, _), _) => Ok(tree.end_session(*session)),
            (Message::Commit { .. }, Some(failure)) => Err(failure.to_error()),
            (Message::Commit { txn, session, .. }, None) => tree.apply(txn, *session),
            (Message::Stop, _) => Ok(Vec::new()),
        };
        outcomes.push(step.map(|step| changed.extend(step)));
    }
    Played {
        tree,
        changed,
        outcomes,
    }
}

/// Tells the outcomes; whoever has stopped waiting does not mind.
fn acknowledge(batch: Vec<Message>, outcomes: Vec<Result<(), StoreError>>) {
    for (message, outcome) in batch.into_iter().zip(outcomes) {
        match message {
            Message::Commit { reply, turn, .. } => {
                drop(turn);
                drop(reply.send(outcome));
            }
            Message::End(_, Some(done)) => drop(done.send(())),
            Message::Open(_) | Message::End(_, None) | Message::Stop => {}
        }
    }
}
