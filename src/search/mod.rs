//! How is it found: a query parsed into a typed plan, and the index entries of a resource. No SQL here.
//!
//! [`Indexer`] finds by the official expressions what a resource is found by; [`Query`] reads what a client asks; a plan says it in
//! the terms of the index. Both sides make their terms, folded texts and ranges by the same functions, so that they meet.

pub mod follow;
pub mod index;
pub mod plan;
pub mod query;
pub mod vocabulary;
pub mod fold;
mod extract;
mod page;
mod parameter;
mod pending;
mod term;
mod unit;

#[cfg(test)]
mod tests;

pub use extract::{Indexer, Name, focused};
pub use plan::PageSize;
pub use query::{Handling, Query, Scope, Within};
