//! The facts of R4 4.0.1 and of the guides as the binary carries them: one JSON a line, each beginning with its identity, sorted by it.

use serde::Deserialize;

use super::error::LoadError;

/// A file of facts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts {
    /// Its name under `fhir-profiles`.
    pub(super) file: &'static str,
    /// Its text.
    pub(super) text: &'static str,
}

macro_rules! facts {
    ($file:literal) => {
        Facts { file: $file, text: include_str!(concat!("../../fhir-profiles/", $file)) }
    };
}

pub(super) const TYPES: Facts = facts!("core/types.ndjson");
pub(super) const PROFILES: Facts = facts!("core/profiles.ndjson");
pub(super) const INVARIANTS: Facts = facts!("core/invariants.ndjson");
pub(super) const OPERATIONS: Facts = facts!("core/operations.ndjson");
pub(super) const COMPARTMENTS: Facts = facts!("core/compartments.ndjson");
pub(super) const CODE_SYSTEMS: Facts = facts!("core/code-systems.ndjson");
pub(super) const VALUE_SETS: Facts = facts!("core/value-sets.ndjson");
pub(super) const SEARCH_PARAMETERS: Facts = facts!("core/search-parameters.ndjson");
/// Those of IHE MHD and of the French guides.
pub(super) const FRENCH_SEARCH_PARAMETERS: Facts = facts!("fr/search-parameters.ndjson");

impl Facts {
    /// Every line, read.
    pub(super) fn read<T: Deserialize<'static>>(self) -> Result<Vec<T>, LoadError> {
        self.text.lines().enumerate().map(|(index, line)| self.line(index, line)).collect()
    }

    /// One line, read.
    fn line<T: Deserialize<'static>>(self, index: usize, line: &'static str) -> Result<T, LoadError> {
        serde_json::from_str(line).map_err(|source| LoadError::Line { file: self.file, line: index + 1, source })
    }
}

/// The lines of a file, found by the canonical URL they begin with and read one at a time.
#[derive(Debug)]
pub(super) struct Lazy {
    lines: Box<[&'static str]>,
}

/// What every line of a file known by URL begins with.
const URL_START: &str = "{\"url\":\"";

impl Lazy {
    /// Cuts a file into its lines.
    pub(super) fn of(facts: Facts) -> Self {
        Self { lines: facts.text.lines().collect() }
    }

    /// The definition whose canonical URL is `url`; a version after `|` is not looked at.
    pub(super) fn get<T: Deserialize<'static>>(&self, url: &str) -> Option<T> {
        // The URL of two code systems itself holds a `|`.
        let bare = url.rsplit_once('|').map_or(url, |(bare, _version)| bare);
        let line = self.line(url).or_else(|| self.line(bare))?;
        serde_json::from_str(line).ok()
    }

    fn line(&self, url: &str) -> Option<&'static str> {
        let at = self.lines.binary_search_by(|line| url_of(line).cmp(url)).ok()?;
        self.lines.get(at).copied()
    }

    /// Every canonical URL, in order.
    pub(super) fn urls(&self) -> impl Iterator<Item = &'static str> {
        self.lines.iter().map(|line| url_of(line))
    }
}

fn url_of(line: &'static str) -> &'static str {
    line.strip_prefix(URL_START).and_then(|rest| rest.split('"').next()).unwrap_or_default()
}
