//! capabilities: `GET [base]/metadata` (R4 http.html §capabilities). Says what is built and nothing else; written once.

use std::hash::Hasher as _;

use bytes::Bytes;
use fhirbolt::model::r4::resources::{
    CapabilityStatement, CapabilityStatementImplementation, CapabilityStatementRest, CapabilityStatementRestInteraction,
    CapabilityStatementRestResource, CapabilityStatementRestResourceInteraction, CapabilityStatementRestResourceOperation,
    CapabilityStatementRestResourceSearchParam, CapabilityStatementRestSecurity, CapabilityStatementSoftware,
};
use fhirbolt::model::r4::types::{Canonical, Meta, String as FhirString};
use serde_json::{Value, json};
use siphasher::sip::SipHasher24;

use super::subset::Subset;
use super::{Behaviour, Definition, Engine, Interaction, Level, Operation, PATCH_FORMATS, Request, Response, Status, Tag, read};
use crate::config::SecurityMode;
use crate::definition::{Compartment, Parameter, Registry};
use crate::fhir::ResourceType;
use crate::outcome::{Failure, Kind, Outcome};
use crate::search::follow::references;
use crate::store::Text;

/// The CapabilityStatement of a server, as it is served.
#[derive(Clone, Debug)]
pub(super) struct Statement {
    pub(super) bytes: Bytes,
    digest: u64,
}

/// When what a server of this version can do was last changed (`CapabilityStatement.date`).
const CHANGED: &str = "2026-12-01";

const DESCRIPTION: &str = "A shared health dossier";

const OF_SYSTEM: [Interaction; 4] =
    [Interaction::Transaction, Interaction::Batch, Interaction::SearchSystem, Interaction::HistorySystem];
const OF_TYPE: [Interaction; 9] = [
    Interaction::Read,
    Interaction::Vread,
    Interaction::Update,
    Interaction::Patch,
    Interaction::Delete,
    Interaction::HistoryInstance,
    Interaction::HistoryType,
    Interaction::Create,
    Interaction::SearchType,
];

const HABITS: &str = "A create or update answers with the resource unless Prefer says otherwise; with Binary, and within a \
    transaction, it answers without. An update or patch that changes nothing makes no version. A patch of data leaves out the narrative that was generated from them, \
    and must change one that says more; it may take away tags and security labels. X-Provenance is stored with what is written. Tags and security labels \
    of a resource stay when an update leaves them out. An unknown search parameter is refused unless Prefer says \
    handling=lenient. A search that is paged while others write shows each instance that stays as it is exactly once. What \
    lacks the value that is sorted by comes last in either direction. _summary and _elements shape what comes along as well.";
const OPEN: &str = "Security is open: whoever reaches this server reads, changes and deletes everything. For trying and \
    testing with invented data only.";
const ENFORCED: &str = "Credentials are needed for everything but this statement.";

/// Answers with the statement.
pub(super) fn capabilities(engine: &Engine, request: &Request) -> Outcome<Response> {
    match request.parameter("mode").unwrap_or("full") {
        // What is not normative here is what the statement itself says is trial use.
        "full" | "normative" => {}
        "terminology" => return Ok(Response::of(Bytes::from(terminology(engine).to_string()))),
        _ => return Err(Failure::new(Kind::InvalidParameter, "mode is full, normative or terminology").at("http.mode")),
    }
    let statement = engine.statement();
    let shape = read::shape_of(engine, request, ResourceType::CapabilityStatement)?;
    if let Some(subset) = Subset::of(&shape) {
        let text = Text::from(statement.bytes);
        return subset.taken(engine.registry, ResourceType::CapabilityStatement, &text).map(Response::of);
    }
    let is_known = request.preconditions.if_none_match.as_ref().is_some_and(|tags| tags.name_digest(statement.digest));
    let response = if is_known { Response::empty(Status::NotModified) } else { Response::of(statement.bytes) };
    Ok(Response { tag: Some(Tag::Digest(statement.digest)), ..response })
}

/// What codes this server knows (`mode=terminology`).
fn terminology(engine: &Engine) -> Value {
    let systems: Vec<Value> = engine.registry.code_system_urls().map(|url| json!({"uri": url})).collect();
    json!({
        "resourceType": "TerminologyCapabilities",
        "status": "active",
        "date": CHANGED,
        "kind": "instance",
        "software": {"name": "Carnet", "version": env!("CARGO_PKG_VERSION")},
        "implementation": {"description": DESCRIPTION, "url": &*engine.base_url},
        "codeSystem": systems,
    })
}

/// Writes the statement.
///
/// # Errors
/// One that cannot be written: a bug.
pub(super) fn state(registry: &Registry, behaviour: &Behaviour) -> Outcome<Statement> {
    let bytes = fhirbolt::json::to_vec(&statement(registry, behaviour), None).map_err(Failure::fault)?;
    let mut hasher = SipHasher24::new();
    hasher.write(&bytes);
    Ok(Statement { bytes: Bytes::from(bytes), digest: hasher.finish() })
}

