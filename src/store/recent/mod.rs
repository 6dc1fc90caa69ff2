//! What was lately read, kept in memory: current versions of instances, and whole dossiers that are searched more than once.
//!
//! That can only be true where one process writes, as to a file that the store holds for itself, and counting makes it true: each
//! part has a state, a number that is odd while a transaction that touches the part is under way and greater after it. What is
//! kept was read from the database in an even state and counts as long as that state lasts. An answer from here is the one the
//! database would give; whatever cannot be answered here is asked there.

mod dossier;

use std::hash::{BuildHasher as _, Hash, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use diesel::result::QueryResult;
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};

use super::connection::Connection;
use super::snapshot::Stored;
use crate::dossier::Access;
use crate::fhir::key::name_hash;
use crate::fhir::{InstanceId, InstanceKey, Part, ResourceType};
use crate::search::plan::Plan;
use dossier::Dossier;

/// Parts share states: so many that few writes disturb a part they do not touch.
const STATES: usize = 4_096;
/// Half of the memory is for single instances, the other for whole dossiers.
const KINDS_OF_ENTRIES: u64 = 2;
/// What is usual for an instance and for a dossier, from which the number of entries is estimated.
const USUAL_INSTANCE_BYTES: u64 = 2_048;
const USUAL_DOSSIER_BYTES: u64 = 128 * 1_024;
/// Into how many pieces the memory of each is cut; what is larger than a piece is not kept.
const PIECES_OF_INSTANCES: usize = 16;
const PIECES_OF_DOSSIERS: usize = 4;
/// What an instance takes beside its body.
const INSTANCE_BYTES: u64 = 256;
/// The longest body that is kept; longer ones would push many others out.
const MAX_BODY_BYTES: usize = 256 * 1_024;
/// What is taken by the mark of a dossier that is not kept itself.
const MARK_BYTES: u64 = 64;
/// Instances of which is known where they rest though their ids do not say it.
const NAMES: usize = 16_384;

/// What was lately read.
pub(super) struct Recent {
    states: Box<[AtomicU64]>,
    hasher: RandomState,
    instances: Cache<InstanceKey, Kept<Stored>, Weight>,
    dossiers: Cache<Part, Kept<Known>, Weight>,
    /// Where to look for instances whose ids clients chose; not whether they are still there.
    names: Cache<u64, InstanceKey>,
}

/// A part's state in which nobody wrote to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Calm {
    part: Part,
    state: u64,
}

/// A value read in a calm.
struct Kept<T> {
    calm: Calm,
    value: Arc<T>,
}

impl<T> Clone for Kept<T> {
    fn clone(&self) -> Self {
        Self { calm: self.calm, value: Arc::clone(&self.value) }
    }
}

/// What is known of a dossier.
enum Known {
    /// That it was searched.
    Searched,
    /// That it is too large to be kept.
    Large,
    /// All of it.
    Whole(Dossier),
}

impl Recent {
    /// Keeps up to about `bytes`.
    pub(super) fn new(bytes: u64) -> Self {
        let share = bytes / KINDS_OF_ENTRIES;
        Self {
            states: std::iter::repeat_with(AtomicU64::default).take(STATES).collect(),
            hasher: RandomState::new(),
            instances: cache(share, USUAL_INSTANCE_BYTES, PIECES_OF_INSTANCES),
            dossiers: cache(share, USUAL_DOSSIER_BYTES, PIECES_OF_DOSSIERS),
            names: Cache::new(NAMES),
        }
    }

    /// The current version of an instance, if it is kept. One that `access` does not cover is asked for where one is that does
    /// not exist.
    pub(super) fn instance(&self, access: &Access, kind: ResourceType, id: &InstanceId) -> Option<Stored> {
        let key = self.place(kind, id).filter(|key| access.covers(key.part))?;
        let kept = self.instances.get(&key).filter(|kept| self.lasts(kept.calm))?;
        let found = Stored::clone(&kept.value);
        (found.kind == kind && found.id == *id).then_some(found)
    }

    /// The calm in which an instance may be read that shall be kept: taken before it is read.
    pub(super) fn calm_around(&self, kind: ResourceType, id: &InstanceId) -> Option<Calm> {
        self.calm(self.place(kind, id)?.part)
    }

    /// Keeps an instance that was read after `calm` was taken.
    pub(super) fn keep(&self, calm: Option<Calm>, found: &Stored) {
        if InstanceKey::read(&found.id) != Some(found.key) {
            self.names.insert(name_hash(found.kind, &found.id), found.key);
        }
        let Some(calm) = calm.filter(|calm| calm.part == found.key.part) else { return };
        if found.body.as_ref().is_none_or(|body| body.len() <= MAX_BODY_BYTES) {
            self.instances.insert(found.key, Kept { calm, value: Arc::new(found.clone()) });
        }
    }

