//! The lints that hold the rest stay as strict as they are.

use super::{Finding, files, hold, root};

/// Lints that `Cargo.toml` must keep at `warn`, `deny` or `forbid` (the build turns warnings into errors).
const KEPT: &[&str] = &[
    "missing_docs",
    "unwrap_used",
    "expect_used",
    "indexing_slicing",
    "panic",
    "todo",
    "unimplemented",
    "dbg_macro",
    "print_stdout",
    "print_stderr",
    "too_many_lines",
    "disallowed_methods",
];

/// The thresholds of `clippy.toml` and how high they may be.
const THRESHOLDS: &[(&str, u32)] = &[("too-many-arguments-threshold", 5), ("too-many-lines-threshold", 70)];

/// Lints that no attribute in `src` may switch off, tests apart: a panic reached by a request is an outage.
const NEVER_ALLOWED: &[&str] = &["unwrap_used", "expect_used", "indexing_slicing", "clippy::panic", "unsafe_code"];

fn level<'m>(manifest: &'m str, lint: &str) -> Option<&'m str> {
    manifest.lines().find_map(|line| {
        let (name, level) = line.split_once('=')?;
        (name.trim() == lint).then(|| level.trim().trim_matches('"'))
    })
}

fn loosened(manifest: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    if level(manifest, "unsafe_code") != Some("forbid") {
        found.push(String::from("Cargo.toml: unsafe_code is no longer forbidden"));
    }
    let is_kept = |lint: &str| matches!(level(manifest, lint), Some("warn" | "deny" | "forbid"));
    found.extend(KEPT.iter().filter(|lint| !is_kept(lint)).map(|lint| format!("Cargo.toml: the lint {lint} is off")));
    found
}

fn raised(configuration: &str) -> Vec<Finding> {
    let holds = |name: &str, most: u32| {
        level(configuration, name).and_then(|value| value.parse().ok()).is_some_and(|value: u32| value <= most)
    };
    let broken = THRESHOLDS.iter().filter(|(name, most)| !holds(name, *most));
    broken.map(|(name, most)| format!("clippy.toml: {name} is not set to {most} or less")).collect()
}

/// Attributes that switch off what must stay on, and attributes that give no reason.
fn switched_off(path: &str, text: &str) -> Vec<Finding> {
    let text = super::source::without_tests(text);
    let mut found = Vec::new();
    for (start, _) in text.match_indices("#[").chain(text.match_indices("#![")) {
        let attribute = &text[start..start + text[start..].find(']').unwrap_or(0)];
        let body = attribute.trim_start_matches(['#', '!', '[']);
        if !(body.starts_with("allow(") || body.starts_with("expect(")) {
            continue;
        }
        let line = text[..start].lines().count() + usize::from(text[..start].ends_with('\n'));
        if NEVER_ALLOWED.iter().any(|lint| body.contains(lint)) {
            found.push(format!("{path}:{line}: switches off a lint that must stay on: {body}"));
        } else if !body.contains("reason") {
            found.push(format!("{path}:{line}: switches off a lint without a reason: {body}"));
        }
    }
    found
}

#[test]
fn the_lints_are_not_loosened() {
    hold(loosened(&std::fs::read_to_string(root().join("Cargo.toml")).unwrap()));
    hold(raised(&std::fs::read_to_string(root().join("clippy.toml")).unwrap()));
}

#[test]
fn no_attribute_switches_off_what_keeps_the_server_up() {
    let is_test = |path: &str| path.ends_with("/tests.rs") || path.contains("/tests/");
    let sources = files("src", ".rs");
    hold(sources.iter().filter(|(path, _)| !is_test(path)).flat_map(|(path, text)| switched_off(path, text)).collect());
}

#[test]
fn a_loosened_lint_is_found() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert_eq!(loosened(&manifest.replace("unsafe_code = \"forbid\"", "unsafe_code = \"deny\"")).len(), 1);
    for lint in KEPT {
        let line = format!("{lint} = \"warn\"");
        assert_eq!(loosened(&manifest.replace(&line, &format!("{lint} = \"allow\""))).len(), 1, "{lint}");
        assert_eq!(loosened(&manifest.replace(&line, "")).len(), 1, "{lint}");
    }
    assert_eq!(raised("too-many-arguments-threshold = 6\ntoo-many-lines-threshold = 70").len(), 1);
    assert_eq!(raised("").len(), 2);
}

#[test]
fn an_attribute_that_switches_off_a_lint_is_found() {
    let wrong = "fn a() {}\n#[allow(clippy::unwrap_used, reason = \"hurry\")]\nfn b() {}\n#[allow(dead_code)]\nfn c() {}";
    let found = switched_off("src/a.rs", wrong);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("src/a.rs:2:"), "{found:?}");
    assert_eq!(
        switched_off("src/a.rs", "#[expect(clippy::too_many_lines, reason = \"a table\")]\nfn b() {}"),
        Vec::<Finding>::new()
    );
}
