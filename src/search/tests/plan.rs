use serde_json::json;

use super::*;
use crate::fhir::{InstanceId, InstanceKey, Part};
use crate::outcome::Kind;
use crate::search::plan::{Condition, Order, Position, SortKey, SortValue, Turn};

fn plan_of(kind: ResourceType, parameters: &[(&str, &str)]) -> crate::search::plan::Plan {
    query(kind, parameters).unwrap().plan(indexer(), SIZE, NOW).unwrap()
}

fn part_of(id: &str) -> Part {
    Part::of_patient(&id.parse::<InstanceId>().unwrap())
}

#[test]
fn a_search_that_names_the_patient_looks_into_that_dossier_alone() {
    let in_dossiers = |kind, name, value| plan_of(kind, &[("status", "x"), (name, value)]).dossiers;
    let document = ResourceType::DocumentReference;
    let of = |ids: &[&str]| {
        let mut parts: Vec<_> = ids.iter().map(|id| part_of(id)).collect();
        parts.sort_unstable();
        Some(parts)
    };
    let table = [
        (document, "patient", "Patient/a", of(&["a"])),
        (document, "patient", "a", of(&["a"])),
        (document, "patient", "http://localhost:8080/fhir/Patient/a", of(&["a"])),
        (document, "subject", "Patient/a,Patient/b", of(&["a", "b"])),
        (document, "subject:Patient", "a", of(&["a"])),
        (ResourceType::Consent, "patient", "a", of(&["a"])),
        (ResourceType::Observation, "subject", "Patient/a", of(&["a"])),
        (ResourceType::CarePlan, "subject", "Patient/a", of(&["a"])),
        // Not the reference that decides, or not the only value that may.
        (document, "author", "Patient/a", None),
        (document, "subject", "Patient/a,Group/b", None),
        (document, "subject", "a", None),
        (document, "patient", "http://elsewhere/Patient/a", None),
        (document, "subject:identifier", "s|v", None),
        (document, "patient:missing", "false", None),
        (ResourceType::Appointment, "patient", "a", None),
        (ResourceType::Coverage, "patient", "a", None),
        (ResourceType::Observation, "performer", "Patient/a", None),
    ];
    for (kind, name, value, expected) in table {
        assert_eq!(in_dossiers(kind, name, value), expected, "{kind}?{name}={value}");
    }
    assert_eq!(plan_of(ResourceType::Patient, &[("_id", "a")]).dossiers, of(&["a"]));
    assert_eq!(plan_of(document, &[("_id", "a")]).dossiers, None);
}

/// Whatever restricts a search must agree with where the extraction says an instance rests.
#[test]
fn an_instance_rests_in_the_dossier_of_the_first_patient_of_its_compartment() {
    let indexer = indexer();
    let reference = |text: &str| json!({"reference": text});
    let table = [
        (
            json!({"resourceType": "DocumentReference", "subject": reference("Patient/a"), "author": [reference("Patient/b")]}),
            "a",
        ),
        (json!({"resourceType": "DocumentReference", "subject": reference("Group/a"), "author": [reference("Patient/b")]}), "b"),
        (
            json!({"resourceType": "DocumentReference", "author": [reference("Practitioner/x"), reference(&format!("{BASE}/Patient/b"))]}),
            "b",
        ),
        (json!({"resourceType": "CarePlan", "subject": reference("Patient/a/_history/2")}), "a"),
        (
            json!({"resourceType": "Appointment", "participant": [{"actor": reference("Location/l")}, {"actor": reference("Patient/b")}]}),
            "b",
        ),
        (json!({"resourceType": "Consent", "patient": reference("Patient/a")}), "a"),
    ];
    for (resource, patient) in table {
        let text = resource.to_string();
        let tree = Tree::parse(text.as_bytes()).unwrap();
        let kind = resource["resourceType"].as_str().unwrap().parse().unwrap();
        assert_eq!(indexer.part(kind, &tree), part_of(patient), "{resource}");
    }
    for resource in [
        json!({"resourceType": "Organization", "name": "x"}),
        json!({"resourceType": "Consent", "patient": {"reference": "http://elsewhere/Patient/a"}}),
        json!({"resourceType": "Consent", "patient": {"identifier": {"value": "x"}}}),
        json!({"resourceType": "Consent", "status": "draft"}),
    ] {
        let text = resource.to_string();
        let tree = Tree::parse(text.as_bytes()).unwrap();
        let kind = resource["resourceType"].as_str().unwrap().parse().unwrap();
        assert_eq!(indexer.part(kind, &tree), Part::DIRECTORY, "{resource}");
    }
}

