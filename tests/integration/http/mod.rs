//! The door: what malformed, oversized, slow and curious clients get, and what is written down about them.

mod coding;
mod limits;
mod log;
mod malformed;
mod operations;
mod routes;
