//! Compartments (R4 compartmentdefinition.html): what belongs to a patient or an encounter.

use serde_json::Value;

use super::compared::{at, text};

/// The elements by which resources of `kind` belong to a compartment; `None` where that has none of them.
fn links(compartment: &str, kind: &str) -> Option<&'static [&'static str]> {
    match (compartment, kind) {
        ("Patient", "Observation" | "ServiceRequest") => Some(&["subject", "performer"]),
        ("Patient", "Encounter" | "RiskAssessment") => Some(&["subject"]),
        ("Patient", "DocumentReference") => Some(&["subject", "author"]),
        ("Patient", "List") => Some(&["subject", "source"]),
        ("Patient", "Condition") => Some(&["subject", "asserter"]),
        ("Patient", "Invoice") => Some(&["subject", "recipient"]),
        ("Patient", "MolecularSequence") => Some(&["patient"]),
        ("Patient", "Patient") => Some(&["link.other"]),
        ("Encounter", "Observation" | "Condition" | "ServiceRequest") => Some(&["encounter"]),
        ("Encounter", "DocumentReference") => Some(&["context.encounter"]),
        ("Encounter", "Encounter") => Some(&[]),
        _ => None,
    }
}

/// Whether resources of `kind` are sought in such compartments.
pub(super) fn is_of(compartment: &str, kind: &str) -> bool {
    links(compartment, kind).is_some()
}

/// Whether `resource` belongs to the compartment of `id`.
pub(super) fn belongs((compartment, id): (&str, &str), resource: &Value) -> bool {
    let kind = text(resource, "resourceType").unwrap();
    let focus = format!("{compartment}/{id}");
    let points_there = |path: &&str| {
        at(resource, path)
            .into_iter()
            .any(|value| text(value, "reference").is_some_and(|to| to.split("/_history/").next() == Some(&*focus)))
    };
    let is_focus = kind == compartment && text(resource, "id") == Some(id);
    is_focus || links(compartment, kind).is_some_and(|paths| paths.iter().any(points_there))
}
