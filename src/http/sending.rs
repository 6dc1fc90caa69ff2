//! The bytes of an answer: at once where they are there, as a stream of known length where some of them rest elsewhere.

use std::sync::Arc;

use actix_web::body::{BoxBody, MessageBody as _, SizedStream};
use actix_web::web::Bytes;
use futures_util::{StreamExt as _, stream};

use super::pretty::pretty;
use super::response::Look;
use crate::interaction::{Data, Engine, Layout, Pieces, Text, in_xml};
use crate::outcome::{Failure, Outcome};

/// To whom an answer is sent, and how.
#[derive(Clone, Copy)]
pub(super) struct Sending<'a> {
    pub(super) engine: &'a Arc<Engine>,
    pub(super) request_id: &'a str,
    /// Whether the URL itself names the instance.
    pub(super) names_instance: bool,
    /// Whether nothing but the head is sent.
    pub(super) is_head: bool,
    /// `Range`, where it means something.
    pub(super) range: Option<&'a str>,
    /// `If-Range`
    pub(super) if_range: Option<&'a str>,
}

impl Sending<'_> {
    /// The body that is the resource `text`.
    ///
    /// # Errors
    /// A content of it that cannot be read.
    pub(super) async fn resource(&self, text: &Text, look: &Look) -> Outcome<BoxBody> {
        let rewritten = match (look.media.is_xml(), look.is_pretty) {
            (true, is_pretty) => Some(in_xml(text, if is_pretty { Layout::Indented } else { Layout::Compact })?),
            (false, true) => Some(text.rewritten(pretty)),
            (false, false) => None,
        };
        let text = rewritten.as_ref().unwrap_or(text);
        if text.holes().is_empty() {
            return Ok(text.json().clone().boxed());
        }
        if self.is_head {
            return Ok(nothing_of(text.filled_len()));
        }
        Ok(self.stream(text.filled_len(), self.engine.filled(text).await?))
    }

    /// The body that is the bytes of `data` in `range`.
    ///
    /// # Errors
    /// They cannot be read.
    pub(super) async fn content(&self, data: &Data, range: Option<std::ops::Range<u64>>) -> Outcome<BoxBody> {
        let len = range.as_ref().map_or(data.size(), |range| range.end - range.start);
        match (data, range) {
            (Data::Whole(bytes), None) => Ok(bytes.clone().boxed()),
            _ if self.is_head => Ok(nothing_of(len)),
            (data, range) => Ok(self.stream(len, self.engine.bytes_of(data, range).await?)),
        }
    }

    /// Whoever is in the middle of an answer that cannot go on sees it break off; the log is told why.
    fn stream(&self, len: u64, pieces: Pieces) -> BoxBody {
        let request = self.request_id.to_owned();
        let told = move |failure: &Failure| {
            let cause = failure.cause().map(ToString::to_string).unwrap_or_default();
            tracing::error!(target: "carnet::failure", %request, kind = %failure.kind(), %cause, "an answer breaks off");
        };
        SizedStream::new(len, pieces.map(move |piece| piece.inspect_err(&told))).boxed()
    }
}

/// The body of an answer to HEAD: its length alone.
fn nothing_of(len: u64) -> BoxBody {
    SizedStream::new(len, stream::empty::<Outcome<Bytes>>()).boxed()
}
