//! Criteria that only the resource itself answers, with what the index can say before.

use super::{Condition, condition};
use crate::definition::ParameterId;
use crate::fhir::{Instant, ResourceType};
use crate::outcome::Outcome;
use crate::search::extract::{Asked, Indexer, words_of};
use crate::search::fold::fold;
use crate::search::query::{Ending, Filter, Near, Place, TypedIdentifier};
use crate::search::term::TokenOf;

/// `:text`: what has a code or a text at all has a value.
pub(super) fn text(kind: ResourceType, parameter: ParameterId, values: &[Box<str>], indexer: &Indexer) -> Outcome<Condition> {
    let asked = Asked::Text(indexer.expression(kind, parameter)?, values.iter().map(|value| fold(value)).collect());
    let present = Condition::Term(indexer.terms().present(parameter));
    Ok(examined(indexer, kind, present, asked))
}

/// `:of-type`: the value alone leads to the instance.
pub(super) fn of_type(
    kind: ResourceType,
    parameter: ParameterId,
    values: &[TypedIdentifier],
    indexer: &Indexer,
) -> Outcome<Condition> {
    let asked = Asked::OfType(indexer.expression(kind, parameter)?, values.to_vec());
    let values: Vec<_> = values.iter().map(|value| crate::search::query::TokenValue::Code(value.value.clone())).collect();
    let necessary = condition::tokens(indexer.terms(), parameter, TokenOf::Value, &values);
    Ok(examined(indexer, kind, necessary, asked))
}

/// `:below` of a URI.
pub(super) fn uri_below(
    kind: ResourceType,
    parameter: ParameterId,
    values: &[Box<str>],
    indexer: &Indexer,
) -> Outcome<Condition> {
    let asked = Asked::UriBelow(indexer.expression(kind, parameter)?, values.to_vec());
    Ok(examined(indexer, kind, Condition::Term(indexer.terms().present(parameter)), asked))
}

/// `near`
pub(super) fn near(kind: ResourceType, parameter: ParameterId, values: &[Near], indexer: &Indexer) -> Outcome<Condition> {
    let asked = Asked::Near(indexer.expression(kind, parameter)?, values.to_vec());
    Ok(examined(indexer, kind, condition::ALWAYS, asked))
}

/// That a parameter which the index does not keep has a value.
pub(super) fn present(kind: ResourceType, parameter: ParameterId, indexer: &Indexer) -> Outcome<Condition> {
    let asked = Asked::Present(indexer.expression(kind, parameter)?);
    Ok(examined(indexer, kind, condition::ALWAYS, asked))
}

/// `_text`, `_content`: of each value every word.
pub(super) fn words(kind: ResourceType, place: Place, values: &[Box<str>], indexer: &Indexer) -> Condition {
    let groups = values.iter().map(|value| words_of(value)).collect();
    examined(indexer, kind, condition::ALWAYS, Asked::Words(place, groups))
}

/// A composite: the values of its components stand together in one repetition, so each stands somewhere.
pub(super) fn composite(
    kind: ResourceType,
    parameter: ParameterId,
    values: &[Vec<Filter>],
    context: (&Indexer, Instant),
) -> Outcome<Condition> {
    let conditions = |components: &Vec<Filter>| -> Outcome<Vec<Condition>> {
        components.iter().map(|filter| condition::of_filter(kind, filter, context)).collect()
    };
    let alternatives = values.iter().map(conditions).collect::<Outcome<Vec<_>>>()?;
    let is_kept = |filter: &Filter| context.0.keeps(kind, filter.parameter);
    let necessary = values.iter().zip(&alternatives).map(|(filters, conditions)| {
        let kept = filters.iter().zip(conditions).filter(|(filter, _)| is_kept(filter));
        Condition::All(kept.map(|(_, condition)| condition.clone()).collect())
    });
    let necessary = match necessary.collect::<Vec<_>>() {
        one if one.len() == 1 => Condition::All(one),
        several => Condition::Any(several),
    };
    let asked = Asked::Composite(context.0.repetitions(kind, parameter)?, alternatives);
    Ok(examined(context.0, kind, necessary, asked))
}

/// A string as filters compare it.
pub(super) fn ending(
    kind: ResourceType,
    parameter: ParameterId,
    (how, text): (Ending, &str),
    indexer: &Indexer,
) -> Outcome<Condition> {
    let asked = Asked::Ending(indexer.items(kind, parameter)?, how, fold(text));
    Ok(examined(indexer, kind, Condition::Term(indexer.terms().present(parameter)), asked))
}

/// That a value is there of which `filter` does not hold.
pub(super) fn unequal(kind: ResourceType, filter: &Filter, context: (&Indexer, Instant)) -> Outcome<Condition> {
    let equal = condition::of_filter(kind, filter, context)?;
    let asked = Asked::Composite(context.0.items(kind, filter.parameter)?, vec![vec![Condition::Not(Box::new(equal))]]);
    let present = Condition::Term(context.0.terms().present(filter.parameter));
    Ok(examined(context.0, kind, present, asked))
}

/// That a composite has a repetition with a value in each component.
pub(super) fn complete(kind: ResourceType, parameter: ParameterId, indexer: &Indexer) -> Outcome<Condition> {
    let asked = Asked::Complete(indexer.repetitions(kind, parameter)?);
    Ok(examined(indexer, kind, condition::ALWAYS, asked))
}

fn examined(indexer: &Indexer, kind: ResourceType, necessary: Condition, asked: Asked) -> Condition {
    Condition::Examined(Box::new(indexer.examination(kind, necessary, asked)))
}
