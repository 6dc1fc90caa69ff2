//! FHIRPath over what was answered, by the engine of this repository.

use carnet::definition::Registry;
use carnet::fhir::json::{Node, Tree};
use carnet::fhirpath::{Environment, Expression, Item};
use serde_json::Value;

/// The results of `expression` over `resource`, each as text.
///
/// # Errors
/// An expression that cannot be read or evaluated.
pub(crate) fn evaluate(resource: &Value, expression: &str) -> Result<Vec<String>, String> {
    let registry = Registry::shared().map_err(|error| error.to_string())?;
    let compiled = Expression::parse(expression).map_err(|error| format!("{expression}: {error}"))?;
    let source = resource.to_string();
    let tree = Tree::parse(source.as_bytes()).map_err(|error| format!("the resource cannot be read: {error}"))?;
    let environment = Environment::new(registry);
    let results = compiled
        .evaluate(Item::resource(registry, tree.root()), &environment)
        .map_err(|error| format!("{expression}: {error}"))?;
    Ok(results.iter().map(text).collect())
}

/// An item as a script compares it: strings without quotes, objects as JSON.
fn text(item: &Item<'_>) -> String {
    match item {
        Item::Value(value) => value.to_string(),
        Item::Element(element) => element.node().map(text_of_node).unwrap_or_default(),
    }
}

fn text_of_node(node: Node<'_>) -> String {
    node.string().map_or_else(|| node.raw().to_owned(), std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn results_are_texts() {
        let bundle = json!({"resourceType": "Bundle", "type": "searchset", "total": 2,
            "link": [{"relation": "next", "url": "http://a/next"}], "entry": [{"search": {"mode": "match"}}]});
        let texts = |expression: &str| evaluate(&bundle, expression);
        assert_eq!(texts("Bundle.link.where(relation = 'next').url"), Ok(vec![String::from("http://a/next")]));
        assert_eq!(texts("Bundle.total"), Ok(vec![String::from("2")]));
        assert_eq!(texts("Bundle.entry.where(search.mode = 'match').count() = 1"), Ok(vec![String::from("true")]));
        assert_eq!(texts("Bundle.entry.resource"), Ok(Vec::new()));
        assert_eq!(texts("'a' & 'b'"), Ok(vec![String::from("ab")]));
    }

    #[test]
    fn what_cannot_be_evaluated_is_an_error_and_not_an_empty_result() {
        for expression in ["Bundle.", "nothing(1)", "Bundle.entry.foo()", "('a' | 'b').single()"] {
            assert!(evaluate(&json!({"resourceType": "Bundle", "type": "batch"}), expression).is_err(), "{expression}");
        }
    }
}
