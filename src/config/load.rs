//! Reading the sources: flags over environment over file over default, every fault told.

use std::fmt;
use std::path::{Path, PathBuf};

use figment::providers::{Format as _, Toml};
use figment::value::{Dict, Map, Num, Tag, Value};
use figment::{Figment, Metadata, Profile, Provider};

use super::{KEYS, Key, Settings};

/// The variable that names the file where no flag does.
const FILE_VARIABLE: &str = "CARNET_CONFIG";
const VARIABLE_PREFIX: &str = "CARNET_";
/// A name less similar than this is no help (0 to 1, Jaro-Winkler).
const LEAST_SIMILARITY: f64 = 0.7;

/// Where settings come from.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The file named on the command line.
    pub file: Option<PathBuf>,
    /// The environment of the process; only what begins with `CARNET_` is looked at.
    pub environment: Vec<(String, String)>,
    /// The flags that were given: the flag as written, the key it sets, the value.
    pub flags: Vec<(&'static str, &'static str, String)>,
}

/// The settings in force and where each comes from.
#[derive(Clone, Debug)]
pub struct Effective {
    /// The settings.
    pub settings: Settings,
    /// One entry a key, in the order of [`KEYS`].
    pub entries: Vec<Entry>,
}

/// One key in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub key: &'static str,
    /// Its value, secrets hidden.
    pub value: String,
    /// Where it comes from: `default`, `file PATH`, `environment CARNET_…` or `flag --…`.
    pub origin: String,
}

/// One thing that is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A file that cannot be read.
    #[error("{path}: {reason}")]
    File {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
    /// A name that is no key.
    #[error("{origin}: there is no {name}{hint}")]
    UnknownKey {
        /// Where it stands.
        origin: String,
        /// The name.
        name: String,
        /// The nearest name that is one, as the end of the sentence; empty where none is near.
        hint: String,
    },
    /// A value its key does not take.
    #[error("{origin}: {key} must be {valid}")]
    Value {
        /// Where it stands.
        origin: String,
        /// The key.
        key: &'static str,
        /// What it takes.
        valid: &'static str,
    },
}

/// Everything that is wrong with a configuration; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults(pub Vec<Fault>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            fault.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

/// Reads the settings from `sources`.
///
/// # Errors
/// Every fault of every source.
pub fn load(sources: &Sources) -> Result<Effective, Faults> {
    let mut faults = Vec::new();
    let mut figment = Figment::new();
    if let Some(path) = file_of(sources) {
        match read_file(&path) {
            Ok(layer) => figment = figment.merge(layer.without_unknown(&mut faults)),
            Err(fault) => faults.push(fault),
        }
    }
    for (variable, value) in sources.environment.iter().filter(|(name, _)| is_ours(name)) {
        figment = figment.merge(environment_layer(variable, value).without_unknown(&mut faults));
    }
    for (flag, key, value) in &sources.flags {
        figment = figment.merge(Layer::one(format!("flag {flag}"), key, value));
    }
    let effective = apply(&figment, &mut faults);
    if faults.is_empty() { Ok(effective) } else { Err(Faults(faults)) }
}

fn is_ours(variable: &str) -> bool {
    variable.starts_with(VARIABLE_PREFIX) && variable != FILE_VARIABLE
}

fn file_of(sources: &Sources) -> Option<PathBuf> {
    let named = || sources.environment.iter().find(|(name, _)| name == FILE_VARIABLE).map(|(_, path)| PathBuf::from(path));
    sources.file.clone().or_else(named)
}

/// One source as figment takes it: its name and its values.
struct Layer {
    origin: String,
    values: Vec<(String, Value)>,
}

impl Layer {
    fn one(origin: String, name: &str, value: &str) -> Self {
        Self { origin, values: vec![(name.to_owned(), Value::from(value))] }
    }

    fn without_unknown(mut self, faults: &mut Vec<Fault>) -> Self {
        let origin = &self.origin;
        self.values.retain(|(name, _)| {
            let known = KEYS.iter().any(|key| key.name == name);
            if !known {
                faults.push(unknown(origin, name));
            }
            known
        });
        self
    }
}

fn unknown(origin: &str, name: &str) -> Fault {
    if origin.starts_with("environment") {
        let names: Vec<String> = KEYS.iter().map(Key::variable).chain([FILE_VARIABLE.to_owned()]).collect();
        return Fault::UnknownKey { origin: "environment".to_owned(), name: name.to_owned(), hint: nearest(name, &names) };
    }
    let names: Vec<String> = KEYS.iter().map(|key| key.name.to_owned()).collect();
    Fault::UnknownKey { origin: origin.to_owned(), name: format!("key {name}"), hint: nearest(name, &names) }
}

