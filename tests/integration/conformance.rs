//! The conformance scripts themselves: each can fail, each proves a claim, each claim is proved.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::support::liar;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance")
}

/// `area/name` of every script.
fn scripts() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for area in std::fs::read_dir(folder().join("scripts")).unwrap().map(Result::unwrap) {
        for script in std::fs::read_dir(area.path()).unwrap().map(Result::unwrap) {
            let name = script.file_name().to_string_lossy().trim_end_matches(".json").to_owned();
            found.insert(format!("{}/{name}", area.file_name().to_string_lossy()));
        }
    }
    found
}

/// Runs every script against the server at `base`; the reports by script.
pub(crate) fn run(base: &str) -> (Output, BTreeMap<String, Value>) {
    let reports = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_carnet-conformance"))
        .args(["--base-url", base, "--scripts"])
        .arg(folder().join("scripts"))
        .arg("--reports")
        .arg(reports.path())
        .output()
        .unwrap();
    let found = std::fs::read_dir(reports.path()).unwrap().map(|file| {
        let report: Value = serde_json::from_slice(&std::fs::read(file.unwrap().path()).unwrap()).unwrap();
        (report["testScript"]["display"].as_str().unwrap().to_owned(), report)
    });
    let found = found.collect();
    (output, found)
}

#[test]
fn no_script_passes_against_a_server_that_answers_200_to_everything() {
    let (output, reports) = run(&format!("http://{}", liar::start()));
    assert!(!output.status.success());
    assert_eq!(reports.keys().cloned().collect::<BTreeSet<_>>(), scripts());
    let passed: Vec<&String> =
        reports.iter().filter(|(_, report)| report["result"] != "fail").map(|(script, _)| script).collect();
    assert_eq!(passed, Vec::<&String>::new());
}

#[test]
fn the_runner_understands_every_script() {
    let (_, reports) = run(&format!("http://{}", liar::start()));
    let refused = reports.values().filter(|report| report["test"].is_null()).map(ToString::to_string);
    assert_eq!(refused.collect::<Vec<_>>(), Vec::<String>::new());
}

fn coverage() -> Vec<Value> {
    let text = std::fs::read_to_string(folder().join("coverage.json")).unwrap();
    serde_json::from_str::<Value>(&text).unwrap()["claims"].as_array().unwrap().clone()
}

fn texts(value: &Value) -> BTreeSet<String> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_script_proves_a_claim_and_every_claim_has_a_script_and_a_clause() {
    let claimed: BTreeSet<String> = coverage().iter().flat_map(|claim| texts(&claim["scripts"])).collect();
    assert_eq!(claimed, scripts());
    for claim in coverage() {
        assert!(!texts(&claim["scripts"]).is_empty() && !texts(&claim["clauses"]).is_empty(), "{claim}");
    }
}

#[test]
fn every_fixture_is_used_and_every_script_is_called_as_its_file() {
    let mut used = BTreeSet::new();
    for script in scripts() {
        let file = folder().join("scripts").join(format!("{script}.json"));
        let json: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        let name = script.split_once('/').unwrap().1;
        assert_eq!(json["id"], *name, "{script}");
        assert!(json["url"].as_str().unwrap().ends_with(&format!("/{name}")), "{script}");
        let fixtures = json["fixture"].as_array().cloned().unwrap_or_default();
        used.extend(fixtures.iter().map(|fixture| fixture["resource"]["reference"].as_str().unwrap().to_owned()));
    }
    let there = std::fs::read_dir(folder().join("fixtures")).unwrap();
    let there = there.map(|file| format!("../../fixtures/{}", file.unwrap().file_name().to_string_lossy()));
    assert_eq!(used, there.collect());
}
