//! The immutable registry of R4 4.0.1: structures, search parameters, compartments, invariants, terminologies, operations;
//! built once from the compact facts of `fhir-profiles/core`, embedded in the binary.

mod parameter;

pub use parameter::{Parameter, ParameterId, ParameterKind};
