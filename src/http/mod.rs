//! The door: bytes in, bytes out. The only module that knows actix and rustls.
//!
//! One handler stands behind every URL: it reads the head (`head`), what representation is wanted (`media`), the body
//! within its limits (`payload`), hands a protocol-free request to `interaction::execute`, and writes the answer
//! (`response`). Whatever goes wrong is answered with an OperationOutcome and an `X-Request-Id`. The log gets one line a
//! request, without the query, without ids, without bodies.
//!
//! Beside the FHIR service stand `/health` and `/metrics` (`operations`), for operators.
//!
//! Not here: what an interaction means, who may do what, TLS.

mod coding;
mod door;
mod expansion;
mod exposition;
mod head;
mod media;
mod metrics;
mod operations;
mod payload;
mod pretty;
mod process;
mod range;
mod response;
mod sending;
mod server;
mod unread;

pub use server::{Listeners, Server, Setup, start};
