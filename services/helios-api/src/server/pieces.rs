//! Answers that are sent in the pieces they are kept in.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame, SizeHint};

/// A text in pieces that are shared, and sent one after the other: the status of a large fleet is tens of megabytes,
/// which would else be put together anew for everybody who asks, and held for as long as they take to read it.
#[derive(Clone, Debug, Default)]
pub(super) struct Pieces {
    left: VecDeque<Bytes>,
    bytes: u64,
}

impl Pieces {
    pub(super) fn push(&mut self, piece: impl Into<Bytes>) {
        let piece = piece.into();
        self.bytes += piece.len() as u64;
        self.left.push_back(piece);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.left.iter().map(AsRef::as_ref)
    }
}

impl From<Vec<u8>> for Pieces {
    fn from(text: Vec<u8>) -> Self {
        let mut pieces = Self::default();
        pieces.push(text);
        pieces
    }
}

/// Its length is known, as that of a text in one piece.
impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = self.left.pop_front();
        self.bytes -= piece.as_ref().map_or(0, Bytes::len) as u64;
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes)
    }
}