#[test]
fn orders_know_the_main_date() {
    let plan = plan_of(ResourceType::DocumentReference, &[("_sort", "-date,period,_lastUpdated,_id,description")]);
    let keys: Vec<&SortKey> = plan.order.iter().map(|order| &order.by).collect();
    assert!(matches!(keys.as_slice(), [SortKey::MainDate, SortKey::Date(_), SortKey::Updated, SortKey::Id, SortKey::String(_)]));
    assert_eq!(plan.order[0], Order { by: SortKey::MainDate, descending: true });
    assert!(!plan.order[1].descending);
}

#[test]
fn counts_are_capped_and_none_asks_for_the_total() {
    let kind = ResourceType::Patient;
    let of = |parameters: &[(&str, &str)]| {
        let plan = plan_of(kind, parameters);
        (plan.count, plan.total)
    };
    assert_eq!(of(&[]), (20, false));
    assert_eq!(of(&[("_count", "7")]), (7, false));
    assert_eq!(of(&[("_count", "4000000000")]), (100, false));
    assert_eq!(of(&[("_count", "0")]), (0, true));
    assert_eq!(of(&[("_summary", "count"), ("_count", "5")]), (0, true));
    assert_eq!(of(&[("_total", "accurate")]), (20, true));
    assert_eq!(of(&[("_total", "none")]), (20, false));
}

#[test]
fn the_next_page_begins_where_the_last_one_ended() {
    let indexer = indexer();
    let parameters = [("type", "a"), ("_sort", "-date"), ("_count", "5")];
    let first = query(ResourceType::DocumentReference, &parameters).unwrap();
    let position = Position { values: vec![SortValue::Time(5)], key: InstanceKey { part: Part(1), rid: 2 } };
    let turn = Turn::After(position.clone());
    let next = first.page_parameters(indexer, &turn, NOW);
    let parse = |kind, parameters: &[(String, String)]| {
        Query::parse(registry(), Scope::of_type(kind), parameters, Handling::Strict).unwrap()
    };
    let second = parse(ResourceType::DocumentReference, &next);
    let plan = second.plan(indexer, SIZE, NOW).unwrap();
    assert_eq!((plan.after, plan.backward), (Some(position.clone()), false));
    assert_eq!(second.self_parameters(), next, "the page is part of what it says of itself");
    assert_eq!(second.first_parameters().collect::<Vec<_>>(), first.self_parameters());
    let back = parse(ResourceType::DocumentReference, &first.page_parameters(indexer, &Turn::Before(position.clone()), NOW));
    assert!(back.plan(indexer, SIZE, NOW).unwrap().backward);
    let last = parse(ResourceType::DocumentReference, &first.page_parameters(indexer, &Turn::Last, NOW));
    let last = last.plan(indexer, SIZE, NOW).unwrap();
    assert_eq!((last.after, last.backward), (None, true), "the last page ends where everything does");
    let late = second.plan(indexer, SIZE, Instant::from_micros(NOW.micros() + 1)).unwrap_err();
    assert_eq!((late.kind(), late.kind().status()), (Kind::Expired, 410));
    let other_asker = second.clone().asked_by("somebody else").plan(indexer, SIZE, NOW).unwrap_err();
    assert_eq!(other_asker.kind(), Kind::InvalidParameter);
    let mut other = next.clone();
    other[0].1 = "b".into();
    for refused in [parse(ResourceType::DocumentReference, &other), parse(ResourceType::List, &[next[3].clone()])] {
        let failure = refused.plan(indexer, SIZE, NOW).unwrap_err();
        assert_eq!(failure.kind(), Kind::InvalidParameter);
        assert_eq!(failure.issues()[0].expression.as_deref(), Some("http._page"));
    }
}

