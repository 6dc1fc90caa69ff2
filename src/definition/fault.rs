//! Faults of R4 4.0.1 itself, put right where the definitions are read, so that the files stay what the publisher states.

use std::borrow::Cow;

/// The composite whose two components carry each other's name; it is meant in the order of its expressions: `code$target`.
const SWAPPED: &str = "http://hl7.org/fhir/SearchParameter/DocumentReference-relationship";

/// Invariants that state another rule than they mean: key, what is stated, what is meant (as later versions of FHIR state it).
const MISSTATED: [(&str, &str, &str); 3] = [
    // An entry without fullUrl has none that could name a version.
    ("bdl-8", "fullUrl.contains('/_history/').not()", "fullUrl.exists() implies fullUrl.contains('/_history/').not()"),
    // An answer is a boolean of FHIR; `Boolean` is the type of FHIRPath, which no element has.
    ("que-7", "operator = 'exists' implies (answer is Boolean)", "operator = 'exists' implies (answer is boolean)"),
    // A Reference that only carries an identifier or a display refers to nothing contained.
    (
        "ref-1",
        "reference.startsWith('#').not() or (reference.substring(1).trace('url') in %rootResource.contained.id.trace('ids'))",
        "reference.exists() implies (reference.startsWith('#').not() or \
         (reference.substring(1).trace('url') in %rootResource.contained.id.trace('ids')))",
    ),
];

/// The expression of the invariant `key` as it ought to be.
pub(super) fn meant(key: &str, expression: Cow<'static, str>) -> Cow<'static, str> {
    let found = MISSTATED.iter().find(|(own, stated, _)| *own == key && expression == *stated);
    found.map_or(expression, |(_, _, meant)| Cow::Borrowed(meant))
}

/// The expressions of a composite's components, in order, as they ought to be.
pub(super) fn corrected(parameter: &str, mut expressions: Vec<Cow<'static, str>>) -> Vec<Cow<'static, str>> {
    if parameter == SWAPPED {
        expressions.reverse();
    }
    expressions.into_iter().map(date_time).collect()
}

/// A composite's components, each with its own expression, in the order in which their values are written.
pub(super) fn in_order<T>(parameter: &str, mut components: Vec<T>) -> Vec<T> {
    if parameter == SWAPPED {
        components.reverse();
    }
    components
}

/// The primitive type is called `dateTime`; Observation-code-value-date writes `DateTime`.
fn date_time(expression: Cow<'static, str>) -> Cow<'static, str> {
    if expression.contains("as(DateTime)") { expression.replace("as(DateTime)", "as(dateTime)").into() } else { expression }
}
