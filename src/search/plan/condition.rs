//! One criterion as a condition on the index.

use super::{Bound, Condition, code, date, examine, link, quantity, reference};
use crate::definition::{ParameterId, ParameterKind};
use crate::fhir::{InstanceId, Instant, ResourceType};
use crate::outcome::{Failure, Issue, IssueCode, Kind, Outcome};
use crate::search::extract::Indexer;
use crate::search::fold::fold;
use crate::search::index::Term;
use crate::search::query::{Criterion, Filter, PathMatch, Test, TextMatch, TokenMatch, TokenValue};
use crate::search::term::{Terms, TokenOf};

/// The parameters whose values stand on the instance's row and not in its entries.
const ID: &str = "_id";
const LAST_UPDATED: &str = "_lastUpdated";
/// The parameter whose values are types of content.
const CONTENT_TYPE: &str = "contenttype";

/// True of every instance.
pub(super) const ALWAYS: Condition = Condition::All(Vec::new());
/// True of none.
const NEVER: Condition = Condition::Any(Vec::new());

/// What `criterion` asks of the entries of an instance of `kind`.
pub(super) fn of(kind: ResourceType, criterion: &Criterion, (indexer, now): (&Indexer, Instant)) -> Outcome<Condition> {
    match criterion {
        Criterion::Own(filter) => match &*filter.code {
            ID => of_id(filter),
            LAST_UPDATED => of_last_updated(filter, (indexer, now)),
            _ => of_filter(kind, filter, (indexer, now)),
        },
        Criterion::Chain(chain) => link::chain(kind, chain, (indexer, now)),
        Criterion::Has(has) => link::reverse(kind, has, (indexer, now)),
        Criterion::All(parts) => Ok(Condition::All(each(kind, parts, (indexer, now))?)),
        Criterion::Any(parts) => Ok(Condition::Any(each(kind, parts, (indexer, now))?)),
        Criterion::Not(part) => Ok(negated(of(kind, part, (indexer, now))?)),
    }
}

fn each(kind: ResourceType, parts: &[Criterion], context: (&Indexer, Instant)) -> Outcome<Vec<Condition>> {
    parts.iter().map(|part| of(kind, part, context)).collect()
}

