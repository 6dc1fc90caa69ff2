//! FHIRPath N1 as R4 uses it: parsed once to a compact program, evaluated over the borrowed node table without cloning.
pub mod model;