fn statement(registry: &Registry, behaviour: &Behaviour) -> CapabilityStatement {
    CapabilityStatement {
        meta: Some(Box::new(Meta { last_updated: Some(format!("{CHANGED}T00:00:00Z").into()), ..Default::default() })),
        status: "active".into(),
        date: CHANGED.into(),
        kind: "instance".into(),
        software: Some(CapabilityStatementSoftware {
            name: "Carnet".into(),
            version: Some(env!("CARGO_PKG_VERSION").into()),
            ..Default::default()
        }),
        implementation: Some(CapabilityStatementImplementation {
            description: DESCRIPTION.into(),
            url: Some((&*behaviour.base_url).into()),
            ..Default::default()
        }),
        fhir_version: "4.0.1".into(),
        patch_format: PATCH_FORMATS.map(Into::into).to_vec(),
        format: ["json", "xml", "application/fhir+ndjson"].map(Into::into).to_vec(),
        rest: vec![CapabilityStatementRest {
            mode: "server".into(),
            documentation: Some(HABITS.into()),
            security: Some(security(behaviour.security)),
            resource: ResourceType::ALL.iter().map(|kind| resource(registry, behaviour, *kind)).collect(),
            interaction: OF_SYSTEM.iter().map(|interaction| of_system(*interaction)).collect(),
            operation: Operation::ALL
                .iter()
                .filter(|operation| operation.definition().levels.contains(&Level::System))
                .map(offered)
                .collect(),
            compartment: Compartment::ALL.iter().map(|compartment| definition_of(*compartment)).collect(),
            ..Default::default()
        }],
        ..Default::default()
    }
}

fn security(mode: SecurityMode) -> CapabilityStatementRestSecurity {
    let description = match mode {
        SecurityMode::Open => OPEN,
        SecurityMode::Enforced => ENFORCED,
    };
    CapabilityStatementRestSecurity { cors: Some(false.into()), description: Some(description.into()), ..Default::default() }
}

fn definition_of(compartment: Compartment) -> Canonical {
    format!("http://hl7.org/fhir/CompartmentDefinition/{}", compartment.focus().name().to_lowercase()).into()
}

fn of_system(interaction: Interaction) -> CapabilityStatementRestInteraction {
    CapabilityStatementRestInteraction { code: interaction.code().into(), ..Default::default() }
}

fn resource(registry: &Registry, behaviour: &Behaviour, kind: ResourceType) -> CapabilityStatementRestResource {
    let interaction = |interaction: &Interaction| CapabilityStatementRestResourceInteraction {
        code: interaction.code().into(),
        ..Default::default()
    };
    CapabilityStatementRestResource {
        r#type: kind.name().into(),
        profile: Some(format!("http://hl7.org/fhir/StructureDefinition/{kind}").into()),
        interaction: OF_TYPE.iter().filter(|code| is_defined(kind, **code)).map(interaction).collect(),
        versioning: Some("versioned".into()),
        read_history: Some(true.into()),
        update_create: Some(true.into()),
        conditional_create: Some(true.into()),
        conditional_read: Some("full-support".into()),
        conditional_update: Some(true.into()),
        conditional_delete: Some(if behaviour.limits.conditional_delete_resources > 1 { "multiple" } else { "single" }.into()),
        reference_policy: vec!["literal".into(), "logical".into()],
        search_include: inclusions(registry, kind),
        search_rev_include: inclusions_against(registry, kind),
        operation: operations(kind),
        search_param: registry.parameters(kind).iter().filter(|parameter| is_offered(parameter)).map(search_parameter).collect(),
        ..Default::default()
    }
}

/// Whether R4 defines an interaction for a type.
fn is_defined(kind: ResourceType, interaction: Interaction) -> bool {
    (kind, interaction) != (ResourceType::Binary, Interaction::Patch)
}

/// What is offered of a type and its instances.
fn operations(kind: ResourceType) -> Vec<CapabilityStatementRestResourceOperation> {
    let is_of_kind = |operation: &&Operation| {
        let Definition { kinds, levels, .. } = operation.definition();
        (kinds.is_empty() || kinds.contains(&kind)) && levels.iter().any(|level| *level != Level::System)
    };
    Operation::ALL.iter().filter(is_of_kind).map(offered).collect()
}

fn offered(operation: &Operation) -> CapabilityStatementRestResourceOperation {
    let definition = operation.definition();
    let documentation = match operation {
        Operation::Meta => Some("Of a type and of everything: the labels of at most 10,000 resources that bear some."),
        Operation::Reindex => {
            Some("With POST it begins, with GET it tells how far it is. POST [base]/$reindex does so for every type.")
        }
        Operation::Job => Some(
            "How far a request is that was to be answered later (Prefer: respond-async), and once it is done where its pages are; DELETE forgets it.",
        ),
        Operation::Docref => Some("Without dates and types: the latest summary. Nothing is made on demand."),
        _ => None,
    };
    CapabilityStatementRestResourceOperation {
        name: definition.code.into(),
        definition: definition.url.into(),
        documentation: documentation.map(Into::into),
        ..Default::default()
    }
}

/// What `_include` follows from a type.
fn inclusions(registry: &Registry, kind: ResourceType) -> Vec<FhirString> {
    let own = references(registry, kind).map(|parameter| format!("{kind}:{}", parameter.code).into());
    std::iter::once("*".into()).chain(own).collect()
}

/// What `_revinclude` follows to a type.
fn inclusions_against(registry: &Registry, kind: ResourceType) -> Vec<FhirString> {
    let points_here = |parameter: &&Parameter| parameter.targets.is_empty() || parameter.targets.contains(&kind);
    let of = |source: ResourceType| {
        references(registry, source).filter(points_here).map(move |parameter| format!("{source}:{}", parameter.code).into())
    };
    ResourceType::ALL.iter().flat_map(|source| of(*source)).collect()
}

/// Of the parameters for which the standard names no elements, words alone are looked for.
fn is_offered(parameter: &Parameter) -> bool {
    parameter.expression.is_some() || matches!(&*parameter.code, "_text" | "_content")
}

fn search_parameter(parameter: &Parameter) -> CapabilityStatementRestResourceSearchParam {
    CapabilityStatementRestResourceSearchParam {
        name: (*parameter.code).into(),
        definition: Some((*parameter.url).into()),
        r#type: parameter.kind.code().into(),
        ..Default::default()
    }
}
