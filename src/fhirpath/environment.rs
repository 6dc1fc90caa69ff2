//! What an evaluation is given besides its focus: the model, the constants, the clock, the limits, and the hooks through
//! which it asks what it cannot know.

use super::item::Item;
use super::limit;
use super::model::{Model, ModelId, TypeId};
use crate::fhir::Instant;
use crate::fhir::decimal::Decimal;
use crate::fhir::json::Node;

/// Questions an expression may raise that a resource alone does not answer. Each has an answer "not known".
pub trait Host: Sync {
    /// The resource a reference outside the resource names.
    fn resolve(&self, reference: &str) -> Option<Node<'_>> {
        let _ = reference;
        None
    }

    /// Whether `item` – a code, Coding or CodeableConcept – is in the value set.
    fn member_of(&self, item: &Item<'_>, value_set: &str) -> Option<bool> {
        let _ = (item, value_set);
        None
    }

    /// Whether the code system says that `general` subsumes `special`.
    fn subsumes(&self, general: &Item<'_>, special: &Item<'_>) -> Option<bool> {
        let _ = (general, special);
        None
    }

    /// Whether the resource or element conforms to the profile.
    fn conforms_to(&self, item: &Item<'_>, profile: &str) -> Option<bool> {
        let _ = (item, profile);
        None
    }

    /// The same amount in a unit that all comparable quantities share, and the name of that unit.
    fn canonical_quantity(&self, value: &Decimal, unit: &str) -> Option<(Decimal, String)> {
        let _ = (value, unit);
        None
    }

    /// What `trace()` was given.
    fn trace(&self, label: &str, items: &[Item<'_>]) {
        let _ = (label, items);
    }
}

/// The bounds of one evaluation.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// See [`limit::MAX_STEPS`].
    pub steps: u32,
    /// See [`limit::MAX_ITEMS`].
    pub items: usize,
    /// See [`limit::MAX_TEXT_BYTES`].
    pub text_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { steps: limit::MAX_STEPS, items: limit::MAX_ITEMS, text_bytes: limit::MAX_TEXT_BYTES }
    }
}

/// Everything an evaluation is given besides its focus. Cheap to make, one for a resource.
#[derive(Clone)]
pub struct Environment<'t> {
    pub(super) model: &'t dyn Model,
    pub(super) resource: Option<Item<'t>>,
    pub(super) root_resource: Option<Item<'t>>,
    pub(super) host: Option<&'t dyn Host>,
    pub(super) constants: &'t [(&'t str, &'t [Item<'t>])],
    pub(super) now: Option<Instant>,
    pub(super) zone_minutes: i16,
    pub(super) limits: Limits,
    pub(super) model_id: Option<ModelId>,
    /// The type `Resource`, whose values say themselves what they are.
    pub(super) any_resource: Option<TypeId>,
}

impl<'t> Environment<'t> {
    /// An environment that knows the model only: `%resource` is the focus, the clock is not known, nothing outside the
    /// resource is resolved.
    pub fn new(model: &'t dyn Model) -> Self {
        Self {
            model,
            resource: None,
            root_resource: None,
            host: None,
            constants: &[],
            now: None,
            zone_minutes: 0,
            limits: Limits::default(),
            model_id: model.identity(),
            any_resource: model.type_named("Resource"),
        }
    }

    /// Sets `%resource`: the resource or contained resource that the focus is part of.
    #[must_use]
    pub fn with_resource(mut self, resource: Item<'t>) -> Self {
        self.resource = Some(resource);
        self
    }

    /// Sets `%rootResource`: the resource that contains `%resource`, or is it.
    #[must_use]
    pub fn with_root_resource(mut self, resource: Item<'t>) -> Self {
        self.root_resource = Some(resource);
        self
    }

    /// Sets whom to ask what the resource does not tell.
    #[must_use]
    pub fn with_host(mut self, host: &'t dyn Host) -> Self {
        self.host = Some(host);
        self
    }

    /// Sets further external constants, by name without `%`.
    #[must_use]
    pub fn with_constants(mut self, constants: &'t [(&'t str, &'t [Item<'t>])]) -> Self {
        self.constants = constants;
        self
    }

    /// Sets the clock of `now()`, `today()` and `timeOfDay()`, and the zone in which they show it.
    #[must_use]
    pub fn with_clock(mut self, now: Instant, zone_minutes: i16) -> Self {
        self.now = Some(now);
        self.zone_minutes = zone_minutes;
        self
    }

    /// Sets the bounds.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The types that are known.
    pub fn model(&self) -> &'t dyn Model {
        self.model
    }
}
