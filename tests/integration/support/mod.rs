//! What the tests stand on.

pub(crate) mod client;
pub(crate) mod cluster;
pub(crate) mod liar;
pub(crate) mod people;
pub(crate) mod place;
pub(crate) mod process;
pub(crate) mod resources;
pub(crate) mod server;
pub(crate) mod wire;
