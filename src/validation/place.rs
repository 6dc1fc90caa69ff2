//! Where in a resource a node stands, in the simple FHIRPath that an OperationOutcome may use: element names, repetitions and
//! nothing else (R4 operationoutcome.html). A choice is named by its stem, a `_field` by the field it belongs to.

use std::fmt::Write as _;

use crate::definition::{Registry, Structure, StructureKind};
use crate::fhir::ResourceType;
use crate::fhir::json::{JsonKind, Node};
use crate::fhirpath::model::TypeId;

/// The longest name of an unknown element that is repeated to the client, in bytes.
const MAX_NAME_LEN: usize = 64;

/// The place of `node` in the resource `root` of type `kind`.
pub(super) fn place(registry: &Registry, kind: ResourceType, root: Node<'_>, node: Node<'_>) -> String {
    let mut path = String::from(kind.name());
    let (mut at, mut structure) = (root, Some(registry.structure(registry.resource(kind))));
    while at != node {
        let within = at.children().enumerate().take_while(|(_, child)| child.index() <= node.index()).last();
        let Some((position, child)) = within else { break };
        match child.key() {
            None => {
                let _ = write!(path, "[{position}]");
            }
            Some(key) => {
                let name = element_name(&key);
                let found = structure.and_then(|structure| structure.property(name));
                if let Some(shown) = found.map(|found| found.element.name).or(is_presentable(name).then_some(name)) {
                    path.extend([".", shown]);
                }
                structure = found.map(|found| structure_of(registry, found.type_id, child));
            }
        }
        structure = structure.map(|structure| narrowed(registry, structure, child));
        at = child;
    }
    path
}

/// The name of the element a JSON property speaks of: `_birthDate` holds the extensions of `birthDate`.
pub(super) fn element_name(key: &str) -> &str {
    key.strip_prefix('_').unwrap_or(key)
}

/// Whether a name nobody defines may be repeated to the client: it looks like the name of an element.
pub(super) fn is_presentable(name: &str) -> bool {
    (1..=MAX_NAME_LEN).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn structure_of<'r>(registry: &'r Registry, type_id: TypeId, value: Node<'_>) -> &'r Structure {
    narrowed(registry, registry.structure(type_id), value)
}

/// The concrete type of a resource inside another.
fn narrowed<'r>(registry: &'r Registry, structure: &'r Structure, value: Node<'_>) -> &'r Structure {
    if structure.kind != StructureKind::Resource || value.kind() != JsonKind::Object {
        return structure;
    }
    named_type(value).map_or(structure, |kind| registry.structure(registry.resource(kind)))
}

/// The type a resource names itself.
pub(super) fn named_type(resource: Node<'_>) -> Option<ResourceType> {
    resource.member("resourceType")?.string()?.parse().ok()
}
