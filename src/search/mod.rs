//! How is it found: a query parsed into a typed plan, and the index entries of a resource. No SQL here.

pub mod index;
pub mod plan;
