//! The proof that a decision was taken. The store reads and writes against an `Access` and nothing else.

use crate::fhir::Part;

/// A granted access. No other module can make one.
#[derive(Clone, Debug)]
pub struct Access {
    grant: Grant,
}

#[derive(Clone, Debug)]
enum Grant {
    /// Every dossier, every instance: security is `open`.
    Everything,
    /// These dossiers and nothing else.
    #[cfg(test)]
    Dossiers(Vec<Part>),
}

impl Access {
    /// What the open policy grants to whoever asks.
    pub(super) fn everything() -> Self {
        Self { grant: Grant::Everything }
    }

    /// Whether instances of the dossier `part` may be seen.
    pub fn covers(&self, part: Part) -> bool {
        self.dossiers().is_none_or(|parts| parts.contains(&part))
    }

    /// The only dossiers whose instances may be seen; `None`: all.
    pub fn dossiers(&self) -> Option<&[Part]> {
        match &self.grant {
            Grant::Everything => None,
            #[cfg(test)]
            Grant::Dossiers(parts) => Some(parts),
        }
    }
}

#[cfg(test)]
impl Access {
    /// For tests of what demands an access.
    pub(crate) fn to_everything() -> Self {
        Self::everything()
    }

    /// For tests of what an access hides.
    pub(crate) fn to_dossiers(parts: &[Part]) -> Self {
        Self { grant: Grant::Dossiers(parts.to_vec()) }
    }
}
