//! What a query sorts by, in terms of where its values rest.

use super::{Order, Reading, SortKey};
use crate::definition::ParameterKind;
use crate::outcome::Outcome;
use crate::search::extract::Indexer;
use crate::search::query::{SortBy, SortedParameter, SortedValue};

/// The order of `keys`. Where a table lacks the values of one of them, all are read from the bodies.
pub(super) fn of(indexer: &Indexer, keys: &[SortBy]) -> Outcome<Vec<Order>> {
    let tables: Option<Vec<Order>> = keys.iter().map(|key| kept(indexer, key)).collect();
    match tables {
        Some(tables) => Ok(tables),
        None => keys.iter().map(|key| read(indexer, key)).collect(),
    }
}

/// The key where one table keeps it for all types.
fn kept(indexer: &Indexer, key: &SortBy) -> Option<Order> {
    let by = match &key.value {
        SortedValue::Updated => SortKey::Updated,
        SortedValue::Id => SortKey::Id,
        SortedValue::Parameter(parameters) => {
            let mut keys = parameters.iter().map(|sorted| sort_key(indexer, *sorted));
            // Without types there is nothing to be sorted.
            let Some(first) = keys.next() else { return Some(Order { by: SortKey::Id, descending: key.descending }) };
            let first = first?;
            if !keys.all(|key| key.as_ref() == Some(&first)) {
                return None;
            }
            first
        }
    };
    Some(Order { by, descending: key.descending })
}

fn sort_key(indexer: &Indexer, SortedParameter { kind, parameter, values }: SortedParameter) -> Option<SortKey> {
    match values {
        ParameterKind::Date if indexer.is_main_date(kind, parameter) => Some(SortKey::MainDate),
        ParameterKind::Date => Some(SortKey::Date(parameter)),
        ParameterKind::String => Some(SortKey::String(parameter)),
        ParameterKind::Number | ParameterKind::Quantity => Some(SortKey::Number(parameter)),
        ParameterKind::Token | ParameterKind::Reference | ParameterKind::Uri => None,
        ParameterKind::Composite | ParameterKind::Special => None,
    }
}

fn read(indexer: &Indexer, key: &SortBy) -> Outcome<Order> {
    let by = match &key.value {
        SortedValue::Updated => SortKey::Updated,
        SortedValue::Id => SortKey::Id,
        SortedValue::Parameter(parameters) => SortKey::Read(Reading::new(indexer, parameters, key.descending)?),
    };
    Ok(Order { by, descending: key.descending })
}
