//! Proves two folders of facts equal, or says where they are not.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::facts::identity;
use crate::{Fallible, say};

/// Files of facts as one folder and as another may cut them: the first list is read here, the second there.
const FILES: [(&[&str], &[&str]); 7] = [
    (&["types", "profiles"], &["structures"]),
    (&["invariants"], &["invariants"]),
    (&["operations"], &["operations"]),
    (&["compartments"], &["compartments"]),
    (&["code-systems"], &["code-systems"]),
    (&["value-sets"], &["value-sets"]),
    (&["search-parameters"], &["search-parameters"]),
];

/// Differences between the Maven artifact and the official package hl7.fhir.r4.core 4.0.1, with their reasons. A name that ends in
/// `*` stands for all that begin with it.
const DOCUMENTED: [(&str, &str); 20] = [
    ("http://hl7.org/fhir/StructureDefinition/Definition", "a pattern for authors of resources, no type"),
    ("http://hl7.org/fhir/StructureDefinition/Event", "a pattern for authors of resources, no type"),
    ("http://hl7.org/fhir/StructureDefinition/FiveWs", "a pattern for authors of resources, no type"),
    ("http://hl7.org/fhir/StructureDefinition/Request", "a pattern for authors of resources, no type"),
    ("inv-1", "one of its rules belongs to the pattern Event"),
    ("inv-2", "one of its rules belongs to the pattern Event"),
    ("http://hl7.org/fhir/StructureDefinition/structuredefinition-*", "annotations of the specification's own tooling"),
    ("http://hl7.org/fhir/StructureDefinition/example-*", "an example"),
    ("http://h7.org/fhir/OperationDefinition/example", "an example"),
    ("http://hl7.org/fhir/SearchParameter/example*", "an example"),
    ("http://hl7.org/fhir/SearchParameter/filter", "_filter has no expression"),
    ("http://hl7.org/fhir/SearchParameter/codesystem-extensions-*", "has no base and no expression"),
    ("http://hl7.org/fhir/SearchParameter/valueset-extensions-*", "has no base and no expression"),
    ("http://hl7.org/fhir/SearchParameter/patient-extensions-*", "has no expression, or that of an extension nobody defines"),
    ("http://hl7.org/fhir/SearchParameter/device-extensions-*", "its extension is not defined"),
    ("http://hl7.org/fhir/SearchParameter/questionnaireresponse-extensions-*", "calls a function that FHIRPath has not"),
    ("http://hl7.org/fhir/SearchParameter/observation-genetic-*", "its expression gives the extension, not the value"),
    ("http://hl7.org/fhir/SearchParameter/diagnosticreport-genetic-*", "its expression gives the extension, not the value"),
    ("http://terminology.hl7.org/CodeSystem/v2-0396", "a line break inside a display is a space in XML"),
    ("http://hl7.org/fhir/ValueSet/task-code", "the artifact names version 4.0.1 of the code system, the package 3.6.0"),
];

/// Why a difference is no surprise; `None` where it is one.
fn reason(key: &str) -> Option<&'static str> {
    let names = |pattern: &str| pattern.strip_suffix('*').map_or(pattern == key, |start| key.starts_with(start));
    DOCUMENTED.iter().find(|(pattern, _)| names(pattern)).map(|(_, reason)| *reason)
}

type Lines = BTreeMap<String, Value>;

/// Compares file by file; true where every difference is documented.
pub fn compare(core: &Path, with: &Path) -> Fallible<bool> {
    let mut surprises = 0;
    for (here, there) in FILES {
        let (here, there) = (read(core, here)?, read(with, there)?);
        let differences = differences(&here, &there);
        for (key, difference) in &differences {
            let reason = reason(key);
            surprises += usize::from(reason.is_none());
            say(&format!("{key}: {difference} ({})", reason.unwrap_or("NOT DOCUMENTED")));
        }
        let equal = here.keys().chain(there.keys()).collect::<BTreeSet<_>>().len() - differences.len();
        say(&format!("{equal} definitions are equal, {} are not", differences.len()));
    }
    say(&format!("{surprises} differences are not documented"));
    Ok(surprises == 0)
}

/// Each definition that is not the same in both, and how it differs.
fn differences<'l>(here: &'l Lines, there: &'l Lines) -> BTreeMap<&'l str, String> {
    let mut found = BTreeMap::new();
    for key in here.keys().chain(there.keys()) {
        match (here.get(key), there.get(key)) {
            (Some(one), Some(other)) if one == other => {}
            (Some(one), Some(other)) => {
                found.insert(key.as_str(), first_difference("", one, other));
            }
            (Some(_), None) => {
                found.insert(key, String::from("is here only"));
            }
            (None, _) => {
                found.insert(key, String::from("is there only"));
            }
        }
    }
    found
}

fn read(folder: &Path, names: &[&str]) -> Fallible<Lines> {
    let mut lines = Lines::new();
    for name in names.iter() {
        let file = folder.join(format!("{name}.ndjson"));
        let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        for line in text.lines() {
            let value: Value = serde_json::from_str(line)?;
            lines.insert(identity(&value).to_owned(), value);
        }
    }
    Ok(lines)
}

/// The place of the first difference and both values there.
fn first_difference(path: &str, here: &Value, there: &Value) -> String {
    if let (Some(one), Some(other)) = (here.as_object(), there.as_object()) {
        for key in one.keys().chain(other.keys()) {
            let (left, right) = (one.get(key).unwrap_or(&Value::Null), other.get(key).unwrap_or(&Value::Null));
            if left != right {
                return first_difference(&format!("{path}.{key}"), left, right);
            }
        }
    }
    if let (Some(one), Some(other)) = (here.as_array(), there.as_array())
        && one.len() == other.len()
        && let Some((index, (left, right))) = one.iter().zip(other).enumerate().find(|(_, (left, right))| left != right)
    {
        return first_difference(&format!("{path}[{index}]"), left, right);
    }
    format!("{path} is {here}, there {there}")
}
