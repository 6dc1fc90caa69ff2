//! What was acknowledged stays.

mod durability;
mod keeping;
mod outage;
mod parity;
