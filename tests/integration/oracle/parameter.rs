//! The parameters asked of each type: how they are compared, and where their values are.

use serde_json::Value;

use super::compared::{at, text};
use super::vocabulary::{CODES, UNITS};

/// How the values of a parameter are compared.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// Codings, concepts, identifiers.
    Token,
    /// What has no system: codes, booleans, contact points.
    Code(&'static [&'static str]),
    /// Whether somebody has died.
    Deceased,
    /// Codes in the hierarchy of encounters.
    Class,
    /// Codes of a value set.
    Category,
    /// Plain text, and the parts of names and addresses.
    Text,
    /// Family names, each of whose words may begin a match, by themselves or in a name.
    Name,
    Date,
    Number,
    /// In one of these units.
    Quantity(&'static [&'static str]),
    Money,
    Uri,
    /// A URL that may have a version.
    Canonical,
    ContentType,
    Reference(&'static [&'static str]),
    /// A subject, where it is a patient.
    Patient,
    Position,
    /// Code and quantity, repetition by repetition.
    CodeAndQuantity,
    /// Code and text, of a whole resource.
    CodeAndText,
    /// Code and target, repetition by repetition.
    Relationship,
    /// Chromosome, first and last place; the chromosome stands in the repetition.
    Window,
    /// The same, the chromosome of the whole resource.
    Variant,
}

