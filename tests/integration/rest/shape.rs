//! The shape of an answer: `_summary`, `_elements`, `_format`, lines (R4 search.html §summary, §elements, §count; S-48 to S-51).

use serde_json::{Value, json};

use crate::support::server::{Answer, Server};

fn filled() -> Server {
    let server = Server::start();
    for number in 1..=3 {
        let patient = json!({"resourceType": "Patient", "id": format!("p{number}"), "active": true, "gender": "male", "birthDate": "1980-01-02",
            "text": {"status": "generated", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\">a\nb</div>"},
            "maritalStatus": {"text": "x"}, "managingOrganization": {"reference": "Organization/o1"}});
        assert_eq!(server.put(&format!("/Patient/p{number}"), &patient).status, 201);
    }
    let organization = json!({"resourceType": "Organization", "id": "o1", "name": "o",
        "text": {"status": "generated", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\">o</div>"}});
    assert_eq!(server.put("/Organization/o1", &organization).status, 201);
    server
}

fn members(resource: &Value) -> Vec<&str> {
    let mut members: Vec<&str> = resource.as_object().unwrap().keys().map(String::as_str).collect();
    members.sort_unstable();
    members
}

fn is_subsetted(resource: &Value) -> bool {
    let tags = resource["meta"]["tag"].as_array().cloned().unwrap_or_default();
    let expected = json!({"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"});
    tags.contains(&expected)
}

const SHAPES: [(&str, &[&str]); 6] = [
    ("_summary=true", &["active", "birthDate", "gender", "id", "managingOrganization", "meta", "resourceType"]),
    ("_summary=text", &["id", "meta", "resourceType", "text"]),
    ("_summary=data", &["active", "birthDate", "gender", "id", "managingOrganization", "maritalStatus", "meta", "resourceType"]),
    ("_elements=gender", &["active", "gender", "id", "meta", "resourceType"]),
    ("_elements=gender,birthDate", &["active", "birthDate", "gender", "id", "meta", "resourceType"]),
    (
        "_summary=false",
        &["active", "birthDate", "gender", "id", "managingOrganization", "maritalStatus", "meta", "resourceType", "text"],
    ),
];

#[test]
fn a_part_of_a_resource_is_answered_and_tagged_by_search_read_and_vread() {
    let server = filled();
    for (shape, expected) in SHAPES {
        let bundle = server.get(&format!("/Patient?_id=p1&{shape}")).json();
        for resource in [
            &bundle["entry"][0]["resource"],
            &server.get(&format!("/Patient/p1?{shape}")).json(),
            &server.get(&format!("/Patient/p1/_history/1?{shape}")).json(),
        ] {
            assert_eq!(members(resource), expected, "{shape}");
            assert_eq!(is_subsetted(resource), shape != "_summary=false", "{shape}");
            assert_eq!(resource["meta"]["versionId"], "1");
        }
    }
    assert!(!is_subsetted(&server.get("/Patient/p1").json()), "what is stored is whole");
}

#[test]
fn what_comes_along_is_cut_like_the_matches() {
    let server = filled();
    let bundle = server.get("/Patient?_id=p1&_include=Patient:organization&_summary=data").json();
    let included = &bundle["entry"][1]["resource"];
    assert_eq!((members(included), is_subsetted(included)), (vec!["id", "meta", "name", "resourceType"], true));
}

#[test]
fn a_shape_that_means_nothing_is_refused() {
    let server = filled();
    for (query, place) in [
        ("/Patient?_elements=gendre", "http._elements"),
        ("/Patient?_summary=text&_include=*", "http._summary"),
        ("/Patient?_summary=true&_elements=gender", "http._elements"),
        ("/Patient?_summary=all", "http._summary"),
        ("/Patient/p1?_summary=count", "http._summary"),
        ("/Patient/p1?_elements=gendre", "http._elements"),
        ("/Patient/p1?_count=1", "http._count"),
    ] {
        let refused = server.get(query);
        assert_eq!((refused.status, &refused.json()["issue"][0]["expression"][0]), (400, &json!(place)), "{query}");
    }
}

#[test]
fn a_count_alone_has_no_entries_and_a_total_stands_where_it_is_asked_for() {
    let server = filled();
    for query in ["_summary=count", "_count=0", "_count=0&_total=none", "_summary=count&_include=*"] {
        let bundle = server.get(&format!("/Patient?{query}")).json();
        assert_eq!((&bundle["total"], bundle.get("entry")), (&json!(3), None), "{query}");
    }
    for (total, expected) in [("none", None), ("accurate", Some(&json!(3))), ("estimate", Some(&json!(3)))] {
        let bundle = server.get(&format!("/Patient?_count=1&_total={total}")).json();
        assert_eq!((bundle.get("total"), bundle["entry"].as_array().unwrap().len()), (expected, 1), "{total}");
    }
}