fn nearest(name: &str, names: &[String]) -> String {
    let likeness = |candidate: &String| (strsim::jaro_winkler(name, candidate), candidate.clone());
    let best = names.iter().map(likeness).max_by(|a, b| a.0.total_cmp(&b.0));
    best.filter(|(similarity, _)| *similarity >= LEAST_SIMILARITY)
        .map_or_else(String::new, |(_, candidate)| format!("; did you mean {candidate}?"))
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.origin.clone())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        let mut dict = Dict::new();
        for (name, value) in &self.values {
            insert(&mut dict, name, value.clone());
        }
        Ok(Profile::Default.collect(dict))
    }
}

fn insert(dict: &mut Dict, name: &str, value: Value) {
    let Some((table, rest)) = name.split_once('.') else {
        dict.insert(name.to_owned(), value);
        return;
    };
    let inner = dict.entry(table.to_owned()).or_insert_with(|| Value::Dict(Tag::Default, Dict::new()));
    if let Value::Dict(_, inner) = inner {
        insert(inner, rest, value);
    }
}

fn read_file(path: &Path) -> Result<Layer, Fault> {
    let refused = |reason: String| Fault::File { path: path.display().to_string(), reason };
    let text = std::fs::read_to_string(path).map_err(|error| refused(error.to_string()))?;
    let data = Toml::string(&text).data().map_err(|error| refused(error.kind.to_string().trim().to_owned()))?;
    let mut values = Vec::new();
    for dict in data.into_values() {
        flatten("", dict, &mut values);
    }
    Ok(Layer { origin: format!("file {}", path.display()), values })
}

fn flatten(prefix: &str, dict: Dict, values: &mut Vec<(String, Value)>) {
    for (name, value) in dict {
        let name = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
        match value {
            Value::Dict(_, inner) => flatten(&name, inner, values),
            other => values.push((name, other)),
        }
    }
}

fn environment_layer(variable: &str, value: &str) -> Layer {
    let name = KEYS.iter().find(|key| key.variable() == variable).map_or(variable, |key| key.name);
    Layer::one(format!("environment {variable}"), name, value)
}

fn apply(figment: &Figment, faults: &mut Vec<Fault>) -> Effective {
    let mut settings = Settings::default();
    let mut origins = Vec::with_capacity(KEYS.len());
    for key in KEYS {
        let Ok(value) = figment.find_value(key.name) else {
            origins.push("default".to_owned());
            continue;
        };
        let origin = figment.get_metadata(value.tag()).map_or_else(String::new, |found| found.name.to_string());
        if !text_of(&value).is_some_and(|text| (key.set)(&mut settings, &text)) {
            faults.push(Fault::Value { origin: origin.clone(), key: key.name, valid: key.valid });
        }
        origins.push(origin);
    }
    let entry = |(key, origin): (&Key, String)| Entry { key: key.name, value: (key.show)(&settings), origin };
    let entries = KEYS.iter().zip(origins).map(entry).collect();
    Effective { settings, entries }
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(_, text) => Some(text.clone()),
        Value::Char(_, character) => Some(character.to_string()),
        Value::Bool(_, truth) => Some(truth.to_string()),
        Value::Num(_, number) => whole(*number),
        Value::Empty(..) | Value::Dict(..) | Value::Array(..) => None,
    }
}

