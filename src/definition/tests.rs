use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::fhir::ResourceType;
use crate::fhirpath::model::{Model, TypeId};

fn registry() -> &'static Registry {
    Registry::shared().unwrap()
}

fn named(name: &str) -> TypeId {
    registry().type_named(name).unwrap()
}

/// The type at the end of a path of JSON properties.
fn at(path: &str) -> TypeId {
    let (start, rest) = path.split_once('.').unwrap();
    rest.split('.')
        .fold(named(start), |of, step| registry().property(of, step).unwrap_or_else(|| panic!("{path}: {step}")).type_id)
}

#[test]
fn the_registry_holds_as_many_definitions_as_the_artifact() {
    let registry = registry();
    let of_kind =
        |wanted: fn(&StructureKind) -> bool| registry.structures().iter().filter(|s| s.url.is_some() && wanted(&s.kind)).count();
    assert_eq!(of_kind(|kind| matches!(kind, StructureKind::Primitive(_))), 20);
    assert_eq!(of_kind(|kind| *kind == StructureKind::Complex), 41);
    assert_eq!(of_kind(|kind| *kind == StructureKind::Resource), 148);
    assert_eq!(registry.profile_urls().count(), 439);
    assert_eq!(registry.code_system_urls().count(), 1062);
    assert_eq!(registry.value_set_urls().count(), 1316);
    assert_eq!(registry.operations().len(), 46);
    assert_eq!(core::INVARIANTS.text.lines().count(), 243);
    assert_eq!(core::SEARCH_PARAMETERS.text.lines().count(), 1375);
    let loaded: BTreeSet<_> = ResourceType::ALL.iter().flat_map(|kind| registry.parameters(*kind)).map(|p| &*p.url).collect();
    let french = core::FRENCH_SEARCH_PARAMETERS.text.lines().count();
    assert_eq!(loaded.len(), 1375 + french, "every search parameter has a type");
}

