//! May it be done: the rules of the record, as pure functions over plain facts. The only maker of [`Access`].

mod access;

pub use access::Access;