#[test]
fn ids_and_moments_of_change_are_asked_of_the_instance_itself() {
    let patient = json!({"resourceType": "Patient", "id": "p1"});
    let indexer = indexer();
    let table = [
        ("_id", "p1", true),
        ("_id", "P1", false),
        ("_id", "x,p1", true),
        ("_id", "not an id", false),
        ("_id:not", "p1", false),
        ("_id:missing", "false", true),
        ("_lastUpdated", "2026-01-01T01:00:00+01:00", true),
        ("_lastUpdated", "gt2026-01-01", false),
        ("_lastUpdated", "ge2026", true),
        ("_lastUpdated:missing", "true", false),
    ];
    for (name, value, expected) in table {
        assert_eq!(finds(indexer, &patient, name, value), expected, "{name}={value}");
    }
}

#[test]
fn a_code_is_in_the_system_of_its_value_set_though_it_does_not_say_so() {
    let patient = json!({"resourceType": "Patient", "gender": "male", "maritalStatus": {"coding": [{"code": "male"}]}});
    let table = [
        ("gender", "http://hl7.org/fhir/administrative-gender|male", true),
        ("gender", "http://hl7.org/fhir/administrative-gender|", true),
        ("gender", "http://hl7.org/fhir/administrative-gender|female", false),
        ("gender", "urn:other|male", false),
        ("gender", "urn:other|", false),
        ("gender", "|male", true),
        ("gender", "male", true),
        ("gender:not", "http://hl7.org/fhir/administrative-gender|male,x", false),
    ];
    for (name, value, expected) in table {
        assert_eq!(finds(indexer(), &patient, name, value), expected, "{name}={value}");
    }
    let observation = json!({"resourceType": "Observation", "code": {"coding": [{"code": "final"}]}});
    assert!(!finds(indexer(), &observation, "code", "http://hl7.org/fhir/observation-status|final"));
}

#[test]
fn a_number_at_the_edge_of_a_range_belongs_to_the_range_that_begins_there() {
    let observation = json!({"resourceType": "Observation", "valueQuantity": {"value": 100.5}});
    let table = [
        ("100", false),
        ("101", true),
        ("100.5", true),
        ("100.50", true),
        ("1e2", true),
        ("ne100", true),
        ("ne101", false),
        ("gt100.5", false),
        ("ge100.5", true),
        ("lt100.5", false),
        ("le100.5", true),
        ("sa100.5", false),
        ("eb100.5", false),
        ("sa100.4", true),
        ("ap92", true),
        ("ap91", false),
        ("100.5||mg", false),
    ];
    for (value, expected) in table {
        assert_eq!(finds(indexer(), &observation, "value-quantity", value), expected, "{value}");
    }
}

#[test]
fn a_search_without_criteria_finds_everything() {
    assert_eq!(plan_of(ResourceType::Patient, &[]).condition, Condition::All(Vec::new()));
}

#[test]
fn every_modifier_of_a_token_is_answered() {
    let observation = json!({"resourceType": "Observation", "status": "final",
        "identifier": [{"type": {"coding": [{"system": "urn:t", "code": "MR"}], "text": "Numéro"}, "value": "12"},
            {"type": {"coding": [{"system": "urn:t", "code": "SS"}]}, "value": "13"}],
        "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4", "display": "Fréquence cardiaque"}], "text": "Pouls au repos"}});
    let category = "http://hl7.org/fhir/ValueSet/observation-category";
    let table = [
        ("code:text", "frequence", true),
        ("code:text", "POULS AU", true),
        ("code:text", "cardiaque", false),
        ("code:text", "x,pouls", true),
        ("identifier:text", "numero", true),
        ("identifier:of-type", "urn:t|MR|12", true),
        ("identifier:of-type", "urn:t|MR|13", false),
        ("identifier:of-type", "urn:t|SS|12,urn:t|SS|13", true),
        ("category:in", category, true),
        ("category:not-in", category, false),
        ("category:in", "http://hl7.org/fhir/ValueSet/observation-status", false),
        ("status:in", "http://hl7.org/fhir/ValueSet/observation-status", true),
        ("status:in", category, false),
        ("method:not-in", category, true),
    ];
    for (name, value, expected) in table {
        assert_eq!(finds(indexer(), &observation, name, value), expected, "{name}={value}");
    }
}

