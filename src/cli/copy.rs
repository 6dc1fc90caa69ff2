//! `carnet copy`: one store into another, row by row.

use std::time::{Duration, Instant};

use super::{bar, output, told};
use crate::config::ContentSettings;
use crate::store::{self, Copied, Holding};

/// Copies the store `from` into `to`.
///
/// # Errors
/// In a sentence, why it cannot be copied.
pub(super) fn run(from: &Holding, to: &Holding, content: &ContentSettings) -> Result<bool, String> {
    let begun = Instant::now();
    let (mut bar, mut before) = (None, None);
    let mut tell = |copied: Copied| {
        before.get_or_insert(copied.rows);
        bar.get_or_insert_with(|| bar::of_rows(copied.of)).set_position(copied.rows);
    };
    let copied = store::copy(from, to, content, &mut tell);
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    let copied = copied.map_err(|failure| told(&failure))?;
    output::say(summary(copied, before.unwrap_or_default(), begun.elapsed()));
    Ok(true)
}

fn summary(copied: Copied, before: u64, took: Duration) -> String {
    let seconds = took.as_secs_f64().max(0.001);
    let rows = copied.rows - before;
    let kept = if before > 0 { format!(", {before} were there") } else { String::new() };
    format!("{rows} rows copied{kept}, in {seconds:.1} s: {:.0} rows/s", rows as f64 / seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_says_what_was_copied_now_and_what_was_there() {
        let copied = Copied { rows: 300, of: 300 };
        assert_eq!(summary(copied, 0, Duration::from_secs(2)), "300 rows copied, in 2.0 s: 150 rows/s");
        assert_eq!(summary(copied, 100, Duration::from_secs(2)), "200 rows copied, 100 were there, in 2.0 s: 100 rows/s");
    }
}