/// The same of a parameter of which the index keeps values, or whose values are examined.
pub(super) fn of_filter(kind: ResourceType, filter: &Filter, (indexer, now): (&Indexer, Instant)) -> Outcome<Condition> {
    let (parameter, terms) = (filter.parameter, indexer.terms());
    let is_main_date = indexer.is_main_date(kind, parameter);
    let dates = |bounds| Condition::Date((!is_main_date).then_some(parameter), bounds);
    Ok(match &filter.test {
        // A date leaves no term: any range is one that begins some time.
        Test::Missing(missing) if filter.kind == ParameterKind::Date => {
            present(dates(vec![Bound::LowAtLeast(i64::MIN)]), !missing)
        }
        Test::Missing(missing) => present(has_value(kind, filter, indexer)?, !missing),
        Test::Number(values) => any(values, |value| quantity::number(parameter, None, value)),
        Test::Date(values) => any(values, |value| date::compared(value, (indexer.zone(), now), &dates)),
        Test::String(how, values) => of_strings((terms, parameter), *how, values),
        Test::Token(TokenMatch::Is, values) => own_tokens((indexer, kind), parameter, values),
        Test::Token(TokenMatch::IsNot, values) => negated(own_tokens((indexer, kind), parameter, values)),
        Test::Token(TokenMatch::Below, values) if &*filter.code == CONTENT_TYPE => of_content_types(terms, parameter, values),
        Test::Token(how @ (TokenMatch::Above | TokenMatch::Below), values) => {
            let implied = indexer.implied_system(kind, parameter);
            let expanded = values.iter().flat_map(|value| code::hierarchy(indexer.registry(), *how, value, implied));
            own_tokens((indexer, kind), parameter, &expanded.collect::<Vec<_>>())
        }
        Test::ValueSet { negated, urls } => {
            let codes = urls.iter().map(|url| code::value_set(indexer.registry(), (kind, &filter.code), url));
            let codes = codes.collect::<Outcome<Vec<_>>>()?.concat();
            present(own_tokens((indexer, kind), parameter, &codes), !negated)
        }
        Test::Text(values) => examine::text(kind, parameter, values, indexer)?,
        Test::Ending(how, text) => examine::ending(kind, parameter, (*how, text), indexer)?,
        Test::Unequal(test) => examine::unequal(kind, &Filter { test: (**test).clone(), ..filter.clone() }, (indexer, now))?,
        Test::Overlaps(date) => {
            let (low, high) = date.range(indexer.zone());
            dates(vec![Bound::LowBelow(high), Bound::HighAbove(low)])
        }
        Test::OfType(values) => examine::of_type(kind, parameter, values, indexer)?,
        Test::Near(values) => examine::near(kind, parameter, values, indexer)?,
        Test::Words(place, values) => examine::words(kind, *place, values, indexer),
        Test::Composite(values) => examine::composite(kind, parameter, values, (indexer, now))?,
        Test::Identifier(values) => tokens(terms, parameter, TokenOf::Identifier, values),
        Test::Reference(PathMatch::Is, values) => any(values, |value| reference::condition(kind, parameter, value, indexer)),
        Test::Quantity(values) => any(values, |value| quantity::measured(terms, parameter, value)),
        Test::Uri(PathMatch::Is, values) => any(values, |value| Condition::Term(terms.uri(parameter, value))),
        Test::Uri(PathMatch::Above, values) => {
            let above: Vec<_> = values.iter().flat_map(|value| uris_above(value)).collect();
            any(&above, |value| Condition::Term(terms.uri(parameter, value)))
        }
        Test::Uri(PathMatch::Below, values) => examine::uri_below(kind, parameter, values, indexer)?,
        Test::Reference(PathMatch::Above | PathMatch::Below, _) => return Err(unsupported("this modifier of a reference")),
    })
}

/// That the parameter has a value.
fn has_value(kind: ResourceType, filter: &Filter, indexer: &Indexer) -> Outcome<Condition> {
    match filter.kind {
        ParameterKind::Composite => examine::complete(kind, filter.parameter, indexer),
        ParameterKind::Special => examine::present(kind, filter.parameter, indexer),
        _ => Ok(Condition::Term(indexer.terms().present(filter.parameter))),
    }
}

/// The URI itself and everything over it in its path: `http://a/b/c`, `http://a/b`, `http://a`; likewise what ends in the slash.
fn uris_above(uri: &str) -> Vec<&str> {
    let root = uri.find("://").map_or(0, |at| at + 3);
    let cuts = uri.bytes().enumerate().filter(|(at, byte)| *at > root && matches!(byte, b'/' | b':'));
    let mut above: Vec<&str> = cuts.flat_map(|(at, _)| [uri.get(..at), uri.get(..=at)]).flatten().collect();
    above.push(uri);
    above.dedup();
    above
}

/// A type of content with whatever parameters: `text/plain` with a charset.
fn of_content_types(terms: &Terms, parameter: ParameterId, values: &[TokenValue]) -> Condition {
    let of = |value: &TokenValue| match value {
        TokenValue::Code(code) | TokenValue::CodeWithoutSystem(code) | TokenValue::SystemCode(_, code) => Condition::Any(vec![
            tokens(terms, parameter, TokenOf::Value, &[TokenValue::Code(code.clone())]),
            Condition::Term(terms.uri(parameter, &code.to_lowercase())),
        ]),
        TokenValue::System(_) => NEVER,
    };
    any(values, of)
}

/// Every instance has an id.
fn of_id(filter: &Filter) -> Outcome<Condition> {
    match &filter.test {
        Test::Missing(missing) => Ok(if *missing { NEVER } else { ALWAYS }),
        Test::Token(TokenMatch::Is, values) => Ok(Condition::Id(ids(values))),
        Test::Token(TokenMatch::IsNot, values) => Ok(negated(Condition::Id(ids(values)))),
        _ => Err(unsupported("this modifier")),
    }
}

