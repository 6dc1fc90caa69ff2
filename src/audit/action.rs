//! What an interaction does to a record.

/// `http://hl7.org/fhir/audit-event-action`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// C: something new is stored.
    Create,
    /// R: something is looked at.
    Read,
    /// U: something stored is changed.
    Update,
    /// D: something stored is deleted.
    Delete,
    /// E: something is executed: a search, an operation, a bundle.
    Execute,
}

impl Action {
    /// The code as the standard writes it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Create => "C",
            Self::Read => "R",
            Self::Update => "U",
            Self::Delete => "D",
            Self::Execute => "E",
        }
    }
}
