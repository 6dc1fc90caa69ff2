//! What was acknowledged stays.

mod durability;
mod outage;
mod parity;