#[test]
fn a_code_is_found_above_and_below_in_the_hierarchy_of_its_system() {
    let encounter = |code: &str| json!({"resourceType": "Encounter", "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": code}});
    let table = [
        ("class:below", "_ActEncounterCode", "AMB", true),
        ("class:below", "AMB", "AMB", true),
        ("class:below", "AMB", "IMP", false),
        ("class:below", "IMP", "ACUTE", true),
        ("class:above", "ACUTE", "IMP", true),
        ("class:above", "ACUTE", "AMB", false),
        ("class", "IMP", "ACUTE", false),
    ];
    for (name, sought, own, expected) in table {
        let value = format!("http://terminology.hl7.org/CodeSystem/v3-ActCode|{sought}");
        assert_eq!(finds(indexer(), &encounter(own), name, &value), expected, "{name}={sought} of {own}");
    }
}

#[test]
fn a_uri_is_found_above_and_below_in_its_path() {
    let value_set = json!({"resourceType": "ValueSet", "url": "http://acme.org/fhir/ValueSet/123"});
    let table = [
        ("url:below", "http://acme.org/fhir/", true),
        ("url:below", "http://acme.org/fhir", true),
        ("url:below", "http://acme.org/fh", false),
        ("url:below", "http://acme.org/fhir/ValueSet/123", true),
        ("url:below", "http://acme.org/fhir/ValueSet/123/4", false),
        ("url:above", "http://acme.org/fhir/ValueSet/123/_history/5", true),
        ("url:above", "http://acme.org/fhir/ValueSet/123", true),
        ("url:above", "http://acme.org/fhir/ValueSet", false),
        ("url:above", "http://acme.org/fhir/ValueSet/1234", false),
    ];
    for (name, value, expected) in table {
        assert_eq!(finds(indexer(), &value_set, name, value), expected, "{name}={value}");
    }
}

#[test]
fn the_components_of_a_composite_hold_of_one_repetition() {
    let component = |code: &str, value: u32| {
        json!({"code": {"coding": [{"system": "urn:s", "code": code}]},
            "valueQuantity": {"value": value, "system": "http://unitsofmeasure.org", "code": "mm[Hg]"}})
    };
    let pressure = json!({"resourceType": "Observation", "code": {"coding": [{"code": "bp"}]}, "component": [component("sys", 120), component("dia", 80)]});
    let table = [
        ("component-code-value-quantity", "sys$gt100", true),
        ("component-code-value-quantity", "dia$gt100", false),
        ("component-code-value-quantity", "urn:s|dia$80|http://unitsofmeasure.org|mm[Hg]", true),
        ("component-code-value-quantity", "urn:s|dia$8|http://unitsofmeasure.org|cm[Hg]", true),
        ("component-code-value-quantity", "dia$gt100,sys$120", true),
        ("combo-code-value-quantity", "sys$120", true),
        ("combo-code-value-quantity", "bp$120", false),
        ("code-value-quantity", "bp$120", false),
        ("component-code-value-quantity:missing", "false", true),
        ("code-value-quantity:missing", "true", true),
    ];
    for (name, value, expected) in table {
        assert_eq!(finds(indexer(), &pressure, name, value), expected, "{name}={value}");
    }
    let relates = |code: &str, target: &str| json!({"code": code, "target": {"reference": target}});
    let document = json!({"resourceType": "DocumentReference",
        "relatesTo": [relates("replaces", "DocumentReference/a"), relates("appends", "DocumentReference/b")]});
    assert!(finds(indexer(), &document, "relationship", "replaces$DocumentReference/a"));
    assert!(!finds(indexer(), &document, "relationship", "replaces$DocumentReference/b"));
}

