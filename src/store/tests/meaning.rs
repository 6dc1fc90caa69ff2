//! What a plan means, said a second time: conditions, order and pages evaluated over entries in memory.

use std::cmp::Ordering;

use crate::fhir::{InstanceId, InstanceKey, ResourceType};
use crate::search::index::{DateRange, IndexEntries, in_base_units};
use crate::search::plan::{Bound, Condition, Order, Plan, QuantityBound, SortKey, SortValue};

/// A current instance as the store should know it.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) kind: ResourceType,
    pub(super) id: InstanceId,
    pub(super) key: InstanceKey,
    pub(super) updated: i64,
    pub(super) index: IndexEntries,
}

/// Every match of the plan from its beginning, in its order; the count and the position are not looked at.
pub(super) fn matches<'k>(known: &'k [Known], plan: &Plan) -> Vec<&'k Known> {
    let of_plan = |known: &&Known| {
        plan.kinds.contains(&known.kind)
            && plan.dossiers.as_ref().is_none_or(|parts| parts.contains(&known.key.part))
            && holds(&plan.condition, known)
    };
    let mut found: Vec<_> = known.iter().filter(of_plan).collect();
    found.sort_by(|left, right| compare(&plan.order, left, right));
    found
}

fn holds(condition: &Condition, known: &Known) -> bool {
    let index = &known.index;
    match condition {
        Condition::All(parts) => parts.iter().all(|part| holds(part, known)),
        Condition::Any(parts) => parts.iter().any(|part| holds(part, known)),
        Condition::Not(part) => !holds(part, known),
        Condition::Term(term) => index.terms.contains(term),
        Condition::Kind(kinds) => kinds.contains(&known.kind),
        Condition::InDossier(own) => own.iter().any(|(part, term)| *part == known.key.part && index.terms.contains(term)),
        Condition::At(keys) => keys.contains(&known.key),
        Condition::Examined(_) | Condition::Linked(_) => panic!("an index says nothing of links and bodies"),
        Condition::Id(ids) => ids.contains(&known.id),
        Condition::Date(None, bounds) => index.main_date.is_some_and(|range| within(range, bounds)),
        Condition::Date(Some(parameter), bounds) => {
            index.dates.iter().any(|date| date.parameter == *parameter && within(date.range, bounds))
        }
        Condition::Updated(bounds) => within(DateRange { low: known.updated, high: known.updated + 1 }, bounds),
        Condition::StringPrefix(parameter, prefix) => {
            index.strings.iter().any(|string| string.parameter == *parameter && string.folded.starts_with(&**prefix))
        }
        Condition::StringContains(parameter, part) => {
            index.strings.iter().any(|string| string.parameter == *parameter && string.folded.contains(&**part))
        }
        Condition::Quantity(parameter, unit, bounds) => index.quantities.iter().any(|quantity| {
            quantity.parameter == *parameter
                && unit.is_none_or(|unit| quantity.unit == Some(unit))
                && bounds.iter().all(|bound| match *bound {
                    QuantityBound::LowAtLeast(value) => quantity.low >= value,
                    QuantityBound::LowBelow(value) => quantity.low < value,
                    QuantityBound::HighAtMost(value) => quantity.high <= value,
                    QuantityBound::HighAbove(value) => quantity.high > value,
                })
        }),
    }
}

fn within(range: DateRange, bounds: &[Bound]) -> bool {
    bounds.iter().all(|bound| match *bound {
        Bound::LowAtLeast(value) => range.low >= value,
        Bound::LowBelow(value) => range.low < value,
        Bound::HighAtMost(value) => range.high <= value,
        Bound::HighAbove(value) => range.high > value,
    })
}

fn compare(orders: &[Order], left: &Known, right: &Known) -> Ordering {
    let by_keys = orders.iter().map(|order| match (value(order, left), value(order, right)) {
        (SortValue::Missing, SortValue::Missing) => Ordering::Equal,
        (SortValue::Missing, _) => Ordering::Greater,
        (_, SortValue::Missing) => Ordering::Less,
        (left, right) => {
            let ascending = match (left, right) {
                (SortValue::Time(left), SortValue::Time(right)) => left.cmp(&right),
                (SortValue::Text(left), SortValue::Text(right)) => left.cmp(&right),
                (SortValue::Number(left), SortValue::Number(right)) => left.partial_cmp(&right).unwrap(),
                mixed => panic!("one key, two types: {mixed:?}"),
            };
            if order.descending { ascending.reverse() } else { ascending }
        }
    });
    by_keys
        .fold(Ordering::Equal, Ordering::then)
        .then_with(|| (left.key.rid, left.key.part).cmp(&(right.key.rid, right.key.part)))
}

/// What the key compares of an instance.
pub(super) fn value(order: &Order, known: &Known) -> SortValue {
    let index = &known.index;
    let end = |range: DateRange| if order.descending { range.high } else { range.low };
    let time = |value: Option<i64>| value.map_or(SortValue::Missing, SortValue::Time);
    match &order.by {
        SortKey::Updated => SortValue::Time(known.updated),
        SortKey::Id => SortValue::Text(known.id.as_str().into()),
        SortKey::MainDate => time(index.main_date.map(end)),
        SortKey::Date(parameter) => {
            let ends = index.dates.iter().filter(|date| date.parameter == *parameter).map(|date| end(date.range));
            time(if order.descending { ends.max() } else { ends.min() })
        }
        SortKey::String(parameter) => {
            let own = index.strings.iter().filter(|string| string.parameter == *parameter && !string.is_later_word);
            let texts = own.map(|string| string.folded.clone());
            if order.descending { texts.max() } else { texts.min() }.map_or(SortValue::Missing, SortValue::Text)
        }
        SortKey::Number(parameter) => {
            let first = |id| {
                let own = index.quantities.iter().filter(|quantity| quantity.parameter == id);
                let ends = own.map(|quantity| if order.descending { quantity.high } else { quantity.low });
                if order.descending { ends.reduce(f64::max) } else { ends.reduce(f64::min) }
            };
            first(in_base_units(*parameter)).or_else(|| first(*parameter)).map_or(SortValue::Missing, SortValue::Number)
        }
        SortKey::Read(_) => panic!("an index says nothing of bodies"),
    }
}
