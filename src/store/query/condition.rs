//! Conditions on the instance row `i`. None of them is ever NULL, so that each can be negated.

use super::several::{NOWHERE, filled, rows};
use super::text::{ALWAYS, NEVER, Sql};
use crate::fhir::{InstanceKey, Part, ResourceType};
use crate::search::index::Term;
use crate::search::plan::{Bound, Condition, QuantityBound};
use crate::store::dialect::Dialect;
use crate::store::index::unit;
use crate::store::terms::{mixed_all, packed};

/// Whom a condition is asked of.
#[derive(Clone, Copy)]
pub(super) struct Asked<'k> {
    pub(super) dialect: Dialect,
    /// The types of the instances.
    pub(super) kinds: &'k [ResourceType],
    /// Whether they are looked for everywhere, so that the inverted index may lead to them. Inside a dossier it would lead to all
    /// that carry a term, a million where the dossier has fifty, and a plan made for any term does not know which is rare.
    pub(super) everywhere: bool,
}

/// The condition as SQL on `i`.
pub(super) fn condition<'a>(asked: Asked<'_>, condition: &'a Condition) -> Sql<'a> {
    match condition {
        Condition::All(parts) => several(asked, parts, " AND ", ALWAYS),
        Condition::Any(parts) => any(asked, condition, parts),
        Condition::Not(part) => Sql::new("NOT (").append(self::condition(asked, part)).push(")"),
        Condition::Term(term) => match asked.dialect {
            Dialect::Postgres if term.leads() => carries_one_of(asked, &[*term]),
            dialect => Sql::new(dialect.has_packed_term()).with(packed(*term).to_vec()),
        },
        Condition::InDossier(own) => in_dossier(asked.dialect, own),
        Condition::At(keys) => at(keys),
        Condition::Examined(_) | Condition::Linked(_) => Sql::new(NEVER),
        Condition::Kind(kinds) => Sql::is_one_of("+i.kind", kinds.iter().map(|kind| kind.code())),
        Condition::Id(ids) => Sql::is_one_of("i.id", ids.iter().map(|id| id.as_str())),
        Condition::Date(None, bounds) => {
            bounded(Sql::new("(i.date_low IS NOT NULL"), &MAIN_DATE, &with_implied(bounds)).push(")")
        }
        Condition::Updated(bounds) => updated(bounds),
        Condition::Date(Some(_), _) | Condition::StringPrefix(..) | Condition::StringContains(..) | Condition::Quantity(..) => {
            has_value(asked.dialect, condition)
        }
    }
}

/// Whether more must be known of an instance than its place to hold it against `condition`.
pub(super) fn needs_row(condition: &Condition) -> bool {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => parts.iter().any(needs_row),
        Condition::Not(part) => needs_row(part),
        Condition::Date(Some(_), _) | Condition::StringPrefix(..) | Condition::StringContains(..) | Condition::Quantity(..) => {
            false
        }
        Condition::At(_) => false,
        Condition::Term(_)
        | Condition::InDossier(_)
        | Condition::Examined(_)
        | Condition::Linked(_)
        | Condition::Kind(_)
        | Condition::Id(_)
        | Condition::Date(None, _)
        | Condition::Updated(_) => true,
    }
}

/// Few instances rest in these dossiers; only they are held against the terms.
fn in_dossier<'a>(dialect: Dialect, own: &[(Part, Term)]) -> Sql<'a> {
    if own.is_empty() {
        return Sql::new(NEVER);
    }
    Sql::new("(")
        .append(Sql::is_one_of("i.part", own.iter().map(|(part, _)| part.0)))
        .push(" AND EXISTS (SELECT 1 FROM ")
        .append(listed(own))
        .push(" WHERE o.column1 = i.part AND ")
        .push(dialect.has_packed_term_of_list())
        .push("))")
}

/// The dossier of nobody, and a term that nothing there carries.
const NOBODY: (Part, Term) = (Part(i64::MIN), Term(0));

