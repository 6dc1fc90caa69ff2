//! The body of a request, within its limits of size and time.

use std::time::Duration;

use actix_web::error::PayloadError;
use actix_web::rt::time::timeout;
use actix_web::web::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt as _};

use crate::interaction::{Engine, Incoming, Staged};
use crate::outcome::{Failure, Kind, Outcome};

/// How much of a body is read, and how long it may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct BodyLimits {
    pub(super) bytes: u64,
    pub(super) time: Duration,
}

/// The bytes of a body, in whichever pieces they come.
pub(super) trait Body: Stream<Item = Result<Bytes, PayloadError>> + Unpin {}

impl<S: Stream<Item = Result<Bytes, PayloadError>> + Unpin> Body for S {}

/// Reads a body whole. `declared` is its `Content-Length`.
///
/// # Errors
/// 413 where it is longer than allowed, however it is sent; 408 where it comes too slowly; 400 where it breaks off.
pub(super) async fn read(payload: &mut (impl Body + ?Sized), declared: Option<u64>, limits: BodyLimits) -> Outcome<Bytes> {
    if declared.is_some_and(|length| length > limits.bytes) {
        return Err(too_large(limits));
    }
    match timeout(limits.time, collect(payload, limits)).await {
        Ok(body) => body,
        Err(_) => Err(Failure::new(Kind::TooSlow, "the body did not arrive in time")),
    }
}

/// Reads a body that is the content of a Binary, however long; it is not held in memory.
///
/// # Errors
/// As [`read`], and where the content store is away.
pub(super) async fn receive(
    payload: &mut (impl Body + ?Sized),
    declared: Option<u64>,
    limits: BodyLimits,
    engine: &Engine,
) -> Outcome<(Bytes, Option<Staged>)> {
    if declared.is_some_and(|length| length > limits.bytes) {
        return Err(too_large(limits));
    }
    match timeout(limits.time, take_in(payload, limits, engine)).await {
        Ok(content) => content,
        Err(_) => Err(Failure::new(Kind::TooSlow, "the body did not arrive in time")),
    }
}

async fn take_in(payload: &mut (impl Body + ?Sized), limits: BodyLimits, engine: &Engine) -> Outcome<(Bytes, Option<Staged>)> {
    let mut incoming = Incoming::default();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|error| broken_off(&error))?;
        if incoming.size().saturating_add(chunk.len() as u64) > limits.bytes {
            return Err(too_large(limits));
        }
        engine.take(&mut incoming, chunk).await?;
    }
    engine.taken(incoming).await
}

/// A body that comes in one piece is not copied.
async fn collect(payload: &mut (impl Body + ?Sized), limits: BodyLimits) -> Outcome<Bytes> {
    let Some(first) = payload.next().await else { return Ok(Bytes::new()) };
    let first = first.map_err(|error| broken_off(&error))?;
    let Some(second) = payload.next().await else { return within(first, limits) };
    let mut body = BytesMut::from(within(first, limits)?);
    let mut next = Some(second);
    while let Some(chunk) = next {
        let chunk = chunk.map_err(|error| broken_off(&error))?;
        if body.len().saturating_add(chunk.len()) as u64 > limits.bytes {
            return Err(too_large(limits));
        }
        body.extend_from_slice(&chunk);
        next = payload.next().await;
    }
    Ok(body.freeze())
}

fn within(chunk: Bytes, limits: BodyLimits) -> Outcome<Bytes> {
    if chunk.len() as u64 > limits.bytes { Err(too_large(limits)) } else { Ok(chunk) }
}

fn too_large(limits: BodyLimits) -> Failure {
    Failure::new(Kind::TooLarge, format!("a body may have at most {} bytes", limits.bytes))
}

fn broken_off(error: &PayloadError) -> Failure {
    Failure::new(Kind::Malformed, "the body breaks off or cannot be decoded").because(error.to_string())
}
