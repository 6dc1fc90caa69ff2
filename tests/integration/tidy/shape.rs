//! Sizes, names and the word every module owes its reader.

use super::source::{tokens, without_literals, without_tests};
use super::{Finding, files, hold};

/// The most lines a file may have, its tests not counted.
const FILE_LINES: usize = 600;

/// Names that say nothing about what a module is for.
const EMPTY_NAMES: &[&str] = &["util", "utils", "common", "helper", "helpers", "manager", "misc"];

/// Endings of type names that say nothing about what a type is.
const EMPTY_ENDINGS: &[&str] = &["Manager", "Helper", "Helpers", "Util", "Utils"];

/// Where hand-written source stands.
const SOURCES: &[&str] = &["src", "conformance/runner", "tests", "benches"];

fn sources() -> Vec<(String, String)> {
    SOURCES.iter().filter(|folder| super::root().join(folder).exists()).flat_map(|folder| files(folder, ".rs")).collect()
}

/// How many lines stand outside test modules.
fn lines_without_tests(text: &str) -> usize {
    let total = text.lines().count();
    let blanked = without_literals(text);
    let kept = without_tests(&blanked);
    let inside = blanked.lines().zip(kept.lines()).filter(|(all, kept)| !all.trim().is_empty() && kept.trim().is_empty());
    total - inside.count()
}

fn too_long(path: &str, text: &str) -> Option<Finding> {
    let lines = lines_without_tests(text);
    let is_test = path.ends_with("/tests.rs");
    (lines > FILE_LINES && !is_test).then(|| format!("{path}: {lines} lines, at most {FILE_LINES}"))
}

fn without_purpose(path: &str, text: &str) -> Option<Finding> {
    let is_test = path.ends_with("/tests.rs") || path.contains("/tests/");
    let says_why = text.lines().find(|line| !line.trim().is_empty()).is_some_and(|line| line.starts_with("//! "));
    (!says_why && !is_test).then(|| format!("{path}: does not open with //! and why it exists"))
}

fn empty_names(path: &str, text: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    if path.split(['/', '.']).any(|part| EMPTY_NAMES.contains(&part)) {
        found.push(format!("{path}: the name does not say what it is for"));
    }
    let text = without_literals(text);
    for pair in tokens(&text).windows(2) {
        let (keyword, name) = (pair[0].text, pair[1].text);
        let is_empty = match keyword {
            "mod" => EMPTY_NAMES.contains(&name),
            "struct" | "enum" | "trait" | "type" => EMPTY_ENDINGS.iter().any(|ending| name.ends_with(ending)),
            _ => false,
        };
        if is_empty {
            found.push(format!("{path}:{}: the name {name} does not say what it is for", pair[1].line));
        }
    }
    found
}

#[test]
fn no_file_is_longer_than_one_can_read_at_once() {
    hold(sources().iter().filter_map(|(path, text)| too_long(path, text)).collect());
}

#[test]
fn every_module_says_why_it_exists() {
    hold(sources().iter().filter_map(|(path, text)| without_purpose(path, text)).collect());
}

#[test]
fn every_name_says_what_it_is_for() {
    hold(sources().iter().flat_map(|(path, text)| empty_names(path, text)).collect());
}

#[test]
fn a_long_file_is_found_and_its_tests_are_not_counted() {
    let long = "fn a() {}\n".repeat(FILE_LINES + 1);
    assert!(too_long("src/a.rs", &long).is_some());
    let tests = format!("fn a() {{}}\n#[cfg(test)]\nmod tests {{\n{long}}}\n");
    assert_eq!(too_long("src/a.rs", &tests), None);
    assert_eq!(too_long("src/a.rs", &"// a remark\n".repeat(FILE_LINES)), None);
    assert!(too_long("src/a.rs", &"// a remark\n".repeat(FILE_LINES + 1)).is_some());
}

#[test]
fn a_module_without_its_purpose_is_found() {
    assert!(without_purpose("src/a.rs", "use std::fmt;\n//! Late.").is_some());
    assert!(without_purpose("src/a.rs", "//!\n").is_some());
    assert_eq!(without_purpose("src/a.rs", "//! Why.\nuse std::fmt;"), None);
}

#[test]
fn an_empty_name_is_found() {
    assert_eq!(empty_names("src/util.rs", "").len(), 1);
    assert_eq!(empty_names("src/helpers/date.rs", "").len(), 1);
    assert_eq!(empty_names("src/a.rs", "pub mod common;\nstruct VersionManager;\n// mod util;").len(), 2);
    assert_eq!(empty_names("src/a.rs", "mod commonly;\nlet manager = 1;"), Vec::<Finding>::new());
}
