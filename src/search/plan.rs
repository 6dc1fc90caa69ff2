//! The plan of a search: what it means, in terms the store can execute, with nothing of the query's text left.

mod condition;
mod code;
mod date;
mod dossier;
mod examine;
mod judge;
mod link;
mod order;
mod quantity;
mod reference;
mod scope;

#[cfg(test)]
pub(super) use judge::lies_within;
pub use link::{Direction, Link};
pub(super) use reference::pointing;

use super::extract::Indexer;
pub use super::extract::{Examination, Reading};
use super::index::Term;
use super::page;
use super::query::{Criterion, PAGE_PARAMETER, Query, Summary, Total};
use crate::definition::ParameterId;
use crate::fhir::{InstanceId, InstanceKey, Instant, Part, ResourceType};
use crate::outcome::{Failure, Kind, Outcome};

/// A search, understood.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The types searched.
    pub kinds: Vec<ResourceType>,
    /// The dossiers searched, where the query names its patient; `None`: all of them.
    pub dossiers: Option<Vec<Part>>,
    /// What an instance must fulfil.
    pub condition: Condition,
    /// The order of the answers. The store adds the instance key as the last key, so the order is total.
    pub order: Vec<Order>,
    /// How many matches at most on this page; 0 asks for the total only.
    pub count: u32,
    /// Where the page begins: after this position.
    pub after: Option<Position>,
    /// Whether it ends before that position instead; without one, with the last match.
    pub backward: bool,
    /// Whether the number of all matches is wanted.
    pub total: bool,
}

/// A condition on one current instance.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// Every one holds; true when empty.
    All(Vec<Condition>),
    /// At least one holds; false when empty.
    Any(Vec<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
    /// The instance carries this term.
    Term(Term),
    /// The instance rests in one of these dossiers and carries the judging term beside it. In ascending order.
    InDossier(Vec<(Part, Term)>),
    /// The instance is of one of these types.
    Kind(Vec<ResourceType>),
    /// The instance has one of these logical ids.
    Id(Vec<InstanceId>),
    /// A value of a date parameter lies so that every bound holds of it. `None`: the type's main date.
    Date(Option<ParameterId>, Vec<Bound>),
    /// The instant of the last change lies so that every bound holds (an instant covers one microsecond).
    Updated(Vec<Bound>),
    /// A value of a string parameter begins with the folded text.
    StringPrefix(ParameterId, Box<str>),
    /// A value of a string parameter contains the folded text.
    StringContains(ParameterId, Box<str>),
    /// A value of a number or quantity parameter, in that unit where one is given, lies so that every bound holds.
    Quantity(ParameterId, Option<Term>, Vec<QuantityBound>),
    /// The instance rests in one of these places.
    At(Vec<InstanceKey>),
    /// The instance's body passes an examination.
    Examined(Box<Examination>),
    /// The instance is linked with another one that fulfils a condition.
    Linked(Box<Link>),
}

/// One comparison with a stored range of time, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// low ≥ value
    LowAtLeast(i64),
    /// low < value
    LowBelow(i64),
    /// high ≤ value
    HighAtMost(i64),
    /// high > value
    HighAbove(i64),
}

/// One comparison with a stored range of numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum QuantityBound {
    /// low ≥ value
    LowAtLeast(f64),
    /// low < value
    LowBelow(f64),
    /// high ≤ value
    HighAtMost(f64),
    /// high > value
    HighAbove(f64),
}

/// One key of an order.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    /// What is compared.
    pub by: SortKey,
    /// Largest first.
    pub descending: bool,
}

/// What an order compares: of several values of one instance the one that comes first. An instance without the value comes last
/// in either direction.
#[derive(Clone, Debug, PartialEq)]
pub enum SortKey {
    /// `_lastUpdated`
    Updated,
    /// `_id`
    Id,
    /// The type's main date: its low end ascending, its high end descending.
    MainDate,
    /// Another date parameter: the lowest low end ascending, the highest high end descending.
    Date(ParameterId),
    /// A string parameter, its values folded.
    String(ParameterId),
    /// A number or quantity parameter, in base units where they are known.
    Number(ParameterId),
    /// What is read from the bodies. Then every other parameter is, too.
    Read(Reading),
}

/// A place in an order: the values of the keys of the last instance seen, and the instance itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Position {
    /// One value a sort key, in their order.
    pub values: Vec<SortValue>,
    /// The instance.
    pub key: InstanceKey,
}

