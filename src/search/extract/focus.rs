//! From where expressions look at a resource.

use crate::definition::Registry;
use crate::fhir::ResourceType;
use crate::fhir::json::Tree;
use crate::fhirpath::{Element, Environment, Item};

/// `tree`, a resource of type `kind`, as the item that expressions begin with, and what they know around it.
pub fn focused<'t>(registry: &'t Registry, kind: ResourceType, tree: &'t Tree<'_>) -> (Item<'t>, Environment<'t>) {
    let focus = Item::Element(Element::new(Some(tree.root()), None, Some(registry.resource(kind))));
    let environment = Environment::new(registry).with_resource(focus.clone()).with_root_resource(focus.clone());
    (focus, environment)
}
