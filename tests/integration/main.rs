//! The tests that look at Carnet from outside: over HTTP, as a process, and as a body of source.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking and says why"
)]

mod command_line;
mod conformance;
mod examples;
mod http;
mod interaction;
mod main_job;
mod oracle;
mod readme;
mod rest;
mod store;
mod support;
mod tidy;
