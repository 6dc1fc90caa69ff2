//! From latencies to the figures that are shown.

use std::time::Duration;

/// What one measurement of one interaction gave.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Sample {
    /// Interactions a second.
    pub(super) throughput: f64,
    /// Latency that half of the interactions stay below, in µs.
    pub(super) p50: f64,
    /// Latency that 95 of 100 stay below, in µs.
    pub(super) p95: f64,
    /// Latency that 99 of 100 stay below, in µs.
    pub(super) p99: f64,
    /// Answers that were not as expected.
    pub(super) errors: u64,
}

impl Sample {
    /// The sample of `latencies_micros`, gathered in `took`.
    pub(super) fn of(mut latencies_micros: Vec<u32>, took: Duration, errors: u64) -> Self {
        latencies_micros.sort_unstable();
        let at = |share: f64| percentile(&latencies_micros, share);
        let throughput = latencies_micros.len() as f64 / took.as_secs_f64().max(f64::MIN_POSITIVE);
        Self { throughput, p50: at(0.50), p95: at(0.95), p99: at(0.99), errors }
    }

    /// The median of several samples, figure by figure.
    pub(super) fn median(samples: &[Self]) -> Self {
        let of = |figure: fn(&Self) -> f64| median(samples.iter().map(figure).collect());
        Self {
            throughput: of(|sample| sample.throughput),
            p50: of(|sample| sample.p50),
            p95: of(|sample| sample.p95),
            p99: of(|sample| sample.p99),
            errors: samples.iter().map(|sample| sample.errors).sum(),
        }
    }
}

/// The smallest value that at least `share` of `sorted` do not exceed; 0 of nothing.
fn percentile(sorted: &[u32], share: f64) -> f64 {
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().map_or(0.0, f64::from)
}

/// The middle one, or the mean of the two in the middle; 0 of nothing.
pub(super) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let upper = values.get(values.len() / 2).copied().unwrap_or_default();
    let lower = values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or_default();
    f64::midpoint(lower, upper)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_occurred() {
        let sample = Sample::of((1..=100).rev().collect(), Duration::from_secs(2), 3);
        assert_eq!(sample, Sample { throughput: 50.0, p50: 50.0, p95: 95.0, p99: 99.0, errors: 3 });
        assert_eq!(Sample::of(vec![7], Duration::from_secs(1), 0).p99, 7.0);
        assert_eq!(Sample::of(vec![], Duration::from_secs(1), 0).p50, 0.0);
    }

    #[test]
    fn the_median_is_taken_figure_by_figure_and_errors_add_up() {
        let sample = |throughput, p50| Sample { throughput, p50, p95: 0.0, p99: 0.0, errors: 1 };
        let middle = Sample::median(&[sample(10.0, 3.0), sample(30.0, 1.0), sample(20.0, 2.0)]);
        assert_eq!((middle.throughput, middle.p50, middle.errors), (20.0, 2.0, 3));
        assert_eq!(median(vec![1.0, 2.0]), 1.5);
    }
}
