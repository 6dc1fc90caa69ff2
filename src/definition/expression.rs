//! The part of a search parameter's expression that speaks of one resource type.
//!
//! A parameter shared by several types joins one clause for each by `|`; only the clauses of the type at hand are kept, so that no
//! evaluation looks for what cannot be there. A clause in parentheses is whole: `(Observation.value as Quantity)`.

use crate::fhir::ResourceType;

/// The clauses of `expression` that apply to `kind`, joined again; `None` where there is none.
pub(super) fn narrowed(expression: &str, kind: ResourceType) -> Option<Box<str>> {
    let mine: Vec<&str> = clauses(expression).filter(|clause| applies(clause, kind)).collect();
    (!mine.is_empty()).then(|| mine.join(" | ").into())
}

/// The operands of the union at the top of an expression.
pub(super) fn clauses(expression: &str) -> impl Iterator<Item = &str> {
    let (mut depth, mut quoted) = (0_i32, false);
    let is_union = move |letter: char| {
        match letter {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            _ => {}
        }
        letter == '|' && depth == 0 && !quoted
    };
    expression.split(is_union).map(str::trim)
}

/// The steps of an expression that is a plain path, perhaps cast to a type at its end; `None` for anything else.
pub(super) fn path(expression: &str) -> Option<impl Iterator<Item = &str>> {
    let bare = match expression.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        Some(inside) => inside.split_once(" as ").map_or(inside, |(path, _)| path),
        None => expression.split_once(".as(").map_or(expression, |(path, _)| path),
    };
    let is_plain = bare.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '.');
    is_plain.then(|| bare.split('.'))
}

/// Whether a clause speaks of `kind`: it begins with its name, with that of an abstract base, or with no name of a type at all.
fn applies(clause: &str, kind: ResourceType) -> bool {
    let start = clause.trim_start_matches(['(', ' ']);
    let name = start.split(|letter: char| !letter.is_ascii_alphanumeric()).next().unwrap_or_default();
    match name {
        "Resource" | "DomainResource" => true,
        _ => name == kind.name() || name.parse::<ResourceType>().is_err(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_keeps_its_own_clauses_only() {
        let expression = "Patient.name | (Observation.value as Quantity) | Observation.code | PatientX.name";
        assert_eq!(narrowed(expression, ResourceType::Patient).as_deref(), Some("Patient.name | PatientX.name"));
        assert_eq!(
            narrowed(expression, ResourceType::Observation).as_deref(),
            Some("(Observation.value as Quantity) | Observation.code | PatientX.name")
        );
        assert_eq!(narrowed("Patient.name", ResourceType::Observation), None);
    }

    #[test]
    fn a_union_inside_parentheses_or_a_literal_is_not_split() {
        let expression = "(Patient.name | Patient.contact.name).where(text = 'a|b') | Patient.id = 'c|d'";
        let found: Vec<_> = clauses(expression).collect();
        assert_eq!(found, ["(Patient.name | Patient.contact.name).where(text = 'a|b')", "Patient.id = 'c|d'"]);
    }

    #[test]
    fn clauses_of_the_abstract_types_and_clauses_without_a_type_apply_to_all() {
        for expression in ["Resource.id", "DomainResource.text", "name"] {
            assert_eq!(narrowed(expression, ResourceType::Account).as_deref(), Some(expression));
        }
    }
}