#[test]
fn a_location_is_near_by_the_great_circle() {
    let location = json!({"resourceType": "Location", "position": {"longitude": 2.3522, "latitude": 48.8566}});
    let table = [
        ("near", "48.8566|2.3522", true),
        ("near", "45.7640|4.8357|400|km", true),
        ("near", "45.7640|4.8357|390|km", false),
        ("near", "45.7640|4.8357|392000|m", true),
        ("near", "45.7640|4.8357|240|[mi_us]", false),
        ("near", "45.7640|4.8357|250|[mi_us],0|0|1|m", true),
        ("near:missing", "false", true),
    ];
    for (name, value, expected) in table {
        assert_eq!(finds(indexer(), &location, name, value), expected, "{name}={value}");
    }
}

#[test]
fn words_are_found_in_the_narrative_or_anywhere() {
    let patient = json!({"resourceType": "Patient", "text": {"status": "generated", "div": "<div><b>Allergie</b> à l'arachide &amp; autres</div>"},
        "name": [{"family": "Lefèvre"}]});
    let table = [
        ("_text", "ALLERGIE", true),
        ("_text", "autres allergie", true),
        ("_text", "allergie lefevre", false),
        ("_text", "div", false),
        ("_text", "lefevre,arachide", false),
        ("_text", "lefevre,allergie", true),
        ("_content", "lefevre allergie", true),
        ("_content", "nobody", false),
    ];
    for (name, value, expected) in table {
        assert_eq!(finds(indexer(), &patient, name, value), expected, "{name}={value}");
    }
}

#[test]
fn a_type_of_content_is_found_whatever_its_parameters() {
    let document = |kind: &str| json!({"resourceType": "DocumentReference", "content": [{"attachment": {"contentType": kind}}]});
    let table = [
        ("contenttype", "text/plain", "text/plain; charset=utf-8", false),
        ("contenttype:below", "text/plain", "text/plain; charset=utf-8", true),
        ("contenttype:below", "text/plain", "TEXT/plain", true),
        ("contenttype:below", "text/plain", "text/html", false),
    ];
    for (name, sought, own, expected) in table {
        assert_eq!(finds(indexer(), &document(own), name, sought), expected, "{name}={sought} of {own}");
    }
}

#[test]
fn an_amount_is_found_in_another_unit() {
    let observation = |value: f64, code: &str| json!({"resourceType": "Observation", "valueQuantity": {"value": value, "system": "http://unitsofmeasure.org", "code": code}});
    let table = [
        (1000.0, "mg", "1|http://unitsofmeasure.org|g", true),
        (1.0, "g", "1000|http://unitsofmeasure.org|mg", true),
        (1.0, "g", "gt999|http://unitsofmeasure.org|mg", true),
        (1.0, "g", "gt1000|http://unitsofmeasure.org|mg", false),
        (5.5, "mmol/L", "eb0.56|http://unitsofmeasure.org|mmol/dL", true),
        (1.0, "g", "1000||mg", false),
        (1.0, "g", "1", true),
        (1.0, "kg", "1|http://unitsofmeasure.org|g", false),
        (3.0, "[unheard]", "3|http://unitsofmeasure.org|[unheard]", true),
    ];
    for (value, code, sought, expected) in table {
        assert_eq!(finds(indexer(), &observation(value, code), "value-quantity", sought), expected, "{sought} of {value} {code}");
    }
}

