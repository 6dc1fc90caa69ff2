//! Parts of a resource: `_summary` and `_elements` (R4 search.html §summary, §elements). What is kept is copied as it rests, so
//! that decimals keep their digits; what was left out is told by the tag `SUBSETTED`.

use super::body;
use crate::definition::{Element, Registry, Structure};
use crate::fhir::ResourceType;
use crate::fhir::json::{JsonKind, Node};
use crate::fhirpath::model::TypeId;
use crate::outcome::{Failure, Kind, Outcome};
use crate::search::query::{ResultParameters, Summary};
use crate::store::{Hole, Text};

/// `http://terminology.hl7.org/CodeSystem/v3-ObservationValue`: this is not all there is.
const SUBSETTED: &str = "{\"system\":\"http://terminology.hl7.org/CodeSystem/v3-ObservationValue\",\"code\":\"SUBSETTED\"}";
const SUBSETTED_CODE: &str = "SUBSETTED";

/// Which part of a resource is answered.
#[derive(Clone, Copy, Debug)]
pub(super) enum Subset<'a> {
    /// `_summary=true`: the elements that the standard marks, at every depth.
    Summary,
    /// `_summary=text`: the narrative, and what must be there.
    Narrative,
    /// `_summary=data`: all but the narrative.
    Data,
    /// `_elements`: these, and what must be there or changes the meaning.
    Elements(&'a [Box<str>]),
}

impl<'a> Subset<'a> {
    /// The part that is asked for; `None`: all of it.
    pub(super) fn of(asked: &'a ResultParameters) -> Option<Self> {
        match asked.summary {
            Summary::True => Some(Self::Summary),
            Summary::Text => Some(Self::Narrative),
            Summary::Data => Some(Self::Data),
            Summary::False | Summary::Count if !asked.elements.is_empty() => Some(Self::Elements(&asked.elements)),
            Summary::False | Summary::Count => None,
        }
    }

    /// The part that a read asks for; there is nothing to be counted.
    ///
    /// # Errors
    /// 400 for `_summary=count`.
    pub(super) fn of_read(asked: &'a ResultParameters) -> Outcome<Option<Self>> {
        match asked.summary {
            Summary::Count => Err(Failure::new(Kind::InvalidParameter, "a search is counted, a read is not").at("http._summary")),
            Summary::True | Summary::Text | Summary::Data | Summary::False => Ok(Self::of(asked)),
        }
    }

    /// That part of `text`, a resource of type `kind`.
    ///
    /// # Errors
    /// A stored resource that cannot be read: a bug.
    pub(super) fn taken(self, registry: &Registry, kind: ResourceType, text: &Text) -> Outcome<Text> {
        let tree = body::parse(text.json())?;
        let mut cutting = Cutting { registry, text, json: Vec::with_capacity(text.json().len()), holes: Vec::new() };
        let structure = registry.structure(registry.resource(kind));
        cutting.json.push(b'{');
        for member in tree.root().children() {
            match (member.raw_key(), self.kept(structure, member)) {
                ("\"meta\"", _) => cutting.meta(member),
                (_, Kept::Nothing) => {}
                (_, Kept::Whole) => cutting.member(member, None),
                (_, Kept::SummaryOf(type_id)) => cutting.member(member, Some(type_id)),
            }
        }
        cutting.json.push(b'}');
        Ok(Text::with_holes(cutting.json, cutting.holes))
    }

    fn kept(self, structure: &Structure, member: Node<'_>) -> Kept {
        let key = member.key().unwrap_or_default();
        if matches!(&*key, "resourceType" | "id" | "meta") {
            return Kept::Whole;
        }
        let Some(found) = structure.property(key.strip_prefix('_').unwrap_or(&key)) else { return Kept::Nothing };
        let is_kept = match self {
            Self::Summary => return summary(found.element, found.type_id),
            Self::Narrative => found.element.name == "text" || found.element.min > 0,
            Self::Data => found.element.name != "text",
            Self::Elements(names) => {
                let is_named = names.iter().any(|name| **name == *found.element.name || **name == *key);
                is_named || found.element.min > 0 || found.element.is_modifier
            }
        };
        if is_kept { Kept::Whole } else { Kept::Nothing }
    }
}

