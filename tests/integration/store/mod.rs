//! What was acknowledged stays.

mod durability;
mod keeping;
mod outage;
mod parity;
mod reaching;
mod refusing;
mod reindexing;
mod statements;
