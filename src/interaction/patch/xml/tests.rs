//! What each directive does (RFC 5261 §4), by examples of our own.

use proptest::prelude::*;

use serde_json::{Value, json};

use super::document;
use super::form::Form;
use super::{apply, patched};
use crate::definition::Registry;
use crate::fhir::json::Tree;
use crate::outcome::{Failure, Kind};

const PATIENT: &str = "<Patient xmlns=\"http://hl7.org/fhir\"><id value=\"p\"/><text><status value=\"generated\"/><div xmlns=\"http://www.w3.org/1999/xhtml\">a <b>b</b> c<br/></div></text><identifier><use value=\"official\"/><value value=\"1\"/></identifier><identifier><value value=\"2\"/></identifier><birthDate value=\"1920-01-01\"/></Patient>";

/// `operations` in a patch that calls FHIR `f` and XHTML `x`.
fn done(operations: &str) -> Result<String, Failure> {
    let patch = format!("<diff xmlns:f=\"http://hl7.org/fhir\" xmlns:x=\"http://www.w3.org/1999/xhtml\">{operations}</diff>");
    patched(PATIENT, &patch, 10_000)
}

#[track_caller]
fn becomes(operations: &str, from: &str, to: &str) {
    assert!(PATIENT.contains(from), "{from}");
    assert_eq!(done(operations).unwrap(), PATIENT.replacen(from, to, 1));
}

#[track_caller]
fn refused(operations: &str, kind: Kind) -> String {
    let failure = done(operations).unwrap_err();
    assert_eq!(failure.kind(), kind, "{failure}");
    failure.issues()[0].diagnostics.clone()
}

#[test]
fn an_element_is_added_at_the_end_at_the_beginning_and_beside_another() {
    let end = "<birthDate value=\"1920-01-01\"/>";
    let gender = "<gender value=\"male\"/>";
    becomes("<add sel=\"f:Patient\"><f:gender value=\"male\"/></add>", end, &format!("{end}{gender}"));
    becomes("<add sel=\"f:Patient/f:birthDate\" pos=\"after\"><f:gender value=\"male\"/></add>", end, &format!("{end}{gender}"));
    becomes(
        "<add sel=\"/f:Patient/f:birthDate\" pos=\"before\"><f:gender value=\"male\"/></add>",
        end,
        &format!("{gender}{end}"),
    );
    let first = "<identifier><value value=\"2\"/>";
    let with_use = "<identifier><use value=\"old\"/><value value=\"2\"/>";
    becomes("<add sel=\"f:Patient/f:identifier[2]\" pos=\"prepend\"><f:use value=\"old\"/></add>", first, with_use);
}

#[test]
fn attributes_are_added_replaced_and_removed() {
    becomes("<replace sel=\"f:Patient/f:birthDate/@value\">1930&lt;</replace>", "1920-01-01", "1930&lt;");
    becomes("<add sel=\"f:Patient/f:birthDate\" type=\"@id\">x</add>", "1920-01-01\"", "1920-01-01\" id=\"x\"");
    becomes("<remove sel=\"*/f:birthDate/@value\"/>", "<birthDate value=\"1920-01-01\"/>", "<birthDate/>");
    assert!(refused("<add sel=\"f:Patient/f:birthDate\" type=\"@value\">x</add>", Kind::Invalid).contains("there already"));
    assert!(refused("<remove sel=\"f:Patient/f:birthDate/@id\"/>", Kind::Invalid).contains("locates nothing"));
}

