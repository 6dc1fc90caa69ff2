//! The items seen so far, for union, `distinct()` and the like: few are compared one by one, many found by a fingerprint.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use smallvec::SmallVec;

use super::super::item::{Collection, Item};
use super::super::program::OpId;
use super::super::value::Value;
use super::{Attempt, Evaluator};

/// Up to so many items are compared one by one.
const FEW_ITEMS: usize = 8;

pub(super) struct Distinct<'t> {
    at: OpId,
    items: Collection<'t>,
    by_fingerprint: HashMap<u64, SmallVec<[u32; 1]>>,
}

impl<'t> Distinct<'t> {
    pub(super) fn new(at: OpId) -> Self {
        Self { at, items: Collection::new(), by_fingerprint: HashMap::new() }
    }

    /// Adds the item, unless an equal one is there; tells whether it was added.
    pub(super) fn insert(&mut self, evaluator: &Evaluator<'t>, item: &Item<'t>) -> Attempt<bool> {
        if self.contains(evaluator, item)? {
            return Ok(false);
        }
        evaluator.push(self.at, &mut self.items, item.clone())?;
        if self.items.len() > FEW_ITEMS {
            self.file(evaluator);
        }
        Ok(true)
    }

    pub(super) fn contains(&self, evaluator: &Evaluator<'t>, item: &Item<'t>) -> Attempt<bool> {
        if self.items.len() <= FEW_ITEMS {
            return evaluator.is_among(self.at, item, &self.items);
        }
        let Some(alike) = self.by_fingerprint.get(&evaluator.fingerprint(item)) else { return Ok(false) };
        for position in alike {
            if let Some(other) = self.items.get(*position as usize)
                && evaluator.equal(self.at, item, other)? == Some(true)
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Files the newest item by its fingerprint; all of them once they have become many.
    fn file(&mut self, evaluator: &Evaluator<'t>) {
        let newest = self.items.len() - 1;
        let from = if self.by_fingerprint.is_empty() { 0 } else { newest };
        for (position, item) in self.items.iter().enumerate().skip(from) {
            self.by_fingerprint.entry(evaluator.fingerprint(item)).or_default().push(position as u32);
        }
    }
}

impl<'t> Evaluator<'t> {
    pub(super) fn is_among(&self, at: OpId, item: &Item<'t>, items: &[Item<'t>]) -> Attempt<bool> {
        for other in items {
            if self.equal(at, item, other)? == Some(true) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A number that equal items share.
    fn fingerprint(&self, item: &Item<'t>) -> u64 {
        let mut hasher = DefaultHasher::new();
        match self.value_of(item) {
            Some(Value::Boolean(value)) => value.hash(&mut hasher),
            Some(Value::String(text)) => text.hash(&mut hasher),
            Some(value @ (Value::Integer(_) | Value::Decimal(_))) => {
                // Adding zero makes one of the two zeros.
                value.number().map(|number| (number.to_f64() + 0.0).to_bits()).hash(&mut hasher);
            }
            // Moments in different zones and quantities in different units may be equal.
            Some(Value::Temporal(_) | Value::Quantity(_) | Value::Type(_)) => {}
            None => {
                let object = item.element().and_then(|element| element.object());
                if let Some(object) = object.filter(|object| object.member("value").is_none()) {
                    object.children().count().hash(&mut hasher);
                    let texts = object.children().filter_map(|child| child.string());
                    texts.map(|text| fingerprint_of(&text)).fold(0_u64, u64::wrapping_add).hash(&mut hasher);
                }
            }
        }
        hasher.finish()
    }
}

fn fingerprint_of(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}
