//! The figures, for people or for programs.

use serde_json::{Value, json};

use super::statistics::Sample;
use crate::cli::arguments::Measured;

/// One line of the report.
#[derive(Clone, Debug)]
pub(super) struct Figure {
    pub(super) measured: Measured,
    pub(super) connections: usize,
    /// What the server did.
    pub(super) server: Sample,
    /// What a handler that only answers the same bytes did.
    pub(super) http: Sample,
    /// Interactions a second that plain SQL did with the same rows.
    pub(super) sql: f64,
}

/// The first line of a table.
pub(super) const HEADING: &str =
    concat!("interaction  connections    per s   p50 µs   p95 µs   p99 µs", "   raw HTTP/s  ratio   raw SQL/s  ratio  errors");

impl Figure {
    fn of_http(&self) -> f64 {
        ratio(self.server.throughput, self.http.throughput)
    }

    fn of_sql(&self) -> f64 {
        ratio(self.server.throughput, self.sql)
    }

    /// A line under [`HEADING`].
    pub(super) fn line(&self) -> String {
        let Sample { throughput, p50, p95, p99, errors } = &self.server;
        format!(
            "{:<11}  {:>11}  {throughput:>7.0}  {p50:>7.0}  {p95:>7.0}  {p99:>7.0}  {:>11.0}  {:>5.2}  {:>10.0}  {:>5.2}  {errors:>6}",
            self.measured.name(),
            self.connections,
            self.http.throughput,
            self.of_http(),
            self.sql,
            self.of_sql(),
        )
    }

    /// The same as one JSON object; every unit in the name.
    pub(super) fn json(&self) -> Value {
        json!({
            "interaction": self.measured.name(),
            "connections": self.connections,
            "per_second": self.server.throughput,
            "p50_micros": self.server.p50,
            "p95_micros": self.server.p95,
            "p99_micros": self.server.p99,
            "errors": self.server.errors,
            "raw_http_per_second": self.http.throughput,
            "raw_http_p50_micros": self.http.p50,
            "raw_http_p95_micros": self.http.p95,
            "raw_http_p99_micros": self.http.p99,
            "ratio_to_raw_http": self.of_http(),
            "raw_sql_per_second": self.sql,
            "ratio_to_raw_sql": self.of_sql(),
        })
    }
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_stands_beside_its_limits() {
        let sample = |throughput| Sample { throughput, p50: 1.0, p95: 2.0, p99: 3.0, errors: 0 };
        let figure =
            Figure { measured: Measured::Read, connections: 16, server: sample(600.0), http: sample(1_000.0), sql: 2_400.0 };
        assert_eq!(figure.json()["ratio_to_raw_http"], 0.6);
        assert_eq!(figure.json()["ratio_to_raw_sql"], 0.25);
        assert_eq!(figure.line().chars().count(), HEADING.chars().count());
        assert_eq!(ratio(1.0, 0.0), 0.0);
    }
}
