use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::definition::Registry;
use crate::fhir::json::{JsonKind, Node, Tree};

fn registry() -> &'static Registry {
    Registry::shared().unwrap()
}

fn xml(json: &str) -> String {
    let tree = Tree::parse(json.as_bytes()).unwrap();
    String::from_utf8(to_xml(registry(), tree.root(), &[], Layout::Compact).unwrap().xml).unwrap()
}

fn json(xml: &str) -> String {
    String::from_utf8(to_json(registry(), xml.as_bytes()).unwrap()).unwrap()
}

#[track_caller]
fn refused(xml: &str, expression: &str, rule: &str) -> Fault {
    let fault = to_json(registry(), xml.as_bytes()).unwrap_err();
    assert!(fault.rule.contains(rule), "{fault}");
    assert_eq!(fault.expression, expression, "{fault}");
    fault
}

/// `node` with its members in the order of their names: what both forms say alike.
fn said(node: Node<'_>) -> String {
    match node.kind() {
        JsonKind::Object => {
            let members: BTreeMap<String, String> =
                node.children().map(|child| (child.key().unwrap().into_owned(), said(child))).collect();
            format!("{members:?}")
        }
        JsonKind::Array => format!("{:?}", node.children().map(said).collect::<Vec<_>>()),
        JsonKind::String => format!("{:?}", node.string().unwrap()),
        JsonKind::Number | JsonKind::Boolean | JsonKind::Null => node.raw().to_owned(),
    }
}

#[track_caller]
fn comes_back(source: &str) {
    let there = xml(source);
    let back = json(&there);
    let (before, after) = (Tree::parse(source.as_bytes()).unwrap(), Tree::parse(back.as_bytes()).unwrap());
    assert_eq!(said(after.root()), said(before.root()), "{there}");
}

const PATIENT: &str = r#"{"resourceType":"Patient","id":"p","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">a <b>b</b>&#160;&lt;</div>"},
    "contained":[{"resourceType":"Organization","id":"o","name":"A & \"B\" <c>"}],
    "extension":[{"url":"http://e","valueDecimal":1.500},{"url":"http://f","extension":[{"url":"g","valueBoolean":true}]}],
    "active":true,"name":[{"id":"n1","family":"Durand","_family":{"extension":[{"url":"http://e","valueString":"x"}]},
    "given":["Zoé",null,"b"],"_given":[null,{"id":"g2","extension":[{"url":"http://e","valueCode":"masked"}]},null]}],
    "_birthDate":{"extension":[{"url":"http://e","valueString":"line\nbreak\ttab"}]},
    "multipleBirthInteger":2,"contact":[{"telecom":[{"rank":1}]}],"link":[{"other":{"reference":"Patient/q"},"type":"seealso"}]}"#;

#[test]
fn a_resource_is_written_in_the_order_of_its_definition_with_its_attributes() {
    let expected = concat!(
        r#"<Patient xmlns="http://hl7.org/fhir"><id value="p"/><text><status value="generated"/>"#,
        r#"<div xmlns="http://www.w3.org/1999/xhtml">a <b>b</b>&#160;&lt;</div></text>"#,
        r#"<contained><Organization><id value="o"/><name value="A &amp; &quot;B&quot; &lt;c&gt;"/></Organization></contained>"#,
        r#"<extension url="http://e"><valueDecimal value="1.500"/></extension>"#,
        r#"<extension url="http://f"><extension url="g"><valueBoolean value="true"/></extension></extension>"#,
        r#"<active value="true"/><name id="n1">"#,
        r#"<family value="Durand"><extension url="http://e"><valueString value="x"/></extension></family>"#,
        r#"<given value="Zoé"/><given id="g2"><extension url="http://e"><valueCode value="masked"/></extension></given><given value="b"/></name>"#,
        r#"<birthDate><extension url="http://e"><valueString value="line&#10;break&#9;tab"/></extension></birthDate>"#,
        r#"<multipleBirthInteger value="2"/><contact><telecom><rank value="1"/></telecom></contact>"#,
        r#"<link><other><reference value="Patient/q"/></other><type value="seealso"/></link></Patient>"#,
    );
    assert_eq!(xml(PATIENT), expected);
    comes_back(PATIENT);
}

