//! Chance that is the same each time.

use serde_json::Value;

const INSTANCES_OF_A_KIND: u64 = 12;

/// Numbers that look random and are the same each time.
pub(super) struct Chance(pub(super) u64);

impl Chance {
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    pub(super) fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[usize::try_from(self.below(all.len() as u64)).unwrap()]
    }

    pub(super) fn one_in(&mut self, turns: u64) -> bool {
        self.below(turns) == 0
    }

    pub(super) fn maybe(&mut self, make: impl FnOnce(&mut Self) -> Value) -> Value {
        if self.one_in(3) { Value::Null } else { make(self) }
    }

    pub(super) fn several(&mut self, make: impl Fn(&mut Self) -> Value) -> Value {
        (0..self.below(3)).map(|_| make(self)).collect()
    }

    /// The id of an instance that may be there.
    pub(super) fn id(&mut self) -> String {
        format!("i{}", self.below(INSTANCES_OF_A_KIND))
    }
}
