//! What follows from the parameters of a type alone, before any resource is seen.

use crate::definition::{Compartment, Parameter, ParameterId, ParameterKind, Registry};
use crate::fhir::ResourceType;

/// The one test that parameters named `patient` add to the path of a subject.
const ONLY_PATIENTS: &str = ".where(resolve() is Patient)";

/// Whether a patient that `parameter` points at is the one in whose dossier an instance of `kind` rests. That is so where the
/// first parameter by which the Patient compartment takes the type follows the same path and can have but one value.
pub(super) fn decides_dossier(registry: &Registry, kind: ResourceType, parameter: ParameterId) -> bool {
    let first = registry.compartment(Compartment::Patient, kind).first();
    let first = first.and_then(|code| registry.parameter(kind, code)).and_then(|first| first.expression.as_deref());
    let asked = find(registry, kind, parameter).and_then(|asked| asked.expression.as_deref());
    match (first.map(path), asked.map(path)) {
        (Some(first), Some(asked)) => first == asked && registry.element_repeats(kind, first) == Some(false),
        _ => false,
    }
}

/// Whether every search that names a patient of this server by `parameter` stays in that patient's dossier: an id alone means a
/// patient, and the patient decides.
pub(super) fn is_own_patient(registry: &Registry, kind: ResourceType, parameter: ParameterId) -> bool {
    let asked = find(registry, kind, parameter);
    asked.and_then(type_of_bare_id) == Some(ResourceType::Patient) && decides_dossier(registry, kind, parameter)
}

/// The types that `parameter` may point at.
pub(super) fn targets(registry: &Registry, kind: ResourceType, parameter: ParameterId) -> &[ResourceType] {
    match find(registry, kind, parameter) {
        Some(found) if !found.targets.is_empty() => &found.targets,
        _ => ResourceType::ALL,
    }
}

fn find(registry: &Registry, kind: ResourceType, parameter: ParameterId) -> Option<&Parameter> {
    registry.parameters(kind).iter().find(|candidate| candidate.id == parameter)
}

fn path(expression: &str) -> &str {
    expression.strip_suffix(ONLY_PATIENTS).unwrap_or(expression)
}

/// Whether each word of a family name among its values is searched by its beginning too (R4 search.html §string).
pub(super) fn is_by_word(code: &str, kind: ParameterKind) -> bool {
    kind == ParameterKind::String && matches!(code, "name" | "family" | "phonetic")
}

/// The type that an id without a type means: the only one the parameter may point at, and a patient where the parameter is called
/// so (its targets name groups too, its expressions do not let them through).
pub(super) fn type_of_bare_id(parameter: &Parameter) -> Option<ResourceType> {
    match parameter.targets.as_slice() {
        [target] => Some(*target),
        _ => (parameter.code == "patient").then_some(ResourceType::Patient),
    }
}

/// The code system of a parameter whose values are elements of type `code`: the only one their value set takes codes from. Such
/// elements do not say it, a query may (R4 search.html §token).
pub(super) fn implied_system(registry: &Registry, kind: ResourceType, parameter: ParameterId) -> Option<&'static str> {
    let mut steps = find(registry, kind, parameter)?.expression.as_deref()?.split('.');
    if steps.next()? != kind.name() {
        return None;
    }
    let (mut at, mut value_set) = (registry.resource(kind), None);
    for step in steps {
        let found = registry.structure(at).property(step)?;
        (at, value_set) = (found.type_id, found.element.binding.map(|binding| binding.value_set));
    }
    if registry.structure(at).name != "code" {
        return None;
    }
    let parts = registry.value_set(value_set?)?.include;
    let system = parts.first()?.system?;
    parts.iter().all(|part| part.system == Some(system)).then_some(system)
}
