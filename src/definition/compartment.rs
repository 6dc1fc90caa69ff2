//! Compartments: which search parameters link a type to a patient, an encounter, … (R4 compartmentdefinition.html).

use super::core;
use super::error::LoadError;
use super::facts::CompartmentFacts;
use crate::fhir::ResourceType;

/// `http://hl7.org/fhir/compartment-type`
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "each variant is a code of the standard")]
pub enum Compartment {
    Device,
    Encounter,
    Patient,
    Practitioner,
    RelatedPerson,
}

impl Compartment {
    /// Every compartment, in the order of their codes.
    pub const ALL: [Self; 5] = [Self::Device, Self::Encounter, Self::Patient, Self::Practitioner, Self::RelatedPerson];

    /// The type whose instances have such a compartment.
    pub const fn focus(self) -> ResourceType {
        match self {
            Self::Device => ResourceType::Device,
            Self::Encounter => ResourceType::Encounter,
            Self::Patient => ResourceType::Patient,
            Self::Practitioner => ResourceType::Practitioner,
            Self::RelatedPerson => ResourceType::RelatedPerson,
        }
    }
}

/// The parameter codes of each type, by the type's number; none for a type outside the compartment.
pub(super) type Links = Box<[Box<[Box<str>]>]>;

/// The links of every compartment, in the order of [`Compartment::ALL`].
pub(super) fn load() -> Result<Box<[Links]>, LoadError> {
    let lines: Vec<CompartmentFacts> = core::COMPARTMENTS.read()?;
    Compartment::ALL
        .iter()
        .map(|compartment| {
            let name = compartment.focus().name();
            let line = lines.iter().find(|line| line.code == name);
            let line = line.ok_or_else(|| LoadError::Undefined { place: core::COMPARTMENTS.file, name: name.to_owned() })?;
            Ok(links(line))
        })
        .collect()
}

/// What stands for the focus of a compartment, which is in it without any parameter.
const ITSELF: &str = "{def}";

fn links(line: &CompartmentFacts) -> Links {
    let codes = |kind: &ResourceType| -> Box<[Box<str>]> {
        let found = line.resource.iter().find(|(name, _)| *name == kind.name());
        let codes = found.into_iter().flat_map(|(_, codes)| codes.iter());
        codes.filter(|code| **code != ITSELF).map(|code| Box::from(*code)).collect()
    };
    ResourceType::ALL.iter().map(codes).collect()
}
