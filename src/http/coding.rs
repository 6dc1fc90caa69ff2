//! Content codings (RFC 9110 §8.4): answers are compressed for whoever accepts it, bodies expanded within the limits of their size.
//!
//! What is small, what is a part of something, and what is compressed already goes as it is. Whoever asks for no coding pays nothing.

use actix_http::encoding::Encoder;
use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::body::{BodySize, BoxBody, MessageBody as _};
use actix_web::error::PayloadError;
use actix_web::http::header::{self, AcceptEncoding, ContentEncoding, Encoding, Header as _, HeaderMap, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::web::Bytes;
use futures_util::future::Either;
use futures_util::stream::Stream;

use super::expansion::{Coding, Expanded};
use super::head;
use crate::outcome::{Failure, Kind, Outcome};

/// What is shorter would hardly become so.
const LEAST_BYTES: u64 = 1_024;

/// The codings that are read and written, as `Accept-Encoding` lists them.
pub(super) const CODINGS: &str = "gzip, br, zstd";

/// `response` in the coding that `request` likes best.
pub(super) fn encoded(mut response: HttpResponse, request: &HttpRequest) -> HttpResponse {
    if !is_worth_it(&response) {
        return response;
    }
    response.headers_mut().append(header::VARY, HeaderValue::from_static("accept-encoding"));
    if request.method() == Method::HEAD {
        return response;
    }
    match wanted(request) {
        None => response,
        Some(coding) => response.map_body(|head, body| BoxBody::new(Encoder::response(coding, head, body))),
    }
}

fn wanted(request: &HttpRequest) -> Option<ContentEncoding> {
    if !request.headers().contains_key(header::ACCEPT_ENCODING) {
        return None;
    }
    let accepted = AcceptEncoding::parse(request).ok()?;
    let offered = [Encoding::gzip(), Encoding::brotli(), Encoding::zstd(), Encoding::identity()];
    match accepted.negotiate(offered.iter())? {
        Encoding::Known(ContentEncoding::Identity) | Encoding::Unknown(_) => None,
        Encoding::Known(coding) => Some(coding),
    }
}

fn is_worth_it(response: &HttpResponse) -> bool {
    let is_long = match response.body().size() {
        BodySize::Sized(length) => length >= LEAST_BYTES,
        BodySize::Stream => true,
        BodySize::None => false,
    };
    let content_type = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    is_long && response.status() != StatusCode::PARTIAL_CONTENT && content_type.is_some_and(is_text)
}

/// Whether a content type is one of text, which becomes shorter.
fn is_text(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_structured = essence.ends_with("json") || essence.ends_with("xml");
    essence.starts_with("text/") || essence.starts_with("application/") && is_structured
}

/// A body as it was before it was coded, and whether it was.
///
/// # Errors
/// 415 for a coding that is not read.
pub(super) fn decoded<'p, S>(
    body: &'p mut S,
    headers: &HeaderMap,
) -> Outcome<(impl Stream<Item = Result<Bytes, PayloadError>> + Unpin + use<'p, S>, bool)>
where
    S: Stream<Item = Result<Bytes, PayloadError>> + Unpin,
{
    let coding = match head::text(headers, &header::CONTENT_ENCODING).map(|text| text.trim().to_ascii_lowercase()).as_deref() {
        None if !headers.contains_key(header::CONTENT_ENCODING) => return Ok((Either::Left(body), false)),
        Some("" | "identity") => return Ok((Either::Left(body), false)),
        Some("gzip" | "x-gzip") => Coding::Gzip,
        Some("br") => Coding::Brotli,
        Some("zstd") => Coding::Zstd,
        Some(_) | None => {
            let text = format!("a body is read as it is or in one of the codings {CODINGS}");
            return Err(Failure::new(Kind::UnsupportedFormat, text).at("http.Content-Encoding"));
        }
    };
    Ok((Either::Right(Expanded::new(body, coding).map_err(Failure::fault)?), true))
}

/// `refused`, and which codings are read instead (RFC 7694 §3).
pub(super) fn accepting_codings(mut refused: HttpResponse) -> HttpResponse {
    refused.headers_mut().insert(header::ACCEPT_ENCODING, HeaderValue::from_static(CODINGS));
    refused
}
