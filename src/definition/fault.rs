//! Faults of R4 4.0.1 itself, put right where the definitions are read, so that the files stay what the publisher states.

use std::borrow::Cow;

/// The composite whose two components carry each other's expression.
const SWAPPED: &str = "http://hl7.org/fhir/SearchParameter/DocumentReference-relationship";

/// The expressions of a composite's components, in order, as they ought to be.
pub(super) fn corrected(parameter: &str, mut expressions: Vec<Cow<'static, str>>) -> Vec<Cow<'static, str>> {
    if parameter == SWAPPED {
        expressions.reverse();
    }
    expressions.into_iter().map(date_time).collect()
}

/// The primitive type is called `dateTime`; Observation-code-value-date writes `DateTime`.
fn date_time(expression: Cow<'static, str>) -> Cow<'static, str> {
    if expression.contains("as(DateTime)") { expression.replace("as(DateTime)", "as(dateTime)").into() } else { expression }
}
