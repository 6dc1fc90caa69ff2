//! What a `Reference.reference` (or any URL that may name an instance) says (R4 references.html §literal references).

use super::{InstanceId, ResourceType, VersionId};

/// A literal reference, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference<'a> {
    /// `#id`: a contained resource (`#` alone: the container).
    Fragment(&'a str),
    /// `Type/id` or `Type/id/_history/version`, relative or under this server's base.
    Instance {
        /// The type named.
        kind: ResourceType,
        /// The logical id named.
        id: InstanceId,
        /// The version named, as written: another server's versions need not be numbers.
        version: Option<&'a str>,
    },
    /// `urn:uuid:…` or `urn:oid:…`.
    Urn(&'a str),
    /// Any other absolute URL, elsewhere.
    Absolute(&'a str),
    /// `Type?parameters`: a conditional reference, legal in a transaction only.
    Conditional {
        /// The type searched.
        kind: ResourceType,
        /// What follows the question mark.
        query: &'a str,
    },
    /// Nothing a server can follow.
    Unreadable(&'a str),
}

impl<'a> Reference<'a> {
    /// Reads `text`; `base` is this server's own base URL, without a final slash, under which absolute URLs are local.
    pub fn read(text: &'a str, base: &str) -> Self {
        if let Some(fragment) = text.strip_prefix('#') {
            return Self::Fragment(fragment);
        }
        if text.starts_with("urn:") {
            return Self::Urn(text);
        }
        let local = text.strip_prefix(base).and_then(|rest| rest.strip_prefix('/'));
        // The criteria of a conditional reference hold URLs themselves.
        if local.is_none() && text.split('?').next().is_some_and(|path| path.contains("://")) {
            return Self::Absolute(text);
        }
        Self::read_relative(local.unwrap_or(text)).unwrap_or(Self::Unreadable(text))
    }

    fn read_relative(path: &'a str) -> Option<Self> {
        if let Some((kind, query)) = path.split_once('?') {
            return Some(Self::Conditional { kind: kind.parse().ok()?, query });
        }
        let mut segments = path.split('/');
        let kind = segments.next()?.parse().ok()?;
        let id = segments.next()?.parse().ok()?;
        let version = match (segments.next(), segments.next(), segments.next()) {
            (None, None, None) => None,
            (Some("_history"), Some(version), None) => Some(version),
            _ => return None,
        };
        Some(Self::Instance { kind, id, version })
    }

    /// The version named, where it is one this server could have given.
    pub fn version_id(&self) -> Option<VersionId> {
        match self {
            Self::Instance { version: Some(version), .. } => version.parse().ok(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "http://localhost:8080/fhir";

    fn patient(id: &str, version: Option<&'static str>) -> Reference<'static> {
        Reference::Instance { kind: ResourceType::Patient, id: id.parse().unwrap(), version }
    }

    #[test]
    fn every_form_of_a_literal_reference_is_told_apart() {
        let table = [
            ("#p1", Reference::Fragment("p1")),
            ("Patient/p1", patient("p1", None)),
            ("Patient/p1/_history/3", patient("p1", Some("3"))),
            ("http://localhost:8080/fhir/Patient/p1", patient("p1", None)),
            ("http://elsewhere.example/fhir/Patient/p1", Reference::Absolute("http://elsewhere.example/fhir/Patient/p1")),
            ("urn:uuid:0d0c", Reference::Urn("urn:uuid:0d0c")),
            ("Patient?identifier=a|b", Reference::Conditional { kind: ResourceType::Patient, query: "identifier=a|b" }),
            (
                "Patient?identifier=http://a|b",
                Reference::Conditional { kind: ResourceType::Patient, query: "identifier=http://a|b" },
            ),
            ("Patient", Reference::Unreadable("Patient")),
            ("Nothing/p1", Reference::Unreadable("Nothing/p1")),
            ("Patient/p1/p2", Reference::Unreadable("Patient/p1/p2")),
            ("", Reference::Unreadable("")),
        ];
        for (text, expected) in table {
            assert_eq!(Reference::read(text, BASE), expected, "{text}");
        }
    }
}
