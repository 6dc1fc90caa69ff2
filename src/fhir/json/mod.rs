//! FHIR JSON read into a flat table of nodes over the bytes it came in.
//!
//! Nothing is copied or normalised: decimals keep their digits, members their order. Refused: duplicate keys, trailing bytes,
//! empty arrays and objects, invalid UTF-8, unpaired surrogates, more depth than [`MAX_DEPTH`]. What the members mean is
//! not known here.

mod fault;
mod names;
mod node;
mod scan;
mod text;
mod write;

pub use fault::{Reason, SyntaxError};
pub use node::{Children, JsonKind, Node, Tree};
pub use scan::MAX_DEPTH;
pub use write::{Stamp, compact, push_string, rewritten, stamped};

#[cfg(test)]
mod tests;
