//! The bytes of a version: what they say of themselves is what the database says of them.

use bytes::Bytes;

use crate::fhir::json::{Node, Tree};
use crate::fhir::{Instant, Part, ResourceType};
use crate::store::Text;
use crate::store::change::Method;
use crate::store::compression::expanded;

/// What the database says of a version.
pub(super) struct Stated<'a> {
    pub(super) kind: i16,
    pub(super) id: &'a str,
    pub(super) version: i64,
    pub(super) updated: i64,
    pub(super) method: i16,
}

/// The body of a version that rests as `bytes`; what cannot be expanded is judged as it is.
pub(super) fn body(bytes: Option<Vec<u8>>) -> Option<Bytes> {
    let bytes = Bytes::from(bytes?);
    Some(expanded(&bytes).unwrap_or(bytes))
}

/// The JSON of a version of the dossier `part` with this body, its contents left out; what is none is judged as it is.
pub(super) fn json(body: Option<&Bytes>, part: i64) -> Option<Bytes> {
    body.map(|body| Text::at_rest(body, Part(part)).map_or_else(|_| body.clone(), |text| text.json().clone()))
}

/// What is wrong with a version whose body is `body`; its tree where it can be read.
pub(super) fn read<'b>(stated: &Stated<'_>, body: Option<&'b [u8]>) -> (Option<Tree<'b>>, Vec<String>) {
    let mut wrong = Vec::new();
    let Some(method) = Method::from_code(stated.method) else {
        return (None, vec![format!("{} is no method", stated.method)]);
    };
    if (method == Method::Delete) == body.is_some() {
        wrong.push(String::from("a version has a body unless it is a deletion"));
    }
    let Some(body) = body else { return (None, wrong) };
    match Tree::parse(body) {
        Ok(tree) => {
            wrong.extend(disagreements(stated, tree.root()));
            (Some(tree), wrong)
        }
        Err(error) => {
            wrong.push(format!("the body is no JSON of a resource: {}", error.reason));
            (None, wrong)
        }
    }
}

fn disagreements(stated: &Stated<'_>, root: Node<'_>) -> Vec<String> {
    let text = |of: Option<Node<'_>>, name: &str| of?.member(name)?.string().map(|text| text.into_owned());
    let meta = root.member("meta");
    let kind = ResourceType::from_code(stated.kind).map(|kind| kind.name().to_owned());
    let table = [
        ("resourceType", text(Some(root), "resourceType"), kind),
        ("id", text(Some(root), "id"), Some(stated.id.to_owned())),
        ("meta.versionId", text(meta, "versionId"), Some(stated.version.to_string())),
        ("meta.lastUpdated", text(meta, "lastUpdated"), Some(Instant::from_micros(stated.updated).to_string())),
    ];
    let wrong = table.into_iter().filter(|(_, said, stated)| said != stated);
    wrong.map(|(name, ..)| format!("{name} in the body is not that of the version")).collect()
}
