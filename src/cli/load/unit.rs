//! What one text becomes: the request that stores it.

use crate::fhir::json::{Node, Tree};

/// What a file or a line asks of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unit {
    /// Where it came from: a file, or a file and a line.
    pub(super) source: String,
    /// How it is sent.
    pub(super) request: Request,
    /// Whether it answers with a Bundle of answers.
    pub(super) is_bundle: bool,
}

/// A request, relative to the service base URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) struct Request {
    /// Whether it is a `PUT`; a `POST` otherwise.
    pub(in crate::cli) put: bool,
    /// The path below the base URL; empty for a Bundle.
    pub(in crate::cli) path: String,
    /// The body.
    pub(in crate::cli) body: Vec<u8>,
}

/// Reads `text` and says what is to be sent.
///
/// # Errors
/// In a sentence, why it is nothing that can be sent.
pub(super) fn unit(source: String, text: Vec<u8>) -> Result<Unit, String> {
    let (is_bundle, put, path, rewritten) = {
        let tree = Tree::parse(&text).map_err(|error| error.to_string())?;
        let root = tree.root();
        let kind = member_text(root, "resourceType").ok_or("there is no resourceType")?;
        if kind == "Bundle" {
            let as_is = matches!(member_text(root, "type").as_deref(), Some("transaction" | "batch"));
            let rewritten = if as_is { None } else { Some(transaction(root)?) };
            (true, false, String::new(), rewritten)
        } else {
            let (put, path) = address(root, kind);
            (false, put, path, None)
        }
    };
    Ok(Unit { source, is_bundle, request: Request { put, path, body: rewritten.unwrap_or(text) } })
}

fn member_text(node: Node<'_>, name: &str) -> Option<String> {
    node.member(name)?.string().map(std::borrow::Cow::into_owned)
}

/// Where a resource goes: to its id by `PUT` where it has one.
fn address(resource: Node<'_>, kind: String) -> (bool, String) {
    match member_text(resource, "id") {
        Some(id) => (true, format!("{kind}/{id}")),
        None => (false, kind),
    }
}

/// The entries of a Bundle that is no request, as a transaction.
fn transaction(bundle: Node<'_>) -> Result<Vec<u8>, String> {
    let entries = bundle.member("entry").map(|entry| entry.items().filter_map(transaction_entry).collect::<Vec<_>>());
    let entries = entries.filter(|entries| !entries.is_empty()).ok_or("the Bundle has no entry with a resource")?;
    Ok(format!(r#"{{"resourceType":"Bundle","type":"transaction","entry":[{}]}}"#, entries.join(",")).into_bytes())
}

fn transaction_entry(entry: Node<'_>) -> Option<String> {
    let resource = entry.member("resource")?;
    let kind = member_text(resource, "resourceType").filter(|kind| kind != "OperationOutcome")?;
    let full_url = entry.member("fullUrl").map_or_else(String::new, |url| format!(r#""fullUrl":{},"#, url.raw()));
    let (put, path) = address(resource, kind);
    let method = if put { "PUT" } else { "POST" };
    let url = serde_json::Value::String(path);
    Some(format!(r#"{{{full_url}"resource":{},"request":{{"method":"{method}","url":{url}}}}}"#, resource.raw()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Unit, String> {
        unit("here".to_owned(), text.as_bytes().to_vec())
    }

    #[test]
    fn a_resource_with_an_id_is_put_there_and_one_without_is_posted() {
        let put = of(r#"{"resourceType":"Patient","id":"p1"}"#).unwrap();
        assert_eq!((put.request.put, put.request.path.as_str(), put.is_bundle), (true, "Patient/p1", false));
        let post = of(r#"{"resourceType":"Patient","active":true}"#).unwrap();
        assert_eq!((post.request.put, post.request.path.as_str()), (false, "Patient"));
    }

    #[test]
    fn a_transaction_is_sent_byte_for_byte() {
        let text = r#"{ "resourceType":"Bundle", "type":"transaction", "entry":[{"resource":{"resourceType":"Basic"}}] }"#;
        let unit = of(text).unwrap();
        assert_eq!((unit.request.body.as_slice(), unit.request.path.as_str(), unit.is_bundle), (text.as_bytes(), "", true));
    }

    #[test]
    fn a_collection_becomes_a_transaction_that_keeps_every_digit() {
        let text = r#"{"resourceType":"Bundle","type":"collection","entry":[
            {"fullUrl":"urn:uuid:1","resource":{"resourceType":"Basic","x":1.10}},
            {"resource":{"resourceType":"Patient","id":"p1"}},
            {"resource":{"resourceType":"OperationOutcome"}}, {"fullUrl":"urn:uuid:2"}]}"#;
        let body = String::from_utf8(of(text).unwrap().request.body).unwrap();
        assert_eq!(
            body,
            concat!(
                r#"{"resourceType":"Bundle","type":"transaction","entry":["#,
                r#"{"fullUrl":"urn:uuid:1","resource":{"resourceType":"Basic","x":1.10},"request":{"method":"POST","url":"Basic"}},"#,
                r#"{"resource":{"resourceType":"Patient","id":"p1"},"request":{"method":"PUT","url":"Patient/p1"}}]}"#
            )
        );
    }

    #[test]
    fn what_cannot_be_sent_says_why() {
        assert!(of("{").unwrap_err().contains("line 1"));
        assert_eq!(of(r#"{"a":1}"#).unwrap_err(), "there is no resourceType");
        assert!(of(r#"{"resourceType":"Bundle","type":"collection"}"#).is_err());
    }
}
