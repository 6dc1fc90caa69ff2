//! The conformance scripts themselves: each can fail, each proves a claim, each claim is proved.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::support::liar;
use crate::support::people::Stranger;
use crate::support::server::Server;

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
        // The server is on this machine, whatever proxy whoever runs the tests may have.
        .envs([("NO_PROXY", "127.0.0.1"), ("no_proxy", "127.0.0.1")])
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

#[test]
fn every_script_passes_against_this_server() {
    let server = Server::start();
    let (output, _) = run(&server.base_url);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn every_script_passes_twice_on_the_same_store() {
    let server = Server::start();
    run(&server.base_url);
    let (output, _) = run(&server.base_url);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

/// What a CapabilityStatement says the server does, in the words of `coverage.json`.
fn claims_of(statement: &Value) -> BTreeSet<String> {
    let rest = &statement["rest"][0];
    let codes = |value: &Value, of: &str| -> Vec<String> {
        let items = value.as_array().cloned().unwrap_or_default();
        items.iter().map(|item| format!("{of}:{}", item["code"].as_str().or(item["type"].as_str()).unwrap())).collect()
    };
    let mut claims: BTreeSet<String> = codes(&rest["interaction"], "system").into_iter().collect();
    if rest["compartment"].is_array() {
        claims.insert("compartment".to_owned());
    }
    for format in statement["patchFormat"].as_array().into_iter().flatten() {
        claims.insert(format!("patchFormat:{}", format.as_str().unwrap()));
    }
    for format in statement["format"].as_array().unwrap() {
        claims.insert(format!("format:{}", if format.as_str().unwrap().contains("json") { "json" } else { "xml" }));
    }
    for resource in rest["resource"].as_array().unwrap() {
        claims.extend(codes(&resource["interaction"], "interaction"));
        claims.extend(codes(&resource["searchParam"], "searchParam"));
        for list in ["searchInclude", "searchRevInclude"] {
            if resource[list].is_array() {
                claims.insert(list.to_owned());
            }
        }
        claims.insert(format!("versioning:{}", resource["versioning"].as_str().unwrap()));
        for flag in ["updateCreate", "conditionalCreate", "conditionalUpdate", "readHistory"] {
            if resource[flag] == true {
                claims.insert(flag.to_owned());
            }
        }
        for degree in ["conditionalRead", "conditionalDelete"] {
            if resource[degree].as_str().is_some_and(|degree| degree != "not-supported") {
                claims.insert(degree.to_owned());
            }
        }
        for operation in resource["operation"].as_array().into_iter().flatten() {
            claims.insert(format!("operation:{}", operation["name"].as_str().unwrap()));
        }
    }
    claims
}

#[tokio::test]
async fn every_claim_of_the_capability_statement_has_a_script() {
    let server = Server::start();
    let statement = Stranger::of(&server).get("metadata").await.expect(200).json();
    let claimed = claims_of(&statement);
    assert!(claimed.contains("interaction:read") && claimed.contains("searchParam:token"), "{claimed:?}");
    let covered: BTreeSet<String> = coverage().iter().map(|claim| claim["claim"].as_str().unwrap().to_owned()).collect();
    assert_eq!(claimed.difference(&covered).collect::<Vec<_>>(), Vec::<&String>::new());
}

#[tokio::test]
async fn scripts_and_reports_are_themselves_fhir_that_this_server_takes() {
    let server = Server::start();
    let stranger = Stranger::of(&server);
    for script in scripts() {
        let file = folder().join("scripts").join(format!("{script}.json"));
        let json: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        stranger.put(&format!("TestScript/{}", json["id"].as_str().unwrap()), &json).await.expect(201);
    }
    let (_, reports) = run(&format!("http://{}", liar::start()));
    for report in reports.values() {
        stranger.post("TestReport", report).await.expect(201);
    }
}
