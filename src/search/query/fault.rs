//! What is wrong with a parameter, and whether a lenient reader may pass over it.

use crate::outcome::{Issue, IssueCode};

/// How much of a name or value is quoted, in characters.
const MAX_QUOTED_CHARS: usize = 64;
/// How many names are proposed.
const MAX_PROPOSALS: usize = 3;
/// How alike two names must be, from 0 to 1, for one to be proposed.
const LEAST_LIKENESS: f64 = 0.75;

/// Why a parameter cannot be used.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fault {
    pub(super) issue: Issue,
    /// Whether it may be left out of the search instead: unknown or not offered, but not wrong.
    pub(super) may_be_ignored: bool,
}

impl Fault {
    /// A parameter the type has not; `known` are the ones it has.
    pub(super) fn unknown<'k>(code: &str, owner: &str, known: impl Iterator<Item = &'k str>) -> Self {
        let proposals = nearest(code, known);
        let hint = if proposals.is_empty() { String::new() } else { format!("; did you mean {}?", proposals.join(", ")) };
        let text = format!("{owner} has no search parameter `{}`{hint}", quoted(code));
        Self { issue: Issue::error(IssueCode::Invalid, text), may_be_ignored: true }
    }

    /// Something of the standard that this server cannot do yet.
    pub(super) fn unsupported(what: &str) -> Self {
        let issue = Issue::error(IssueCode::NotSupported, format!("{what} is not supported yet"));
        Self { issue, may_be_ignored: true }
    }

    /// A modifier that is none, or none of this parameter. It is refused even leniently (R4 search.html §modifiers).
    pub(super) fn modifier(text: &str, code: &str, known: &str) -> Self {
        Self::wrong(format!("`{}` is not a modifier of `{}`, which has: {known}", quoted(text), quoted(code)))
    }

    /// A value that cannot be read, and the character at which it begins.
    pub(super) fn value(text: &str, position: usize, expected: &str) -> Self {
        Self::wrong(format!("`{}` at character {position} is not {expected}", quoted(text)))
    }

    /// Anything else that is wrong.
    pub(super) fn wrong(diagnostics: impl Into<String>) -> Self {
        Self { issue: Issue::error(IssueCode::Invalid, diagnostics), may_be_ignored: false }
    }

    /// More of something than is read.
    pub(super) fn too_many(what: &str, limit: usize) -> Self {
        let issue = Issue::error(IssueCode::TooLong, format!("more than {limit} {what}"));
        Self { issue, may_be_ignored: false }
    }

    /// The same fault, with the character of a filter at which it is, from 1.
    pub(super) fn placed(mut self, position: usize) -> Self {
        self.issue.diagnostics = format!("{}; character {position} of the filter", self.issue.diagnostics);
        self.firmly()
    }

    /// The same fault, refused even leniently.
    pub(super) fn firmly(mut self) -> Self {
        self.may_be_ignored = false;
        self
    }

    /// The same fault, which a lenient reader may pass over.
    pub(super) fn softly(mut self) -> Self {
        self.may_be_ignored = true;
        self
    }

    /// The same fault, said of what begins at the character `position` of a value.
    pub(super) fn from(mut self, position: usize) -> Self {
        self.issue.diagnostics = format!("at character {position}: {}", self.issue.diagnostics);
        self
    }

    /// The issue, said of the parameter `code`.
    pub(super) fn at(self, code: &str) -> Issue {
        self.issue.at(format!("http.{}", quoted(code)))
    }
}

/// The beginning of a text that a client sent, without control characters.
pub(in crate::search) fn quoted(text: &str) -> String {
    text.chars().take(MAX_QUOTED_CHARS).map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect()
}

fn nearest<'k>(code: &str, known: impl Iterator<Item = &'k str>) -> Vec<String> {
    let code = quoted(code);
    let likeness = |name: &str| strsim::jaro_winkler(&code, name);
    let mut alike: Vec<(f64, &str)> =
        known.map(|name| (likeness(name), name)).filter(|(likeness, _)| *likeness >= LEAST_LIKENESS).collect();
    alike.sort_by(|left, right| right.0.total_cmp(&left.0).then(left.1.cmp(right.1)));
    alike.iter().take(MAX_PROPOSALS).map(|(_, name)| format!("`{name}`")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_known_names_are_proposed_the_nearest_first() {
        let known = ["date", "description", "patient", "status", "subject"];
        assert_eq!(nearest("pateint", known.into_iter()), ["`patient`"]);
        assert_eq!(nearest("zzzzzz", known.into_iter()), Vec::<String>::new());
        let fault = Fault::unknown("staus", "List", known.into_iter());
        assert_eq!(fault.issue.diagnostics, "List has no search parameter `staus`; did you mean `status`?");
    }

    #[test]
    fn what_a_client_sent_is_quoted_short_and_clean() {
        assert_eq!(quoted(&"x".repeat(100)).len(), MAX_QUOTED_CHARS);
        assert_eq!(quoted("a\u{0}\nb"), "a\u{FFFD}\u{FFFD}b");
    }
}
