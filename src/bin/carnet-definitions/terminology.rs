//! The facts of CodeSystem, ValueSet and SearchParameter.

use serde_json::{Map, Value, json};

use crate::xml::Element;

/// One CodeSystem: codes with their displays, nested as the standard nests them.
pub fn code_system(definition: &Element) -> Value {
    json!({
        "url": definition.text("url"),
        "content": definition.text("content"),
        "caseSensitive": definition.text("caseSensitive").map(|word| word == "true"),
        "concept": definition.all("concept").map(concept).collect::<Vec<_>>(),
    })
}

fn concept(concept: &Element) -> Value {
    let below: Vec<Value> = concept.all("concept").map(self::concept).collect();
    let (code, display) = (concept.text("code"), concept.text("display"));
    if below.is_empty() { json!([code, display]) } else { json!([code, display, below]) }
}

/// One ValueSet: what it includes and excludes.
pub fn value_set(definition: &Element) -> Value {
    let compose = definition.first("compose");
    let part = |name: &str| -> Vec<Value> {
        compose.into_iter().flat_map(|compose| compose.children.iter().filter(|c| c.name == name)).map(component).collect()
    };
    json!({"url": definition.text("url"), "include": part("include"), "exclude": part("exclude")})
}

fn component(component: &Element) -> Value {
    let mut facts = Map::new();
    for name in ["system", "version"] {
        if let Some(text) = component.text(name) {
            facts.insert(name.into(), text.into());
        }
    }
    let codes: Vec<&str> = component.all("concept").filter_map(|concept| concept.text("code")).collect();
    let filters: Vec<Value> =
        component.all("filter").map(|filter| json!([filter.text("property"), filter.text("op"), filter.text("value")])).collect();
    let sets = component.texts("valueSet");
    if !codes.is_empty() {
        facts.insert("code".into(), json!(codes));
    }
    if !filters.is_empty() {
        facts.insert("filter".into(), filters.into());
    }
    if !sets.is_empty() {
        facts.insert("valueSet".into(), json!(sets));
    }
    facts.into()
}

/// One SearchParameter, which the artifact gives as JSON.
pub fn search_parameter(definition: &Value) -> Value {
    let mut facts = Map::new();
    for name in ["url", "code", "base", "type", "expression", "target", "comparator", "multipleOr", "modifier", "chain"] {
        if let Some(value) = definition.get(name) {
            facts.insert(name.into(), value.clone());
        }
    }
    if let Some(components) = definition.get("component").and_then(Value::as_array) {
        let components: Vec<Value> =
            components.iter().map(|component| json!([component["definition"], component["expression"]])).collect();
        facts.insert("component".into(), components.into());
    }
    facts.into()
}
