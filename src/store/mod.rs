//! Where it rests: versions of instances, their index, the journal. The only module that knows diesel.

pub mod change;