#[test]
fn what_was_read_is_json_as_it_is_stored() {
    let source = r#"<?xml version="1.0" encoding="UTF-8"?><!-- a comment -->
        <f:Patient xmlns:f="http://hl7.org/fhir" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://hl7.org/fhir patient.xsd">
          <f:active value="false"/><f:name><f:given value="a&#x20;b
c"/></f:name><f:multipleBirthBoolean value="true"/></f:Patient>"#;
    let expected = r#"{"resourceType":"Patient","active":false,"name":[{"given":["a b c"]}],"multipleBirthBoolean":true}"#;
    assert_eq!(json(source), expected);
}

#[test]
fn digits_stay_as_they_were_written() {
    for digits in ["1.50", "0", "-0.000", "1E3", "1e-7", "123456789012345678901234567890.10"] {
        let source = format!(r#"{{"resourceType":"Observation","valueQuantity":{{"value":{digits}}}}}"#);
        assert_eq!(json(&xml(&source)), source);
    }
    for digits in ["01", "1.", ".5", "+1", "1e", "NaN", "", "1 "] {
        let source = format!(
            r#"<Observation xmlns="http://hl7.org/fhir"><valueQuantity><value value="{digits}"/></valueQuantity></Observation>"#
        );
        refused(&source, "Observation.value.value", "must be a number");
    }
}

#[test]
fn an_indented_text_says_the_same() {
    let tree = Tree::parse(PATIENT.as_bytes()).unwrap();
    let indented = to_xml(registry(), tree.root(), &[], Layout::Indented).unwrap().xml;
    let indented = String::from_utf8(indented).unwrap();
    assert!(
        indented.starts_with("<Patient xmlns=\"http://hl7.org/fhir\">\n  <id value=\"p\"/>\n  <text>\n    <status"),
        "{indented}"
    );
    assert!(indented.ends_with("\n    <type value=\"seealso\"/>\n  </link>\n</Patient>"), "{indented}");
    assert_eq!(json(&indented), json(&xml(PATIENT)));
}

#[test]
fn a_bundle_holds_resources_and_parameters_hold_parts() {
    comes_back(
        r#"{"resourceType":"Bundle","type":"collection","entry":[{"fullUrl":"urn:uuid:1","resource":{"resourceType":"Basic","code":{"text":"x"}}},
        {"resource":{"resourceType":"Parameters","parameter":[{"name":"a","valueString":"x"},{"name":"b","part":[{"name":"c","resource":{"resourceType":"Patient"}}]}]}}]}"#,
    );
}

