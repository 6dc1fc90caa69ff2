//! The proof that a decision was taken. The store reads and writes against an `Access` and nothing else.

/// A granted access. No other module can make one.
#[derive(Clone, Debug)]
pub struct Access {
    grant: Grant,
}

#[derive(Clone, Debug)]
enum Grant {
    /// Every dossier, every instance: security is `open`.
    Everything,
}

impl Access {
    /// What the open policy grants to whoever asks.
    pub(super) fn everything() -> Self {
        Self { grant: Grant::Everything }
    }

    /// Whether instances of the dossier `part` may be seen.
    pub fn covers(&self, _part: crate::fhir::Part) -> bool {
        match self.grant {
            Grant::Everything => true,
        }
    }
}