#[test]
fn elements_are_found_by_position_by_their_text_and_by_attributes_further_in() {
    let (first, gone) = ("<identifier><use value=\"official\"/><value value=\"1\"/></identifier>", "");
    becomes("<remove sel=\"f:Patient/f:identifier[1]\"/>", first, gone);
    becomes("<remove sel=\"f:Patient/f:identifier[f:use/@value='official']\"/>", first, gone);
    becomes("<remove sel='f:Patient/f:identifier[f:value/@value = \"1\"]'/>", first, gone);
    becomes("<remove sel=\"f:Patient/f:identifier/f:use[@value='official']\"/>", "<use value=\"official\"/>", "");
    becomes("<remove sel=\"f:Patient/f:text/x:div/x:b[.='b']\"/>", "<b>b</b>", "");
    becomes(
        "<remove sel=\"f:Patient/f:text/x:div[x:b='b']\"/>",
        "<div xmlns=\"http://www.w3.org/1999/xhtml\">a <b>b</b> c<br/></div>",
        "",
    );
    assert!(refused("<remove sel=\"f:Patient/f:identifier\"/>", Kind::Invalid).contains("several"));
    assert!(refused("<remove sel=\"f:Patient/f:identifier[3]\"/>", Kind::Invalid).contains("nothing"));
}

#[test]
fn namespaces_are_those_that_the_patch_declares() {
    assert!(refused("<remove sel=\"Patient/birthDate\"/>", Kind::Invalid).contains("nothing"));
    assert!(refused("<remove sel=\"g:Patient/g:birthDate\"/>", Kind::Malformed).contains("not declared"));
    assert!(refused("<remove sel=\"f:Patient/f:text/f:div\"/>", Kind::Invalid).contains("nothing"));
    let by_default = "<d:diff xmlns=\"http://hl7.org/fhir\" xmlns:d=\"urn:d\"><d:add sel=\"Patient\"><gender value=\"male\"/></d:add></d:diff>";
    let made = patched(PATIENT, by_default, 10_000).unwrap();
    assert!(made.ends_with("<birthDate value=\"1920-01-01\"/><gender value=\"male\"/></Patient>"), "{made}");
    let other = "<add sel=\"f:Patient/f:text/x:div\"><f:p/><x:p>1 &amp; 2<x:i/></x:p></add>";
    becomes(other, "<br/></div>", "<br/><p xmlns=\"http://hl7.org/fhir\"/><p>1 &amp; 2<i/></p></div>");
    becomes(
        "<add sel=\"f:Patient\" type=\"namespace::z\">urn:z</add>",
        "<Patient xmlns=\"http://hl7.org/fhir\">",
        "<Patient xmlns=\"http://hl7.org/fhir\" xmlns:z=\"urn:z\">",
    );
}

#[test]
fn text_comments_and_instructions_are_nodes_too() {
    becomes("<replace sel=\"f:Patient/f:text/x:div/text()\">z</replace>", "a <b>", "z<b>");
    becomes("<replace sel=\"f:Patient/f:text/x:div/text()[2]\"> d</replace>", " c<br/>", " d<br/>");
    becomes("<remove sel=\"f:Patient/f:text/x:div/text()[1]\"/>", "a <b>", "<b>");
    becomes("<add sel=\"f:Patient/f:text/x:div/x:b\" pos=\"before\">and </add>", "a <b>", "a and <b>");
    let with_comment = "<add sel=\"f:Patient/f:text/x:div\"><!--x--><?y z?></add>";
    becomes(
        &format!(
            "{with_comment}<replace sel=\"f:Patient/f:text/x:div/comment()\"><!--w--></replace><remove sel=\"f:Patient/f:text/x:div/processing-instruction('y')\"/>"
        ),
        "<br/></div>",
        "<br/><!--w--></div>",
    );
    assert!(
        refused(&format!("{with_comment}<replace sel=\"f:Patient/f:text/x:div/comment()\">w</replace>"), Kind::Invalid)
            .contains("one node")
    );
}