#[test]
fn what_is_not_fhir_is_refused_where_it_stands() {
    let patient = |content: &str| format!(r#"<Patient xmlns="http://hl7.org/fhir">{content}</Patient>"#);
    let table = [
        (r#"<nome value="x"/>"#, "Patient", "no element nome"),
        (r#"<name><nick value="x"/></name>"#, "Patient.name[0]", "no element nick"),
        (r#"<name/>"#, "Patient.name[0]", "must not be empty"),
        (r#"<active/>"#, "Patient.active", "a value or an extension"),
        (r#"<active value="yes"/>"#, "Patient.active", "true or false"),
        (r#"<active value="true" valu="x"/>"#, "Patient.active", "no such attribute"),
        (r#"<name value="x"/>"#, "Patient.name[0]", "no such attribute"),
        (r#"<active value="true"/><active value="true"/>"#, "Patient", "does not repeat"),
        (r#"<deceasedBoolean value="true"/><deceasedDateTime value="2020"/>"#, "Patient", "does not repeat"),
        (r#"<name><family value="a"/></name><active value="true"/>"#, "Patient", "active stands before name"),
        (
            r#"<name><family value="a"/></name><gender value="male"/><name><family value="b"/></name>"#,
            "Patient",
            "name stands before gender",
        ),
        (r#"text<active value="true"/>"#, "Patient", "no text"),
        (r#"<active value="&nbsp;"/>"#, "Patient.active", "a reference stands for"),
        (r#"<contained/>"#, "Patient.contained[0]", "a resource stands"),
        (r#"<contained><Patient/><Patient/></contained>"#, "Patient.contained[0]", "one resource"),
        (r#"<contained><Person0/></contained>"#, "Patient.contained[0]", "not that of a resource type"),
        (r#"<text><status value="generated"/><div>x</div></text>"#, "Patient.text", "no element div"),
        (
            r#"<text><status value="generated"/><div xmlns="http://www.w3.org/1999/xhtml">&nbsp;</div></text>"#,
            "Patient.text.div",
            "a reference stands for",
        ),
        (r#"<x:active xmlns:x="urn:x" value="true"/>"#, "Patient", "in the namespace"),
        (r#"<![CDATA[x]]>"#, "Patient", "no text"),
        (r#"<active value="true">"#, "Patient.active", "well-formed"),
    ];
    for (content, expression, rule) in table {
        refused(&patient(content), expression, rule);
    }
    refused("<Patient/>", "$this", "in the namespace");
    refused(r#"<Nothing xmlns="http://hl7.org/fhir"/>"#, "$this", "not that of a resource type");
    refused("", "$this", "there is no element");
    refused(&format!("{}{}", patient(""), patient("")), "Patient", "one resource");
    let fault = refused(&format!("<!DOCTYPE Patient [<!ENTITY x \"y\">]>\n{}", patient("")), "$this", "document type");
    assert_eq!((fault.line, fault.column), (1, 1));
    assert_eq!(to_json(registry(), b"<Patient \xff").unwrap_err().rule, "the text is not UTF-8");
    let fault = refused(&patient("\n  <nome value=\"x\"/>"), "Patient", "no element nome");
    assert_eq!((fault.line, fault.column), (2, 3));
    let deep = "<extension url=\"u\">".repeat(100);
    refused(&patient(&deep), &format!("Patient{}", ".extension[0]".repeat(63)), "deeper");
}

#[test]
fn a_narrative_that_is_no_xml_is_shown_as_text() {
    let div = |div: &str| xml(&format!(r#"{{"resourceType":"Patient","text":{{"status":"generated","div":"{div}"}}}}"#));
    assert!(
        div("<div>a&nbsp;b</div>")
            .contains(r#"<div xmlns="http://www.w3.org/1999/xhtml">&lt;div&gt;a&amp;nbsp;b&lt;/div&gt;</div>"#)
    );
    assert!(div("<div>a</div>").contains(r#"<div xmlns="http://www.w3.org/1999/xhtml">a</div>"#));
}

#[test]
fn what_fills_an_empty_string_has_its_place_in_xml_too() {
    let source = r#"{"resourceType":"Binary","data":"","contentType":"text/plain"}"#;
    let tree = Tree::parse(source.as_bytes()).unwrap();
    let hole = source.find("\"\"").unwrap() + 1;
    let written = to_xml(registry(), tree.root(), &[hole], Layout::Compact).unwrap();
    let [(0, at)] = written.holes[..] else { panic!("{:?}", written.holes) };
    let (before, after) = std::str::from_utf8(&written.xml).unwrap().split_at(at);
    assert!(
        before.ends_with(r#"<contentType value="text/plain"/><data value=""#) && after.starts_with(r#""/>"#),
        "{before} | {after}"
    );
}

/// A value of a type, a few elements of it, as deep as `depth` allows.
fn value(of: <Registry as Elements>::Type, depth: u32) -> BoxedStrategy<Option<String>> {
    use crate::definition::StructureKind;
    let structure = registry().structure(of);
    match structure.kind {
        StructureKind::Primitive(_) => primitive(of).prop_map(Some).boxed(),
        StructureKind::Resource => Just(Some(String::from(r#"{"resourceType":"Basic","id":"b"}"#))).boxed(),
        StructureKind::Complex | StructureKind::Backbone if depth == 0 => Just(None).boxed(),
        StructureKind::Complex | StructureKind::Backbone => {
            members(of, depth - 1).prop_map(|members| (!members.is_empty()).then(|| format!("{{{}}}", members.join(",")))).boxed()
        }
    }
}

fn primitive(of: <Registry as Elements>::Type) -> BoxedStrategy<String> {
    use crate::definition::{Primitive, StructureKind};
    match registry().structure(of).kind {
        StructureKind::Primitive(Primitive::Xhtml) => {
            Just(String::from(r#""<div xmlns=\"http://www.w3.org/1999/xhtml\">x</div>""#)).boxed()
        }
        StructureKind::Primitive(primitive) => match primitive.json() {
            JsonKind::Number => "-?(0|[1-9][0-9]{0,3})(\\.[0-9]{1,4})?(e-?[0-9]{1,2})?".boxed(),
            JsonKind::Boolean => prop_oneof![Just(String::from("true")), Just(String::from("false"))].boxed(),
            _ => "[a<>&\"\\\\é\n\t\r\u{1F600} ]{1,6}".prop_map(|text| serde_json::to_string(&text).unwrap()).boxed(),
        },
        _ => unreachable!(),
    }
}

/// A few members of a type, no two of one element.
fn members(of: <Registry as Elements>::Type, depth: u32) -> BoxedStrategy<Vec<String>> {
    let structure = registry().structure(of);
    let indices: Vec<usize> = (0..structure.elements.len()).collect();
    prop::sample::subsequence(indices, 0..=structure.elements.len().min(3))
        .prop_flat_map(move |picked| {
            let structure = registry().structure(of);
            let each: Vec<BoxedStrategy<Vec<String>>> =
                picked.iter().map(|index| member(of, structure.elements[*index].name, depth)).collect();
            each.prop_map(|members| members.concat())
        })
        .boxed()
}

fn member(of: <Registry as Elements>::Type, stem: &'static str, depth: u32) -> BoxedStrategy<Vec<String>> {
    let structure = registry().structure(of);
    let choices = structure.choices(stem);
    let names: Vec<String> = if choices.is_empty() {
        vec![stem.to_owned()]
    } else {
        choices.iter().map(|choice| choice.property.to_string()).collect()
    };
    prop::sample::select(names)
        .prop_flat_map(move |name| {
            let Some(element) = registry().element(of, &name) else { return Just(Vec::new()).boxed() };
            match element.form {
                Form::Attribute => Just(vec![format!(r#""{name}":"a""#)]).boxed(),
                form => {
                    let beside = prop::option::of(Just(r#"{"id":"i","extension":[{"url":"u","valueCode":"c"}]}"#));
                    let is_primitive = matches!(form, Form::Text | Form::Number | Form::Boolean);
                    (prop::collection::vec((value(element.holds, depth), beside), 1..3), any::<bool>())
                        .prop_map(move |(items, with)| {
                            written(&name, element.repeats, is_primitive && with && name != "id", items)
                        })
                        .boxed()
                }
            }
        })
        .boxed()
}

fn written(name: &str, repeats: bool, has_beside: bool, items: Vec<(Option<String>, Option<&str>)>) -> Vec<String> {
    let items: Vec<_> = items.into_iter().filter_map(|(value, beside)| Some((value?, beside.filter(|_| has_beside)))).collect();
    let Some((value, beside)) = items.first() else { return Vec::new() };
    if !repeats {
        let beside = beside.map(|beside| format!(r#""_{name}":{beside}"#));
        return std::iter::once(format!(r#""{name}":{value}"#)).chain(beside).collect();
    }
    let values: Vec<&str> = items.iter().map(|(value, _)| value.as_str()).collect();
    let mut members = vec![format!(r#""{name}":[{}]"#, values.join(","))];
    if items.iter().any(|(_, beside)| beside.is_some()) {
        let beside: Vec<&str> = items.iter().map(|(_, beside)| beside.unwrap_or("null")).collect();
        members.push(format!(r#""_{name}":[{}]"#, beside.join(",")));
    }
    members
}

proptest! {
    #[test]
    fn every_type_comes_back_as_it_was(
        (kind, members) in prop::sample::select(crate::fhir::ResourceType::ALL)
            .prop_flat_map(|kind| (Just(kind), members(registry().resource(kind), 3)))
    ) {
        let source = std::iter::once(format!(r#""resourceType":"{kind}""#)).chain(members).collect::<Vec<_>>().join(",");
        let source = format!("{{{source}}}");
        let tree = Tree::parse(source.as_bytes()).unwrap();
        let written = to_xml(registry(), tree.root(), &[], Layout::Compact).unwrap();
        let back = to_json(registry(), &written.xml).map_err(|fault| TestCaseError::fail(format!("{fault}: {}", String::from_utf8_lossy(&written.xml))))?;
        prop_assert_eq!(said(Tree::parse(&back).unwrap().root()), said(tree.root()));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = to_json(registry(), &bytes);
    }

    #[test]
    fn any_tags_are_read_or_refused(
        parts in prop::collection::vec(prop::sample::select(vec![
            "<Patient xmlns=\"http://hl7.org/fhir\">", "</Patient>", "<name>", "</name>", "<given value=\"a\"/>", "<text>", "</text>",
            "<div xmlns=\"http://www.w3.org/1999/xhtml\">", "</div>", "&lt;", "&x;", "x", "<contained>", "</contained>", "<active value='true'>", "</active>",
            "<!-- -->", "<?pi?>", "<![CDATA[]]>", "<!DOCTYPE x>", "<extension url=\"\n\">", "</extension>", "<", ">", "\"",
        ]), 0..12)
    ) {
        if let Ok(json) = to_json(registry(), parts.concat().as_bytes()) {
            prop_assert!(serde_json::from_slice::<serde_json::Value>(&json).is_ok());
        }
    }
}
