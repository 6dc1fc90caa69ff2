//! `carnet explain`: which statements a search says to the database, and what they cost.

use super::{output, told};
use crate::app;
use crate::config::Settings;
use crate::interaction::{Context, Explained, Said};

/// Explains `search` in the store of `settings`.
///
/// # Errors
/// In a sentence, why it cannot be explained.
pub(super) async fn run(settings: &Settings, search: &str) -> Result<bool, String> {
    let base_url = settings.base_url_at(settings.listen);
    let engine = app::engine(settings, &base_url, Context::of_this_machine()).map_err(|failure| told(&failure))?;
    let explained = engine.explain(search).await.map_err(|failure| told(&failure))?;
    engine.close();
    lines(&explained).into_iter().for_each(output::say);
    Ok(true)
}

fn lines(explained: &Explained) -> Vec<String> {
    let total = explained.total.map_or(String::new(), |total| format!(" of {total}"));
    let took: f64 = explained.said.iter().map(|said| said.took.as_secs_f64() * 1e3).sum();
    let head = format!("{}{total} matches, {} statements, {took:.3} ms in the database", explained.matches, explained.said.len());
    std::iter::once(head).chain(explained.said.iter().enumerate().flat_map(|(at, said)| statement(at + 1, said))).collect()
}

fn statement(number: usize, said: &Said) -> Vec<String> {
    let steps = said.steps.map_or(String::new(), |steps| format!(", {steps} steps"));
    let mut lines = vec![
        String::new(),
        format!("{number}. {}", said.text),
        format!("   {} values, {} rows, {:.3} ms{steps}", said.values, said.rows, said.took.as_secs_f64() * 1e3),
    ];
    lines.extend(said.plan.iter().map(|line| format!("   | {line}")));
    lines
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn each_statement_is_shown_with_what_it_costs_and_its_plan() {
        let said = Said {
            text: String::from("SELECT 1 WHERE 1 = ?"),
            values: 1,
            rows: 2,
            took: Duration::from_micros(1_500),
            steps: Some(7),
            plan: vec![String::from("SCAN i")],
        };
        let shown = lines(&Explained { matches: 2, total: Some(9), said: vec![said] });
        assert_eq!(shown[0], "2 of 9 matches, 1 statements, 1.500 ms in the database");
        assert_eq!(shown[2..], ["1. SELECT 1 WHERE 1 = ?", "   1 values, 2 rows, 1.500 ms, 7 steps", "   | SCAN i"]);
    }
}
