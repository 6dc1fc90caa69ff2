//! Contents put back into the holes of a text, on its way to the client: a stream as long as the text says, however long its
//! contents are.

use std::ops::Range;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use futures_util::future;
use futures_util::stream::{self, BoxStream, StreamExt as _, TryStreamExt as _};

use super::{Data, Engine};
use crate::fhir::json::Tree;
use crate::outcome::{Failure, Outcome};
use crate::store::{Form, Hole, Incoming, Pieces, Staged, Text};

/// So many bytes of content are opened before an answer begins, so that what is missing or damaged is an error and no torn answer.
const OPENED_BYTES: u64 = 4 * 1024 * 1024;

impl Engine {
    /// Takes what comes next of a content.
    ///
    /// # Errors
    /// The content store is away.
    pub async fn take(&self, incoming: &mut Incoming, bytes: Bytes) -> Outcome<()> {
        self.store.take(incoming, bytes).await
    }

    /// The end of a content: its bytes where it is short, what stands for it otherwise.
    ///
    /// # Errors
    /// As [`take`](Self::take).
    pub async fn taken(&self, mut incoming: Incoming) -> Outcome<(Bytes, Option<Staged>)> {
        match incoming.short(self.store.inline_bytes()) {
            Some(bytes) => Ok((bytes, None)),
            None => Ok((Bytes::new(), Some(incoming.finish().await?))),
        }
    }

    /// `text` with its holes filled.
    ///
    /// # Errors
    /// A content that is missing or damaged, or its place is away, as far as this is known before the answer begins.
    pub async fn filled(self: &Arc<Self>, text: &Text) -> Outcome<Pieces> {
        let (mut opened, mut bytes) = (Vec::new(), 0);
        for hole in text.holes() {
            let pieces = if bytes < OPENED_BYTES { Some(self.store.content(hole, None).await?) } else { None };
            bytes += hole.size();
            opened.push((*hole, pieces));
        }
        let (mut streams, mut from) = (Vec::with_capacity(2 * opened.len() + 1), 0);
        for (hole, pieces) in opened {
            streams.push(written(text, from..hole.at()));
            streams.push(self.content_of(hole, pieces));
            from = hole.at();
        }
        streams.push(written(text, from..text.json().len()));
        Ok(Box::pin(stream::iter(streams).flatten()))
    }

    /// The bytes of `data`, or those of them in `range`.
    ///
    /// # Errors
    /// As [`filled`](Self::filled).
    pub async fn bytes_of(&self, data: &Data, range: Option<Range<u64>>) -> Outcome<Pieces> {
        match data {
            Data::Resting(hole) => self.store.content(hole, range).await,
            Data::Whole(bytes) => Ok(Box::pin(stream::once(future::ready(Ok(part_of(bytes, range)))))),
        }
    }

    fn content_of(self: &Arc<Self>, hole: Hole, pieces: Option<Pieces>) -> BoxStream<'static, Outcome<Bytes>> {
        let engine = Arc::clone(self);
        let open = async move {
            match pieces {
                Some(pieces) => Ok(pieces),
                None => engine.store.content(&hole, None).await,
            }
        };
        stream::once(open).try_flatten().map_ok(move |bytes| as_text(hole.form(), bytes)).boxed()
    }
}

/// A piece of a content as it stands in a string. Whole chunks are divisible by three: the base64 of one after the other is the
/// base64 of all.
fn as_text(form: Form, bytes: Bytes) -> Bytes {
    match form {
        Form::Base64 => Bytes::from(STANDARD.encode(&bytes)),
        Form::Verbatim => bytes,
    }
}

/// The JSON of `text` with its holes filled, all of it in memory: a resource that is to be changed.
///
/// # Errors
/// As [`Engine::filled`].
pub(super) async fn whole(engine: &Engine, text: &Text) -> Outcome<Bytes> {
    if text.holes().is_empty() {
        return Ok(text.json().clone());
    }
    let mut json = BytesMut::with_capacity(usize::try_from(text.filled_len()).unwrap_or_default());
    let mut from = 0;
    for hole in text.holes() {
        json.extend_from_slice(text.json().get(from..hole.at()).unwrap_or_default());
        let mut pieces = engine.store.content(hole, None).await?;
        while let Some(piece) = pieces.next().await {
            json.extend_from_slice(&as_text(hole.form(), piece?));
        }
        from = hole.at();
    }
    json.extend_from_slice(text.json().get(from..).unwrap_or_default());
    Ok(json.freeze())
}

fn written(text: &Text, range: Range<usize>) -> BoxStream<'static, Outcome<Bytes>> {
    stream::once(future::ready(Ok(text.json().slice(range)))).boxed()
}

fn part_of(bytes: &Bytes, range: Option<Range<u64>>) -> Bytes {
    let Some(range) = range else { return bytes.clone() };
    let within = |place: u64| usize::try_from(place).map_or(bytes.len(), |place| place.min(bytes.len()));
    bytes.slice(within(range.start)..within(range.end))
}

/// The text of a string whose JSON rests in `hole` as it was written.
pub(super) async fn string_of(engine: &Engine, hole: &Hole) -> Outcome<String> {
    let mut json = BytesMut::from(&b"\""[..]);
    let mut pieces = engine.store.content(hole, None).await?;
    while let Some(piece) = pieces.next().await {
        json.extend_from_slice(&piece?);
    }
    json.extend_from_slice(b"\"");
    let tree = Tree::parse(&json).map_err(Failure::fault)?;
    tree.root().string().map(|text| text.into_owned()).ok_or_else(|| Failure::fault("a content is no string"))
}
