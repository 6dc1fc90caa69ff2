//! `carnet config check`: every setting in force, with its origin.

use super::output;
use crate::config::{Effective, Entry};

/// Prints `effective`, one aligned line a key.
pub(super) fn run(effective: &Effective) {
    for line in lines(&effective.entries) {
        output::say(line);
    }
}

fn lines(entries: &[Entry]) -> Vec<String> {
    let width = |of: fn(&Entry) -> &str| entries.iter().map(|entry| of(entry).chars().count()).max().unwrap_or(0);
    let (keys, values) = (width(|entry| entry.key), width(|entry| &entry.value));
    entries.iter().map(|entry| format!("{:keys$} = {:values$}  # {}", entry.key, entry.value, entry.origin)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_origins_stand_in_columns() {
        let entry = |key, value: &str, origin: &str| Entry { key, value: value.to_owned(), origin: origin.to_owned() };
        let shown = lines(&[entry("listen", "a:1", "default"), entry("log.level", "x", "flag --y")]);
        assert_eq!(shown, ["listen    = a:1  # default", "log.level = x    # flag --y"]);
    }
}
