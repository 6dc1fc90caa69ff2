//! The one who asks.

/// The one who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// Whoever reaches a server whose security is `open`.
    Open,
    /// Somebody who showed no credentials, or none that hold.
    Unknown,
}

impl Principal {
    /// How the journal names this principal.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Unknown => "unknown",
        }
    }
}
