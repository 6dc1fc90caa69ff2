//! The plan of a search: what it means, in terms the store can execute, with nothing of the query's text left.

use super::index::Term;
use crate::definition::ParameterId;
use crate::fhir::{InstanceId, InstanceKey, Part, ResourceType};

/// A search, understood.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The types searched; never empty.
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// What is compared.
    pub by: SortKey,
    /// Largest first.
    pub descending: bool,
}

/// What an order compares. An instance without the value comes last in either direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortKey {
    /// `_lastUpdated`
    Updated,
    /// `_id`
    Id,
    /// The type's main date: its low end ascending, its high end descending.
    MainDate,
    /// Another date parameter: the lowest low end ascending, the highest high end descending.
    Date(ParameterId),
    /// A string parameter: its first folded value.
    String(ParameterId),
}

/// A place in an order: the values of the keys of the last instance seen, and the instance itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Position {
    /// One value a sort key, in their order.
    pub values: Vec<SortValue>,
    /// The instance.
    pub key: InstanceKey,
}

/// The value of one sort key of one instance.
#[derive(Clone, Debug, PartialEq)]
pub enum SortValue {
    /// The instance has no such value.
    Missing,
    /// Microseconds.
    Time(i64),
    /// Text.
    Text(Box<str>),
}
