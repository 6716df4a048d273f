//! What an answer consists of: one text, or blocks that are made as the client takes them.

use std::convert::Infallible;
use std::io::Write as _;
use std::pin::Pin;
use std::task::{Context, Poll};

use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::body::{Bytes, Frame, SizeHint};

use crate::exposition::Blocks;

/// An answer's body.
#[derive(Default)]
pub struct Body(Source);

#[derive(Default)]
enum Source {
    #[default]
    Over,
    Whole(Bytes),
    Blocks(Blocks),
    Packed(Blocks, GzEncoder<Vec<u8>>),
}

impl Body {
    /// All of it, as it is.
    pub(super) fn whole(text: impl Into<Bytes>) -> Self {
        Self(Source::Whole(text.into()))
    }

    /// One block after the other.
    pub(super) fn blocks(blocks: Blocks) -> Self {
        Self(Source::Blocks(blocks))
    }

    /// One block after the other, in gzip.
    pub(super) fn packed(blocks: Blocks) -> Self {
        // The fastest level makes a tenth of a scrape already; more would cost more time than it saves.
        Self(Source::Packed(blocks, GzEncoder::new(Vec::new(), Compression::fast())))
    }

    fn next(&mut self) -> Option<Bytes> {
        match &mut self.0 {
            Source::Over => None,
            Source::Whole(text) => {
                let text = std::mem::take(text);
                self.0 = Source::Over;
                (!text.is_empty()).then_some(text)
            }
            Source::Blocks(blocks) => blocks.next().map(Bytes::from),
            Source::Packed(blocks, encoder) => {
                for block in blocks {
                    // Writing to a Vec cannot fail.
                    let _ = encoder.write_all(block.as_bytes());
                    if !encoder.get_ref().is_empty() {
                        return Some(std::mem::take(encoder.get_mut()).into());
                    }
                }
                let Source::Packed(_, encoder) = std::mem::take(&mut self.0) else { return None };
                encoder.finish().ok().map(Bytes::from)
            }
        }
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.next().map(|block| Ok(Frame::data(block))))
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Source::Over => true,
            Source::Whole(text) => text.is_empty(),
            Source::Blocks(_) | Source::Packed(..) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Source::Over => SizeHint::with_exact(0),
            Source::Whole(text) => SizeHint::with_exact(text.len() as u64),
            Source::Blocks(_) | Source::Packed(..) => SizeHint::default(),
        }
    }
}
