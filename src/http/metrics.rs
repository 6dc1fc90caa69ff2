//! What is counted about requests: a few atomic additions each, well below a microsecond. Labels are interactions and statuses,
//! which are few; nothing here can tell whose data it was.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::interaction::Interaction;

/// The upper bounds of the buckets of a histogram, in microseconds; one more bucket takes what is above.
pub(super) const BOUNDS_MICROS: [u64; 16] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000,
    10_000_000,
];

/// The statuses this server answers; any other is counted under 0.
const STATUSES: [u16; 25] =
    [200, 201, 204, 206, 304, 400, 401, 403, 404, 405, 406, 408, 409, 410, 412, 413, 414, 415, 416, 422, 429, 500, 503, 504, 0];

/// What requests are called that turned out to be no interaction.
const NO_INTERACTION: &str = "none";

/// What one server counts.
#[derive(Debug)]
pub(super) struct Metrics {
    /// One an interaction, in the order of [`Interaction::ALL`], and a last one for requests that are none.
    interactions: Box<[Counted]>,
    in_flight: AtomicU64,
    connections: AtomicU64,
}

/// What is counted of one interaction.
#[derive(Debug, Default)]
struct Counted {
    /// In the order of [`STATUSES`].
    statuses: [AtomicU64; STATUSES.len()],
    /// Not cumulative, unlike what is shown.
    buckets: [AtomicU64; BOUNDS_MICROS.len() + 1],
    micros: AtomicU64,
}

/// What was counted of one interaction at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Observed {
    /// The code of the interaction.
    pub(super) interaction: &'static str,
    /// How often it was answered, by status; 0 stands for all that are not named.
    pub(super) statuses: Vec<(u16, u64)>,
    /// How many took at most the time of each of [`BOUNDS_MICROS`].
    pub(super) within: Vec<u64>,
    /// How many there were.
    pub(super) count: u64,
    /// How long they took together, in microseconds.
    pub(super) micros: u64,
}

/// One request under way, or one connection: counted until it is dropped.
#[derive(Debug)]
pub(super) struct Present<M: AsRef<Metrics>>(M, fn(&Metrics) -> &AtomicU64);

impl<M: AsRef<Metrics>> Present<M> {
    /// A request under way.
    pub(super) fn request(metrics: M) -> Self {
        Self::of(metrics, |metrics| &metrics.in_flight)
    }

    /// An open connection.
    pub(super) fn connection(metrics: M) -> Self {
        Self::of(metrics, |metrics| &metrics.connections)
    }

    fn of(metrics: M, gauge: fn(&Metrics) -> &AtomicU64) -> Self {
        gauge(metrics.as_ref()).fetch_add(1, Ordering::Relaxed);
        Self(metrics, gauge)
    }
}

impl<M: AsRef<Metrics>> Drop for Present<M> {
    fn drop(&mut self) {
        (self.1)(self.0.as_ref()).fetch_sub(1, Ordering::Relaxed);
    }
}

impl AsRef<Self> for Metrics {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let interactions = std::iter::repeat_with(Counted::default).take(Interaction::ALL.len() + 1).collect();
        Self { interactions, in_flight: AtomicU64::new(0), connections: AtomicU64::new(0) }
    }
}

impl Metrics {
    /// Counts a request that is answered.
    pub(super) fn answered(&self, interaction: Option<Interaction>, status: u16, took: Duration) {
        let place = interaction.map_or(Interaction::ALL.len(), |interaction| interaction as usize);
        let Some(counted) = self.interactions.get(place) else { return };
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let status = STATUSES.iter().position(|known| *known == status).unwrap_or(STATUSES.len() - 1);
        let bucket = BOUNDS_MICROS.iter().position(|bound| micros <= *bound).unwrap_or(BOUNDS_MICROS.len());
        for counter in [counted.statuses.get(status), counted.buckets.get(bucket)].into_iter().flatten() {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        counted.micros.fetch_add(micros, Ordering::Relaxed);
    }

    /// Requests under way.
    pub(super) fn in_flight(&self) -> u64 {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Open connections.
    pub(super) fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    /// What was counted of each interaction that occurred.
    pub(super) fn observed(&self) -> impl Iterator<Item = Observed> + '_ {
        let names = Interaction::ALL.iter().map(|interaction| interaction.code()).chain([NO_INTERACTION]);
        let observed = names.zip(&self.interactions).map(|(name, counted)| counted.observed(name));
        observed.filter(|observed| observed.count > 0)
    }
}

impl Counted {
    fn observed(&self, interaction: &'static str) -> Observed {
        let statuses = STATUSES.iter().zip(&self.statuses).map(|(status, count)| (*status, count.load(Ordering::Relaxed)));
        let mut within: Vec<u64> = self.buckets.iter().map(|count| count.load(Ordering::Relaxed)).collect();
        let mut count = 0;
        for bucket in &mut within {
            count += *bucket;
            *bucket = count;
        }
        within.truncate(BOUNDS_MICROS.len());
        let statuses = statuses.filter(|(_, count)| *count > 0).collect();
        Observed { interaction, statuses, within, count, micros: self.micros.load(Ordering::Relaxed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_counted_under_its_interaction_its_status_and_its_time() {
        let metrics = Metrics::default();
        metrics.answered(Some(Interaction::Read), 200, Duration::from_micros(100));
        metrics.answered(Some(Interaction::Read), 404, Duration::from_micros(101));
        metrics.answered(Some(Interaction::Operation), 299, Duration::from_secs(11));
        metrics.answered(None, 404, Duration::from_micros(1));
        let observed: Vec<Observed> = metrics.observed().collect();
        let names: Vec<_> = observed.iter().map(|observed| observed.interaction).collect();
        assert_eq!(names, ["read", "operation", "none"]);
        assert_eq!((observed[0].statuses.as_slice(), observed[0].micros), (&[(200, 1), (404, 1)][..], 201));
        assert_eq!((observed[0].within[0], observed[0].within[1], observed[0].count), (1, 2, 2));
        assert_eq!((observed[1].statuses.as_slice(), observed[1].within[15], observed[1].count), (&[(0, 1)][..], 0, 1));
    }

    #[test]
    fn whoever_is_gone_is_counted_no_more() {
        let metrics = Metrics::default();
        let (first, second) = (Present::request(&metrics), Present::request(&metrics));
        assert_eq!((metrics.in_flight(), metrics.connections()), (2, 0));
        drop(first);
        assert_eq!(metrics.in_flight(), 1);
        drop(second);
        assert_eq!(metrics.in_flight(), 0);
    }
}
