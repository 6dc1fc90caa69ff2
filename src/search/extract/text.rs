//! Strings: folded for prefixes, exact as terms (R4 search.html §string).

use super::collect::Collector;
use super::facet::Facet;
use super::shape::Shape;
use crate::definition::ParameterId;
use crate::fhir::json::Node;
use crate::search::fold::{fold, later_words};
use crate::search::index::StringEntry;

/// The parts of a name each of which is searched by itself.
const NAME_PARTS: &[&str] = &["text", "family", "given", "prefix", "suffix"];
/// The same of an address.
const ADDRESS_PARTS: &[&str] = &["text", "line", "city", "district", "state", "postalCode", "country"];

impl Collector<'_> {
    pub(super) fn string(&mut self, facet: &Facet, shape: Shape, node: Node<'_>) {
        match shape {
            Shape::HumanName => self.parts(facet, node, NAME_PARTS),
            Shape::Address => self.parts(facet, node, ADDRESS_PARTS),
            Shape::CodeableConcept => self.parts(facet, node, &["text"]),
            Shape::Coding => self.parts(facet, node, &["display"]),
            Shape::Text | Shape::Uri | Shape::Canonical => self.text(facet.id, is_family_name(facet, node), node),
            Shape::Boolean | Shape::Number | Shape::Date | Shape::Period | Shape::Timing | Shape::Identifier => {}
            Shape::ContactPoint | Shape::Reference | Shape::Quantity | Shape::Money | Shape::Range => {}
            Shape::Resource | Shape::Other => {}
        }
    }

    fn parts(&mut self, facet: &Facet, node: Node<'_>, parts: &[&str]) {
        for part in node.children().filter(|member| parts.iter().any(|part| member.is_named(part))) {
            let by_word = is_family_name(facet, part);
            part.items().for_each(|text| self.text(facet.id, by_word, text));
        }
    }

    fn text(&mut self, parameter: ParameterId, by_word: bool, node: Node<'_>) {
        let Some(text) = node.string() else { return };
        self.entries.terms.push(self.terms.exact(parameter, &text));
        let folded = fold(&text);
        if by_word {
            let word = |word: &str| StringEntry { parameter, folded: word.into(), is_later_word: true };
            self.entries.strings.extend(later_words(&folded).map(word));
        }
        self.entries.strings.push(StringEntry { parameter, folded: folded.into(), is_later_word: false });
    }
}

/// Whether each word of `node` is searched by its beginning: the name of an organization or of a form is none of a family.
fn is_family_name(facet: &Facet, node: Node<'_>) -> bool {
    facet.by_word && node.is_named("family")
}
