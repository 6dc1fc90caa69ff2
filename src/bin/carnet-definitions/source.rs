//! The Maven artifact: which entries hold what.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use zip::ZipArchive;

use crate::Fallible;

/// Where the definitions stand in the artifact.
const ROOT: &str = "org/hl7/fhir/r4/model";

/// Bundles of StructureDefinition, OperationDefinition and CompartmentDefinition.
pub const STRUCTURES: [&str; 4] = [
    "profile/profiles-types.xml",
    "profile/profiles-resources.xml",
    "profile/profiles-others.xml",
    "extension/extension-definitions.xml",
];

/// Bundles of CodeSystem and ValueSet.
pub const TERMINOLOGIES: [&str; 3] = ["valueset/valuesets.xml", "valueset/v2-tables.xml", "valueset/v3-codesystems.xml"];

/// The Bundle of SearchParameter, in JSON.
pub const SEARCH_PARAMETERS: &str = "sp/search-parameters.json";

/// The opened artifact.
pub struct Artifact(ZipArchive<File>);

impl Artifact {
    /// Opens the jar.
    pub fn open(path: &Path) -> Fallible<Self> {
        Ok(Self(ZipArchive::new(File::open(path)?)?))
    }

    /// The text of one entry.
    pub fn text(&mut self, entry: &str) -> Fallible<String> {
        let mut text = String::new();
        self.0.by_name(&format!("{ROOT}/{entry}"))?.read_to_string(&mut text)?;
        Ok(text)
    }
}
