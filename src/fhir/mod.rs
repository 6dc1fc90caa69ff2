//! The vocabulary of FHIR as types: resource types, ids, versions, instants, partial dates, decimals, references, and the
//! JSON scanner that reads a resource into a flat table of nodes without copying it.
//!
//! Nothing here knows what an element means; that is `definition`. Nothing here fails with anything but a small error of
//! its own, which `outcome` turns into an answer.

pub mod date;
pub mod decimal;
pub mod id;
pub mod instant;
pub mod json;
pub mod key;
pub mod reference;
mod resource_type;
pub mod xml;

pub use id::{InstanceId, VersionId};
pub use instant::Instant;
pub use key::{InstanceKey, Part};
pub use reference::Reference;
pub use resource_type::{ResourceType, UnknownResourceType};