/// `(VALUES …) o`: dossiers, and the packed term beside each.
pub(super) fn listed<'a>(own: &[(Part, Term)]) -> Sql<'a> {
    let own = filled(own, NOBODY);
    let rows = own.iter().enumerate().fold(Sql::new("(VALUES "), |sql, (index, (part, term))| {
        sql.push(if index == 0 { "(" } else { ", (" }).bind(part.0).push(", ").bind(packed(*term).to_vec()).push(")")
    });
    rows.push(") o")
}

fn at<'a>(keys: &[InstanceKey]) -> Sql<'a> {
    if keys.is_empty() {
        return Sql::new(NEVER);
    }
    Sql::new("(i.part, i.rid) IN (").append(places(keys)).push(")")
}

/// `VALUES (part, rid), …`
pub(super) fn places<'a>(keys: &[InstanceKey]) -> Sql<'a> {
    rows(filled(keys, NOWHERE).into_iter().map(|key| vec![key.part.0, key.rid]))
}

fn several<'a>(asked: Asked<'_>, parts: &'a [Condition], operator: &str, empty: &str) -> Sql<'a> {
    Sql::joined(parts.iter().map(|part| condition(asked, part)).collect(), operator, empty)
}

/// At least one of `parts`. Where an index leads from terms, it is asked for all of theirs at once, and what they say beyond those
/// terms is asked of what it finds.
fn any<'a>(asked: Asked<'_>, whole: &Condition, parts: &'a [Condition]) -> Sql<'a> {
    let found = match asked.dialect {
        Dialect::Postgres if parts.len() > 1 => alternatives(whole),
        Dialect::Postgres | Dialect::Sqlite => None,
    };
    let is_leading = |part: &Condition| matches!(part, Condition::Term(term) if term.leads());
    match found {
        Some(terms) if parts.iter().all(is_leading) => carries_one_of(asked, &terms),
        // The planner knows how many carry one of the terms, and would take the rest for rarer than it is: it is not to look there.
        Some(terms) => Sql::new("(")
            .append(carries_one_of(asked, &terms))
            .push(" AND CASE WHEN ")
            .append(Sql::joined(parts.iter().map(|part| beside_its_lead(asked, part)).collect(), " OR ", NEVER))
            .push(" THEN TRUE ELSE FALSE END)"),
        None => several(asked, parts, " OR ", NEVER),
    }
}

/// The same of what carries the leading term of one such condition: a code in a system is told by what qualifies the code.
fn beside_its_lead<'a>(asked: Asked<'_>, part: &'a Condition) -> Sql<'a> {
    let qualifying = match part {
        Condition::All(both) => match both.as_slice() {
            [Condition::Term(leading), judging @ Condition::Term(term)] if term.qualifies(*leading) => Some(judging),
            _ => None,
        },
        _ => None,
    };
    condition(asked, qualifying.unwrap_or(part))
}

/// That the leading terms of `i` contain one of `terms`. The inverted index knows the column, not what is computed from it.
fn carries_one_of<'a>(asked: Asked<'_>, terms: &[Term]) -> Sql<'a> {
    let terms = mixed_all(asked.kinds, terms);
    if asked.everywhere { indexed(terms) } else { Sql::new("(i.leads || CAST('{}' AS BIGINT[])) && ").bind(terms) }
}

/// The same of instances of `kinds`, in the words by which the inverted index is used.
pub(super) fn carries_one_of_kinds<'a>(kinds: &[ResourceType], terms: &[Term]) -> Sql<'a> {
    indexed(mixed_all(kinds, terms))
}

fn indexed<'a>(mixed: Vec<i64>) -> Sql<'a> {
    Sql::new("i.leads && ").bind(mixed)
}

/// An entry in a side table that fulfils the condition: `EXISTS (…)`.
fn has_value<'a>(dialect: Dialect, condition: &'a Condition) -> Sql<'a> {
    // Of one instance there are few entries; SQLite would rather go through all of the parameter.
    let parameter = match dialect {
        Dialect::Sqlite => " v WHERE +v.parameter = ",
        Dialect::Postgres => OF_PARAMETER,
    };
    match values_where(dialect, condition, parameter) {
        Some(values) => Sql::new("EXISTS (SELECT 1").append(values).push(" AND v.part = i.part AND v.rid = i.rid)"),
        None => Sql::new(NEVER),
    }
}