/// What is kept of a member.
enum Kept {
    Nothing,
    Whole,
    /// The summary of a value of this type.
    SummaryOf(TypeId),
}

/// What changes the meaning of the rest belongs to every summary.
fn summary(element: &Element, type_id: TypeId) -> Kept {
    if element.is_summary || element.is_modifier { Kept::SummaryOf(type_id) } else { Kept::Nothing }
}

/// A part in the making.
struct Cutting<'a> {
    registry: &'a Registry,
    text: &'a Text,
    json: Vec<u8>,
    holes: Vec<Hole>,
}

impl Cutting<'_> {
    /// The member, or the summary of its value.
    fn member(&mut self, member: Node<'_>, summary_of: Option<TypeId>) {
        let begun = self.json.len();
        self.separate();
        self.json.extend_from_slice(member.raw_key().as_bytes());
        self.json.push(b':');
        match summary_of {
            Some(type_id) if !self.summarised(member, type_id) => self.json.truncate(begun),
            Some(_) => {}
            None => self.copy(member),
        }
    }

    /// A comma after whatever was written in the same object or array.
    fn separate(&mut self) {
        if !matches!(self.json.last(), Some(b'{' | b'[') | None) {
            self.json.push(b',');
        }
    }

    /// The summary of a value; false where nothing of it belongs to one.
    fn summarised(&mut self, value: Node<'_>, type_id: TypeId) -> bool {
        match value.kind() {
            JsonKind::Array => {
                let begun = self.json.len();
                self.json.push(b'[');
                for item in value.children() {
                    let before = self.json.len();
                    self.separate();
                    if !self.summarised(item, type_id) {
                        self.json.truncate(before);
                    }
                }
                let is_empty = self.json.len() == begun + 1;
                self.json.push(b']');
                !is_empty
            }
            JsonKind::Object => self.summarised_object(value, type_id),
            JsonKind::String | JsonKind::Number | JsonKind::Boolean | JsonKind::Null => {
                self.copy(value);
                true
            }
        }
    }

    /// What stands beside a primitive, and a resource inside another one, is kept whole.
    fn summarised_object(&mut self, object: Node<'_>, type_id: TypeId) -> bool {
        let structure = self.registry.structure(type_id);
        if structure.primitive().is_some() || object.member("resourceType").is_some() {
            self.copy(object);
            return true;
        }
        let begun = self.json.len();
        self.json.push(b'{');
        for member in object.children() {
            let key = member.key().unwrap_or_default();
            let Some(found) = structure.property(key.strip_prefix('_').unwrap_or(&key)) else { continue };
            if let Kept::SummaryOf(type_id) = summary(found.element, found.type_id) {
                self.member(member, Some(type_id));
            }
        }
        let is_empty = self.json.len() == begun + 1;
        self.json.push(b'}');
        !is_empty
    }

    fn copy(&mut self, node: Node<'_>) {
        let piece = self.text.piece(node.span());
        self.holes.extend(piece.holes_from(self.json.len()));
        self.json.extend_from_slice(piece.json());
    }

    /// All that is said of the resource, and that it is not whole.
    fn meta(&mut self, meta: Node<'_>) {
        self.separate();
        self.json.extend_from_slice(b"\"meta\":{");
        let (tags, others): (Vec<_>, Vec<_>) = meta.children().partition(|member| member.is_named("tag"));
        others.into_iter().for_each(|member| self.member(member, None));
        self.separate();
        self.json.extend_from_slice(b"\"tag\":[");
        let is_subsetted = |tag: &Node<'_>| tag.member("code").and_then(Node::string).is_some_and(|code| code == SUBSETTED_CODE);
        for tag in tags.iter().flat_map(|tags| tags.items()).filter(|tag| !is_subsetted(tag)) {
            self.separate();
            self.copy(tag);
        }
        self.separate();
        self.json.extend_from_slice(SUBSETTED.as_bytes());
        self.json.extend_from_slice(b"]}");
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::{Value, json};

    use super::*;

    fn subset(asked: ResultParameters, resource: &Value) -> Value {
        let registry = Registry::shared().unwrap();
        let text = Text::from(Bytes::from(resource.to_string()));
        let kind = resource["resourceType"].as_str().unwrap().parse().unwrap();
        let taken = Subset::of(&asked).unwrap().taken(registry, kind, &text).unwrap();
        let mut taken: Value = serde_json::from_slice(taken.json()).unwrap();
        let tags = taken["meta"].as_object_mut().unwrap().remove("tag").unwrap();
        let code = &tags.as_array().unwrap().last().unwrap()["code"];
        assert_eq!(code, "SUBSETTED");
        taken
    }

    fn summary(summary: Summary, resource: &Value) -> Value {
        let mut asked = ResultParameters::default();
        asked.summary = summary;
        subset(asked, resource)
    }

    fn elements(names: &[&str], resource: &Value) -> Value {
        let mut asked = ResultParameters::default();
        asked.elements = names.iter().map(|name| Box::from(*name)).collect();
        subset(asked, resource)
    }

    fn observation() -> Value {
        json!({"resourceType": "Observation", "id": "o", "meta": {"versionId": "1", "tag": [{"code": "a"}]},
            "text": {"status": "generated", "div": "<div/>"}, "status": "final", "_status": {"id": "x"},
            "code": {"coding": [{"system": "s", "code": "c", "extension": [{"url": "u", "valueString": "x"}]}], "text": "t"},
            "valueQuantity": {"value": 1.50, "unit": "g"}, "note": [{"text": "n"}], "interpretation": [{"text": "high"}],
            "component": [{"code": {"text": "k"}, "interpretation": [{"text": "low"}]}]})
    }

    #[test]
    fn a_summary_holds_what_the_standard_marks_at_every_depth() {
        let taken = summary(Summary::True, &observation());
        let expected = json!({"resourceType": "Observation", "id": "o", "meta": {"versionId": "1"}, "status": "final",
            "_status": {"id": "x"}, "code": {"coding": [{"system": "s", "code": "c"}], "text": "t"},
            "valueQuantity": {"value": 1.50, "unit": "g"}, "component": [{"code": {"text": "k"}}]});
        assert_eq!(taken, expected);
    }

    #[test]
    fn the_narrative_comes_with_what_must_be_there_and_the_data_without_it() {
        let taken = summary(Summary::Text, &observation());
        let mut members: Vec<&String> = taken.as_object().unwrap().keys().collect();
        members.sort();
        assert_eq!(members, ["_status", "code", "id", "meta", "resourceType", "status", "text"]);
        let data = summary(Summary::Data, &observation());
        assert_eq!((data.get("text"), &data["note"]), (None, &json!([{"text": "n"}])));
    }

    #[test]
    fn elements_come_with_what_must_be_there_or_changes_the_meaning() {
        let taken = elements(&["note", "value"], &observation());
        let mut members: Vec<&String> = taken.as_object().unwrap().keys().collect();
        members.sort();
        assert_eq!(members, ["_status", "code", "id", "meta", "note", "resourceType", "status", "valueQuantity"]);
        let patient = json!({"resourceType": "Patient", "id": "p", "meta": {"versionId": "1"}, "active": true, "gender": "male", "birthDate": "1980",
            "modifierExtension": [{"url": "u", "valueCode": "x"}]});
        let mut taken = elements(&["gender"], &patient);
        assert_eq!(taken.as_object_mut().unwrap().remove("birthDate"), None);
        assert_eq!(taken["active"], json!(true), "a modifier");
        assert!(taken.get("modifierExtension").is_some() && taken.get("gender").is_some());
    }
}
