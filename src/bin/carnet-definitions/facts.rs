//! The files of a folder of facts, and how they are made.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::source::{Artifact, SEARCH_PARAMETERS, STRUCTURES, TERMINOLOGIES};
use crate::structure::{self, Invariants};
use crate::xml::{self, Element};
use crate::{Fallible, say, terminology};

/// Everything taken from the artifact, by file.
#[derive(Default)]
struct Facts {
    types: Vec<Value>,
    profiles: Vec<Value>,
    invariants: Invariants,
    operations: Vec<Value>,
    compartments: Vec<Value>,
    code_systems: Vec<Value>,
    value_sets: Vec<Value>,
    search_parameters: Vec<Value>,
}

/// Reads the artifact and writes its facts.
pub fn generate(jar: &Path, out: &Path) -> Fallible<()> {
    let mut artifact = Artifact::open(jar)?;
    let mut facts = Facts::default();
    for entry in STRUCTURES.iter().chain(&TERMINOLOGIES) {
        xml::for_each_resource(&artifact.text(entry)?, |resource| facts.add(&resource))?;
    }
    let bundle: Value = serde_json::from_str(&artifact.text(SEARCH_PARAMETERS)?)?;
    let entries = bundle.get("entry").and_then(Value::as_array).ok_or("the search parameters are not a Bundle")?;
    facts.search_parameters =
        entries.iter().filter_map(|entry| entry.get("resource")).map(terminology::search_parameter).collect();
    facts.write(out)
}

impl Facts {
    fn add(&mut self, resource: &Element) {
        match resource.name.as_str() {
            "StructureDefinition" => {
                structure::collect_invariants(resource, &mut self.invariants);
                let is_profile = resource.text("derivation") == Some("constraint");
                let list = if is_profile { &mut self.profiles } else { &mut self.types };
                list.push(structure::structure(resource));
            }
            "OperationDefinition" => self.operations.push(structure::operation(resource)),
            "CompartmentDefinition" => self.compartments.push(structure::compartment(resource)),
            "CodeSystem" => self.code_systems.push(terminology::code_system(resource)),
            "ValueSet" => self.value_sets.push(terminology::value_set(resource)),
            _ => {}
        }
    }

    fn write(self, out: &Path) -> Fallible<()> {
        fs::create_dir_all(out)?;
        let invariants = self.invariants.into_iter().map(|(key, variants)| json!({"key": key, "variants": variants})).collect();
        for (name, lines) in [
            ("types", self.types),
            ("profiles", self.profiles),
            ("invariants", invariants),
            ("operations", self.operations),
            ("compartments", self.compartments),
            ("code-systems", self.code_systems),
            ("value-sets", self.value_sets),
            ("search-parameters", self.search_parameters),
        ] {
            write_lines(&out.join(format!("{name}.ndjson")), lines)?;
        }
        Ok(())
    }
}

fn write_lines(path: &Path, mut lines: Vec<Value>) -> Fallible<()> {
    lines.sort_by(|one, other| identity(one).cmp(identity(other)));
    let mut text = String::new();
    for line in &lines {
        write_line(&mut text, line)?;
    }
    fs::write(path, &text)?;
    let digest: String = openssl::sha::sha256(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    say(&format!("{digest}  {} ({} lines)", path.display(), lines.len()));
    Ok(())
}

/// Writes a line with its identity first, so that it can be found without being read.
fn write_line(text: &mut String, line: &Value) -> Fallible<()> {
    let facts = line.as_object().ok_or("a line is not an object")?;
    let first = IDENTITIES.iter().find_map(|name| facts.get_key_value(*name)).ok_or("a line without identity")?;
    let rest = facts.iter().filter(|(name, _)| *name != first.0);
    let members: Vec<String> = std::iter::once(first).chain(rest).map(|(name, value)| format!("\"{name}\":{value}")).collect();
    writeln!(text, "{{{}}}", members.join(","))?;
    Ok(())
}

/// The members that identify a line, the first that is there.
const IDENTITIES: [&str; 3] = ["url", "key", "code"];

/// What a line is known by: its canonical URL, an invariant's key, a compartment's code.
pub fn identity(line: &Value) -> &str {
    IDENTITIES.iter().find_map(|name| line.get(name)).and_then(Value::as_str).unwrap_or_default()
}
