//! May it be done: the rules of the record, as pure functions over plain facts. The only maker of [`Access`].

mod access;
mod decide;

pub use access::Access;
pub use decide::decide;
