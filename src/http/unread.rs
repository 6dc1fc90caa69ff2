//! The answer to a request whose body is not read to its end.
//!
//! As long as the unread body is held, the connection is closed after the answer. Were it dropped first, a chunked body would
//! be read on and thrown away for as long as its sender likes.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::HttpResponse;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::web::{Bytes, Payload};

struct Unread {
    answer: Bytes,
    _request: Payload,
}

/// `response`, which holds what is left of the body of its request until it is sent.
pub(super) fn holding(response: HttpResponse, request: Payload) -> HttpResponse {
    response.map_body(|_, body| match body.try_into_bytes() {
        Ok(answer) => BoxBody::new(Unread { answer, _request: request }),
        Err(body) => body,
    })
}

impl MessageBody for Unread {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.answer.len() as u64)
    }

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        let answer = std::mem::take(&mut self.get_mut().answer);
        Poll::Ready((!answer.is_empty()).then_some(Ok(answer)))
    }
}
