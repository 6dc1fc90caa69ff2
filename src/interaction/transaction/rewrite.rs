//! Where a resource names entries of its Bundle, and what stands there once they have their ids (B-07): references, and every
//! element of type `uri`, `url`, `oid` and `uuid`; links and images of the narrative. Not `canonical`, and not a string that
//! merely looks the same, such as the value of an identifier.

use std::collections::HashMap;

use super::assignment::Assignment;
use super::conditional::{Meant, References};
use super::links::{Identities, Link};
use crate::definition::Registry;
use crate::fhir::json::{JsonKind, Node, push_string};
use crate::fhir::{Reference, ResourceType};
use crate::fhirpath::model::{Model as _, TypeId};

/// The attributes of a narrative that name something.
const ATTRIBUTES: [&str; 2] = ["href=\"", "src=\""];

/// One place in a resource that names entries.
#[derive(Clone, Debug)]
pub(super) enum Site {
    /// The value is a URL that means an entry.
    Url(Link),
    /// The value is a narrative.
    Narrative,
    /// The value is a conditional reference.
    Sought(Box<str>),
}

/// The places of one resource, by the index of their node.
pub(super) type Sites = HashMap<u32, Site>;

/// Finds the places of resources within one entry.
pub(super) struct Search<'a> {
    pub(super) registry: &'a Registry,
    pub(super) identities: &'a Identities<'a>,
    /// The position of the entry.
    pub(super) within: usize,
    pub(super) base_url: &'a str,
}

impl Search<'_> {
    /// The places of the resource `root`, which is of type `kind`.
    pub(super) fn sites(&self, root: Node<'_>, kind: ResourceType) -> Sites {
        let mut sites = Sites::new();
        self.object(root, self.registry.resource(kind), &mut sites);
        sites
    }

    fn object(&self, node: Node<'_>, of: TypeId, sites: &mut Sites) {
        for member in node.children() {
            let Some(name) = member.key() else { continue };
            let type_id = match name.strip_prefix('_') {
                Some(_) => self.registry.type_named("Element"),
                None => self.registry.property(of, &name).map(|property| property.type_id),
            };
            let Some(type_id) = type_id else { continue };
            let is_reference = name == "reference" && self.registry.type_name(of) == "Reference";
            for item in member.items() {
                match item.kind() {
                    JsonKind::Object => self.object(item, self.own_type(item, type_id), sites),
                    JsonKind::String => self.text(item, (type_id, is_reference), sites),
                    JsonKind::Array | JsonKind::Number | JsonKind::Boolean | JsonKind::Null => {}
                }
            }
        }
    }

    /// A contained resource says its type itself.
    fn own_type(&self, node: Node<'_>, declared: TypeId) -> TypeId {
        let named = node.member("resourceType").and_then(Node::string).and_then(|name| name.parse().ok());
        named.map_or(declared, |kind| self.registry.resource(kind))
    }

    fn text(&self, node: Node<'_>, (type_id, is_reference): (TypeId, bool), sites: &mut Sites) {
        let Some(text) = node.string() else { return };
        if is_reference && matches!(Reference::read(&text, self.base_url), Reference::Conditional { .. }) {
            sites.insert(node.index(), Site::Sought(text.into()));
            return;
        }
        match self.registry.type_name(type_id) {
            "uri" | "url" | "oid" | "uuid" => {}
            "xhtml" if !self.identities.is_empty() => {
                sites.insert(node.index(), Site::Narrative);
                return;
            }
            _ if is_reference => {}
            _ => return,
        }
        if let Some(link) = self.identities.find(&text, self.within) {
            sites.insert(node.index(), Site::Url(link));
        }
    }
}