#[test]
fn blanks_go_with_what_is_removed_where_ws_says_so() {
    let spaced = "<Patient xmlns=\"http://hl7.org/fhir\">\n  <active value=\"true\"/>\n  <gender value=\"male\"/>\n</Patient>";
    let remove = |ws: &str| {
        let patch = format!("<diff xmlns=\"http://hl7.org/fhir\"><remove sel=\"Patient/active\" {ws}/></diff>");
        patched(spaced, &patch, 1_000).map(|xml| xml.replace(" xmlns=\"http://hl7.org/fhir\"", ""))
    };
    assert_eq!(remove("").unwrap(), "<Patient>\n  \n  <gender value=\"male\"/>\n</Patient>");
    assert_eq!(remove("ws=\"before\"").unwrap(), "<Patient>\n  <gender value=\"male\"/>\n</Patient>");
    assert_eq!(remove("ws=\"after\"").unwrap(), "<Patient>\n  <gender value=\"male\"/>\n</Patient>");
    assert_eq!(remove("ws=\"both\"").unwrap(), "<Patient><gender value=\"male\"/>\n</Patient>");
    assert!(remove("ws=\"none\"").is_err());
    assert!(refused("<remove sel=\"f:Patient/f:birthDate\" ws=\"before\"/>", Kind::Invalid).contains("blanks"));
}

#[test]
fn an_element_is_replaced_by_one_element() {
    becomes("<replace sel=\"f:Patient/f:birthDate\">\n<f:birthDate value=\"1930\"/>\n</replace>", "1920-01-01", "1930");
    for held in ["", "x", "<f:a/><f:b/>", "<!--x-->"] {
        let told = refused(&format!("<replace sel=\"f:Patient/f:birthDate\">{held}</replace>"), Kind::Invalid);
        assert_eq!(told, "operation 1 (replace): it must hold one node of the kind it replaces");
    }
    assert!(refused("<replace sel=\"f:Patient\"><f:Patient/></replace>", Kind::Invalid).contains("resource itself"));
    assert!(refused("<remove sel=\"f:Patient\"/>", Kind::Invalid).contains("resource itself"));
}

#[test]
fn what_no_patch_may_change_is_told_with_the_operation() {
    for operation in [
        "<replace sel=\"f:Patient/f:id/@value\">q</replace>",
        "<remove sel=\"f:Patient/f:id\"/>",
        "<add sel=\"f:Patient/f:id\" type=\"@id\">q</add>",
    ] {
        let told = refused(&format!("<remove sel=\"f:Patient/f:birthDate\"/>{operation}"), Kind::Invalid);
        assert!(told.starts_with("operation 2 (") && told.contains("not a patch's"), "{told}");
    }
}

#[test]
fn what_is_no_patch_is_refused() {
    for operations in [
        "<add/>",
        "<add sel=\"//f:Patient\"/>",
        "<add sel=\"f:Patient[\"/>",
        "<add sel=\"\"/>",
        "<add sel=\"f:Patient/id('x')\"/>",
        "<add",
    ] {
        refused(operations, Kind::Malformed);
    }
    for patch in
        ["", "x", "<a/><b/>", "<!DOCTYPE d [<!ENTITY e \"x\">]><d/>", "<d>&e;</d>", "<d xmlns:f=\"u\"><g:a/></d>", "<d></e>"]
    {
        assert_eq!(patched(PATIENT, patch, 10_000).unwrap_err().kind(), Kind::Malformed, "{patch}");
    }
    assert!(refused("<move sel=\"f:Patient\"/>", Kind::Invalid).contains("add, replace or remove"));
    assert_eq!(done("").unwrap(), PATIENT);
}

fn there_and_back(json: &str) -> String {
    let tree = Tree::parse(json.as_bytes()).unwrap();
    let mut form = Form::new(Registry::shared().unwrap());
    let xml = document::written(&form.xml(tree.root()).unwrap());
    form.json(&document::read(&xml).unwrap_or_else(|reason| panic!("{reason}: {xml}"))).unwrap()
}

