//! What was acknowledged stays.

mod durability;
