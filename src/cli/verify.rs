//! `carnet verify`: names everything in a store that is not as it should be.

use std::time::{Duration, Instant};

use indicatif::ProgressBar;

use super::{bar, output, told};
use crate::app;
use crate::config::Settings;
use crate::store::{Step, Verified};

/// Verifies the store of `settings`; true: nothing is wrong.
///
/// # Errors
/// In a sentence, why it cannot be verified.
pub(super) fn run(settings: &Settings) -> Result<bool, String> {
    let (begun, base_url) = (Instant::now(), settings.base_url_at(settings.listen));
    let bar = ProgressBar::hidden();
    let shown = std::cell::RefCell::new(bar);
    let mut tell = |step: Step<'_>| match step {
        Step::Checked(rows) => shown.borrow().inc(rows),
        Step::Fault(fault) => shown.borrow().suspend(|| output::warn(format_args!("wrong: {fault}"))),
    };
    let verified = app::verify(settings, &base_url, |rows| drop(shown.replace(bar::of_rows(rows))), &mut tell);
    shown.borrow().finish_and_clear();
    let verified = verified.map_err(|failure| told(&failure))?;
    output::say(summary(&verified, begun.elapsed()));
    Ok(verified.faults == 0)
}

fn summary(verified: &Verified, took: Duration) -> String {
    let Verified { instances, versions, contents, records, faults } = verified;
    let seconds = took.as_secs_f64();
    format!(
        "{instances} instances, {versions} older versions, {contents} contents, {records} records of the journal: {faults} faults, in {seconds:.1} s"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_says_what_was_looked_at_and_how_much_was_wrong() {
        let verified = Verified { instances: 3, versions: 2, contents: 4, records: 1, faults: 0 };
        let expected = "3 instances, 2 older versions, 4 contents, 1 records of the journal: 0 faults, in 1.5 s";
        assert_eq!(summary(&verified, Duration::from_millis(1_500)), expected);
    }
}