fn lines(answer: &Answer) -> Vec<Value> {
    let text = String::from_utf8(answer.body.clone()).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'), "{text}");
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_search_is_answered_one_resource_a_line() {
    let server = filled();
    let accept = [("accept", "application/fhir+ndjson")];
    let answer = server.send("GET", "/Patient?_sort=_id&_count=2&_include=Patient:organization", &accept, b"");
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/fhir+ndjson")));
    let ids: Vec<_> = lines(&answer).iter().map(|line| line["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids, ["p1", "p2", "o1"]);
    let link = answer.header("link").unwrap();
    let next = link.split(", <").find(|link| link.ends_with("rel=\"next\"")).unwrap();
    let next = next.split('>').next().unwrap().strip_prefix(&server.base_url).unwrap();
    let rest = server.send("GET", next, &accept, b"");
    assert_eq!((lines(&rest).len(), rest.header("link").unwrap().contains("next")), (2, false));
    let none = server.send("GET", "?_id=nobody", &accept, b"");
    assert_eq!((none.status, lines(&none)), (200, vec![]));
    for elsewhere in ["/Patient/p1", "/metadata"] {
        assert_eq!(server.send("GET", elsewhere, &accept, b"").status, 406, "{elsewhere}");
    }
    let refused = server.send("GET", "/Patient?unheard=of", &accept, b"");
    assert_eq!((refused.status, refused.header("content-type")), (400, Some("application/fhir+json")));
}

#[test]
fn pages_come_in_the_representation_of_the_first_and_a_form_may_say_it() {
    let server = filled();
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let answer = server.send("POST", "/Patient/_search?_count=2", &form, b"_format=ndjson&_sort=_id");
    assert_eq!((answer.header("content-type"), lines(&answer).len()), (Some("application/fhir+ndjson"), 2));
    let link = answer.header("link").unwrap().to_owned();
    let next = link.split(", <").find(|link| link.ends_with("rel=\"next\"")).unwrap().split('>').next().unwrap().to_owned();
    let rest = server.get(next.strip_prefix(&server.base_url).unwrap());
    assert_eq!((rest.header("content-type"), lines(&rest).len()), (Some("application/fhir+ndjson"), 1));
    let pretty = server.send("POST", "/Patient/_search", &form, b"_pretty=true&_id=p1");
    assert!(pretty.body.windows(2).any(|two| two == b"\n "));
    let this = pretty.json()["link"][0]["url"].as_str().unwrap().to_owned();
    assert!(this.contains("_pretty=true"), "{this}");
}

#[test]
fn content_outside_the_database_fills_the_part_that_holds_it() {
    let server = Server::start_with(|settings| settings.content.inline_bytes = 30);
    let data = |byte: &str| byte.repeat(80);
    let document = json!({"resourceType": "DocumentReference", "id": "d", "status": "current", "description": "x", "content": [
        {"attachment": {"data": data("AAAA"), "title": "a"}}, {"attachment": {"data": data("BBBB"), "title": "b"}}]});
    assert_eq!(server.put("/DocumentReference/d", &document).status, 201);
    let patient = json!({"resourceType": "Patient", "id": "p", "active": true, "photo": [{"data": data("CCCC")}]});
    assert_eq!(server.put("/Patient/p", &patient).status, 201);
    let whole = server.get("/DocumentReference/d?_elements=content").json();
    assert_eq!(whole["content"], document["content"]);
    let bundle = server.get("?_type=Patient,DocumentReference&_elements=content&_sort=_id&_id=p,d").json();
    assert_eq!(bundle["entry"][0]["resource"]["content"], document["content"]);
    assert_eq!(bundle["entry"][1]["resource"].get("photo"), None);
    let summary = server.get("/DocumentReference/d?_summary=true").json();
    assert_eq!(summary["content"], json!([{"attachment": {"title": "a"}}, {"attachment": {"title": "b"}}]));
    let lines = server.get("/DocumentReference?_format=ndjson&_summary=data").body;
    assert_eq!(serde_json::from_slice::<Value>(&lines).unwrap()["content"], document["content"]);
}
