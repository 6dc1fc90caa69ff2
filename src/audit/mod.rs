//! What is remembered: a record of every interaction, made from principal, interaction and verdict (pure).
//!
//! A record holds who, what, when, on which instance, with which result and under which request id; nothing of what the
//! instance says. It becomes an AuditEvent when somebody reads it.

mod action;
mod record;

pub use action::Action;
pub use record::{AuditRecord, Event, Subject};
