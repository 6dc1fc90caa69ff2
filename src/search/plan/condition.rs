//! One criterion as a condition on the index.

use super::{Bound, Condition, date, link, quantity, reference};
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

/// True of every instance.
const ALWAYS: Condition = Condition::All(Vec::new());
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
    }
}

fn of_filter(kind: ResourceType, filter: &Filter, (indexer, now): (&Indexer, Instant)) -> Outcome<Condition> {
    let (parameter, terms) = (filter.parameter, indexer.terms());
    let is_main_date = indexer.is_main_date(kind, parameter);
    let dates = |bounds| Condition::Date((!is_main_date).then_some(parameter), bounds);
    Ok(match &filter.test {
        // A date leaves no term: any range is one that begins some time.
        Test::Missing(missing) if filter.kind == ParameterKind::Date => {
            present(dates(vec![Bound::LowAtLeast(i64::MIN)]), !missing)
        }
        Test::Missing(missing) => present(Condition::Term(terms.present(parameter)), !missing),
        Test::Number(values) => any(values, |value| quantity::number(parameter, None, value)),
        Test::Date(values) => any(values, |value| date::compared(value, (indexer.zone(), now), &dates)),
        Test::String(how, values) => of_strings((terms, parameter), &filter.code, *how, values)?,
        Test::Token(TokenMatch::Is, values) => own_tokens((indexer, kind), parameter, values),
        Test::Token(TokenMatch::IsNot, values) => negated(own_tokens((indexer, kind), parameter, values)),
        Test::Identifier(values) => tokens(terms, parameter, TokenOf::Identifier, values),
        Test::Reference(PathMatch::Is, values) => any(values, |value| reference::condition(kind, parameter, value, indexer)),
        Test::Quantity(values) => any(values, |value| quantity::measured(terms, parameter, value)),
        Test::Uri(PathMatch::Is, values) => any(values, |value| Condition::Term(terms.uri(parameter, value))),
        Test::Token(..) | Test::Reference(..) | Test::Uri(..) => return Err(unsupported("this modifier")),
        Test::Composite(_) | Test::Special(_) => return Err(unsupported("this kind of parameter")),
    })
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

fn of_strings((terms, parameter): (&Terms, ParameterId), code: &str, how: TextMatch, values: &[Box<str>]) -> Outcome<Condition> {
    if how == TextMatch::FullText {
        return Err(unsupported("the modifier `text`").at(format!("http.{code}")));
    }
    Ok(any(values, |value| match how {
        TextMatch::Exact => Condition::All(vec![
            Condition::StringPrefix(parameter, fold(value).into()),
            Condition::Term(terms.exact(parameter, value)),
        ]),
        TextMatch::Contains => Condition::StringContains(parameter, fold(value).into()),
        TextMatch::Starts | TextMatch::FullText => Condition::StringPrefix(parameter, fold(value).into()),
    }))
}

fn tokens(terms: &Terms, parameter: ParameterId, of: TokenOf, values: &[TokenValue]) -> Condition {
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
