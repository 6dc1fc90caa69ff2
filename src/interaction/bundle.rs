//! Bundles written around resources that are already written: their bytes are copied, never read.

use crate::fhir::json::push_string;
use crate::fhir::{Instant, VersionId};
use crate::store::{Hole, Text};

/// Room for what stands around each resource, in bytes.
const ENTRY_LEN: usize = 256;

/// A Bundle under construction.
#[derive(Debug)]
pub(super) struct Bundle {
    out: Vec<u8>,
    holes: Vec<Hole>,
    has_entry: bool,
}

/// `Bundle.entry.search.mode`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SearchMode {
    Match,
    Include,
    Outcome,
}

impl SearchMode {
    const fn code(self) -> &'static str {
        match self {
            Self::Match => "match",
            Self::Include => "include",
            Self::Outcome => "outcome",
        }
    }
}

/// `Bundle.entry.response`
#[derive(Clone, Debug)]
pub(super) struct EntryResponse<'a> {
    pub(super) status: &'a str,
    pub(super) location: Option<&'a str>,
    pub(super) version: Option<VersionId>,
    pub(super) updated: Option<Instant>,
    pub(super) outcome: Option<&'a [u8]>,
}

impl Bundle {
    /// A Bundle of `kind` (`Bundle.type`), made at `updated`.
    pub(super) fn new(kind: &str, updated: Instant) -> Self {
        let mut bundle = Self { out: Vec::with_capacity(4 * ENTRY_LEN), holes: Vec::new(), has_entry: false };
        bundle.raw("{\"resourceType\":\"Bundle\",\"meta\":{\"lastUpdated\":\"");
        bundle.raw(&updated.to_string());
        bundle.raw("\"},\"type\":");
        bundle.string(kind);
        bundle
    }

    /// Says of a document by which name it is known everywhere, and when it was put together.
    pub(super) fn document(&mut self, identifier: &str, made: Instant) {
        self.raw(",\"identifier\":{\"system\":\"urn:ietf:rfc:3986\",\"value\":");
        self.string(identifier);
        self.raw("},\"timestamp\":\"");
        self.raw(&made.to_string());
        self.raw("\"");
    }

    /// Says how many there are in all.
    pub(super) fn total(&mut self, total: u64) {
        self.raw(",\"total\":");
        self.raw(&total.to_string());
    }

    /// Says where this page and others are; all of them at once.
    pub(super) fn links(&mut self, links: &[(&str, &str)]) {
        for (position, (relation, url)) in links.iter().enumerate() {
            self.raw(if position == 0 { ",\"link\":[{\"relation\":" } else { ",{\"relation\":" });
            self.string(relation);
            self.raw(",\"url\":");
            self.string(url);
            self.raw("}");
        }
        if !links.is_empty() {
            self.raw("]");
        }
    }

    /// Makes room for entries, given the length of each.
    pub(super) fn reserve(&mut self, lens: impl Iterator<Item = usize>) {
        self.out.reserve(lens.map(|len| len + ENTRY_LEN).sum());
    }

    /// Begins an entry that will hold about `len` bytes.
    pub(super) fn entry(&mut self, len: usize) -> Entry<'_> {
        self.out.reserve(len + ENTRY_LEN);
        self.raw(if self.has_entry { ",{" } else { ",\"entry\":[{" });
        self.has_entry = true;
        Entry { bundle: self, has_member: false }
    }

    /// The Bundle as JSON.
    pub(super) fn finish(mut self) -> Text {
        self.raw(if self.has_entry { "]}" } else { "}" });
        Text::with_holes(self.out, self.holes)
    }

    fn raw(&mut self, text: &str) {
        self.out.extend(text.as_bytes());
    }

    fn string(&mut self, text: &str) {
        push_string(text, &mut self.out);
    }
}

/// An entry under construction.
#[derive(Debug)]
pub(super) struct Entry<'b> {
    bundle: &'b mut Bundle,
    has_member: bool,
}

