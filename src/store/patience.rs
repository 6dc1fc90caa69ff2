//! How long is waited for a database that is away, and how often an attempt is made again that came to nothing.

use std::thread;
use std::time::{Duration, Instant};

use super::failure::Remedy;

/// The pause before the first new attempt; each further one is twice as long.
const FIRST_PAUSE_MILLIS: u64 = 10;
const LONGEST_PAUSE_MILLIS: u64 = 500;
/// How often a statement is tried that the database refused for a reason that may pass.
const ATTEMPTS: u32 = 6;

/// What is left of the patience of one request.
pub(super) struct Patience {
    until: Instant,
    attempts: u32,
    pause: Duration,
}

impl Patience {
    /// The patience of a request that came at `since` and waits for `wait`.
    pub(super) fn new(wait: Duration, since: Instant) -> Self {
        Self { until: since + wait, attempts: 1, pause: Duration::from_millis(FIRST_PAUSE_MILLIS) }
    }

    /// Whether what needs `remedy` is to be tried again; waits a moment if so.
    pub(super) fn lasts(&mut self, remedy: Remedy) -> bool {
        let attempts = match remedy {
            Remedy::None => return false,
            Remedy::AnotherAttempt => ATTEMPTS,
            Remedy::AnotherConnection => u32::MAX,
        };
        if self.attempts >= attempts || Instant::now() + self.pause > self.until {
            return false;
        }
        thread::sleep(self.pause);
        self.attempts += 1;
        self.pause = (self.pause * 2).min(Duration::from_millis(LONGEST_PAUSE_MILLIS));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_is_repeated_a_few_times_and_a_connection_until_the_time_is_up() {
        let mut patience = Patience::new(Duration::from_secs(20), Instant::now());
        let attempts = std::iter::repeat_with(|| patience.lasts(Remedy::AnotherAttempt)).take_while(|lasts| *lasts).count();
        assert_eq!(attempts, 5);
        assert!(patience.lasts(Remedy::AnotherConnection));
        assert!(!patience.lasts(Remedy::None));
        patience.until = Instant::now();
        assert!(!patience.lasts(Remedy::AnotherConnection));
    }

    #[test]
    fn a_file_is_not_waited_for() {
        assert!(!Patience::new(Duration::ZERO, Instant::now()).lasts(Remedy::AnotherConnection));
    }
}
