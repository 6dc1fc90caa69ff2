//! Who is who in a Bundle: the `fullUrl` of each entry, and which entry a reference means (R4 bundle.html §references).

use std::borrow::Cow;
use std::collections::HashMap;

use super::entry::Entry;
use crate::interaction::Interaction;
use crate::outcome::{Failure, Issue, IssueCode, Kind, Outcome};

const HISTORY: &str = "/_history/";

/// The entries of a Bundle by their `fullUrl`.
#[derive(Debug)]
pub(super) struct Identities<'e> {
    by_url: HashMap<&'e str, usize>,
    /// By position: the URL under which relative references of the entry are read, with its final slash.
    roots: Vec<Option<&'e str>>,
}

/// Which entry a URL means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Link {
    /// The position of the entry.
    pub(super) entry: usize,
    /// Whether the URL names a version, and so will the new one.
    pub(super) is_versioned: bool,
}

impl<'e> Identities<'e> {
    /// Collects the identities of `entries`.
    ///
    /// # Errors
    /// 400 where two entries that are written have the same one (bdl-7).
    pub(super) fn of(entries: &'e [Entry<'_>]) -> Outcome<Self> {
        let mut by_url = HashMap::with_capacity(entries.len());
        for entry in entries.iter().filter(|entry| !entry.reads() && entry.request.interaction != Interaction::Delete) {
            let Some(url) = entry.full_url.as_deref() else { continue };
            if by_url.insert(url, entry.at).is_some() {
                let issue = Issue::error(IssueCode::Duplicate, "another entry has the same fullUrl").at("fullUrl");
                return Err(entry.located(Failure::with_issues(Kind::Malformed, vec![issue])));
            }
        }
        Ok(Self { by_url, roots: entries.iter().map(|entry| entry.full_url.as_deref().and_then(root)).collect() })
    }

    /// One entry, for tests.
    #[cfg(test)]
    pub(super) fn single(url: &'e str) -> Self {
        Self { by_url: HashMap::from([(url, 0)]), roots: vec![None] }
    }

    /// Whether no entry can be meant by anything.
    pub(super) fn is_empty(&self) -> bool {
        self.by_url.is_empty()
    }

    /// Which entry `url` means when it stands in the entry at position `within`.
    pub(super) fn find(&self, url: &str, within: usize) -> Option<Link> {
        let (plain, is_versioned) = url.split_once(HISTORY).map_or((url, false), |(plain, _)| (plain, true));
        let entry = self.by_url.get(plain).copied().or_else(|| self.by_url.get(self.absolute(plain, within)?.as_ref()).copied());
        entry.map(|entry| Link { entry, is_versioned })
    }

    /// A relative URL under the root of the entry it stands in; there is no guess for others.
    fn absolute<'u>(&self, url: &'u str, within: usize) -> Option<Cow<'u, str>> {
        if url.contains(':') || url.starts_with('#') {
            return None;
        }
        let root = self.roots.get(within).copied().flatten()?;
        Some(Cow::Owned(format!("{root}{url}")))
    }
}

/// `http://h/fhir/` of `http://h/fhir/Patient/p1`.
fn root(full_url: &str) -> Option<&str> {
    let path = full_url.split_once(HISTORY).map_or(full_url, |(path, _)| path);
    let mut slashes = path.rmatch_indices('/').map(|(at, _)| at);
    let (_, type_at) = (slashes.next()?, slashes.next()?);
    let is_http = path.starts_with("http://") || path.starts_with("https://");
    path.get(..=type_at).filter(|_| is_http)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_references_are_read_under_the_root_of_their_entry() {
        assert_eq!(root("http://h/fhir/Patient/p1"), Some("http://h/fhir/"));
        assert_eq!(root("http://h/fhir/Patient/p1/_history/3"), Some("http://h/fhir/"));
        assert_eq!(root("urn:uuid:0d0c"), None);
        assert_eq!(root("Patient/p1"), None);
    }

    #[test]
    fn a_reference_means_the_entry_with_its_full_url() {
        let by_url = HashMap::from([("urn:uuid:1", 0), ("http://h/fhir/Patient/p1", 1), ("Patient/p2", 2)]);
        let identities = Identities { by_url, roots: vec![None, Some("http://h/fhir/"), None] };
        let link = |entry, is_versioned| Some(Link { entry, is_versioned });
        assert_eq!(identities.find("urn:uuid:1", 2), link(0, false));
        assert_eq!(identities.find("Patient/p1", 1), link(1, false));
        assert_eq!(identities.find("Patient/p1/_history/1", 1), link(1, true));
        assert_eq!(identities.find("Patient/p1", 0), None);
        assert_eq!(identities.find("Patient/p2", 0), link(2, false));
        assert_eq!(identities.find("#p1", 1), None);
        assert_eq!(identities.find("urn:uuid:2", 1), None);
    }
}