#[test]
fn a_resource_is_the_same_in_xml_and_back() {
    let folders = ["examples", "conformance/fixtures"].map(|folder| format!("{}/{folder}", env!("CARGO_MANIFEST_DIR")));
    let files = folders.iter().flat_map(|folder| std::fs::read_dir(folder).unwrap());
    let mut count = 0;
    for file in files.map(|file| file.unwrap().path()) {
        let Ok(text) = std::fs::read_to_string(&file) else { continue };
        let resources = serde_json::from_str::<Value>(&text).ok().filter(|json| json["resourceType"].is_string());
        // Some fixtures are none on purpose, or become resources when their variables are filled.
        let Some(json) = resources.filter(|json| Tree::parse(json.to_string().as_bytes()).is_ok()) else { continue };
        if file.to_string_lossy().contains("malformed") || file.to_string_lossy().contains("wrong") {
            continue;
        }
        assert_eq!(serde_json::from_str::<Value>(&there_and_back(&json.to_string())).unwrap(), json, "{}", file.display());
        count += 1;
    }
    assert!(count > 30, "{count}");
}

#[test]
fn whatever_json_says_xml_has_a_place_for() {
    let json = r##"{"resourceType":"Patient","id":"p","meta":{"tag":[{"system":"s","code":"a"}]},"text":{"status":"generated","div":"<div xmlns='http://www.w3.org/1999/xhtml' title=\"x\">a<br />\u00e9 &amp; b</div>"},"contained":[{"resourceType":"Group","id":"g","type":"person","actual":true}],"extension":[{"url":"http://e","valueDecimal":1.500}],"name":[{"id":"n","given":["a","b"],"_given":[null,{"id":"g","extension":[{"url":"http://e","valueString":"<\"&'>\\n\\t"}]}]}],"_birthDate":{"extension":[{"url":"http://absent","valueCode":"unknown"}]},"deceasedBoolean":false,"multipleBirthInteger":2}"##;
    assert_eq!(there_and_back(json), json);
}

#[test]
fn a_patch_of_the_xml_form_changes_the_resource_and_keeps_digits_and_narrative() {
    let before = r#"{"resourceType":"Observation","id":"o","text":{"status":"generated","div":"<div xmlns='http://www.w3.org/1999/xhtml'>x<br /></div>"},"status":"final","code":{"text":"y"},"valueQuantity":{"value":1.2500,"unit":"g"}}"#;
    let patch = |operations: &str| {
        let diff = format!("<diff xmlns=\"http://hl7.org/fhir\">{operations}</diff>");
        apply(Registry::shared().unwrap(), before.as_bytes(), diff.as_bytes(), 10_000)
    };
    let made = patch(r#"<replace sel="Observation/status/@value">amended</replace>"#).unwrap();
    assert_eq!(made, before.replace("final", "amended"));
    assert_eq!(patch(r#"<replace sel="Observation/status/@value">final</replace>"#).unwrap(), before);
    let made = patch(r#"<replace sel="Observation/valueQuantity"><valueString value="z"/></replace>"#).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&made).unwrap()["valueString"], json!("z"));
    let table = [
        (r#"<add sel="Observation"><shoeSize value="43"/></add>"#, "does not have"),
        (r#"<add sel="Observation"><status value="final"/></add>"#, "twice"),
        (r#"<add sel="Observation">text</add>"#, "between elements"),
        (r#"<add sel="Observation/status" type="@other">x</add>"#, "attribute"),
        (r#"<add sel="Observation"><status xmlns="urn:other" value="final"/></add>"#, "namespace"),
    ];
    for (operation, told) in table {
        let failure = patch(operation).unwrap_err();
        assert_eq!(failure.kind(), Kind::Invalid, "{operation}");
        assert!(failure.issues()[0].diagnostics.contains(told), "{operation}: {failure}");
    }
}

proptest! {
    #[test]
    fn whatever_comes_as_a_patch_nothing_panics(patch in "\\PC{0,80}", sel in "[a-zA-Z:/@\\[\\]()'.=*0-9 ]{0,40}") {
        let _ = patched(PATIENT, &patch, 10_000);
        for operation in ["add", "replace", "remove"] {
            let escaped = quick_xml::escape::escape(&sel);
            if let Ok(xml) = done(&format!("<{operation} sel=\"{escaped}\"><f:x/></{operation}>")) {
                prop_assert!(xml.contains("<id value=\"p\"/>"));
            }
        }
    }
}