    /// The dossier that `plan` searches, if that is one that could be kept, and all that `plan` asks could be answered from it.
    pub(super) fn searched(access: &Access, plan: &Plan) -> Option<Part> {
        match plan.dossiers.as_deref() {
            Some([part]) if *part != Part::DIRECTORY && access.covers(*part) && dossier::can_answer(plan) => Some(*part),
            _ => None,
        }
    }

    /// What `work` finds in a dossier, if all of it is kept.
    pub(super) fn in_dossier<T>(&self, part: Part, work: impl FnOnce(&Dossier) -> T) -> Option<T> {
        let kept = self.dossiers.get(&part).filter(|kept| self.lasts(kept.calm))?;
        match &*kept.value {
            Known::Whole(dossier) => Some(work(dossier)),
            Known::Searched | Known::Large => None,
        }
    }

    /// The calm in which a dossier may be read whole, if that is worth it: it was searched before and is not too large.
    pub(super) fn calm_of_dossier(&self, part: Part) -> Option<Calm> {
        let calm = self.calm(part)?;
        match self.dossiers.get(&part).filter(|kept| kept.calm == calm).map(|kept| kept.value) {
            Some(known) => matches!(*known, Known::Searched).then_some(calm),
            None => {
                self.dossiers.insert(part, Kept { calm, value: Arc::new(Known::Searched) });
                None
            }
        }
    }

    /// Reads a dossier whole after `calm` was taken and keeps it; what `work` finds in it. `None`: it is too large.
    pub(super) fn read_dossier<T>(
        &self,
        connection: &mut Connection,
        calm: Calm,
        work: impl FnOnce(&Dossier) -> T,
    ) -> QueryResult<Option<T>> {
        let dossier = Dossier::read(connection, calm.part)?;
        let done = dossier.as_ref().map(work);
        let known = dossier.map_or(Known::Large, Known::Whole);
        self.dossiers.insert(calm.part, Kept { calm, value: Arc::new(known) });
        Ok(done)
    }

    /// Nothing that is kept of `parts` counts until the value returned is gone, nor ever after.
    pub(super) fn writing(&self, parts: impl Iterator<Item = Part>) -> Writing<'_> {
        let mut slots: Vec<usize> = parts.map(|part| self.slot(part)).collect();
        slots.sort_unstable();
        slots.dedup();
        let writing = Writing { recent: self, slots };
        writing.advance();
        writing
    }

    fn place(&self, kind: ResourceType, id: &InstanceId) -> Option<InstanceKey> {
        InstanceKey::read(id).or_else(|| self.names.get(&name_hash(kind, id)))
    }

    fn calm(&self, part: Part) -> Option<Calm> {
        let state = self.states.get(self.slot(part))?.load(Ordering::Acquire);
        state.is_multiple_of(2).then_some(Calm { part, state })
    }

    fn lasts(&self, calm: Calm) -> bool {
        self.calm(calm.part) == Some(calm)
    }

    fn slot(&self, part: Part) -> usize {
        self.hasher.hash_one(part) as usize % STATES
    }
}

fn cache<K: Eq + Hash, V: Clone>(bytes: u64, usual_bytes: u64, pieces: usize) -> Cache<K, V, Weight>
where
    Weight: Weighter<K, V>,
{
    let entries = usize::try_from(bytes / usual_bytes).unwrap_or(usize::MAX);
    let options = OptionsBuilder::new().estimated_items_capacity(entries).weight_capacity(bytes).shards(pieces).build();
    match options {
        Ok(options) => Cache::with_options(options, Weight, DefaultHashBuilder::default(), DefaultLifecycle::default()),
        // Every value it needs is given.
        Err(_) => Cache::with_weighter(entries, bytes, Weight),
    }
}

/// A transaction under way.
pub(super) struct Writing<'r> {
    recent: &'r Recent,
    slots: Vec<usize>,
}

impl Writing<'_> {
    fn advance(&self) {
        for state in self.slots.iter().filter_map(|slot| self.recent.states.get(*slot)) {
            state.fetch_add(1, Ordering::AcqRel);
        }
    }
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        self.advance();
    }
}

/// Bytes an entry takes.
#[derive(Clone, Copy)]
struct Weight;

impl Weighter<InstanceKey, Kept<Stored>> for Weight {
    fn weight(&self, _: &InstanceKey, kept: &Kept<Stored>) -> u64 {
        INSTANCE_BYTES + kept.value.body.as_ref().map_or(0, |body| body.len() as u64)
    }
}

impl Weighter<Part, Kept<Known>> for Weight {
    fn weight(&self, _: &Part, kept: &Kept<Known>) -> u64 {
        match &*kept.value {
            Known::Searched | Known::Large => MARK_BYTES,
            Known::Whole(dossier) => MARK_BYTES + dossier.bytes(),
        }
    }
}
