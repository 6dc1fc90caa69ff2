//! The parameters asked of each type: how they are compared, and where their values are.

use serde_json::Value;

use super::compared::at;
use super::world::CODES;

/// How the values of a parameter are compared.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// Codings, concepts, identifiers.
    Token,
    /// What has no system: codes, booleans, contact points.
    Code(&'static [&'static str]),
    /// Codes in the hierarchy of encounters.
    Class,
    /// Codes of a value set.
    Category,
    Text,
    /// Text each of whose words may begin a match.
    Name,
    Date,
    Number,
    Quantity,
    Uri,
    ContentType,
    Reference(&'static [&'static str]),
    /// Code and quantity, repetition by repetition.
    CodeAndQuantity,
    /// Code and target, repetition by repetition.
    Relationship,
}

/// The code of a parameter, how it is compared, and where its values are.
pub(super) type Parameter = (&'static str, Kind, &'static [&'static str]);

pub(super) const TAG: Parameter = ("_tag", Kind::Token, &["meta.tag"]);

pub(super) fn parameters(kind: &str) -> &'static [Parameter] {
    match kind {
        "Patient" => &[
            ("active", Kind::Code(&["true", "false"]), &["active"]),
            ("family", Kind::Name, &["name.family"]),
            ("given", Kind::Text, &["name.given"]),
            ("birthdate", Kind::Date, &["birthDate"]),
            ("gender", Kind::Code(&["male", "female"]), &["gender"]),
            ("identifier", Kind::Token, &["identifier"]),
            ("telecom", Kind::Code(CODES), &["telecom.value"]),
            ("organization", Kind::Reference(&["Organization"]), &["managingOrganization"]),
        ],
        "Observation" => &[
            ("status", Kind::Code(&["final", "amended"]), &["status"]),
            ("code", Kind::Token, &["code"]),
            ("combo-code", Kind::Token, &["code", "component.code"]),
            ("category", Kind::Category, &["category"]),
            ("subject", Kind::Reference(&["Patient"]), &["subject"]),
            ("patient", Kind::Reference(&["Patient"]), &["subject"]),
            ("encounter", Kind::Reference(&["Encounter"]), &["encounter"]),
            ("date", Kind::Date, &["effectiveDateTime", "effectivePeriod", "effectiveInstant"]),
            ("value-quantity", Kind::Quantity, &["valueQuantity"]),
            ("component-value-quantity", Kind::Quantity, &["component.valueQuantity"]),
            ("combo-value-quantity", Kind::Quantity, &["valueQuantity", "component.valueQuantity"]),
            ("code-value-quantity", Kind::CodeAndQuantity, &[""]),
            ("component-code-value-quantity", Kind::CodeAndQuantity, &["component"]),
            ("combo-code-value-quantity", Kind::CodeAndQuantity, &["", "component"]),
        ],
        "Encounter" => &[
            ("class", Kind::Class, &["class"]),
            ("subject", Kind::Reference(&["Patient"]), &["subject"]),
            ("patient", Kind::Reference(&["Patient"]), &["subject"]),
            ("date", Kind::Date, &["period"]),
            ("service-provider", Kind::Reference(&["Organization"]), &["serviceProvider"]),
        ],
        "DocumentReference" => &[
            ("status", Kind::Code(&["current", "superseded"]), &["status"]),
            ("type", Kind::Token, &["type"]),
            ("patient", Kind::Reference(&["Patient"]), &["subject"]),
            ("author", Kind::Reference(&["Organization"]), &["author"]),
            ("relatesto", Kind::Reference(&["DocumentReference"]), &["relatesTo.target"]),
            ("relationship", Kind::Relationship, &["relatesTo"]),
            ("date", Kind::Date, &["date"]),
            ("description", Kind::Text, &["description"]),
            ("contenttype", Kind::ContentType, &["content.attachment.contentType"]),
        ],
        "List" => &[
            ("code", Kind::Token, &["code"]),
            ("title", Kind::Text, &["title"]),
            ("item", Kind::Reference(&["Patient", "Observation"]), &["entry.item"]),
        ],
        "Organization" => &[
            ("active", Kind::Code(&["true", "false"]), &["active"]),
            ("partof", Kind::Reference(&["Organization"]), &["partOf"]),
        ],
        "RiskAssessment" => &[
            ("probability", Kind::Number, &["prediction.probabilityDecimal"]),
            ("patient", Kind::Reference(&["Patient"]), &["subject"]),
        ],
        "ValueSet" => &[("url", Kind::Uri, &["url"]), ("status", Kind::Code(&["draft", "active"]), &["status"])],
        other => panic!("{other}"),
    }
}

/// The parameters of a type that point, and at what.
pub(super) fn references(kind: &str) -> Vec<(Parameter, &'static [&'static str])> {
    let reference = |parameter: &Parameter| match parameter.1 {
        Kind::Reference(targets) => Some((*parameter, targets)),
        _ => None,
    };
    parameters(kind).iter().filter_map(reference).collect()
}

/// The values of a parameter.
pub(super) fn values<'v>(resource: &'v Value, paths: &[&str]) -> Vec<&'v Value> {
    paths.iter().flat_map(|path| if path.is_empty() { vec![resource] } else { at(resource, path) }).collect()
}