/// The code of a parameter, how it is compared, and where its values are.
pub(super) type Parameter = (&'static str, Kind, &'static [&'static str]);

/// The parameters that every type has, but for those that need more than values.
pub(super) const COMMON: &[Parameter] = &[
    ("_tag", Kind::Token, &["meta.tag"]),
    ("_security", Kind::Token, &["meta.security"]),
    ("_source", Kind::Uri, &["meta.source"]),
    ("_profile", Kind::Canonical, &["meta.profile"]),
    ("_lastUpdated", Kind::Date, &["meta.lastUpdated"]),
];

const AGES: &[&str] = &["a"];
const SUBJECT: Parameter = ("patient", Kind::Patient, &["subject"]);
const ENCOUNTER: Parameter = ("encounter", Kind::Reference(&["Encounter"]), &["encounter"]);
const PERFORMER: Parameter = ("performer", Kind::Reference(&["Patient", "Organization"]), &["performer"]);

pub(super) fn parameters(kind: &str) -> &'static [Parameter] {
    match kind {
        "Patient" => PATIENT,
        "Observation" => OBSERVATION,
        "Encounter" => &[
            ("class", Kind::Class, &["class"]),
            ("subject", Kind::Reference(&["Patient"]), &["subject"]),
            SUBJECT,
            ("date", Kind::Date, &["period"]),
            ("service-provider", Kind::Reference(&["Organization"]), &["serviceProvider"]),
        ],
        "DocumentReference" => DOCUMENT,
        "List" => &[
            ("code", Kind::Token, &["code"]),
            ("title", Kind::Text, &["title"]),
            ("item", Kind::Reference(&["Patient", "Observation"]), &["entry.item"]),
            ("date", Kind::Date, &["date"]),
            SUBJECT,
        ],
        "Organization" => &[
            ("active", Kind::Code(&["true", "false"]), &["active"]),
            ("name", Kind::Text, &["name", "alias"]),
            ("partof", Kind::Reference(&["Organization"]), &["partOf"]),
        ],
        "RiskAssessment" => &[("probability", Kind::Number, &["prediction.probabilityDecimal"]), SUBJECT],
        "ValueSet" => &[
            ("url", Kind::Uri, &["url"]),
            ("status", Kind::Code(&["draft", "active"]), &["status"]),
            ("version", Kind::Code(CODES), &["version"]),
        ],
        "Location" => &[
            ("name", Kind::Text, &["name", "alias"]),
            ("address", Kind::Text, &["address"]),
            ("address-city", Kind::Text, &["address.city"]),
            ("status", Kind::Code(&["active", "inactive"]), &["status"]),
            ("near", Kind::Position, &["position"]),
            ("partof", Kind::Reference(&["Location"]), &["partOf"]),
            ("organization", Kind::Reference(&["Organization"]), &["managingOrganization"]),
        ],
        "ServiceRequest" => REQUEST,
        "Condition" => CONDITION,
        "Invoice" => &[
            ("status", Kind::Code(&["issued", "draft"]), &["status"]),
            ("totalgross", Kind::Money, &["totalGross"]),
            ("subject", Kind::Reference(&["Patient"]), &["subject"]),
            SUBJECT,
            ("recipient", Kind::Reference(&["Patient", "Organization"]), &["recipient"]),
        ],
        "MolecularSequence" => &[
            ("patient", Kind::Reference(&["Patient"]), &["patient"]),
            ("chromosome", Kind::Token, &["referenceSeq.chromosome"]),
            ("window-start", Kind::Number, &["referenceSeq.windowStart"]),
            ("variant-end", Kind::Number, &["variant.end"]),
            ("chromosome-window-coordinate", Kind::Window, &["referenceSeq"]),
            ("chromosome-variant-coordinate", Kind::Variant, &[""]),
        ],
        other => panic!("{other}"),
    }
}

const PATIENT: &[Parameter] = &[
    ("active", Kind::Code(&["true", "false"]), &["active"]),
    ("family", Kind::Name, &["name.family"]),
    ("name", Kind::Name, &["name"]),
    ("given", Kind::Text, &["name.given"]),
    ("birthdate", Kind::Date, &["birthDate"]),
    ("death-date", Kind::Date, &["deceasedDateTime"]),
    ("deceased", Kind::Deceased, &[""]),
    ("gender", Kind::Code(&["male", "female"]), &["gender"]),
    ("identifier", Kind::Token, &["identifier"]),
    ("telecom", Kind::Code(CODES), &["telecom.value"]),
    ("phone", Kind::Code(CODES), &["telecom[phone].value"]),
    ("email", Kind::Code(CODES), &["telecom[email].value"]),
    ("address", Kind::Text, &["address"]),
    ("address-city", Kind::Text, &["address.city"]),
    ("address-use", Kind::Code(&["home", "work"]), &["address.use"]),
    ("organization", Kind::Reference(&["Organization"]), &["managingOrganization"]),
    ("link", Kind::Reference(&["Patient"]), &["link.other"]),
];

const OBSERVATION: &[Parameter] = &[
    ("status", Kind::Code(&["final", "amended"]), &["status"]),
    ("code", Kind::Token, &["code"]),
    ("combo-code", Kind::Token, &["code", "component.code"]),
    ("category", Kind::Category, &["category"]),
    ("subject", Kind::Reference(&["Patient", "Location"]), &["subject"]),
    SUBJECT,
    PERFORMER,
    ("has-member", Kind::Reference(&["Observation"]), &["hasMember"]),
    ENCOUNTER,
    ("date", Kind::Date, &["effectiveDateTime", "effectivePeriod", "effectiveInstant", "effectiveTiming"]),
    ("value-date", Kind::Date, &["valueDateTime"]),
    ("value-string", Kind::Text, &["valueString", "valueCodeableConcept.text"]),
    ("value-concept", Kind::Token, &["valueCodeableConcept"]),
    ("value-quantity", Kind::Quantity(UNITS), &["valueQuantity"]),
    ("component-value-quantity", Kind::Quantity(UNITS), &["component.valueQuantity"]),
    ("combo-value-quantity", Kind::Quantity(UNITS), &["valueQuantity", "component.valueQuantity"]),
    ("code-value-quantity", Kind::CodeAndQuantity, &[""]),
    ("code-value-string", Kind::CodeAndText, &[""]),
    ("component-code-value-quantity", Kind::CodeAndQuantity, &["component"]),
    ("combo-code-value-quantity", Kind::CodeAndQuantity, &["", "component"]),
];

const DOCUMENT: &[Parameter] = &[
    ("status", Kind::Code(&["current", "superseded"]), &["status"]),
    ("type", Kind::Token, &["type"]),
    SUBJECT,
    ("author", Kind::Reference(&["Organization"]), &["author"]),
    ("relatesto", Kind::Reference(&["DocumentReference"]), &["relatesTo.target"]),
    ("relationship", Kind::Relationship, &["relatesTo"]),
    ("date", Kind::Date, &["date"]),
    ("period", Kind::Date, &["context.period"]),
    ("encounter", Kind::Reference(&["Encounter"]), &["context.encounter"]),
    ("description", Kind::Text, &["description"]),
    ("contenttype", Kind::ContentType, &["content.attachment.contentType"]),
];

const REQUEST: &[Parameter] = &[
    ("intent", Kind::Code(&["order", "plan"]), &["intent"]),
    ("code", Kind::Token, &["code"]),
    ("subject", Kind::Reference(&["Patient"]), &["subject"]),
    SUBJECT,
    PERFORMER,
    ("replaces", Kind::Reference(&["ServiceRequest"]), &["replaces"]),
    ("requisition", Kind::Token, &["requisition"]),
    ("authored", Kind::Date, &["authoredOn"]),
    ("occurrence", Kind::Date, &["occurrenceDateTime", "occurrencePeriod", "occurrenceTiming"]),
    ("instantiates-uri", Kind::Uri, &["instantiatesUri"]),
    ("instantiates-canonical", Kind::Canonical, &["instantiatesCanonical"]),
];

const CONDITION: &[Parameter] = &[
    ("code", Kind::Token, &["code"]),
    ("subject", Kind::Reference(&["Patient"]), &["subject"]),
    SUBJECT,
    ENCOUNTER,
    ("asserter", Kind::Reference(&["Patient"]), &["asserter"]),
    ("evidence", Kind::Token, &["evidence.code"]),
    ("evidence-detail", Kind::Reference(&["Observation"]), &["evidence.detail"]),
    ("onset-age", Kind::Quantity(AGES), &["onsetAge", "onsetRange"]),
    ("onset-date", Kind::Date, &["onsetDateTime", "onsetPeriod"]),
    ("onset-info", Kind::Text, &["onsetString"]),
    ("recorded-date", Kind::Date, &["recordedDate"]),
];

/// The parameters of a type that point, and at what.
pub(super) fn references(kind: &str) -> Vec<(Parameter, &'static [&'static str])> {
    let reference = |parameter: &Parameter| match parameter.1 {
        Kind::Reference(targets) => Some((*parameter, targets)),
        Kind::Patient => Some((*parameter, &["Patient"] as &[_])),
        _ => None,
    };
    parameters(kind).iter().filter_map(reference).collect()
}

/// The values of a parameter.
pub(super) fn values<'v>(resource: &'v Value, (_, kind, paths): &Parameter) -> Vec<&'v Value> {
    let found = paths.iter().flat_map(|path| match path.split_once('[') {
        _ if path.is_empty() => vec![resource],
        Some((list, rest)) => {
            let (system, path) = rest.split_once("].").unwrap();
            let items = at(resource, list).into_iter().filter(|item| text(item, "system") == Some(system));
            items.flat_map(|item| at(item, path)).collect()
        }
        None => at(resource, path),
    });
    // That it resolves to a patient is seen by its address alone.
    let fits =
        |value: &&Value| !matches!(kind, Kind::Patient) || text(value, "reference").is_some_and(|to| to.starts_with("Patient/"));
    found.filter(fits).collect()
}