/// The JSON that stands at `node` once the entries are `assigned` and it is known what `references` mean; `None`: what stands
/// there already.
pub(super) fn replacement(
    node: Node<'_>,
    sites: &Sites,
    (assigned, references): (&[Option<Assignment>], &References),
    (identities, within): (&Identities<'_>, usize),
) -> Option<String> {
    let text = match sites.get(&node.index())? {
        Site::Url(link) => assigned_url(*link, assigned)?,
        Site::Sought(text) => match references.get(text)? {
            Meant::Entry(entry) => assigned_url(Link { entry: *entry, is_versioned: false }, assigned)?,
            Meant::Instance(kind, id) => format!("{kind}/{id}"),
        },
        Site::Narrative => narrative(&node.string()?, |url| assigned_url(identities.find(url, within)?, assigned))?,
    };
    let mut json = Vec::with_capacity(text.len() + 2);
    push_string(&text, &mut json);
    String::from_utf8(json).ok()
}

fn assigned_url(link: Link, assigned: &[Option<Assignment>]) -> Option<String> {
    let assignment = assigned.get(link.entry)?.as_ref()?;
    Some(assignment.url(link.is_versioned))
}

/// The narrative with its links and images renamed; `None` where none is.
fn narrative(div: &str, rename: impl Fn(&str) -> Option<String>) -> Option<String> {
    let (mut out, mut rest, mut is_changed) = (String::with_capacity(div.len()), div, false);
    while let Some(start) = next_value(rest) {
        let (before, from) = rest.split_at(start);
        let (url, after) = from.split_at(from.find('"').unwrap_or(from.len()));
        out.push_str(before);
        match rename(url) {
            Some(renamed) => {
                is_changed = true;
                out.push_str(&renamed);
            }
            None => out.push_str(url),
        }
        rest = after;
    }
    out.push_str(rest);
    is_changed.then_some(out)
}

/// Where the value of the next attribute begins that names something.
fn next_value(text: &str) -> Option<usize> {
    ATTRIBUTES.iter().filter_map(|attribute| text.find(attribute).map(|at| at + attribute.len())).min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fhir::json::Tree;

    /// The places that mean `urn:uuid:1`, each by its FHIRPath.
    fn places(kind: ResourceType, json: &str) -> Vec<String> {
        let identities = Identities::single("urn:uuid:1");
        let registry = Registry::shared().unwrap();
        let search = Search { registry, identities: &identities, within: 0, base_url: "http://h/fhir" };
        let tree = Tree::parse(json.as_bytes()).unwrap();
        let sites = search.sites(tree.root(), kind);
        let mut places = Vec::new();
        let mut rest = vec![tree.root()];
        while let Some(node) = rest.pop() {
            if sites.contains_key(&node.index()) {
                places.push(node.expression());
            }
            rest.extend(node.children());
        }
        places.sort();
        places
    }

    #[test]
    fn references_and_urls_are_found_wherever_they_stand_and_look_alikes_are_not() {
        let json = r#"{"resourceType":"Patient","id":"p","implicitRules":"urn:uuid:1","meta":{"profile":["urn:uuid:1"]},
            "contained":[{"resourceType":"Observation","subject":{"reference":"urn:uuid:1"},"instantiatesCanonical":"urn:uuid:1"}],
            "identifier":[{"system":"urn:uuid:1","value":"urn:uuid:1"}],
            "extension":[{"url":"http://e","valueReference":{"reference":"urn:uuid:1","display":"urn:uuid:1"}}],
            "_birthDate":{"extension":[{"url":"http://e","valueUrl":"urn:uuid:1"},{"url":"http://e","valueString":"urn:uuid:1"}]},
            "photo":[{"url":"urn:uuid:1"},{"url":"urn:uuid:2"}]}"#;
        let expected = [
            "Patient.birthDate.extension[0].valueUrl",
            "Patient.contained[0].subject.reference",
            "Patient.extension[0].valueReference.reference",
            "Patient.identifier[0].system",
            "Patient.implicitRules",
            "Patient.photo[0].url",
        ];
        assert_eq!(places(ResourceType::Patient, json), expected);
    }

    #[test]
    fn a_conditional_reference_is_found_where_a_reference_stands_and_nowhere_else() {
        let json = r#"{"resourceType":"Patient","managingOrganization":{"reference":"Organization?identifier=1"},
            "implicitRules":"Organization?identifier=1"}"#;
        assert_eq!(places(ResourceType::Patient, json), ["Patient.managingOrganization.reference"]);
    }

    #[test]
    fn a_reference_becomes_the_new_url_and_keeps_its_version() {
        let assigned = [Some(Assignment {
            kind: ResourceType::Binary,
            id: "b".parse().unwrap(),
            version: crate::fhir::VersionId(3),
            key: None,
        })];
        let url = |is_versioned| assigned_url(Link { entry: 0, is_versioned }, &assigned);
        assert_eq!(url(false).as_deref(), Some("Binary/b"));
        assert_eq!(url(true).as_deref(), Some("Binary/b/_history/3"));
        assert_eq!(assigned_url(Link { entry: 1, is_versioned: false }, &assigned), None);
    }

    #[test]
    fn links_and_images_of_a_narrative_are_renamed_and_nothing_else_is() {
        let rename = |url: &str| url.strip_prefix("urn:uuid:").map(|id| format!("Binary/{id}"));
        let div = r#"<div><a href="urn:uuid:1">urn:uuid:1</a><img src="urn:uuid:2" alt=""/><a href="http://h">h</a></div>"#;
        let expected = r#"<div><a href="Binary/1">urn:uuid:1</a><img src="Binary/2" alt=""/><a href="http://h">h</a></div>"#;
        assert_eq!(narrative(div, rename).as_deref(), Some(expected));
        assert_eq!(narrative("<div>urn:uuid:1</div>", rename), None);
    }
}
