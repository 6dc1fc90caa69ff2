//! What is asked: one file per FHIR interaction; the only conductor.
