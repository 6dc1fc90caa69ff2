//! Where a query looks: at one type, at several, at what belongs to one patient, encounter, … (R4 http.html §search,
//! search.html §vssearch).

use super::fault::Fault;
use super::split::Piece;
use crate::definition::{Compartment, Registry};
use crate::fhir::{InstanceId, ResourceType};

/// The parameter that names the types of a search of several.
pub(super) const TYPE_PARAMETER: &str = "_type";

/// Where a query looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The types searched, in the order of their names, each once.
    pub(super) kinds: Vec<ResourceType>,
    /// The compartment what is found must belong to.
    pub(super) within: Option<Within>,
    /// Whether the query may narrow the types.
    several: bool,
}

/// One compartment: that of one patient, encounter, …
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Within {
    /// Which kind of compartment.
    pub compartment: Compartment,
    /// The logical id of its focus.
    pub id: InstanceId,
}

impl Scope {
    /// `[base]/[type]`
    pub fn of_type(kind: ResourceType) -> Self {
        Self { kinds: vec![kind], within: None, several: false }
    }

    /// `[base]`
    pub fn of_system() -> Self {
        Self { kinds: ResourceType::ALL.to_vec(), within: None, several: true }
    }

    /// `[base]/[compartment]/[id]/[type]`; `*` where `kind` is `None`.
    pub fn of_compartment(registry: &Registry, within: Within, kind: Option<ResourceType>) -> Self {
        let compartment = within.compartment;
        let belongs = |kind: &ResourceType| registry.is_in(compartment, *kind);
        let (kinds, several) = match kind {
            Some(kind) => (vec![kind], false),
            None => (ResourceType::ALL.iter().copied().filter(belongs).collect(), true),
        };
        Self { kinds, within: Some(within), several }
    }

    /// Narrows the types to those that `value` of `_type` names.
    pub(super) fn narrow(&mut self, value: &str) -> Result<(), Fault> {
        if !self.several {
            return Err(Fault::wrong("`_type` names the types of a search of several").softly());
        }
        let named = Piece::whole(value).split(b',').filter(|piece| !piece.raw.trim().is_empty());
        let read = |piece: Piece<'_>| {
            piece.raw.parse::<ResourceType>().map_err(|_| Fault::value(piece.raw, piece.position, "a resource type"))
        };
        let named = named.map(read).collect::<Result<Vec<_>, Fault>>()?;
        self.kinds.retain(|kind| named.contains(kind));
        Ok(())
    }

    /// What it says, as bytes: a page token belongs to it.
    pub(super) fn identity(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for kind in &self.kinds {
            bytes.extend_from_slice(&kind.code().to_le_bytes());
        }
        if let Some(within) = &self.within {
            bytes.extend_from_slice(&[0xFD, within.compartment as u8]);
            bytes.extend_from_slice(within.id.as_str().as_bytes());
        }
        bytes
    }
}
