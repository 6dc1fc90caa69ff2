//! Resources that tests send.

use serde_json::{Value, json};

/// A patient without an id.
pub(crate) fn patient() -> Value {
    json!({"resourceType": "Patient", "active": true, "name": [{"family": "Lambert", "given": ["Odile"]}]})
}

/// A patient of that id.
pub(crate) fn patient_called(id: &str) -> Value {
    json!({"resourceType": "Patient", "id": id, "active": true, "name": [{"family": "Lambert"}]})
}

/// A patient of that id who says something else for each number.
pub(crate) fn patient_saying(id: &str, number: impl std::fmt::Display) -> Value {
    let mut patient = patient_called(id);
    patient["name"][0]["text"] = json!(format!("the Lambert of turn {number}"));
    patient
}

/// A weight of `kilograms`, of somebody.
pub(crate) fn weight(subject: &str, kilograms: u32) -> Value {
    json!({"resourceType": "Observation", "status": "final", "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
        "subject": {"reference": subject}, "effectiveDateTime": "2026-01-05T08:00:00Z",
        "valueQuantity": {"value": kilograms, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"}})
}

/// A transaction of entries.
pub(crate) fn transaction(entries: &[Value]) -> Value {
    json!({"resourceType": "Bundle", "type": "transaction", "entry": entries})
}

/// An entry that creates.
pub(crate) fn post_entry(full_url: &str, resource: &Value) -> Value {
    json!({"fullUrl": full_url, "resource": resource, "request": {"method": "POST", "url": resource["resourceType"]}})
}

/// An entry that updates, or creates under the id of the resource.
pub(crate) fn put_entry(resource: &Value) -> Value {
    let place = format!("{}/{}", resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap());
    json!({"fullUrl": format!("https://documents.example/{place}"), "resource": resource, "request": {"method": "PUT", "url": place}})
}
