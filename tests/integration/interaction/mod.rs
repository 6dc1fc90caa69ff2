//! Each interaction over HTTP, beyond what the conformance scripts can say: bytes, headers, races, sizes.

mod binary;
mod capabilities;
mod concurrency;
mod conditional;
mod history;
mod later;
mod meta;
mod operations;
mod patch;
mod provenance;
mod stored_bytes;
mod transaction;
mod versions;