/// The entries that fulfil a condition on a side table, or the terms that fulfil one on terms: ` FROM … v WHERE …`.
pub(super) fn values_of<'a>(dialect: Dialect, condition: &'a Condition) -> Option<Sql<'a>> {
    values_where(dialect, condition, OF_PARAMETER)
}

const OF_PARAMETER: &str = " v WHERE v.parameter = ";

fn values_where<'a>(dialect: Dialect, condition: &'a Condition, of_parameter: &str) -> Option<Sql<'a>> {
    let of = |table: &str, parameter: i32| Sql::new(" FROM ").push(table).push(of_parameter).bind(parameter);
    match condition {
        Condition::Date(Some(parameter), bounds) => Some(bounded(of("date_value", parameter.0), &VALUE, bounds)),
        Condition::StringPrefix(parameter, prefix) => Some(prefixed(of("string_value", parameter.0), prefix)),
        Condition::StringContains(parameter, part) => {
            Some(of("string_value", parameter.0).push(" AND ").push(dialect.contains_text()).with(&**part))
        }
        Condition::Quantity(parameter, sought, bounds) => {
            let of_parameter = of("quantity_value", parameter.0);
            let of_unit = match sought {
                Some(term) => of_parameter.push(" AND v.unit = ").bind(unit(Some(*term))),
                None => of_parameter,
            };
            Some(bounds.iter().fold(of_unit, |sql, bound| quantity_bounded(sql, *bound)))
        }
        Condition::All(_)
        | Condition::Any(_)
        | Condition::Not(_)
        | Condition::Term(_)
        | Condition::InDossier(_)
        | Condition::At(_)
        | Condition::Examined(_)
        | Condition::Linked(_)
        | Condition::Kind(_)
        | Condition::Id(_)
        | Condition::Date(None, _)
        | Condition::Updated(_) => None,
    }
}

/// Leading terms of which whatever fulfils the condition carries one, where there are such.
pub(super) fn alternatives(condition: &Condition) -> Option<Vec<Term>> {
    match condition {
        Condition::Term(term) => term.leads().then(|| vec![*term]),
        Condition::Any(parts) => {
            let mut terms = parts.iter().map(alternatives).collect::<Option<Vec<_>>>()?.concat();
            terms.sort_unstable();
            terms.dedup();
            Some(terms)
        }
        Condition::All(parts) => parts.iter().filter_map(alternatives).min_by_key(Vec::len),
        Condition::Not(_)
        | Condition::InDossier(_)
        | Condition::At(_)
        | Condition::Examined(_)
        | Condition::Linked(_)
        | Condition::Kind(_)
        | Condition::Id(_)
        | Condition::Date(..)
        | Condition::Updated(_)
        | Condition::StringPrefix(..)
        | Condition::StringContains(..)
        | Condition::Quantity(..) => None,
    }
}

/// Bounds on a range and those that follow from them, since no range ends before it begins: so an index on one end serves them.
fn with_implied(bounds: &[Bound]) -> Vec<Bound> {
    let implied = |bound: &Bound| match *bound {
        Bound::LowAtLeast(value) => value.checked_sub(1).map(Bound::HighAbove),
        Bound::HighAtMost(value) => value.checked_add(1).map(Bound::LowBelow),
        Bound::LowBelow(_) | Bound::HighAbove(_) => None,
    };
    bounds.iter().copied().chain(bounds.iter().filter_map(implied)).collect()
}

/// The entries of main dates that fulfil `bounds`, in the index on them: `SELECT part, rid …`, each instance once.
pub(super) fn main_dates<'a>(kinds: &[ResourceType], bounds: &[Bound]) -> Sql<'a> {
    let of_kinds = Sql::new("SELECT v.part, v.rid FROM instance v INDEXED BY instance_date WHERE ")
        .append(Sql::is_one_of("v.kind", kinds.iter().map(|kind| kind.code())))
        .push(" AND v.date_low IS NOT NULL");
    bounded(of_kinds, &ENTRY_DATE, &with_implied(bounds))
}

