//! Who asks: identity and granted scope. No clinical rule here.
//!
//! Two modes. `open`: whoever reaches the server is let in with everything. `enforced`: every request but the
//! CapabilityStatement needs credentials; no way to obtain any is built yet, so nobody is let in (401), which is the safe
//! half of the truth.

mod principal;

pub use crate::config::SecurityMode;
pub use principal::Principal;

/// Who sends a request, by the mode of the server and what the request shows.
pub fn authenticate(mode: SecurityMode) -> Principal {
    match mode {
        SecurityMode::Open => Principal::Open,
        SecurityMode::Enforced => Principal::Unknown,
    }
}