/// Another page than the first.
#[derive(Clone, Debug, PartialEq)]
pub enum Turn {
    /// The one that begins after this position.
    After(Position),
    /// The one that ends before this position.
    Before(Position),
    /// The last one.
    Last,
}

impl Turn {
    /// The position at which it is cut.
    pub(super) fn position(self) -> Option<Position> {
        match self {
            Self::After(position) | Self::Before(position) => Some(position),
            Self::Last => None,
        }
    }

    /// Of how many sort keys that is made.
    fn keys(&self) -> Option<usize> {
        match self {
            Self::After(position) | Self::Before(position) => Some(position.values.len()),
            Self::Last => None,
        }
    }
}

/// The value of one sort key of one instance.
#[derive(Clone, Debug, PartialEq)]
pub enum SortValue {
    /// The instance has no such value.
    Missing,
    /// Microseconds.
    Time(i64),
    /// A number.
    Number(f64),
    /// Text.
    Text(Box<str>),
}

/// How many matches stand on a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageSize {
    /// Where the query does not say.
    pub default: u32,
    /// Whatever the query says.
    pub max: u32,
}

impl Query {
    /// What the query means in the terms of the index that `indexer` writes. `now` is what approximate dates are measured from.
    ///
    /// # Errors
    /// `InvalidParameter` where a page token is not one of this query, or where a criterion is not supported; `Expired` where it was.
    pub fn plan(&self, indexer: &Indexer, size: PageSize, now: Instant) -> Outcome<Plan> {
        let (condition, dossiers) = self.condition(indexer, now)?;
        let turn = self.turn(indexer, now)?;
        let count = self.result().count.unwrap_or(size.default).min(size.max);
        let count = if self.result().summary == Summary::Count { 0 } else { count };
        Ok(Plan {
            kinds: self.kinds().to_vec(),
            dossiers,
            condition,
            order: order::of(indexer, &self.result().sort)?,
            count,
            backward: matches!(turn, Some(Turn::Before(_) | Turn::Last)),
            after: turn.and_then(Turn::position),
            total: count == 0 || matches!(self.result().total, Total::Estimate | Total::Accurate),
        })
    }

    /// The parameters of the link to another page, which leads there until `expires`: those of `self`, and its turn.
    pub fn page_parameters(&self, indexer: &Indexer, turn: &Turn, expires: Instant) -> Vec<(String, String)> {
        let token = indexer.token(&self.identity(), turn, expires);
        self.first_parameters().chain([(PAGE_PARAMETER.to_owned(), token)]).collect()
    }

    /// The parameters of the link to the first page.
    pub fn first_parameters(&self) -> impl Iterator<Item = (String, String)> {
        self.self_parameters().iter().filter(|(name, _)| name != PAGE_PARAMETER).cloned()
    }

    fn turn(&self, indexer: &Indexer, now: Instant) -> Outcome<Option<Turn>> {
        let Some(token) = self.result().page.as_deref() else { return Ok(None) };
        let turn = indexer.turn(&self.identity(), token, now)?;
        if turn.keys().is_none_or(|keys| keys == self.result().sort.len()) {
            return Ok(Some(turn));
        }
        Err(Failure::new(Kind::InvalidParameter, page::FOREIGN).at(format!("http.{PAGE_PARAMETER}")))
    }

    /// What every match fulfils, and the dossiers in which it can rest.
    fn condition(&self, indexer: &Indexer, now: Instant) -> Outcome<(Condition, Option<Vec<Part>>)> {
        let of_types = |criteria: &Vec<Criterion>| {
            let each = self.kinds().iter().zip(criteria);
            let conditions = each.map(|(kind, criterion)| condition::of(*kind, criterion, (indexer, now)));
            Ok(scope::each(self.kinds(), conditions.collect::<Outcome<_>>()?))
        };
        let mut conditions = self.criteria().iter().map(of_types).collect::<Outcome<Vec<_>>>()?;
        let mut dossiers = dossier::of(self, indexer);
        if let Some(within) = self.within() {
            let (condition, here) = scope::within(self.kinds(), within, indexer)?;
            conditions.push(condition);
            dossiers = dossiers.or(here);
        }
        Ok((Condition::All(conditions), dossiers))
    }
}
