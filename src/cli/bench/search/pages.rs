//! How many pages of the database a search looks at, by the database's own account where it has one.
//!
//! A server of PostgreSQL tells in its plan. A file is read page by page where the memory of the connection does not hold them, so what
//! the process reads in all is what a search touches beyond that, where the system counts it.

use std::fs;

use crate::app;
use crate::cli::told;
use crate::config::Settings;
use crate::interaction::{Context, Engine, Said};

use super::super::statistics::median;
use super::asked::Asked;

/// Dossiers that are searched before anything is counted, and as many that are counted.
const SEARCHES: usize = 200;
/// The page of a file (`PRAGMA page_size`).
const PAGE_BYTES: u64 = 16 * 1024;
const READ_BY_THIS_PROCESS: &str = "/proc/self/io";

/// The median of the pages that a search of `asked` touches in the store of `settings`, which no server uses; `None`: nobody counts.
///
/// # Errors
/// In a sentence, why it cannot be searched.
pub(super) async fn touched(settings: &Settings, asked: Asked, patients: &[String]) -> Result<Option<f64>, String> {
    let engine = app::engine(settings, &settings.base_url_at(settings.listen), Context::of_this_machine());
    let engine = engine.map_err(|failure| told(&failure))?;
    let searches = asked.searches(patients);
    let mut counted = Vec::with_capacity(SEARCHES);
    for (index, search) in searches.iter().enumerate().take(2 * SEARCHES) {
        let pages = of_one(&engine, search).await?;
        if index >= SEARCHES {
            counted.extend(pages);
        }
    }
    engine.close();
    Ok((!counted.is_empty()).then(|| median(counted)))
}

async fn of_one(engine: &Engine, search: &str) -> Result<Option<f64>, String> {
    let before = bytes_read();
    let explained = engine.explain(search).await.map_err(|failure| told(&failure))?;
    let after = bytes_read();
    let told: u64 = explained.said.iter().filter_map(buffers).sum();
    if told > 0 {
        return Ok(Some(told as f64));
    }
    Ok(before.zip(after).map(|(before, after)| (after.saturating_sub(before) / PAGE_BYTES) as f64))
}

/// What this process has asked of files.
fn bytes_read() -> Option<u64> {
    let told = fs::read_to_string(READ_BY_THIS_PROCESS).ok()?;
    told.lines().find_map(|line| line.strip_prefix("rchar: "))?.parse().ok()
}

/// The pages a plan of PostgreSQL names for the whole statement: found in memory, and read.
fn buffers(said: &Said) -> Option<u64> {
    let line = said.plan.iter().find_map(|line| line.trim().strip_prefix("Buffers: shared "))?;
    Some(line.split(' ').filter_map(|part| part.split_once('=')).filter_map(|(_, pages)| pages.parse::<u64>().ok()).sum())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn pages_are_read_from_the_first_line_of_a_plan_that_names_them() {
        let plan = ["Limit  (cost=1)", "  Buffers: shared hit=12 read=3", "  ->  Scan", "        Buffers: shared hit=9"];
        let said = |plan: &[&str]| Said {
            text: String::new(),
            values: 0,
            rows: 0,
            took: Duration::ZERO,
            steps: None,
            plan: plan.iter().map(|line| (*line).to_owned()).collect(),
        };
        assert_eq!(buffers(&said(&plan)), Some(15));
        assert_eq!(buffers(&said(&["SCAN i"])), None);
    }
}