#[test]
fn the_parameters_of_the_french_guides_find_what_they_name() {
    let extension = |url: &str, name: &str, value: serde_json::Value| json!({"url": url, name: value});
    let archived = extension(
        "https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/pdsm-ext-is-archived",
        "valueBoolean",
        json!(true),
    );
    let of_ihe = |name: &str| format!("https://profiles.ihe.net/ITI/MHD/StructureDefinition/{name}");
    let document = json!({"resourceType": "DocumentReference", "extension": [archived],
        "masterIdentifier": {"system": "urn:ietf:rfc:3986", "value": "urn:oid:1.2.3"},
        "content": [{"attachment": {"creation": "2026-03-01T10:00:00Z"}}],
        "context": {"period": {"start": "2026-02-01", "end": "2026-02-03"}}});
    let lot = json!({"resourceType": "List", "title": "Lot", "extension": [archived,
        extension(&of_ihe("ihe-designationType"), "valueCodeableConcept", json!({"coding": [{"system": "urn:s", "code": "07"}]})),
        extension(&of_ihe("ihe-sourceId"), "valueIdentifier", json!({"value": "urn:oid:1.2.4"})),
        extension(&of_ihe("ihe-authorOrg"), "valueReference", json!({"reference": "Organization/o1"}))]});
    let trace = json!({"resourceType": "AuditEvent", "period": {"start": "2026-01-05T08:00:00Z"}, "recorded": "2026-01-06T08:00:00Z",
        "agent": [{"altId": "809", "name": "Dr Bru"}]});
    let table = [
        (&document, "isArchived", "true", true),
        (&document, "isArchived", "false", false),
        (&document, "creation", "2026-03-01", true),
        (&document, "creation", "lt2026-03", false),
        (&document, "period-start", "2026-02-01", true),
        (&document, "period-start", "2026-02-03", false),
        (&document, "period-end", "ge2026-02-03", true),
        (&document, "identifier", "urn:ietf:rfc:3986|urn:oid:1.2.3", true),
        (&lot, "isArchived", "true", true),
        (&lot, "designationType", "urn:s|07", true),
        (&lot, "DesignationType", "07", true),
        (&lot, "sourceId", "urn:oid:1.2.4", true),
        (&lot, "SourceId", "urn:oid:1.2.5", false),
        (&lot, "authorOrg", "Organization/o1", true),
        (&lot, "title", "lot", true),
        (&trace, "period-start", "2026-01-05", true),
        (&trace, "date", "2026-01-06", true),
        (&trace, "altid", "809", true),
        (&trace, "altId", "809", true),
        (&trace, "agent-name", "dr", true),
    ];
    for (resource, name, value, expected) in table {
        assert_eq!(finds(indexer(), resource, name, value), expected, "{name}={value}");
    }
}

#[test]
fn a_filter_puts_comparisons_together() {
    let patient = json!({"resourceType": "Patient", "id": "p1", "active": true, "gender": "male", "birthDate": "1970-05-01",
        "name": [{"family": "Martin-Dupont", "given": ["Ève"]}],
        "identifier": [{"system": "urn:s", "value": "A 1"}, {"system": "urn:s", "value": "2"}]});
    let table = [
        ("family eq \"martin dupont\"", true),
        ("family eq martin", false),
        ("family sw mar", true),
        ("family co \"tin-du\"", true),
        ("family ew DUPONT", true),
        ("given eq eve and gender eq male", true),
        ("given eq eve and gender eq female", false),
        ("gender eq female or gender eq male", true),
        ("gender eq male or gender eq female and active eq false", false),
        ("gender eq male or (gender eq female and active eq false)", true),
        ("not (gender eq male)", false),
        ("not(gender eq female) and active eq true", true),
        ("gender ne male", false),
        ("gender ne female", true),
        ("identifier ne \"urn:s|2\"", true),
        ("identifier eq \"urn:s|A 1\"", true),
        ("birthdate lt 1971", true),
        ("birthdate ge 1970-05-02", false),
        ("birthdate po 1970", true),
        ("birthdate po 1971", false),
        ("death-date pr true", false),
        ("telecom pr false", true),
        ("gender in http://hl7.org/fhir/ValueSet/administrative-gender", true),
        ("gender ni http://hl7.org/fhir/ValueSet/administrative-gender", false),
        ("_id eq p1", true),
    ];
    for (filter, expected) in table {
        assert_eq!(finds(indexer(), &patient, "_filter", filter), expected, "{filter}");
    }
    let relates = |code: &str, target: &str| json!({"code": code, "target": {"reference": target}});
    let document = json!({"resourceType": "DocumentReference",
        "relatesTo": [relates("replaces", "DocumentReference/a"), relates("appends", "DocumentReference/b")]});
    assert!(finds(indexer(), &document, "_filter", "relatesTo[code eq \"replaces\"].target eq DocumentReference/a"));
    assert!(!finds(indexer(), &document, "_filter", "relatesTo[code eq replaces].target eq DocumentReference/b"));
}
