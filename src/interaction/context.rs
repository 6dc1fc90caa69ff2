//! Time and chance, as arguments.

use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use crate::fhir::{InstanceKey, Instant, Part};

/// Where time and chance come from. One per server; tests give fixed ones.
pub struct Context {
    clock: Box<dyn Fn() -> Instant + Send + Sync>,
    random: Box<dyn Fn() -> u64 + Send + Sync>,
    last_moment: AtomicI64,
    last_rid: AtomicI64,
    /// What the request ids of this server begin with.
    boot: u64,
    requests: AtomicU64,
}

/// How many instances one microsecond can number: the low bits of a `rid`.
const RID_COUNTER_BITS: u32 = 12;
/// 2020-01-01T00:00:00Z: `rid`s count from here, so that 63 bits last until 2091.
const RID_EPOCH_MICROS: i64 = 1_577_836_800_000_000;

/// Multiplying by an odd number maps 64 bits onto themselves.
const ODD: u64 = 0x9E37_79B9_7F4A_7C15;

impl Context {
    /// A context of `clock` and `random` (64 independent bits a call).
    pub fn new(clock: impl Fn() -> Instant + Send + Sync + 'static, random: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self {
            boot: random(),
            clock: Box::new(clock),
            random: Box::new(random),
            last_moment: AtomicI64::new(i64::MIN),
            last_rid: AtomicI64::new(0),
            requests: AtomicU64::new(0),
        }
    }

    /// The clock and the randomness of this machine.
    #[allow(clippy::disallowed_methods, reason = "the one place where the machine's clock and randomness come in")]
    pub fn of_this_machine() -> Self {
        // The fixed bits of a UUID stand at different places in its halves: each bit of their sum modulo 2 is random.
        let random = || {
            let (high, low) = uuid::Uuid::new_v4().as_u64_pair();
            high ^ low
        };
        Self::new(|| Instant::from(chrono::Utc::now()), random)
    }

    /// The time by the clock.
    pub fn now(&self) -> Instant {
        (self.clock)()
    }

    /// A moment no other change of this server has: the clock's, or one microsecond after the last one given.
    pub fn moment(&self) -> Instant {
        self.moment_after(Instant::from_micros(i64::MIN))
    }

    /// A moment of its own that is also after `earlier`, whatever the clock says: `lastUpdated` never goes back (V-11).
    pub fn moment_after(&self, earlier: Instant) -> Instant {
        let least = self.now().micros().max(earlier.micros().saturating_add(1));
        Instant::from_micros(next_after(&self.last_moment, least))
    }

    /// A new place in `part`, after all those given before.
    pub fn new_key(&self, part: Part) -> InstanceKey {
        let micros = self.now().micros().saturating_sub(RID_EPOCH_MICROS).max(1);
        let counter = (self.random)() & ((1 << RID_COUNTER_BITS) - 1);
        let least = micros.saturating_mul(1 << RID_COUNTER_BITS).saturating_add_unsigned(counter);
        InstanceKey { part, rid: next_after(&self.last_rid, least) }
    }

    /// The part of a new dossier.
    pub fn new_part(&self) -> Part {
        Part::from_random((self.random)())
    }

    /// 64 independent bits.
    pub fn random(&self) -> u64 {
        (self.random)()
    }

    /// A random UUID (RFC 9562 §5.4).
    pub fn uuid(&self) -> String {
        const VERSION: u64 = 0x4000;
        const VARIANT: u64 = 0x8000;
        let (high, low) = (self.random(), self.random());
        let (version, variant) = (high & 0xfff | VERSION, low >> 48 & 0x3fff | VARIANT);
        format!("{:08x}-{:04x}-{version:04x}-{variant:04x}-{:012x}", high >> 32, high >> 16 & 0xffff, low & 0xffff_ffff_ffff)
    }

    /// A request id of its own: 32 hexadecimal digits. Unique, not secret: a counter, scattered.
    pub fn request_id(&self) -> String {
        let number = self.requests.fetch_add(1, Ordering::Relaxed).wrapping_mul(ODD);
        format!("{:016x}{number:016x}", self.boot)
    }
}

/// `least`, or one more than the last value given if that is larger; recorded as given.
fn next_after(last: &AtomicI64, least: i64) -> i64 {
    let next = |last: i64| least.max(last.saturating_add(1));
    // The closure never declines, so both arms hold the value that was replaced.
    let (Ok(replaced) | Err(replaced)) = last.fetch_update(Ordering::AcqRel, Ordering::Acquire, |last| Some(next(last)));
    next(replaced)
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn still(micros: i64) -> Context {
        Context::new(move || Instant::from_micros(micros), || 0)
    }

    #[test]
    fn moments_grow_even_where_the_clock_stands() {
        let context = still(1_700_000_000_000_000);
        let moments: Vec<i64> = (0..3).map(|_| context.moment().micros()).collect();
        assert_eq!(moments, [1_700_000_000_000_000, 1_700_000_000_000_001, 1_700_000_000_000_002]);
    }

    #[test]
    fn a_moment_comes_after_the_version_it_replaces_even_where_the_clock_went_back() {
        let context = still(1_000);
        assert_eq!(context.moment_after(Instant::from_micros(5_000)).micros(), 5_001);
        assert_eq!(context.moment().micros(), 5_002);
    }

    #[test]
    fn places_are_positive_distinct_and_in_order_of_time() {
        let context = still(1_700_000_000_000_000);
        let first = context.new_key(Part(1));
        let second = context.new_key(Part(2));
        assert!(0 < first.rid && first.rid < second.rid);
        assert!(still(0).new_key(Part(1)).rid > 0);
    }
}