fn whole(number: Num) -> Option<String> {
    number.to_i128().map(|number| number.to_string()).or_else(|| number.to_u128().map(|number| number.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SecurityMode;

    fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("carnet.toml");
        std::fs::write(&path, text).unwrap();
        (folder, path)
    }

    fn environment(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn flags_rule_over_the_environment_over_the_file_over_the_default() {
        let (_folder, path) = file("listen = \"127.0.0.1:1\"\nstore = \"sqlite:file\"\n[limits]\nbody_bytes = 2048\n");
        let sources = Sources {
            file: Some(path.clone()),
            environment: environment(&[("CARNET_LISTEN", "127.0.0.1:2"), ("CARNET_STORE", "sqlite:env"), ("PATH", "/bin")]),
            flags: vec![("--listen", "listen", "127.0.0.1:3".to_owned())],
        };
        let effective = load(&sources).unwrap();
        assert_eq!(effective.settings.listen.port(), 3);
        assert_eq!(effective.settings.store.to_string(), "sqlite:env");
        assert_eq!(effective.settings.limits.body_bytes, 2048);
        assert_eq!(effective.settings.limits.page_resources, 20);
        let origin = |key: &str| effective.entries.iter().find(|entry| entry.key == key).unwrap().origin.clone();
        assert_eq!(origin("listen"), "flag --listen");
        assert_eq!(origin("store"), "environment CARNET_STORE");
        assert_eq!(origin("limits.body_bytes"), format!("file {}", path.display()));
        assert_eq!(origin("time_zone"), "default");
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_nearest_valid_one() {
        let (_folder, path) = file("lisen = \"127.0.0.1:1\"\n[limits]\nbody_byte = 1\n[zzz]\nq = 1\n");
        let text = load(&Sources { file: Some(path), ..Sources::default() }).unwrap_err().to_string();
        assert!(text.contains("there is no key lisen; did you mean listen?"), "{text}");
        assert!(text.contains("there is no key limits.body_byte; did you mean limits.body_bytes?"), "{text}");
        assert!(text.lines().any(|line| line.ends_with("there is no key zzz.q")), "{text}");
    }

    #[test]
    fn an_unknown_variable_is_refused_with_the_nearest_valid_one() {
        let sources = Sources { environment: environment(&[("CARNET_LISTENN", "x")]), ..Sources::default() };
        let text = load(&sources).unwrap_err().to_string();
        assert_eq!(text, "environment: there is no CARNET_LISTENN; did you mean CARNET_LISTEN?");
    }

    #[test]
    fn a_variable_names_the_file_where_no_flag_does() {
        let (_folder, path) = file("[security]\nmode = \"enforced\"\n");
        let variable = environment(&[("CARNET_CONFIG", path.to_str().unwrap())]);
        let effective = load(&Sources { environment: variable, ..Sources::default() }).unwrap();
        assert_eq!(effective.settings.security.mode, SecurityMode::Enforced);
    }

    #[test]
    fn every_fault_is_told_at_once_with_its_place() {
        let (_folder, path) = file("listen = \"here\"\n[limits]\nbody_bytes = 1\nidle_seconds = \"soon\"\n");
        let faults = load(&Sources { file: Some(path.clone()), ..Sources::default() }).unwrap_err();
        assert_eq!(faults.0.len(), 3);
        let expected =
            format!("file {}: limits.body_bytes must be a whole number of bytes from 1024 to 1073741824", path.display());
        assert!(faults.to_string().contains(&expected), "{faults}");
    }

    #[test]
    fn a_file_that_is_not_there_or_not_toml_is_told() {
        let absent = load(&Sources { file: Some("/nowhere/carnet.toml".into()), ..Sources::default() }).unwrap_err();
        assert!(absent.to_string().starts_with("/nowhere/carnet.toml: "), "{absent}");
        let (_folder, path) = file("listen = ");
        assert!(matches!(load(&Sources { file: Some(path), ..Sources::default() }).unwrap_err().0[..], [Fault::File { .. }]));
    }

    #[test]
    fn every_key_takes_the_value_it_shows_and_refuses_nonsense() {
        for key in KEYS {
            let shown = key.default();
            let derived = matches!(key.name, "metrics_listen" | "base_url" | "audit.record" | "content.s3_access_key_id");
            assert!(derived || (key.set)(&mut Settings::default(), &shown), "{} = {shown}", key.name);
            let mut settings = Settings::default();
            assert!(!(key.set)(&mut settings, "no such thing"), "{}", key.name);
            assert_eq!(settings, Settings::default(), "{}", key.name);
        }
    }

    #[test]
    fn every_key_can_be_set_from_the_environment() {
        for key in KEYS {
            let value = match key.name {
                "metrics_listen" => "127.0.0.1:9090".to_owned(),
                "base_url" => "http://h/f".to_owned(),
                "audit.record" => "true".to_owned(),
                "content.s3_access_key_id" => "key".to_owned(),
                _ => key.default(),
            };
            let sources = Sources { environment: vec![(key.variable(), value)], ..Sources::default() };
            let effective = load(&sources).unwrap();
            let entry = effective.entries.iter().find(|entry| entry.key == key.name).unwrap();
            assert_eq!(entry.origin, format!("environment {}", key.variable()));
        }
    }
}
