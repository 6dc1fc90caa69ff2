//! The decision.

use super::Access;
use crate::outcome::{Failure, Kind, Outcome};
use crate::security::Principal;

/// Whether `principal` may do what it asks, and how much of the store it then sees.
///
/// # Errors
/// 401 for one who is not known.
pub fn decide(principal: &Principal) -> Outcome<Access> {
    match principal {
        Principal::Open => Ok(Access::everything()),
        Principal::Unknown => Err(Failure::new(Kind::Unauthenticated, "credentials are needed")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fhir::Part;

    #[test]
    fn an_open_principal_sees_every_dossier() {
        assert!(decide(&Principal::Open).unwrap().covers(Part(7)));
    }

    #[test]
    fn an_unknown_principal_sees_nothing() {
        assert_eq!(decide(&Principal::Unknown).unwrap_err().kind(), Kind::Unauthenticated);
    }
}