/// A text that can be no id names nothing.
pub(super) fn ids(values: &[TokenValue]) -> Vec<InstanceId> {
    let id = |value: &TokenValue| match value {
        TokenValue::Code(code) => code.parse().ok(),
        TokenValue::SystemCode(..) | TokenValue::CodeWithoutSystem(_) | TokenValue::System(_) => None,
    };
    values.iter().filter_map(id).collect()
}

/// Every instance has a moment of its last change.
fn of_last_updated(filter: &Filter, (indexer, now): (&Indexer, Instant)) -> Outcome<Condition> {
    match &filter.test {
        Test::Missing(missing) => Ok(if *missing { NEVER } else { ALWAYS }),
        Test::Date(values) => Ok(any(values, |value| date::compared(value, (indexer.zone(), now), &Condition::Updated))),
        _ => Err(unsupported("this modifier")),
    }
}

fn of_strings((terms, parameter): (&Terms, ParameterId), how: TextMatch, values: &[Box<str>]) -> Condition {
    any(values, |value| match how {
        TextMatch::Exact => Condition::All(vec![
            Condition::StringPrefix(parameter, fold(value).into()),
            Condition::Term(terms.exact(parameter, value)),
        ]),
        TextMatch::Contains => Condition::StringContains(parameter, fold(value).into()),
        TextMatch::Starts => Condition::StringPrefix(parameter, fold(value).into()),
    })
}

pub(super) fn tokens(terms: &Terms, parameter: ParameterId, of: TokenOf, values: &[TokenValue]) -> Condition {
    any(values, |value| match value {
        TokenValue::Code(code) => Condition::Term(terms.code(parameter, of, code)),
        TokenValue::SystemCode(system, code) => {
            both(terms.code(parameter, of, code), terms.system_code(parameter, of, (system, code)))
        }
        TokenValue::CodeWithoutSystem(code) => without_system(terms, parameter, of, code),
        TokenValue::System(system) => Condition::Term(terms.system(parameter, of, system)),
    })
}

fn without_system(terms: &Terms, parameter: ParameterId, of: TokenOf, code: &str) -> Condition {
    both(terms.code(parameter, of, code), terms.code_without_system(parameter, of, code))
}

/// What leads to instances, and what judges them.
pub(super) fn both(leading: Term, judging: Term) -> Condition {
    Condition::All(vec![Condition::Term(leading), Condition::Term(judging)])
}

/// The same of the parameter's own values, which may be in a system that they do not say.
fn own_tokens((indexer, kind): (&Indexer, ResourceType), parameter: ParameterId, values: &[TokenValue]) -> Condition {
    let (terms, of) = (indexer.terms(), TokenOf::Value);
    let names_system = values.iter().any(|value| matches!(value, TokenValue::SystemCode(..) | TokenValue::System(_)));
    let implied = names_system.then(|| indexer.implied_system(kind, parameter)).flatten();
    let in_implied = |value: &TokenValue| match value {
        TokenValue::SystemCode(system, code) if implied == Some(system) => Some(without_system(terms, parameter, of, code)),
        TokenValue::System(system) if implied == Some(system) => Some(Condition::Term(terms.present(parameter))),
        _ => None,
    };
    match values.iter().filter_map(in_implied).collect::<Vec<_>>() {
        none if none.is_empty() => tokens(terms, parameter, of, values),
        own => Condition::Any(own.into_iter().chain([tokens(terms, parameter, of, values)]).collect()),
    }
}

fn present(present: Condition, wanted: bool) -> Condition {
    if wanted { present } else { negated(present) }
}

pub(super) fn any<T>(values: &[T], condition: impl Fn(&T) -> Condition) -> Condition {
    match values {
        [value] => condition(value),
        _ => Condition::Any(values.iter().map(condition).collect()),
    }
}

fn negated(condition: Condition) -> Condition {
    Condition::Not(Box::new(condition))
}

fn unsupported(what: &str) -> Failure {
    Failure::with_issues(
        Kind::InvalidParameter,
        vec![Issue::error(IssueCode::NotSupported, format!("{what} is not supported yet"))],
    )
}
