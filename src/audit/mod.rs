//! What is remembered: a record of every interaction, made from principal, interaction and verdict (pure).

mod record;

pub use record::AuditRecord;
