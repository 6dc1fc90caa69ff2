//! The facts of StructureDefinition, OperationDefinition and CompartmentDefinition.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::xml::Element;

/// Constraint key → its variants, each a severity and an expression. Two keys of R4 mean different things in different places.
pub type Invariants = BTreeMap<String, BTreeSet<(String, String)>>;

/// The extension by which a primitive type says its pattern.
const REGEX: &str = "http://hl7.org/fhir/StructureDefinition/regex";

/// One StructureDefinition, from its snapshot.
pub fn structure(definition: &Element) -> Value {
    let elements: Vec<&Element> = definition.first("snapshot").into_iter().flat_map(|snapshot| snapshot.all("element")).collect();
    let mut facts = Map::new();
    for (name, source) in
        [("url", "url"), ("kind", "kind"), ("type", "type"), ("base", "baseDefinition"), ("derivation", "derivation")]
    {
        facts.insert(name.into(), json!(definition.text(source)));
    }
    facts.insert("abstract".into(), json!(definition.is_true("abstract")));
    let context: Vec<Value> =
        definition.all("context").map(|context| json!([context.text("type"), context.text("expression")])).collect();
    if !context.is_empty() {
        facts.insert("context".into(), context.into());
    }
    facts.insert("element".into(), elements.iter().map(|found| element(found)).collect());
    if let Some(regex) = elements.iter().find_map(|found| primitive_regex(found)) {
        facts.insert("regex".into(), regex.into());
    }
    facts.into()
}

fn primitive_regex(element: &Element) -> Option<&str> {
    let is_value = element.text("path")?.ends_with(".value");
    let kind = element.first("type").filter(|_| is_value)?;
    kind.all("extension").find(|extension| extension.url.as_deref() == Some(REGEX))?.text("valueString")
}

fn element(element: &Element) -> Value {
    let mut facts = Map::new();
    facts.insert("id".into(), json!(element.id));
    facts.insert("path".into(), json!(element.text("path")));
    facts.insert("min".into(), json!(element.text("min").and_then(|min| min.parse::<u32>().ok())));
    facts.insert("max".into(), json!(element.text("max")));
    for (name, source) in [("slice", "sliceName"), ("ref", "contentReference")] {
        if let Some(text) = element.text(source) {
            facts.insert(name.into(), text.into());
        }
    }
    if let Some(slicing) = element.first("slicing") {
        facts.insert("slicing".into(), self::slicing(slicing));
    }
    let types: Vec<Value> = element.all("type").map(element_type).collect();
    if !types.is_empty() {
        facts.insert("type".into(), types.into());
    }
    if let Some(binding) = element.first("binding").filter(|binding| binding.first("valueSet").is_some()) {
        facts.insert("binding".into(), json!([binding.text("strength"), binding.text("valueSet")]));
    }
    let keys: Vec<&str> = element.all("constraint").filter_map(|constraint| constraint.text("key")).collect();
    if !keys.is_empty() {
        facts.insert("constraint".into(), json!(keys));
    }
    for flag in ["isModifier", "isSummary", "mustSupport"] {
        if element.is_true(flag) {
            facts.insert(flag.into(), true.into());
        }
    }
    facts.extend(element.children.iter().filter_map(limit));
    facts.into()
}

/// `fixed[x]`, `pattern[x]`, `minValue[x]`, `maxValue[x]` and `maxLength`.
fn limit(child: &Element) -> Option<(String, Value)> {
    const STEMS: [&str; 5] = ["fixed", "pattern", "minValue", "maxValue", "maxLength"];
    let kind = STEMS.iter().find_map(|stem| child.name.strip_prefix(stem))?;
    let kind = if kind.is_empty() { "Integer" } else { kind };
    Some((child.name.clone(), value(child, kind)))
}

/// A value of the type called `kind` in FHIR's JSON form; the members of the few types that definitions fix.
fn value(element: &Element, kind: &str) -> Value {
    let text = element.value.as_deref();
    match kind {
        "CodeableConcept" => {
            let coding: Vec<Value> = element.all("coding").map(|coding| value(coding, "Coding")).collect();
            let mut facts = members(element, "Coding");
            facts.remove("coding");
            if !coding.is_empty() {
                facts.insert("coding".into(), coding.into());
            }
            facts.into()
        }
        "Quantity" | "Coding" => members(element, kind).into(),
        "Boolean" => json!(text == Some("true")),
        "Integer" | "Decimal" | "PositiveInt" | "UnsignedInt" => {
            text.and_then(|digits| serde_json::from_str(digits).ok()).unwrap_or(Value::Null)
        }
        _ => json!(text),
    }
}

fn members(element: &Element, of: &str) -> Map<String, Value> {
    let kind = |name: &str| match (of, name) {
        ("Quantity", "value") => "Decimal",
        (_, "userSelected") => "Boolean",
        _ => "String",
    };
    element.children.iter().map(|child| (child.name.clone(), value(child, kind(&child.name)))).collect()
}

fn slicing(slicing: &Element) -> Value {
    let mut facts = Map::new();
    let discriminators: Vec<Value> =
        slicing.all("discriminator").map(|by| json!({"type": by.text("type"), "path": by.text("path")})).collect();
    if !discriminators.is_empty() {
        facts.insert("discriminator".into(), discriminators.into());
    }
    facts.insert("rules".into(), json!(slicing.text("rules")));
    if let Some(word) = slicing.text("ordered") {
        facts.insert("ordered".into(), (word == "true").into());
    }
    facts.into()
}

fn element_type(kind: &Element) -> Value {
    let mut facts = Map::new();
    facts.insert("code".into(), json!(kind.text("code")));
    for name in ["profile", "targetProfile"] {
        let urls = kind.texts(name);
        if !urls.is_empty() {
            facts.insert(name.into(), json!(urls));
        }
    }
    facts.into()
}

/// Adds the invariants a StructureDefinition states.
pub fn collect_invariants(definition: &Element, invariants: &mut Invariants) {
    let elements = definition.first("snapshot").into_iter().flat_map(|snapshot| snapshot.all("element"));
    for constraint in elements.flat_map(|element| element.all("constraint")) {
        let (Some(key), Some(severity), Some(expression)) =
            (constraint.text("key"), constraint.text("severity"), constraint.text("expression"))
        else {
            continue;
        };
        invariants.entry(key.into()).or_default().insert((severity.into(), expression.into()));
    }
}

/// One OperationDefinition.
pub fn operation(definition: &Element) -> Value {
    let parameters: Vec<Value> = definition
        .all("parameter")
        .map(|parameter| {
            let min = parameter.text("min").and_then(|min| min.parse::<u32>().ok());
            json!([parameter.text("name"), parameter.text("use"), min, parameter.text("max"), parameter.text("type")])
        })
        .collect();
    json!({
        "url": definition.text("url"),
        "code": definition.text("code"),
        "resource": definition.texts("resource"),
        "system": definition.is_true("system"),
        "type": definition.is_true("type"),
        "instance": definition.is_true("instance"),
        "affectsState": definition.text("affectsState").map(|word| word == "true"),
        "parameter": parameters,
    })
}

/// One CompartmentDefinition: the types it holds and the parameters that link them.
pub fn compartment(definition: &Element) -> Value {
    let resources: Vec<Value> = definition
        .all("resource")
        .filter(|resource| resource.first("param").is_some())
        .map(|resource| json!([resource.text("code"), resource.texts("param")]))
        .collect();
    json!({"code": definition.text("code"), "resource": resources})
}
