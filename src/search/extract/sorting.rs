//! What instances are sorted by that the index keeps as hashes, or in different places for different types: read from their bodies
//! (R4 search.html §sort).

use std::fmt;
use std::sync::Arc;

use chrono_tz::Tz;

use super::Indexer;
use super::collect::{Collector, text_of};
use super::facet::Facet;
use super::focus::focused;
use super::quantity::in_base_units;
use super::shape::Shape;
use crate::definition::{ParameterKind, Registry};
use crate::fhir::ResourceType;
use crate::fhir::json::{Node, Tree};
use crate::fhirpath::Item;
use crate::outcome::{Failure, Outcome};
use crate::search::index::IndexEntries;
use crate::search::plan::SortValue;
use crate::search::query::SortedParameter;
use crate::search::term::Terms;

/// A way to read one sort key from bodies.
#[derive(Clone)]
pub struct Reading(Arc<Read>);

struct Read {
    registry: Registry,
    base: Arc<str>,
    terms: Terms,
    zone: Tz,
    shapes: Arc<[Shape]>,
    /// Of each type that is sorted.
    facets: Vec<(ResourceType, Facet)>,
    descending: bool,
}

impl Reading {
    /// Reads `parameters`; of several values of one instance the one that comes first in the direction counts.
    ///
    /// # Errors
    /// `Fault` where an expression of the standard does not compile.
    pub(in crate::search) fn new(indexer: &Indexer, parameters: &[SortedParameter], descending: bool) -> Outcome<Self> {
        let facet = |sorted: &SortedParameter| {
            let facet = Facet {
                id: sorted.parameter,
                kind: sorted.values,
                expression: indexer.expression(sorted.kind, sorted.parameter)?,
                is_main_date: false,
                by_word: false,
                is_own_patient: false,
            };
            Ok((sorted.kind, facet))
        };
        Ok(Self(Arc::new(Read {
            registry: indexer.registry.clone(),
            base: Arc::clone(&indexer.base),
            terms: indexer.terms.clone(),
            zone: indexer.zone,
            shapes: Arc::clone(&indexer.shapes),
            facets: parameters.iter().map(facet).collect::<Outcome<_>>()?,
            descending,
        })))
    }

    /// The value of an instance of `kind` whose body is `json`.
    ///
    /// # Errors
    /// `Fault` where `json` is no resource: what is stored is one.
    pub fn value(&self, kind: ResourceType, json: &[u8]) -> Outcome<SortValue> {
        let Some((_, facet)) = self.0.facets.iter().find(|(own, _)| *own == kind) else { return Ok(SortValue::Missing) };
        let tree = Tree::parse(json).map_err(Failure::fault)?;
        Ok(self.0.value(kind, facet, &tree))
    }
}

impl PartialEq for Reading {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parameters = self.0.facets.iter().map(|(kind, facet)| (*kind, facet.id.0));
        f.debug_list().entries(parameters).finish()
    }
}

impl Read {
    fn value(&self, kind: ResourceType, facet: &Facet, tree: &Tree<'_>) -> SortValue {
        let (focus, environment) = focused(&self.registry, kind, tree);
        let mut texts = Vec::new();
        let mut collector = Collector { terms: &self.terms, base: &self.base, zone: self.zone, entries: IndexEntries::default() };
        // Where an expression stops at a fault of the resource, what it had found counts, as it does in the index.
        let _ = facet.expression.visit(focus, &environment, &mut |item| match &item {
            Item::Value(value) => texts.push(value.to_string()),
            Item::Element(element) => {
                let Some(node) = element.value() else { return };
                let shape = Shape::of_element(&self.shapes, element);
                match facet.kind {
                    ParameterKind::Token => push_codes(shape, node, &mut texts),
                    ParameterKind::Reference | ParameterKind::Uri => texts.extend(self.target(node)),
                    _ => collector.element(facet, shape, node),
                }
            }
        });
        texts.extend(collector.entries.strings.iter().map(|string| string.folded.to_string()));
        self.first(facet, &collector.entries, texts)
    }

    /// The value that comes first in the direction.
    fn first(&self, facet: &Facet, entries: &IndexEntries, texts: Vec<String>) -> SortValue {
        let found = match facet.kind {
            ParameterKind::Date => {
                let ends = entries.dates.iter().map(|date| if self.descending { date.range.high } else { date.range.low });
                if self.descending { ends.max() } else { ends.min() }.map(SortValue::Time)
            }
            ParameterKind::Number | ParameterKind::Quantity => {
                let of = |id| entries.quantities.iter().filter(move |quantity| quantity.parameter == id);
                let ends = |id| of(id).map(|quantity| if self.descending { quantity.high } else { quantity.low });
                let first = |id| if self.descending { ends(id).reduce(f64::max) } else { ends(id).reduce(f64::min) };
                first(in_base_units(facet.id)).or_else(|| first(facet.id)).map(SortValue::Number)
            }
            _ => if self.descending { texts.into_iter().max() } else { texts.into_iter().min() }
                .map(|text| SortValue::Text(text.into())),
        };
        found.unwrap_or(SortValue::Missing)
    }

    /// What a reference or a URI names; on this server without where that is.
    fn target(&self, node: Node<'_>) -> Option<String> {
        if let Some(kind) = text_of(node, "resourceType") {
            return Some(format!("{kind}/{}", text_of(node, "id")?));
        }
        let text = text_of(node, "reference").or_else(|| node.string())?;
        Some(text.strip_prefix(&*self.base).and_then(|rest| rest.strip_prefix('/')).unwrap_or(&text).to_owned())
    }
}

/// The codes of a value, without their systems.
fn push_codes(shape: Shape, node: Node<'_>, codes: &mut Vec<String>) {
    let member = |node: Node<'_>, name| text_of(node, name).map(|text| text.into_owned());
    match shape {
        Shape::Coding => codes.extend(member(node, "code")),
        Shape::CodeableConcept => {
            codes.extend(node.member("coding").into_iter().flat_map(Node::items).filter_map(|coding| member(coding, "code")));
        }
        Shape::Identifier | Shape::ContactPoint => codes.extend(member(node, "value")),
        Shape::Boolean | Shape::Number => codes.push(node.raw().to_owned()),
        Shape::Text | Shape::Uri | Shape::Canonical | Shape::Date => codes.extend(node.string().map(|text| text.into_owned())),
        Shape::Quantity | Shape::Money | Shape::Range | Shape::Period | Shape::Timing | Shape::Reference => {}
        Shape::HumanName | Shape::Address | Shape::Resource | Shape::Other => {}
    }
}