#[test]
fn the_files_have_the_checksums_their_description_states() {
    let description = include_str!("../../fhir-profiles/README.md");
    let all = [
        core::TYPES,
        core::PROFILES,
        core::INVARIANTS,
        core::OPERATIONS,
        core::COMPARTMENTS,
        core::CODE_SYSTEMS,
        core::VALUE_SETS,
        core::SEARCH_PARAMETERS,
    ];
    for facts in all {
        let digest: String = openssl::sha::sha256(facts.text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        let stated =
            description.lines().find(|line| line.contains(facts.file.trim_start_matches("core/")) && line.contains(&digest));
        assert!(stated.is_some(), "{} has the checksum {digest}", facts.file);
    }
}

#[test]
fn every_lazy_definition_can_be_read() {
    let registry = registry();
    for url in registry.profile_urls() {
        assert_eq!(registry.profile(url).map(|found| found.url), Some(url));
    }
    for url in registry.code_system_urls() {
        assert_eq!(registry.code_system(url).map(|found| found.url), Some(url));
    }
    for url in registry.value_set_urls() {
        assert_eq!(registry.value_set(url).map(|found| found.url), Some(url));
    }
}

#[test]
fn every_resource_type_is_a_concrete_resource() {
    let registry = registry();
    assert_eq!(ResourceType::ALL.len(), 146);
    for kind in ResourceType::ALL {
        let type_id = registry.resource(*kind);
        let structure = registry.structure(type_id);
        assert_eq!(structure.name, kind.name());
        assert_eq!(structure.kind, StructureKind::Resource);
        assert!(!structure.is_abstract);
        assert!(registry.is_a(type_id, named("Resource")), "{kind}");
    }
    let not_domain = ResourceType::ALL.iter().filter(|kind| !registry.is_a(registry.resource(**kind), named("DomainResource")));
    assert_eq!(not_domain.map(|kind| kind.name()).collect::<Vec<_>>(), ["Binary", "Bundle", "Parameters"]);
}

#[test]
fn a_property_has_the_type_its_definition_states() {
    let registry = registry();
    assert_eq!(at("Patient.name"), named("HumanName"));
    assert_eq!(at("Patient.name.given"), named("string"));
    assert_eq!(at("Patient.id"), named("id"));
    assert_eq!(at("Patient.name.id"), named("string"));
    assert_eq!(at("Patient.extension.url"), named("uri"));
    assert_eq!(at("Observation.valueQuantity"), named("Quantity"));
    assert_eq!(at("Observation.valueDateTime"), named("dateTime"));
    assert_eq!(at("Bundle.entry.resource"), named("Resource"));
    assert_eq!(at("Parameters.parameter.resource"), named("Resource"));
    assert_eq!(at("Patient.contained"), named("Resource"));
    assert_eq!(registry.type_name(at("Patient.contact")), "BackboneElement");
    assert_eq!(registry.type_name(at("Timing.repeat")), "Element");
    for (of, unknown) in [("Patient", "nome"), ("Observation", "value"), ("Observation", "value[x]"), ("string", "value")] {
        assert_eq!(registry.property(named(of), unknown), None, "{of}.{unknown}");
    }
    assert!(registry.property(named("Patient"), "name").unwrap().repeats);
    assert!(!registry.property(named("Patient"), "birthDate").unwrap().repeats);
}

#[test]
fn a_content_reference_leads_to_the_element_it_names() {
    assert_eq!(at("Bundle.entry.link"), at("Bundle.link"));
    assert_eq!(at("Questionnaire.item.item.item"), at("Questionnaire.item"));
    assert_eq!(at("Parameters.parameter.part.part"), at("Parameters.parameter"));
    assert_eq!(at("Consent.provision.provision.actor.reference"), at("Consent.provision.actor.reference"));
}

#[test]
fn a_choice_names_a_property_for_each_type() {
    let registry = registry();
    let choices = registry.choices(named("Observation"), "value");
    let names: Vec<_> = choices.iter().map(|choice| choice.property.as_ref()).collect();
    assert_eq!(names.len(), 11);
    assert!(names.contains(&"valueCodeableConcept") && names.contains(&"valueBoolean"));
    assert_eq!(registry.choices(named("Extension"), "value").len(), 50);
    assert!(registry.choices(named("Patient"), "name").is_empty());
}

#[test]
fn an_element_carries_its_rules() {
    let registry = registry();
    let patient = registry.structure(named("Patient"));
    let gender = patient.property("gender").unwrap().element;
    assert_eq!((gender.min, gender.max), (0, Some(1)));
    let binding = gender.binding.unwrap();
    assert_eq!(binding.strength, BindingStrength::Required);
    assert_eq!(
        registry.value_set(binding.value_set).unwrap().include[0].system,
        Some("http://hl7.org/fhir/administrative-gender")
    );
    assert!(patient.property("active").unwrap().element.is_modifier);
    let practitioner = patient.property("generalPractitioner").unwrap().element;
    let targets: Vec<_> = practitioner.types[0].target_types().collect();
    assert_eq!(targets, [ResourceType::Organization, ResourceType::Practitioner, ResourceType::PractitionerRole]);
    let contact = registry.structure(at("Patient.contact"));
    let keys: Vec<_> = contact.constraints.iter().map(|id| registry.invariant(*id).unwrap().key).collect();
    assert_eq!(keys, ["ele-1", "pat-1"]);
    assert!(registry.structure(named("date")).regex.as_deref().is_some_and(|regex| regex.starts_with("([0-9]")));
    assert_eq!(registry.structure(named("positiveInt")).primitive(), Some(Primitive::PositiveInt));
}

#[test]
fn every_element_leads_to_a_type_and_keeps_an_order_of_cardinality() {
    for structure in registry().structures() {
        for element in &structure.elements {
            assert!(!element.types.is_empty(), "{}", element.path);
            assert!(element.max.is_none_or(|max| element.min <= max), "{}", element.path);
            assert!(element.is_choice || element.types.len() == 1, "{}", element.path);
            assert!(structure.property(element.name).is_some() != element.is_choice, "{}", element.path);
        }
    }
}

#[test]
fn a_parameter_speaks_of_its_type_alone() {
    let registry = registry();
    let expression = |kind, code| registry.parameter(kind, code).unwrap().expression.as_deref();
    assert_eq!(expression(ResourceType::Immunization, "patient"), Some("Immunization.patient"));
    assert_eq!(expression(ResourceType::Observation, "date"), Some("Observation.effective"));
    assert_eq!(
        expression(ResourceType::DocumentReference, "identifier"),
        Some("DocumentReference.masterIdentifier | DocumentReference.identifier")
    );
    assert_eq!(expression(ResourceType::Patient, "deceased"), Some("Patient.deceased.exists() and Patient.deceased != false"));
    assert_eq!(expression(ResourceType::Patient, "_id"), Some("Resource.id"));
    assert_eq!(expression(ResourceType::InsurancePlan, "name"), Some("name | alias"));
    assert!(registry.parameter(ResourceType::Patient, "nome").is_none());
    for kind in ResourceType::ALL {
        for code in ["_id", "_lastUpdated", "_profile", "_security", "_source", "_tag"] {
            assert!(expression(*kind, code).is_some(), "{kind}?{code}");
        }
        assert_eq!(
            registry.parameter(*kind, "_text").is_some(),
            registry.is_a(registry.resource(*kind), named("DomainResource"))
        );
        assert!(registry.parameters(*kind).windows(2).all(|pair| pair[0].code < pair[1].code), "{kind}: codes are unique");
    }
}

#[test]
fn only_the_parameters_the_standard_gives_no_expression_have_none() {
    let registry = registry();
    let silent: BTreeSet<_> = ResourceType::ALL
        .iter()
        .flat_map(|kind| registry.parameters(*kind))
        .filter(|parameter| parameter.expression.is_none())
        .map(|parameter| &*parameter.code)
        .collect();
    assert_eq!(silent, BTreeSet::from(["_content", "_query", "_text"]));
}

#[test]
fn no_two_parameters_share_a_number() {
    let urls: BTreeSet<_> = ResourceType::ALL.iter().flat_map(|kind| registry().parameters(*kind)).map(|p| &*p.url).collect();
    let mut numbers: BTreeMap<ParameterId, &str> = BTreeMap::new();
    for url in urls {
        let number = ParameterId::of_url(url);
        assert!(number.0 >= 0);
        assert_eq!(numbers.insert(number, url), None, "{url}");
    }
    // The store keeps these numbers: they must never change.
    assert_eq!(ParameterId::of_url("http://hl7.org/fhir/SearchParameter/Resource-id"), ParameterId(NUMBER_OF_ID));
}

const NUMBER_OF_ID: i32 = 1_140_099_655;

#[test]
fn the_known_faults_of_composites_are_put_right() {
    let registry = registry();
    let components = |kind, code| -> Vec<(&str, String)> {
        let components = &registry.parameter(kind, code).unwrap().components;
        components.iter().map(|part| (part.url.rsplit('/').next().unwrap(), part.expression.to_string())).collect()
    };
    let expected = [("DocumentReference-relation", "code".into()), ("DocumentReference-relatesto", "target".into())];
    assert_eq!(components(ResourceType::DocumentReference, "relationship"), expected);
    let expected = [("clinical-code", "code".into()), ("Observation-value-date", "value.as(dateTime) | value.as(Period)".into())];
    assert_eq!(components(ResourceType::Observation, "code-value-date"), expected);
    let quantity = registry.parameter(ResourceType::Observation, "code-value-quantity").unwrap();
    assert_eq!(quantity.components[1].kind, ParameterKind::Quantity);
}

#[test]
fn the_main_date_is_a_single_element() {
    let main = |kind| registry().main_date(kind).map(|parameter| &*parameter.code);
    for kind in [
        ResourceType::DocumentReference,
        ResourceType::Observation,
        ResourceType::Encounter,
        ResourceType::Immunization,
        ResourceType::AllergyIntolerance,
        ResourceType::AuditEvent,
        ResourceType::Consent,
        ResourceType::List,
    ] {
        assert_eq!(main(kind), Some("date"), "{kind}");
    }
    for kind in [ResourceType::Patient, ResourceType::Appointment] {
        assert_eq!(main(kind), registry().parameter(kind, "date").map(|parameter| &*parameter.code), "{kind}");
    }
    let repeats = |kind, path| registry().element_repeats(kind, path);
    assert_eq!(repeats(ResourceType::Patient, "Patient.name.family"), Some(true));
    assert_eq!(repeats(ResourceType::Patient, "Patient.birthDate"), Some(false));
    assert_eq!(repeats(ResourceType::Observation, "(Observation.value as Quantity)"), Some(false));
    assert_eq!(repeats(ResourceType::Observation, "Observation.component.value.as(Quantity)"), Some(true));
    assert_eq!(repeats(ResourceType::Patient, "Patient.name.where(use = 'old')"), None);
    assert_eq!(repeats(ResourceType::Patient, "Patient.nome"), None);
}

#[test]
fn a_compartment_names_the_parameters_that_link_a_type() {
    let links = |compartment, kind| registry().compartment(compartment, kind).iter().map(AsRef::as_ref).collect::<Vec<_>>();
    assert_eq!(links(Compartment::Patient, ResourceType::DocumentReference), ["subject", "author"]);
    assert_eq!(links(Compartment::Patient, ResourceType::Immunization), ["patient"]);
    assert_eq!(links(Compartment::Encounter, ResourceType::Observation), ["encounter"]);
    assert!(links(Compartment::Patient, ResourceType::Organization).is_empty());
    for compartment in Compartment::ALL {
        for kind in ResourceType::ALL {
            for code in links(compartment, *kind) {
                assert!(registry().parameter(*kind, code).is_some(), "{compartment:?} {kind}?{code}");
            }
        }
    }
}

#[test]
fn a_code_is_found_at_any_depth_of_its_system() {
    let system = registry().code_system("http://hl7.org/fhir/issue-type").unwrap();
    assert_eq!(system.concept("invariant").unwrap().display.as_deref(), Some("Validation rule failed"));
    assert!(system.concept("Invariant").is_none());
    assert!(registry().value_set("http://hl7.org/fhir/ValueSet/administrative-gender|4.0.1").is_some());
    assert!(registry().value_set("http://hl7.org/fhir/ValueSet/none").is_none());
}

#[test]
fn a_key_with_several_rules_means_the_one_for_its_place() {
    let rule = |type_id| {
        let ids = registry().structure(type_id).constraints.iter();
        let mut found = ids.map(|id| registry().invariant(*id).unwrap()).filter(|invariant| invariant.key == "inv-1");
        let first = found.next().unwrap().first_element();
        assert!(found.next().is_none());
        first
    };
    assert_eq!(rule(at("Parameters.parameter")), "part");
    assert_eq!(rule(named("Task")), "lastModified");
    assert_eq!(rule(at("TestReport.setup.action")), "operation");
}
