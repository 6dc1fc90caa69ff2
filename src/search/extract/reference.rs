//! References: every form in which a query may name the target (R4 search.html §reference).

use super::collect::{Collector, text_of};
use super::facet::Facet;
use super::shape::Shape;
use crate::definition::ParameterKind;
use crate::fhir::json::Node;
use crate::fhir::{Reference, ResourceType};
use crate::search::term::TokenOf;

impl Collector<'_> {
    pub(super) fn reference(&mut self, facet: &Facet, shape: Shape, node: Node<'_>) {
        match shape {
            Shape::Reference => {
                if let Some(literal) = text_of(node, "reference") {
                    self.literal(facet, &literal);
                }
                if let Some(identifier) = node.member("identifier") {
                    self.identifier(facet.id, TokenOf::Identifier, identifier);
                }
            }
            Shape::Canonical | Shape::Uri | Shape::Text => {
                if let Some(text) = node.string() {
                    self.canonical(facet, &text);
                }
            }
            Shape::Resource => self.resource(facet, node),
            Shape::Boolean | Shape::Number | Shape::Date | Shape::Period | Shape::Timing | Shape::Coding => {}
            Shape::CodeableConcept | Shape::Identifier | Shape::ContactPoint | Shape::HumanName | Shape::Address => {}
            Shape::Quantity | Shape::Money | Shape::Range | Shape::Other => {}
        }
    }

    /// A canonical URL with or without `|version`, its fragment left out.
    pub(super) fn canonical(&mut self, facet: &Facet, text: &str) {
        let whole = text.split_once('#').map_or(text, |(whole, _)| whole);
        let (url, version) = whole.split_once('|').map_or((whole, None), |(url, version)| (url, Some(version)));
        if facet.kind == ParameterKind::Reference {
            self.literal(facet, url);
            let version = version.map(|version| self.terms.url_version(facet.id, url, version));
            self.entries.terms.extend(version);
        } else {
            self.entries.terms.push(self.terms.uri(facet.id, whole));
            let unversioned = version.map(|_| self.terms.uri(facet.id, url));
            self.entries.terms.extend(unversioned);
        }
    }

    fn literal(&mut self, facet: &Facet, text: &str) {
        match Reference::read(text, self.base) {
            Reference::Instance { kind, id, version } => self.instance(facet, kind, (id.as_str(), version)),
            Reference::Absolute(url) => self.absolute(facet, url),
            Reference::Urn(urn) => self.entries.terms.push(self.terms.url(facet.id, urn)),
            Reference::Fragment(_) | Reference::Conditional { .. } | Reference::Unreadable(_) => {}
        }
    }

    fn instance(&mut self, facet: &Facet, kind: ResourceType, (id, version): (&str, Option<&str>)) {
        let terms = &mut self.entries.terms;
        terms.push(match kind {
            ResourceType::Patient if facet.is_own_patient => self.terms.own_patient(facet.id, id),
            _ => self.terms.instance(facet.id, kind, id),
        });
        if let Some(version) = version {
            terms.push(self.terms.instance_version(facet.id, (kind, id, version)));
        }
    }

    /// A version elsewhere is found by the URL of its instance too.
    fn absolute(&mut self, facet: &Facet, url: &str) {
        let terms = &mut self.entries.terms;
        terms.push(self.terms.url(facet.id, url));
        if let Some((instance, _)) = url.split_once("/_history/") {
            terms.push(self.terms.url(facet.id, instance));
        }
    }

    /// A resource that stands where a reference might: `Bundle.entry[0].resource`.
    fn resource(&mut self, facet: &Facet, node: Node<'_>) {
        let kind = text_of(node, "resourceType").and_then(|name| name.parse().ok());
        if let (Some(kind), Some(id)) = (kind, text_of(node, "id")) {
            self.instance(facet, kind, (&id, None));
        }
    }
}
