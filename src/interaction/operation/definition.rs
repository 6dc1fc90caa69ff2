//! What each operation is: its definition as the standard, or this server, says it. Places, the CapabilityStatement and the check
//! of what is sent all go by this one table.

use super::Operation;
use crate::fhir::ResourceType;

/// An operation as it is offered here.
#[derive(Debug)]
pub struct Definition {
    /// The canonical URL of its OperationDefinition.
    pub url: &'static str,
    /// Its name, without the `$`.
    pub code: &'static str,
    /// The types it is offered for; every type where it names none.
    pub kinds: &'static [ResourceType],
    /// Where it is offered.
    pub levels: &'static [Level],
    /// Whether it may change something.
    pub affects_state: bool,
    /// What may be sent: name, least and most occurrences, type.
    pub input: &'static [Parameter],
    /// Whether parameters that it does not declare are those of a search.
    pub searches: bool,
}

/// Where an operation is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// `[base]/$name`
    System,
    /// `[base]/[type]/$name`
    Type,
    /// `[base]/[type]/[id]/$name`
    Instance,
    /// `[base]/[type]/[id]/_history/[vid]/$name`
    Version,
}

/// A parameter that may be sent.
#[derive(Debug)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// Whether it must come.
    pub is_required: bool,
    /// Whether it may come more than once.
    pub repeats: bool,
    /// Its type.
    pub type_name: &'static str,
}

const fn optional(name: &'static str, type_name: &'static str) -> Parameter {
    Parameter { name, is_required: false, repeats: false, type_name }
}

const fn repeated(name: &'static str, type_name: &'static str) -> Parameter {
    Parameter { name, is_required: false, repeats: true, type_name }
}

const fn required(name: &'static str, type_name: &'static str) -> Parameter {
    Parameter { name, is_required: true, repeats: false, type_name }
}

const EVERY_LEVEL: &[Level] = &[Level::System, Level::Type, Level::Instance, Level::Version];
const OF_INSTANCES: &[Level] = &[Level::Instance, Level::Version];

const META: Definition = Definition {
    url: "http://hl7.org/fhir/OperationDefinition/Resource-meta",
    code: "meta",
    kinds: &[],
    levels: EVERY_LEVEL,
    affects_state: false,
    input: &[],
    searches: false,
};

const META_ADD: Definition = Definition {
    url: "http://hl7.org/fhir/OperationDefinition/Resource-meta-add",
    code: "meta-add",
    levels: OF_INSTANCES,
    affects_state: true,
    input: &[required("meta", "Meta")],
    ..META
};

const META_DELETE: Definition =
    Definition { url: "http://hl7.org/fhir/OperationDefinition/Resource-meta-delete", code: "meta-delete", ..META_ADD };

const REINDEX: Definition = Definition {
    url: "https://carnet.example/fhir/OperationDefinition/reindex",
    code: "reindex",
    kinds: &[ResourceType::SearchParameter],
    levels: &[Level::System, Level::Instance],
    affects_state: true,
    input: &[],
    searches: false,
};

const EVERYTHING: Definition = Definition {
    url: "http://hl7.org/fhir/OperationDefinition/Patient-everything",
    code: "everything",
    kinds: &[ResourceType::Patient],
    levels: &[Level::Type, Level::Instance],
    affects_state: false,
    input: &[
        optional("start", "date"),
        optional("end", "date"),
        optional("_since", "instant"),
        repeated("_type", "code"),
        optional("_count", "integer"),
    ],
    searches: false,
};

const DOCREF: Definition = Definition {
    url: "http://hl7.org/fhir/uv/ipa/OperationDefinition/docref",
    code: "docref",
    kinds: &[ResourceType::DocumentReference],
    levels: &[Level::Type],
    affects_state: false,
    input: &[
        required("patient", "id"),
        optional("start", "dateTime"),
        optional("end", "dateTime"),
        repeated("type", "CodeableConcept"),
        optional("on-demand", "boolean"),
        repeated("profile", "canonical"),
    ],
    searches: false,
};

