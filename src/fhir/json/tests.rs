use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn fault(source: &str) -> SyntaxError {
    match Tree::parse(source.as_bytes()) {
        Ok(_) => panic!("{source} was read"),
        Err(error) => error,
    }
}

#[test]
fn every_fault_has_a_reason_and_a_place() {
    use Reason::*;
    let table: [(&str, Reason, usize, &str); 43] = [
        ("", Unfinished, 0, "$this"),
        (" \n", Unfinished, 2, "$this"),
        ("nul", Unfinished, 3, "$this"),
        ("nulx", Unexpected, 3, "$this"),
        ("{}", EmptyObject, 1, "$this"),
        ("[ ]", EmptyArray, 2, "$this"),
        ("\u{feff}{\"resourceType\":\"Patient\"}", ByteOrderMark, 0, "Patient"),
        (r#"{"a":1} x"#, TrailingBytes, 8, "$this"),
        (r#"{"resourceType":"Patient"}{"#, TrailingBytes, 26, "Patient"),
        (r#"{"resourceType":"Patient","name":[{"given":["a",nope]}]}"#, Unexpected, 49, "Patient.name[0].given[1]"),
        (r#"{"resourceType":"Patient","name":[{"given":["a","b}]}"#, Unfinished, 53, "Patient.name[0].given[1]"),
        (r#"{"resourceType":"Patient","name":[{"given":["a" "b"]}]}"#, Unexpected, 48, "Patient.name[0].given"),
        (r#"{"resourceType":"Patient","name":[{"given":["a"]},{"given":[]}]}"#, EmptyArray, 60, "Patient.name[1].given"),
        (r#"{"resourceType":"Patient","name":[{"given":["a"]},{}]}"#, EmptyObject, 51, "Patient.name[1]"),
        (r#"{"resourceType":"Patient","active":true,"active":true}"#, DuplicateKey, 40, "Patient.active"),
        (r#"{"resourceType":"Patient","active":true,"\u0061ctive":true}"#, DuplicateKey, 40, "Patient.active"),
        (r#"{"resourceType":"Patient","_birthDate":{"id":1,"id":2}}"#, DuplicateKey, 47, "Patient.birthDate.id"),
        (r#"{"name":[{"family":tru}],"resourceType":"Patient"}"#, Unexpected, 22, "Patient.name[0].family"),
        (r#"{"name":[{"family":"\x"}],"resourceType" : "Patient"}"#, BadEscape, 21, "Patient.name[0].family"),
        (r#"{"contained":[{"resourceType":"Patient"},{"id":-}]}"#, BadNumber, 48, "$this.contained[1].id"),
        (r#"{"contained":[{"id":-,"resourceType":"Patient"}],"resourceType":"Basic"}"#, BadNumber, 21, "Basic.contained[0].id"),
        (r#"{"resourceType":"Fairy","x":?}"#, Unexpected, 28, "$this.x"),
        (r#"{"resourceType":"Patient","a b":?}"#, Unexpected, 32, "Patient.`a b`"),
        (r#"{"resourceType":"Patient","":?}"#, Unexpected, 29, "Patient.``"),
        (r#"{"resourceType":"Patient" "id":1}"#, Unexpected, 26, "Patient"),
        (r#"{"resourceType":"Patient",}"#, Unexpected, 26, "Patient"),
        (r#"{"resourceType":"Patient","id"}"#, Unexpected, 30, "Patient.id"),
        (r#"{"resourceType":"Patient","id":}"#, Unexpected, 31, "Patient.id"),
        (r#"{"resourceType":"Patient","id":"a"]"#, Unexpected, 34, "Patient"),
        ("[1,]", Unexpected, 3, "$this[1]"),
        ("[01]", BadNumber, 3, "$this[0]"),
        ("[1.]", BadNumber, 3, "$this[0]"),
        ("[.5]", Unexpected, 1, "$this[0]"),
        ("[+5]", Unexpected, 1, "$this[0]"),
        ("[1e+]", BadNumber, 4, "$this[0]"),
        ("[1e+", Unfinished, 4, "$this[0]"),
        ("[\"a\nb\"]", ControlCharacter, 3, "$this[0]"),
        (r#"["\u12"]"#, BadEscape, 6, "$this[0]"),
        (r#"["\ud800"]"#, UnpairedSurrogate, 8, "$this[0]"),
        (r#"["\ud800A"]"#, UnpairedSurrogate, 8, "$this[0]"),
        (r#"["\udc00"]"#, UnpairedSurrogate, 8, "$this[0]"),
        (r#"["\ud800\u0041"]"#, UnpairedSurrogate, 14, "$this[0]"),
        (r#"["\ud800\ue000"]"#, UnpairedSurrogate, 14, "$this[0]"),
    ];
    for (source, reason, offset, expression) in table {
        let error = fault(source);
        assert_eq!((error.reason, error.offset, error.expression.as_str()), (reason, offset, expression), "{source}");
    }
}

#[test]
fn a_fault_is_found_by_its_line_and_column_in_characters() {
    let error = fault("{\n  \"é\": \"ü\",\n  \"éé\" 1\n}");
    assert_eq!((error.line, error.column), (3, 8));
    assert_eq!(error.to_string(), "a character that cannot stand here (line 3, column 8)");
}

#[test]
fn bytes_that_are_not_utf8_are_refused_where_they_stand() {
    let table: [(&[u8], Reason, usize, &str); 4] = [
        (b"{\"resourceType\":\"Patient\",\"name\":[{\"family\":\"\xe9\"}]}", Reason::InvalidUtf8, 45, "Patient.name[0].family"),
        (b"{\"resourceType\":\"Patient\"}\xff", Reason::InvalidUtf8, 26, "Patient"),
        (b"{\"a\":[],\"b\":\"\xff\"}", Reason::EmptyArray, 6, "$this.a"),
        (b"\xff\xfe{\0}\0", Reason::InvalidUtf8, 0, "$this"),
    ];
    for (source, reason, offset, expression) in table {
        let error = Tree::parse(source).unwrap_err();
        assert_eq!((error.reason, error.offset, error.expression.as_str()), (reason, offset, expression));
    }
}

#[test]
fn an_expression_shows_no_more_than_the_beginning_of_a_long_name() {
    let source = format!(r#"{{"{}\n`":?}}"#, "x".repeat(100_000));
    assert_eq!(fault(&source).expression, format!("$this.`{}`", "x".repeat(64)));
    assert_eq!(fault(r#"{"a`\n":?}"#).expression, "$this.`a??`");
}

#[test]
fn nesting_is_read_to_its_limit_and_refused_beyond() {
    let nested = |depth: usize| "[".repeat(depth) + "1" + &"]".repeat(depth);
    assert!(Tree::parse(nested(MAX_DEPTH).as_bytes()).is_ok());
    assert_eq!(fault(&nested(MAX_DEPTH + 1)).reason, Reason::TooDeep);
    assert_eq!(fault(&nested(1_000_000)).reason, Reason::TooDeep);
    assert_eq!(fault(&(r#"{"a":"#.repeat(10_000) + "1" + &"}".repeat(10_000))).reason, Reason::TooDeep);
}

#[test]
fn a_repeated_name_is_found_in_an_object_of_any_size() {
    for members in [2, 10, 31, 32, 33, 34, 100, 100_000] {
        let all: Vec<String> = (0..members).map(|number| format!(r#""m{number}":{number}"#)).collect();
        let tree = format!("{{{}}}", all.join(","));
        assert_eq!(Tree::parse(tree.as_bytes()).unwrap().len(), members + 1);
        for repeated in [0, members / 2, members - 1] {
            let source = format!(r#"{{{},"m{repeated}":0}}"#, all.join(","));
            let error = fault(&source);
            assert_eq!((error.reason, error.expression), (Reason::DuplicateKey, format!("$this.m{repeated}")));
        }
    }
}

#[test]
fn a_node_tells_its_place() {
    let source = br#"{"resourceType":"Patient","name":[{"given":["a","b"],"_given":[null,{"id":"x"}]}],"a b":1}"#;
    let tree = Tree::parse(source).unwrap();
    let root = tree.root();
    let name = root.member("name").unwrap().children().next().unwrap();
    let places = [
        (root, "Patient"),
        (name, "Patient.name[0]"),
        (name.member("given").unwrap().children().nth(1).unwrap(), "Patient.name[0].given[1]"),
        (name.member("_given").unwrap().children().nth(1).unwrap().member("id").unwrap(), "Patient.name[0].given[1].id"),
        (root.member("a b").unwrap(), "Patient.`a b`"),
    ];
    for (node, expression) in places {
        assert_eq!(node.expression(), expression);
    }
}

fn as_double(digits: &str) -> Option<f64> {
    digits.parse().ok()
}

/// Whether the tree holds what serde_json read. Its doubles may be off by their last bit; that ours keep their digits is
/// tested where they are written.
fn is_same(node: Node<'_>, value: &Value) -> bool {
    match (node.kind(), value) {
        (JsonKind::Object, Value::Object(members)) => {
            let written: Vec<_> = node.children().filter_map(Node::key).collect();
            written.len() == members.len()
                && members.iter().all(|(name, value)| node.member(name).is_some_and(|member| is_same(member, value)))
        }
        (JsonKind::Array, Value::Array(items)) => {
            node.children().count() == items.len() && node.children().zip(items).all(|(node, value)| is_same(node, value))
        }
        (JsonKind::String, Value::String(text)) => node.string().as_deref() == Some(text.as_str()),
        (JsonKind::Number, Value::Number(number)) => {
            let (ours, theirs) = (node.number().and_then(as_double), as_double(&number.to_string()));
            // Equal first: beyond what a double holds, both are infinite and have no difference.
            let is_near =
                |(ours, theirs): (f64, f64)| ours == theirs || (ours - theirs).abs() <= theirs.abs() * f64::EPSILON * 2.0;
            ours.zip(theirs).is_some_and(is_near)
        }
        (JsonKind::Boolean, Value::Bool(value)) => node.boolean() == Some(*value),
        (JsonKind::Null, Value::Null) => true,
        _ => false,
    }
}

/// The reasons for which we refuse what JSON at large allows.
fn is_stricter_than_json(reason: Reason) -> bool {
    use Reason::*;
    matches!(reason, DuplicateKey | EmptyArray | EmptyObject | TooDeep)
}

fn check_against_serde_json(source: &[u8]) -> Result<(), TestCaseError> {
    let oracle = serde_json::from_slice::<Value>(source);
    match (Tree::parse(source), oracle) {
        (Ok(tree), Ok(value)) => prop_assert!(is_same(tree.root(), &value), "{}", tree.source()),
        (Err(_), Err(_)) => {}
        (Err(error), Ok(_)) => prop_assert!(is_stricter_than_json(error.reason), "{error}"),
        // Without arbitrary precision the oracle cannot hold what no double can.
        (Ok(_), Err(error)) => prop_assert!(error.to_string().contains("number out of range"), "{error}"),
    }
    Ok(())
}

const STRING: &str = "\"([a-zé😀 ]|\\\\[\"\\\\/bfnrt]|\\\\u00[0-9a-fA-F]{2}|\\\\ud83d\\\\ude00){0,6}\"";
const NUMBER: &str = "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?";

/// JSON texts with every kind of value, escape and blank; objects and arrays have at least `least` members, whose names come
/// from the pattern `name`.
fn json_text(least: usize, name: &'static str) -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec!["true", "false", "null"]).prop_map(String::from);
    let blank = || prop::sample::select(vec!["", "", " ", "\n", "\t\r"]);
    prop_oneof![STRING, NUMBER, word].prop_recursive(4, 24, 6, move |inner| {
        let item = (blank(), inner, blank()).prop_map(|(before, value, after)| format!("{before}{value}{after}"));
        let member = (name, blank(), item.clone()).prop_map(|(name, blank, value)| (name, format!("{blank}:{value}")));
        prop_oneof![
            prop::collection::vec(item, least..6).prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec(member, least..6).prop_map(|members| {
                format!("{{{}}}", members.into_iter().map(|(name, value)| name + &value).collect::<Vec<_>>().join(","))
            }),
        ]
    })
}

/// JSON texts that are also FHIR JSON, as far as the scanner knows.
fn accepted_text() -> impl Strategy<Value = String> {
    json_text(1, "\"[a-z]{8}\"")
}

/// Bytes that come close to JSON.
fn near_json() -> impl Strategy<Value = Vec<u8>> {
    let token = prop_oneof![
        Just("{"),
        Just("}"),
        Just("["),
        Just("]"),
        Just(":"),
        Just(","),
        Just("\""),
        Just("\\"),
        Just("\\u"),
        Just("d800"),
        Just("\"a\""),
        Just("\"b\":"),
        Just("1"),
        Just("0"),
        Just("-"),
        Just("."),
        Just("e"),
        Just("true"),
        Just("null"),
        Just(" "),
        Just("\n"),
        Just("\u{1}"),
        Just("é"),
    ];
    prop::collection::vec(token, 0..24).prop_map(|tokens| tokens.concat().into_bytes())
}

proptest! {
    #[test]
    fn what_json_allows_is_read_alike(source in json_text(0, STRING)) {
        check_against_serde_json(source.as_bytes())?;
    }

    #[test]
    fn a_text_with_one_byte_changed_is_judged_alike(source in json_text(0, STRING), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = source.into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        check_against_serde_json(&bytes)?;
        check_against_serde_json(&bytes[..at])?;
    }

    #[test]
    fn what_is_almost_json_is_judged_alike(source in near_json()) {
        check_against_serde_json(&source)?;
    }

    #[test]
    fn no_bytes_make_the_scanner_panic(source in prop::collection::vec(any::<u8>(), 0..64)) {
        check_against_serde_json(&source)?;
    }

    #[test]
    fn compact_text_means_the_same_and_stays_the_same(source in accepted_text()) {
        let tree = Tree::parse(source.as_bytes()).unwrap();
        let (mut once, mut twice) = (Vec::new(), Vec::new());
        compact(tree.root(), &mut once);
        let again = Tree::parse(&once).unwrap();
        compact(again.root(), &mut twice);
        prop_assert_eq!(&once, &twice);
        let leaves = |tree: &Tree<'_>| tree.nodes().filter(|node| node.children().next().is_none()).map(|node| node.raw().to_owned()).collect::<Vec<_>>();
        prop_assert_eq!(leaves(&tree), leaves(&again));
    }

    #[test]
    fn replaced_values_are_written_alike_with_and_without_blanks(source in accepted_text(), chosen in 0..7_u32) {
        let tree = Tree::parse(source.as_bytes()).unwrap();
        let mut without_blanks = Vec::new();
        compact(tree.root(), &mut without_blanks);
        let replace = |node: Node<'_>| (node.index() % 7 == chosen).then(|| String::from("\"replaced\""));
        let stamp_of = |tree: &Tree<'_>| {
            let id = "new".parse().unwrap();
            let stamp = Stamp { id: &id, version: crate::fhir::VersionId(3), updated: crate::fhir::Instant::from_micros(0) };
            String::from_utf8(stamped(tree.root(), &stamp, &replace)).unwrap()
        };
        prop_assert_eq!(stamp_of(&tree), stamp_of(&Tree::parse(&without_blanks).unwrap()));
    }

    #[test]
    fn a_string_is_written_so_that_json_reads_it_back(text in "\\PC*|[\u{0}-\u{9f}\u{2028}\u{ffff}\u{10ffff}]*") {
        let mut out = Vec::new();
        push_string(&text, &mut out);
        prop_assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text.clone());
        let tree = Tree::parse(&out).unwrap();
        prop_assert_eq!(tree.root().string().unwrap(), text);
    }

    #[test]
    fn a_stamp_changes_nothing_but_id_and_meta(members in prop::collection::btree_map("[a-h][a-z]{0,5}", accepted_text(), 0..6)) {
        let text: String = members.iter().map(|(name, value)| format!(r#","{name}":{value}"#)).collect();
        let source = format!(r#"{{"id":"old","resourceType":"Patient"{text}}}"#);
        let tree = Tree::parse(source.as_bytes()).unwrap();
        let id = "new".parse().unwrap();
        let stamp = Stamp { id: &id, version: crate::fhir::VersionId(3), updated: crate::fhir::Instant::from_micros(0) };
        let mut expected: Value = serde_json::from_str(&source).unwrap();
        expected["id"] = "new".into();
        expected["meta"] = serde_json::json!({"versionId": "3", "lastUpdated": "1970-01-01T00:00:00.000000Z"});
        prop_assert_eq!(serde_json::from_slice::<Value>(&stamped(tree.root(), &stamp, &|_| None)).unwrap(), expected);
    }
}
