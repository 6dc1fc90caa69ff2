//! Numbers and quantities: a point, or a range where the resource says one (R4 search.html §number, §quantity).

use super::collect::{Collector, text_of};
use super::shape::Shape;
use crate::definition::ParameterId;
use crate::fhir::json::Node;
use crate::search::index::{QuantityEntry, Term};
use crate::search::term::UCUM;
use crate::search::unit::BaseUnit;

/// What a number is in the unit in which it is kept.
type Amount<'a> = &'a dyn Fn(f64) -> f64;

/// The system of `Money.currency`.
pub(in crate::search) const CURRENCY: &str = "urn:iso:std:iso:4217";

impl Collector<'_> {
    pub(super) fn quantity(&mut self, parameter: ParameterId, shape: Shape, node: Node<'_>) {
        match shape {
            Shape::Number => {
                if let Some(value) = number(node) {
                    self.entries.quantities.push(QuantityEntry { parameter, unit: None, low: value, high: value });
                }
            }
            Shape::Quantity => self.measured(parameter, node, &|amount| covered(node, amount)),
            Shape::Money => self.money(parameter, node),
            Shape::Range => self.range(parameter, node),
            Shape::Boolean | Shape::Text | Shape::Uri | Shape::Canonical | Shape::Date | Shape::Period => {}
            Shape::Timing | Shape::Coding | Shape::CodeableConcept | Shape::Identifier | Shape::ContactPoint => {}
            Shape::Reference | Shape::HumanName | Shape::Address | Shape::Resource | Shape::Other => {}
        }
    }

    fn money(&mut self, parameter: ParameterId, node: Node<'_>) {
        let Some(value) = node.member("value").and_then(number) else { return };
        let currency = text_of(node, "currency");
        let unit = |system| currency.as_deref().map(|currency| self.terms.unit(parameter, system, currency));
        // By its code and system, and by its code alone.
        let mut units = vec![unit(Some(CURRENCY)), unit(None)];
        units.dedup();
        self.entries.quantities.extend(units.iter().map(|unit| QuantityEntry {
            parameter,
            unit: *unit,
            low: value,
            high: value,
        }));
    }

    fn range(&mut self, parameter: ParameterId, node: Node<'_>) {
        let (low, high) = (node.member("low"), node.member("high"));
        let Some(measured) = low.or(high) else { return };
        let end = |end: Option<Node<'_>>| end.and_then(|end| end.member("value")).and_then(number);
        let ends = (end(low), end(high));
        self.measured(parameter, measured, &|amount| {
            Some((ends.0.map_or(f64::NEG_INFINITY, amount), ends.1.map_or(f64::INFINITY, amount)))
        });
    }

    /// One entry in the unit as its system codes it, one in base units where that is UCUM and knows the unit; and, for `5||mg`, one by
    /// the code alone where the system is another and one by the words of the unit where they are other than the code. `range` is
    /// what it covers, each number as it is given.
    fn measured(&mut self, parameter: ParameterId, quantity: Node<'_>, range: &dyn Fn(Amount<'_>) -> Option<(f64, f64)>) {
        let Some((low, high)) = range(&|value| value) else { return };
        let [system, code, words] = ["system", "code", "unit"].map(|member| text_of(quantity, member));
        let is_ucum = system.as_deref() == Some(UCUM);
        let coded = system.as_deref().zip(code.as_deref()).map(|(system, code)| self.terms.unit(parameter, Some(system), code));
        let alone = code.as_deref().filter(|_| !is_ucum);
        let words = words.as_deref().filter(|words| code.as_deref() != Some(words));
        let plain = [alone, words].map(|unit| unit.map(|unit| self.terms.unit(parameter, None, unit)));
        let mut units: Vec<Option<Term>> = [coded].into_iter().chain(plain).filter(Option::is_some).collect();
        if units.is_empty() {
            units.push(None);
        }
        self.entries.quantities.extend(units.iter().map(|unit| QuantityEntry { parameter, unit: *unit, low, high }));
        let base = code.as_deref().filter(|_| is_ucum).and_then(BaseUnit::read);
        if let Some(base) = base
            && let Some((low, high)) = range(&|value| base.amount(value))
        {
            let parameter = in_base_units(parameter);
            let unit = Some(self.terms.unit(parameter, Some(UCUM), &base.code));
            self.entries.quantities.push(QuantityEntry { parameter, unit, low, high });
        }
    }
}

/// The parameter under which the values of `parameter` stand in base units.
pub(crate) const fn in_base_units(parameter: ParameterId) -> ParameterId {
    // The numbers of parameters are not negative.
    ParameterId(!parameter.0)
}

/// The numbers a quantity stands for, each as `amount` gives it: its comparator opens one side.
fn covered(quantity: Node<'_>, amount: Amount<'_>) -> Option<(f64, f64)> {
    let value = amount(quantity.member("value").and_then(number)?);
    Some(match text_of(quantity, "comparator").as_deref() {
        Some("<") => (f64::NEG_INFINITY, value.next_down()),
        Some("<=") => (f64::NEG_INFINITY, value),
        Some(">=") => (value, f64::INFINITY),
        Some(">") => (value.next_up(), f64::INFINITY),
        _ => (value, value),
    })
}

fn number(node: Node<'_>) -> Option<f64> {
    node.number()?.parse().ok().filter(|value: &f64| value.is_finite())
}
