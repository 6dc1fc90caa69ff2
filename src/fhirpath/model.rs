//! What the engine must be told about types; `definition` implements it.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};

/// A type of the model: an index into the model's own table. A backbone element is a type of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TypeId(pub u16);

/// A JSON property of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Property {
    /// The type of its values.
    pub type_id: TypeId,
    /// Whether it may hold several, which in JSON is an array.
    pub repeats: bool,
}

/// One of the types a choice element may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The JSON property, such as `valueQuantity`.
    pub property: Box<str>,
    /// The type it then has.
    pub type_id: TypeId,
}

/// Tells one model from every other of this process, so that an expression may remember what a model told it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModelId(NonZeroU32);

impl ModelId {
    /// A number no other model has; `None` once all are taken.
    pub fn fresh() -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let taken = NEXT.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |next| next.checked_add(1));
        taken.ok().and_then(NonZeroU32::new).map(Self)
    }

    /// The number.
    pub fn number(self) -> u32 {
        self.0.get()
    }
}

/// The types of R4 as FHIRPath needs them.
pub trait Model: Send + Sync {
    /// The type called `name` in the FHIR namespace: `Patient`, `HumanName`, `string`, `BackboneElement`, `Resource`.
    fn type_named(&self, name: &str) -> Option<TypeId>;

    /// The FHIR name of a type; for a backbone element, `BackboneElement` or `Element`.
    fn type_name(&self, type_id: TypeId) -> &str;

    /// The type this one specialises; `None` for `Resource` and `Element`.
    fn base(&self, type_id: TypeId) -> Option<TypeId>;

    /// The type of the JSON property `name` of `of`, choices by their full name (`valueQuantity`).
    fn property(&self, of: TypeId, name: &str) -> Option<Property>;

    /// The properties the choice element with stem `name` may stand under: `value` of Observation gives eleven.
    fn choices(&self, of: TypeId, name: &str) -> &[Choice];

    /// What tells this model from others, if its answers never change; expressions then remember them.
    fn identity(&self) -> Option<ModelId> {
        None
    }

    /// Whether `type_id` is `ancestor` or specialises it.
    fn is_a(&self, type_id: TypeId, ancestor: TypeId) -> bool {
        let mut at = Some(type_id);
        while let Some(current) = at {
            if current == ancestor {
                return true;
            }
            at = self.base(current);
        }
        false
    }
}
