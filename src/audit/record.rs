//! One row of the journal of accesses.

use crate::fhir::{Instant, Part};

/// One access, as the journal keeps it: rendered as an AuditEvent only when somebody reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRecord {
    /// The dossier concerned; the directory where there is none.
    pub part: Part,
    /// When.
    pub recorded: Instant,
    /// The rest, in the compact form of this module.
    pub entry: Box<[u8]>,
}
