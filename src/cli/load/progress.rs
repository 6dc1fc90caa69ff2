//! How far a load is: a bar on a terminal, a summary at the end.

use std::time::{Duration, Instant};

use indicatif::ProgressBar;

use super::answer::Verdict;
use crate::cli::{bar, output};

/// What has become of a load so far.
pub(super) struct Progress {
    bar: ProgressBar,
    begun: Instant,
    stored: u64,
    refused: u64,
}

impl Progress {
    /// Begins a load of `bytes`.
    pub(super) fn begin(bytes: u64) -> Self {
        Self { bar: bar::of_bytes(bytes), begun: Instant::now(), stored: 0, refused: 0 }
    }

    /// Counts what became of a text of `bytes`, naming what was refused.
    pub(super) fn count(&mut self, source: &str, bytes: u64, verdict: &Verdict) {
        self.stored += verdict.stored;
        self.refused += verdict.refusals.len() as u64;
        for reason in &verdict.refusals {
            self.bar.suspend(|| output::warn(format_args!("refused: {source}: {reason}")));
        }
        self.bar.inc(bytes);
        self.bar.set_message(format!("{} stored", self.stored));
    }

    /// Ends the load with its summary; true: nothing was refused.
    pub(super) fn end(self) -> bool {
        self.bar.finish_and_clear();
        output::say(summary(self.stored, self.refused, self.begun.elapsed()));
        self.refused == 0
    }
}

fn summary(stored: u64, refused: u64, took: Duration) -> String {
    let seconds = took.as_secs_f64().max(0.001);
    let rate = stored as f64 / seconds;
    format!("{stored} resources stored, {refused} refused, in {seconds:.1} s: {rate:.0} resources/s")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_says_how_many_and_how_fast() {
        assert_eq!(summary(300, 2, Duration::from_millis(1_500)), "300 resources stored, 2 refused, in 1.5 s: 200 resources/s");
        assert!(summary(1, 0, Duration::ZERO).ends_with("1000 resources/s"));
    }
}
