//! The immutable registry of R4 4.0.1: structures, search parameters, compartments, invariants, terminologies, operations;
//! built once from the compact facts of `fhir-profiles/core`, embedded in the binary.
//!
//! Types, search parameters, compartments and invariants are ready when [`Registry::embedded`] returns. Profiles, code systems,
//! value sets and operations are read from the embedded text when they are first asked for. Texts are borrowed from the binary,
//! not copied. Nothing here judges an instance; that is `validation`.

mod build;
mod compartment;
mod core;
mod custom;
mod elements;
mod error;
mod expression;
mod facts;
mod fault;
mod invariant;
mod model;
mod operation;
mod parameter;
mod primitive;
mod profile;
mod registry;
mod structure;
mod terminology;

pub use compartment::Compartment;
pub use custom::CustomParameter;
pub use error::LoadError;
pub use invariant::{Invariant, InvariantId};
pub use operation::{Operation, OperationParameter};
pub use parameter::{Component, Parameter, ParameterId, ParameterKind};
pub use primitive::Primitive;
pub use profile::{Discriminator, Profile, ProfileElement, ProfileType, Slicing};
pub use registry::Registry;
pub use structure::{Binding, BindingStrength, Element, ElementSet, ElementType, Found, Structure, StructureKind};
pub use terminology::{CodeSystem, Concept, ValueSet, ValueSetPart};

#[cfg(test)]
mod tests;
