//! Content on its way out: chunk by chunk, each held against its checksum before anybody sees a byte of it. Damage in the first chunk
//! is an answer of its own; damage further on ends the answer in the middle, which its length makes plain.

use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::{self, Peekable, Stream, StreamExt as _};

use super::objects::{Name, Objects, damaged};
use super::sum::{CHUNK_BYTES, holds};
use super::text::Digest;
use crate::outcome::{Failure, Outcome};

/// How many chunks are on their way at once.
const READ_AHEAD_CHUNKS: usize = 2;

/// A content, or a part of it, as a stream of verified pieces.
pub type Pieces = Pin<Box<dyn Stream<Item = Outcome<Bytes>> + Send>>;

/// An object and all it takes to read it.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) objects: Objects,
    pub(super) name: Name,
    pub(super) size: u64,
    pub(super) digest: Digest,
    pub(super) chunks: Arc<[u8]>,
}

/// The bytes of `source` in `range`, the first chunk of them verified already.
///
/// # Errors
/// The object is missing or damaged (a fault that names it), or its place is away.
pub(super) async fn pieces(source: Source, range: Range<u64>) -> Outcome<Pieces> {
    let chunk = CHUNK_BYTES as u64;
    let touched = range.start / chunk..range.end.div_ceil(chunk);
    let fetch = move |index: u64| {
        let (source, range) = (source.clone(), range.clone());
        async move { source.piece(index, &range).await }
    };
    let mut pieces = Box::pin(stream::iter(touched).map(fetch).buffered(READ_AHEAD_CHUNKS).peekable());
    match first_failure(&mut pieces).await {
        Some(failure) => Err(failure),
        None => Ok(pieces),
    }
}

async fn first_failure<S: Stream<Item = Outcome<Bytes>>>(pieces: &mut Pin<Box<Peekable<S>>>) -> Option<Failure> {
    match pieces.as_mut().peek().await {
        Some(Err(_)) => pieces.next().await.and_then(Result::err),
        Some(Ok(_)) | None => None,
    }
}

impl Source {
    /// What lies in `range` of the chunk numbered `index`.
    async fn piece(&self, index: u64, range: &Range<u64>) -> Outcome<Bytes> {
        let start = index * CHUNK_BYTES as u64;
        let end = self.size.min(start + CHUNK_BYTES as u64);
        let bytes = self.objects.range(self.name, start..end, self.size).await?;
        let (digest, chunks, whole) = (self.digest, Arc::clone(&self.chunks), bytes.clone());
        let is_whole =
            tokio::task::spawn_blocking(move || holds(&whole, index, digest, &chunks)).await.map_err(Failure::fault)?;
        if !is_whole {
            return Err(damaged(self.name, &format!("is damaged between bytes {start} and {end}")));
        }
        let within = |place: u64| usize::try_from(place.clamp(start, end) - start).unwrap_or(usize::MAX);
        Ok(bytes.slice(within(range.start)..within(range.end)))
    }
}
