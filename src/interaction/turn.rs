//! Who lost a race for an instance waits for his turn to try again: of many who write one instance at once, all succeed in turn
//! instead of spoiling each other's attempts. A first attempt never waits, so a write without rivals pays nothing.

use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher, Hash};

use tokio::sync::{Mutex, MutexGuard};

/// How many turns there are; instances share them by their hash.
const TURNS: usize = 64;

/// The turns of a server.
#[derive(Debug)]
pub(super) struct Turns(Vec<Mutex<()>>);

impl Turns {
    pub(super) fn new() -> Self {
        Self(std::iter::repeat_with(Mutex::default).take(TURNS).collect())
    }

    /// Waits for the turn of attempt number `attempt` at writing what is called `name`; the first attempt needs none.
    pub(super) async fn take(&self, attempt: usize, name: impl Hash) -> Option<MutexGuard<'_, ()>> {
        if attempt == 0 {
            return None;
        }
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(name);
        let place = usize::try_from(hash % TURNS as u64).unwrap_or_default();
        match self.0.get(place) {
            Some(turn) => Some(turn.lock().await),
            None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;
    use crate::fhir::{InstanceId, ResourceType};

    #[test]
    fn the_first_attempt_never_waits_and_the_second_waits_for_the_one_before() {
        let turns = Turns::new();
        let id: InstanceId = "p".parse().unwrap();
        let take = |attempt| turns.take(attempt, (ResourceType::Patient, &id));
        assert!(take(0).now_or_never().unwrap().is_none());
        let first = take(1).now_or_never().unwrap();
        assert!(first.is_some());
        assert!(take(0).now_or_never().is_some());
        assert!(take(1).now_or_never().is_none());
        drop(first);
        assert!(take(1).now_or_never().is_some());
    }
}
