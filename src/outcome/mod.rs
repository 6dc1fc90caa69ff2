//! The one error of the server and its one table: what went wrong ([`Kind`]), what the client is told ([`Issue`]), what only
//! the log is told (the cause).
//!
//! Modules choose a kind; the HTTP status and the default issue code follow from [`Kind::status`] and [`Kind::code`] and from
//! nowhere else. Issues are safe for the client and never empty. Diagnostics name places and rules, never health data.

mod kind;
mod render;

use std::fmt;

use crate::fhir::VersionId;

pub use kind::{IssueCode, Kind, Severity};
pub use render::operation_outcome;

/// One finding, as `OperationOutcome.issue` carries it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    /// How bad it is.
    pub severity: Severity,
    /// Which code of `http://hl7.org/fhir/issue-type`.
    pub code: IssueCode,
    /// What is wrong, in a sentence for people.
    pub diagnostics: String,
    /// Where: a simple FHIRPath, or `http.parameter` / `http.Header`.
    pub expression: Option<String>,
}

impl Issue {
    /// An error with the given code.
    pub fn error(code: IssueCode, diagnostics: impl Into<String>) -> Self {
        Self { severity: Severity::Error, code, diagnostics: diagnostics.into(), expression: None }
    }

    /// A warning with the given code.
    pub fn warning(code: IssueCode, diagnostics: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, diagnostics) }
    }

    /// A remark with the given code.
    pub fn information(code: IssueCode, diagnostics: impl Into<String>) -> Self {
        Self { severity: Severity::Information, ..Self::error(code, diagnostics) }
    }

    /// The same issue, said of a place.
    #[must_use]
    pub fn at(mut self, expression: impl Into<String>) -> Self {
        self.expression = Some(expression.into());
        self
    }
}

/// A failure on its way to the client.
#[derive(Debug)]
pub struct Failure(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: Kind,
    issues: Vec<Issue>,
    cause: Option<Box<dyn std::error::Error + Send + Sync>>,
    version: Option<VersionId>,
}

/// What everything fallible on the way of a request gives.
pub type Outcome<T> = Result<T, Failure>;

impl Failure {
    /// A failure of `kind` told in one sentence.
    pub fn new(kind: Kind, diagnostics: impl Into<String>) -> Self {
        Self::with_issues(kind, vec![Issue::error(kind.code(), diagnostics)])
    }

    /// A failure of `kind` told by `issues`; a generic one is supplied where there is none.
    pub fn with_issues(kind: Kind, mut issues: Vec<Issue>) -> Self {
        if issues.is_empty() {
            issues.push(Issue::error(kind.code(), kind.to_string()));
        }
        Self(Box::new(Inner { kind, issues, cause: None, version: None }))
    }

    /// A bug or a broken store: the client sees a fixed text, the log sees `cause`.
    pub fn fault(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::new(Kind::Fault, "the server failed to process this request").because(cause)
    }

    /// The same failure, its first issue said of a place (FHIRPath, or `http.…`).
    #[must_use]
    pub fn at(mut self, expression: impl Into<String>) -> Self {
        if let Some(issue) = self.0.issues.first_mut() {
            issue.expression = Some(expression.into());
        }
        self
    }

    /// The same failure with what only the log may know.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.0.cause = Some(cause.into());
        self
    }

    /// The same failure, due to this version of the instance, whose `ETag` the client is told: a deletion, or the version that
    /// `If-Match` did not name.
    #[must_use]
    pub fn due_to(mut self, version: VersionId) -> Self {
        self.0.version = Some(version);
        self
    }

    /// The same failure, the place of every issue told anew: an entry of a Bundle knows its places only within itself.
    #[must_use]
    pub fn relocated(mut self, place: impl Fn(Option<String>) -> String) -> Self {
        for issue in &mut self.0.issues {
            issue.expression = Some(place(issue.expression.take()));
        }
        self
    }

    /// The same failure, told with these issues too.
    pub fn add(&mut self, issues: &[Issue]) {
        self.0.issues.extend_from_slice(issues);
    }

    /// The version it is due to.
    pub fn version(&self) -> Option<VersionId> {
        self.0.version
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// What the client is told; never empty.
    pub fn issues(&self) -> &[Issue] {
        &self.0.issues
    }

    /// What the log is told.
    pub fn cause(&self) -> Option<&(dyn std::error::Error + Send + Sync + 'static)> {
        self.0.cause.as_deref()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.kind)?;
        for issue in &self.0.issues {
            write!(f, ": {}", issue.diagnostics)?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_always_has_an_issue() {
        let failure = Failure::with_issues(Kind::Invalid, Vec::new());
        assert_eq!(failure.issues().len(), 1);
        assert_eq!(failure.issues()[0].code, IssueCode::Invalid);
    }

    #[test]
    fn the_cause_of_a_fault_stays_out_of_what_the_client_reads() {
        let failure = Failure::fault("disk on fire");
        assert_eq!(failure.kind().status(), 500);
        assert!(failure.issues().iter().all(|issue| !issue.diagnostics.contains("fire")));
        assert_eq!(failure.cause().map(ToString::to_string).as_deref(), Some("disk on fire"));
    }
}
