//! The text format of Prometheus, version 0.0.4: families of samples, each with its help and type.

use std::fmt::{Display, Write as _};

/// The media type of the format.
pub(super) const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A text that grows family by family. Names, helps and label values come from this program alone and need no escapes.
#[derive(Debug, Default)]
pub(super) struct Exposition(String);

/// What a family is to whoever reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    Counter,
    Gauge,
    Histogram,
}

impl Exposition {
    /// Begins a family.
    pub(super) fn family(&mut self, name: &'static str, sort: Sort, help: &str) -> Family<'_> {
        let sort = match sort {
            Sort::Counter => "counter",
            Sort::Gauge => "gauge",
            Sort::Histogram => "histogram",
        };
        let _ = write!(self.0, "# HELP {name} {help}\n# TYPE {name} {sort}\n");
        Family { text: &mut self.0, name }
    }

    /// The whole text.
    pub(super) fn finish(self) -> String {
        self.0
    }
}

/// A family to which samples are added.
#[derive(Debug)]
pub(super) struct Family<'t> {
    text: &'t mut String,
    name: &'static str,
}

impl Family<'_> {
    /// Adds its only sample.
    pub(super) fn value(&mut self, value: impl Display) {
        self.sample("", &[], value);
    }

    /// Adds a sample under `labels`.
    pub(super) fn labelled(&mut self, labels: &[(&str, &str)], value: impl Display) {
        self.sample("", labels, value);
    }

    /// Adds a sample whose name ends in `suffix`, as those of a histogram do.
    pub(super) fn sample(&mut self, suffix: &str, labels: &[(&str, &str)], value: impl Display) {
        let _ = write!(self.text, "{}{suffix}", self.name);
        for (index, (name, label)) in labels.iter().enumerate() {
            let _ = write!(self.text, "{}{name}=\"{label}\"", if index == 0 { '{' } else { ',' });
        }
        let end = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.text, "{end} {value}");
    }
}

/// Microseconds as seconds, exactly.
pub(super) fn seconds(micros: u64) -> String {
    let text = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_is_told_with_its_help_its_type_and_its_samples() {
        let mut text = Exposition::default();
        text.family("up", Sort::Gauge, "Whether it is.").value(1);
        let mut family = text.family("took_seconds", Sort::Histogram, "How long.");
        family.sample("_bucket", &[("kind", "read"), ("le", "0.1")], 2);
        family.sample("_sum", &[("kind", "read")], seconds(1_500));
        let expected = "# HELP up Whether it is.\n# TYPE up gauge\nup 1\n# HELP took_seconds How long.\n# TYPE took_seconds histogram\n\
            took_seconds_bucket{kind=\"read\",le=\"0.1\"} 2\ntook_seconds_sum{kind=\"read\"} 0.0015\n";
        assert_eq!(text.finish(), expected);
    }

    #[test]
    fn microseconds_are_seconds_without_rounding() {
        assert_eq!([0, 1, 100_000, 2_000_000, 10_000_001].map(seconds), ["0", "0.000001", "0.1", "2", "10.000001"]);
    }
}
