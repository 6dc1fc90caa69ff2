//! Is it well formed: a resource against R4, as issues with FHIRPath expressions; never a status.
//!
//! Every write passes [`Validator::check`]: the elements a resource may have, their JSON shape, how often they occur, what their
//! primitive values look like (R4 json.html, datatypes.html, extensibility.html). It walks the table of nodes once and allocates
//! nothing while it finds nothing. Codes, invariants and profiles are not judged here.

mod place;
mod primitive;
mod sibling;
mod structure;

use crate::definition::Registry;
use crate::fhir::ResourceType;
use crate::fhir::json::Tree;
use crate::outcome::{Issue, IssueCode};
pub use primitive::is_primitive;

/// The most issues told of one resource.
pub const MAX_ISSUES: usize = 50;

/// Judges resources by the definitions of R4.
#[derive(Clone, Copy, Debug)]
pub struct Validator<'r> {
    registry: &'r Registry,
}

impl<'r> Validator<'r> {
    /// A validator that judges by `registry`.
    pub fn new(registry: &'r Registry) -> Self {
        Self { registry }
    }

    /// What is wrong with a resource that should be of type `kind`; nothing where it is well formed. At most [`MAX_ISSUES`].
    pub fn check(&self, kind: ResourceType, tree: &Tree<'_>) -> Vec<Issue> {
        structure::check(self.registry, kind, tree)
    }
}

/// Whether an issue says that the text is not the JSON form of a resource at all, so that it cannot be read; any other speaks
/// of a rule that a readable resource breaks.
pub fn is_shape_fault(issue: &Issue) -> bool {
    issue.code == IssueCode::Structure
}

#[cfg(test)]
mod tests;
