//! Carnet: the FHIR R4 server of the shared health dossier.
//!
//! The modules stand in the order in which a request meets them: [`http`] reads it, [`security`] says who asks,
//! [`interaction`] conducts, [`dossier`] decides, [`validation`] judges what is written, [`search`] means what is asked,
//! [`store`] keeps, and [`audit`] remembers. [`definition`], [`fhirpath`], [`fhir`], [`outcome`] and
//! [`config`] are what all of them speak.

pub mod app;
pub mod cli;
pub mod http;
pub mod security;
pub mod interaction;
pub mod dossier;
pub mod validation;
pub mod search;
pub mod store;
pub mod audit;
pub mod definition;
pub mod fhirpath;
pub mod fhir;
pub mod outcome;
pub mod config;