impl Entry<'_> {
    fn member(&mut self, name: &str) -> &mut Bundle {
        if self.has_member {
            self.bundle.raw(",");
        }
        self.has_member = true;
        self.bundle.string(name);
        self.bundle.raw(":");
        self.bundle
    }

    /// `fullUrl`
    pub(super) fn full_url(mut self, url: &str) -> Self {
        self.member("fullUrl").string(url);
        self
    }

    /// `resource`: the bytes of one, as they are.
    pub(super) fn resource(mut self, text: &Text) -> Self {
        let bundle = self.member("resource");
        bundle.holes.extend(text.holes_from(bundle.out.len()));
        bundle.out.extend_from_slice(text.json());
        self
    }

    /// `search`
    pub(super) fn search(mut self, mode: SearchMode) -> Self {
        let bundle = self.member("search");
        bundle.raw("{\"mode\":");
        bundle.string(mode.code());
        bundle.raw("}");
        self
    }

    /// `request`
    pub(super) fn request(mut self, verb: &str, url: &str) -> Self {
        let bundle = self.member("request");
        bundle.raw("{\"method\":");
        bundle.string(verb);
        bundle.raw(",\"url\":");
        bundle.string(url);
        bundle.raw("}");
        self
    }

    /// `response`
    pub(super) fn response(mut self, response: &EntryResponse<'_>) -> Self {
        let bundle = self.member("response");
        bundle.raw("{\"status\":");
        bundle.string(response.status);
        if let Some(location) = response.location {
            bundle.raw(",\"location\":");
            bundle.string(location);
        }
        if let Some(version) = response.version {
            bundle.raw(",\"etag\":");
            bundle.string(&format!("W/\"{version}\""));
        }
        if let Some(updated) = response.updated {
            bundle.raw(",\"lastModified\":");
            bundle.string(&updated.to_string());
        }
        if let Some(outcome) = response.outcome {
            bundle.raw(",\"outcome\":");
            bundle.out.extend(outcome);
        }
        bundle.raw("}");
        self
    }

    /// Ends the entry.
    pub(super) fn end(self) {
        self.bundle.raw("}");
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::{Value, json};

    use super::*;

    fn read(bundle: Bundle) -> Value {
        serde_json::from_slice(bundle.finish().json()).unwrap()
    }

    #[test]
    fn an_empty_bundle_has_no_empty_list() {
        let bundle = Bundle::new("searchset", Instant::from_micros(0));
        let expected =
            json!({"resourceType": "Bundle", "meta": {"lastUpdated": "1970-01-01T00:00:00.000000Z"}, "type": "searchset"});
        assert_eq!(read(bundle), expected);
    }

    #[test]
    fn an_entry_carries_the_bytes_of_its_resource_and_what_is_said_of_it() {
        let mut bundle = Bundle::new("history", Instant::from_micros(0));
        bundle.total(2);
        bundle.links(&[("self", "http://h/fhir/Patient?name=\"x\""), ("next", "http://h/n")]);
        bundle
            .entry(9)
            .full_url("http://h/fhir/Patient/p1")
            .resource(&Bytes::from_static(b"{\"a\":1.0}").into())
            .search(SearchMode::Match)
            .end();
        let response = EntryResponse {
            status: "204 No Content",
            location: Some("l"),
            version: Some(VersionId(2)),
            updated: Some(Instant::from_micros(1)),
            outcome: Some(b"{}"),
        };
        bundle.entry(0).request("DELETE", "Patient/p1").response(&response).end();
        let value = read(bundle);
        assert_eq!(value["total"], 2);
        assert_eq!(value["link"][0], json!({"relation": "self", "url": "http://h/fhir/Patient?name=\"x\""}));
        let first = json!({"fullUrl": "http://h/fhir/Patient/p1", "resource": {"a": 1.0}, "search": {"mode": "match"}});
        assert_eq!(value["entry"][0], first);
        let second = json!({"request": {"method": "DELETE", "url": "Patient/p1"}, "response": {"status": "204 No Content",
            "location": "l", "etag": "W/\"2\"", "lastModified": "1970-01-01T00:00:00.000001Z", "outcome": {}}});
        assert_eq!(value["entry"][1], second);
    }
}