/// The names of the two ends of a range.
struct Ends {
    low: &'static str,
    high: &'static str,
}

const MAIN_DATE: Ends = Ends { low: "i.date_low", high: "i.date_high" };
const ENTRY_DATE: Ends = Ends { low: "v.date_low", high: "v.date_high" };
const VALUE: Ends = Ends { low: "v.low", high: "v.high" };

fn bounded<'a>(sql: Sql<'a>, ends: &Ends, bounds: &[Bound]) -> Sql<'a> {
    bounds.iter().fold(sql.push(""), |sql, bound| {
        let (end, comparison, value) = match *bound {
            Bound::LowAtLeast(value) => (ends.low, " >= ", value),
            Bound::LowBelow(value) => (ends.low, " < ", value),
            Bound::HighAtMost(value) => (ends.high, " <= ", value),
            Bound::HighAbove(value) => (ends.high, " > ", value),
        };
        sql.push(" AND ").push(end).push(comparison).bind(value)
    })
}

fn quantity_bounded(sql: Sql<'_>, bound: QuantityBound) -> Sql<'_> {
    let (comparison, value) = match bound {
        QuantityBound::LowAtLeast(value) => ("v.low >= ", value),
        QuantityBound::LowBelow(value) => ("v.low < ", value),
        QuantityBound::HighAtMost(value) => ("v.high <= ", value),
        QuantityBound::HighAbove(value) => ("v.high > ", value),
    };
    sql.push(" AND ").push(comparison).bind(value)
}

/// An instant covers one microsecond: its high end is the next one.
fn updated<'a>(bounds: &[Bound]) -> Sql<'a> {
    let part = |bound: &Bound| match *bound {
        Bound::LowAtLeast(value) | Bound::HighAbove(value) => Sql::new("i.updated >= ").bind(value),
        Bound::LowBelow(value) | Bound::HighAtMost(value) => Sql::new("i.updated < ").bind(value),
    };
    Sql::joined(bounds.iter().map(part).collect(), " AND ", ALWAYS)
}

fn prefixed<'a>(sql: Sql<'a>, prefix: &'a str) -> Sql<'a> {
    let from = sql.push(" AND v.folded >= ").bind(prefix);
    match successor(prefix) {
        Some(end) => from.push(" AND v.folded < ").bind(end),
        None => from,
    }
}

/// The least text greater than every text that begins with `prefix`, in the order of code points; `None` if there is none.
fn successor(prefix: &str) -> Option<String> {
    let mut rest = prefix.chars();
    while let Some(last) = rest.next_back() {
        let next = if last == '\u{d7ff}' { Some('\u{e000}') } else { char::from_u32(last as u32 + 1) };
        if let Some(next) = next {
            let mut text = rest.as_str().to_owned();
            text.push(next);
            return Some(text);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_inverted_index_leads_to_nothing_inside_a_dossier() {
        let said = |everywhere| {
            let asked = Asked { dialect: Dialect::Postgres, kinds: &[ResourceType::Patient], everywhere };
            condition(asked, &Condition::Term(Term::leading(1))).statement().text().to_owned()
        };
        assert_eq!(said(true), "i.leads && ?");
        assert_eq!(said(false), "(i.leads || CAST('{}' AS BIGINT[])) && ?");
    }

    #[test]
    fn what_follows_a_prefix_follows_all_that_begin_with_it() {
        assert_eq!(successor("ab").as_deref(), Some("ac"));
        assert_eq!(successor("a\u{10ffff}").as_deref(), Some("b"));
        assert_eq!(successor("\u{d7ff}").as_deref(), Some("\u{e000}"));
        assert_eq!(successor("\u{10ffff}"), None);
        assert_eq!(successor(""), None);
    }

    proptest! {
        #[test]
        fn a_prefix_is_a_range_of_texts(prefix in "[ab\u{d7ff}\u{10ffff}]{0,3}", text in "[abc\u{d7ff}\u{e000}\u{10ffff}]{0,5}") {
            let inside = text >= prefix && successor(&prefix).is_none_or(|end| text < end);
            prop_assert_eq!(inside, text.starts_with(&prefix));
        }
    }
}
