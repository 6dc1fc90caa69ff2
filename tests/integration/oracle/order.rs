//! Random orders, and whether what came stands in them (R4 search.html §sort).

use std::cmp::Ordering;

use serde_json::Value;

use super::chance::Chance;
use super::compared::{Unit, folded, numbers, text, time};
use super::parameter::{Kind, Parameter, parameters, values};
use super::test::codings;

/// What is compared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Sortable {
    Number(i128),
    Text(String),
}

/// One key of `_sort`.
pub(super) struct Key {
    pub(super) name: String,
    parameter: Parameter,
    descending: bool,
}

const OF_EVERY_TYPE: &[Parameter] = &[("_id", Kind::Code(&[]), &["id"]), ("_lastUpdated", Kind::Date, &["meta.lastUpdated"])];

/// Up to three keys, none of them twice.
pub(super) fn keys(chance: &mut Chance, kind: &str) -> Vec<Key> {
    let sorted = |parameter: &&Parameter| {
        matches!(parameter.1, Kind::Token | Kind::Code(_) | Kind::Text | Kind::Name | Kind::Date | Kind::Number | Kind::Money)
            || matches!(parameter.1, Kind::Uri | Kind::Reference(_) | Kind::Patient | Kind::ContentType)
    };
    let known: Vec<Parameter> = parameters(kind).iter().filter(sorted).chain(OF_EVERY_TYPE).copied().collect();
    let mut keys: Vec<Key> = Vec::new();
    for _ in 0..=chance.below(3) {
        let (parameter, descending) = (chance.of(&known), chance.one_in(2));
        if keys.iter().all(|key| key.parameter.0 != parameter.0) {
            keys.push(Key { name: format!("{}{}", if descending { "-" } else { "" }, parameter.0), parameter, descending });
        }
    }
    keys
}

/// Whether each of `resources` comes after those before it, as far as `keys` tell.
pub(super) fn is_ordered(keys: &[Key], resources: &[&Value]) -> bool {
    resources.windows(2).all(|pair| {
        let orders = keys.iter().map(|key| key.compare(pair[0], pair[1]));
        orders.fold(Ordering::Equal, Ordering::then) != Ordering::Greater
    })
}

impl Key {
    /// What has no value comes last, in either direction.
    fn compare(&self, one: &Value, other: &Value) -> Ordering {
        match (self.first(one), self.first(other)) {
            (Some(one), Some(other)) if self.descending => other.cmp(&one),
            (Some(one), Some(other)) => one.cmp(&other),
            (one, other) => other.is_some().cmp(&one.is_some()),
        }
    }

    /// Of several values the one that comes first.
    fn first(&self, resource: &Value) -> Option<Sortable> {
        let found = values(resource, &self.parameter).into_iter().flat_map(|value| self.sortable(value));
        if self.descending { found.max() } else { found.min() }
    }

    fn sortable(&self, value: &Value) -> Vec<Sortable> {
        let one = |text: &str| vec![Sortable::Text(text.to_owned())];
        match self.parameter.1 {
            Kind::Date => {
                let end = time(value).map(|(low, high)| if self.descending { high } else { low });
                end.map(Sortable::Number).into_iter().collect()
            }
            Kind::Number | Kind::Money => {
                numbers(value, Unit::Any).map(|((low, _), _)| Sortable::Number(low)).into_iter().collect()
            }
            Kind::Token => codings(value).into_iter().map(|(_, code)| Sortable::Text(code.to_owned())).collect(),
            Kind::Reference(_) | Kind::Patient => text(value, "reference").map(one).unwrap_or_default(),
            Kind::Text | Kind::Name => texts(value).into_iter().map(|text| Sortable::Text(folded(text))).collect(),
            _ => value.as_str().map_or_else(|| one(&value.to_string()), one),
        }
    }
}

/// Every text in a value.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        // What a name or an address is used for is no part of it.
        Value::Object(members) => members.iter().filter(|(name, _)| *name != "use").flat_map(|(_, value)| texts(value)).collect(),
        _ => Vec::new(),
    }
}
