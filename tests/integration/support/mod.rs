//! What the tests stand on.

pub(crate) mod liar;
pub(crate) mod server;
