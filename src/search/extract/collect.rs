//! From one value of one parameter to its index entries, kind by kind.

use std::borrow::Cow;

use chrono_tz::Tz;

use super::facet::Facet;
use super::shape::Shape;
use crate::definition::ParameterKind;
use crate::fhir::json::Node;
use crate::search::index::{DateEntry, DateRange, IndexEntries};
use crate::search::term::Terms;

/// Gathers the entries of one resource.
pub(super) struct Collector<'i> {
    pub(super) terms: &'i Terms,
    /// This server's base URL, under which absolute references are local.
    pub(super) base: &'i str,
    /// The zone of dates that name none.
    pub(super) zone: Tz,
    pub(super) entries: IndexEntries,
}

impl Collector<'_> {
    /// Takes one element.
    pub(super) fn element(&mut self, facet: &Facet, shape: Shape, node: Node<'_>) {
        match facet.kind {
            ParameterKind::Token => self.token(facet.id, shape, node),
            ParameterKind::Reference => self.reference(facet, shape, node),
            ParameterKind::Uri => self.uri(facet, shape, node),
            ParameterKind::String => self.string(facet, shape, node),
            ParameterKind::Date => self.date(facet, shape, node),
            ParameterKind::Number | ParameterKind::Quantity => self.quantity(facet.id, shape, node),
            ParameterKind::Composite | ParameterKind::Special => {}
        }
    }

    /// Notes that the parameter has a value. A date says that itself.
    pub(super) fn present(&mut self, facet: &Facet) {
        if facet.kind != ParameterKind::Date {
            self.entries.terms.push(self.terms.present(facet.id));
        }
    }

    /// Takes a value the expression computed rather than found, such as `exists()`.
    pub(super) fn computed(&mut self, facet: &Facet, text: &str) {
        if facet.kind == ParameterKind::Token {
            self.code(facet.id, text);
        }
    }

    /// The entries, in order and without repetition.
    pub(super) fn finish(mut self) -> IndexEntries {
        self.entries.terms.sort_unstable();
        self.entries.terms.dedup();
        self.entries.dates.sort_unstable();
        self.entries.dates.dedup();
        self.entries.strings.sort_unstable();
        self.entries.strings.dedup();
        self.entries
    }

    fn uri(&mut self, facet: &Facet, shape: Shape, node: Node<'_>) {
        match (shape, node.string()) {
            (Shape::Canonical, Some(text)) => self.canonical(facet, &text),
            (_, Some(text)) => {
                let term = self.terms.uri(facet.id, &text);
                self.entries.terms.push(term);
            }
            _ => {}
        }
    }

    fn date(&mut self, facet: &Facet, shape: Shape, node: Node<'_>) {
        let Some(range) = super::date::range(shape, node, self.zone) else { return };
        let main = &mut self.entries.main_date;
        match main {
            None if facet.is_main_date => *main = Some(range),
            _ => self.entries.dates.push(DateEntry { parameter: facet.id, range }),
        }
    }
}

/// The text of the member `name`.
pub(super) fn text_of<'t>(node: Node<'t>, name: &str) -> Option<Cow<'t, str>> {
    node.member(name).and_then(Node::string)
}

/// Open on both sides.
pub(super) const ALWAYS: DateRange = DateRange { low: i64::MIN, high: i64::MAX };