const LASTN: Definition = Definition {
    url: "http://hl7.org/fhir/OperationDefinition/Observation-lastn",
    code: "lastn",
    kinds: &[ResourceType::Observation],
    levels: &[Level::Type],
    affects_state: false,
    input: &[optional("max", "positiveInt")],
    searches: true,
};

const DOCUMENT: Definition = Definition {
    url: "http://hl7.org/fhir/OperationDefinition/Composition-document",
    code: "document",
    kinds: &[ResourceType::Composition],
    levels: &[Level::Type, Level::Instance],
    affects_state: false,
    input: &[optional("id", "uri"), optional("persist", "boolean"), optional("graph", "uri")],
    searches: false,
};

const JOB: Definition = Definition {
    url: "https://carnet.example/fhir/OperationDefinition/job",
    code: "job",
    kinds: &[],
    levels: &[Level::System],
    affects_state: true,
    input: &[required("id", "string"), optional("page", "unsignedInt")],
    searches: false,
};

impl Operation {
    /// What it is.
    pub const fn definition(self) -> &'static Definition {
        match self {
            Self::Meta => &META,
            Self::MetaAdd => &META_ADD,
            Self::MetaDelete => &META_DELETE,
            Self::Reindex => &REINDEX,
            Self::Everything => &EVERYTHING,
            Self::Docref => &DOCREF,
            Self::Lastn => &LASTN,
            Self::Document => &DOCUMENT,
            Self::Job => &JOB,
        }
    }

    /// The operation that `segment` of a URL asks for at `level`, of `kind` where one is named.
    pub(in crate::interaction) fn at(segment: &str, level: Level, kind: Option<ResourceType>) -> Option<Self> {
        let code = segment.strip_prefix('$')?;
        Self::ALL.iter().copied().find(|operation| {
            let definition = operation.definition();
            let is_of_kind = kind.is_none_or(|kind| definition.kinds.is_empty() || definition.kinds.contains(&kind));
            definition.code == code && definition.levels.contains(&level) && is_of_kind
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::Registry;

    #[test]
    fn what_is_offered_is_what_the_standard_defines() {
        let registry = Registry::shared().unwrap();
        for operation in Operation::ALL {
            let offered = operation.definition();
            let Some(standard) = registry.operations().iter().find(|standard| standard.url == offered.url) else {
                assert!(!offered.url.starts_with("http://hl7.org/fhir/OperationDefinition/"), "{}", offered.url);
                continue;
            };
            assert_eq!(standard.code, offered.code);
            let levels =
                [(Level::System, standard.on_system), (Level::Type, standard.on_type), (Level::Instance, standard.on_instance)];
            for (level, is_defined) in levels {
                assert!(is_defined || !offered.levels.contains(&level), "{} {level:?}", offered.code);
            }
            let input = standard.parameter.iter().filter(|parameter| parameter.1 == "in");
            let defined: Vec<_> = input.map(|known| (known.0, known.2 > 0, known.3 != "1", known.4.unwrap_or(""))).collect();
            let taken = offered.input.iter().map(|known| (known.name, known.is_required, known.repeats, known.type_name));
            assert_eq!(taken.collect::<Vec<_>>(), defined, "{}", offered.code);
        }
    }

    #[test]
    fn an_operation_is_found_where_it_is_offered_and_nowhere_else() {
        let found = |segment, level, kind| Operation::at(segment, level, kind);
        assert_eq!(found("$meta", Level::System, None), Some(Operation::Meta));
        assert_eq!(found("$meta-add", Level::Type, Some(ResourceType::Patient)), None);
        assert_eq!(found("$everything", Level::Instance, Some(ResourceType::Patient)), Some(Operation::Everything));
        assert_eq!(found("$everything", Level::Instance, Some(ResourceType::Device)), None);
        assert_eq!(found("meta", Level::System, None), None);
    }
}
