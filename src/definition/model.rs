//! What the FHIRPath engine is told about the types of R4.

use super::registry::Registry;
use crate::fhirpath::model::{Choice, Model, ModelId, Property, TypeId};

impl Model for Registry {
    fn type_named(&self, name: &str) -> Option<TypeId> {
        self.named(name)
    }

    fn type_name(&self, type_id: TypeId) -> &str {
        self.structure(type_id).name
    }

    fn base(&self, type_id: TypeId) -> Option<TypeId> {
        self.structure(type_id).base
    }

    fn property(&self, of: TypeId, name: &str) -> Option<Property> {
        let found = self.structure(of).property(name)?;
        Some(Property { type_id: found.type_id, repeats: found.element.repeats() })
    }

    fn choices(&self, of: TypeId, name: &str) -> &[Choice] {
        self.structure(of).choices(name)
    }

    fn identity(&self) -> Option<ModelId> {
        self.model_id()
    }
}
