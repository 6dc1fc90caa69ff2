//! The grammar: what is read, how it binds, where a fault is said to be, and that nothing makes the parser fall over.

use proptest::prelude::*;

use super::{PATIENT, answer, check};
use crate::fhirpath::Expression;

#[test]
fn operators_bind_as_the_grammar_orders_them() {
    check(
        PATIENT,
        &[
            ("true or false and false", "true"),
            ("false and false or true", "true"),
            ("false implies false or true", "true"),
            ("1 + 1 = 2 and 2 in (1 | 2)", "true"),
            ("'a' + 'b' in ('ab' | 'c')", "true"),
            ("1 | 2 = 2 | 1", "false"),
            ("1 < 2 = true", "true"),
            ("-1.abs()", "-1"),
            ("1 + 2 is Integer", "true"),
            ("1 is Integer and true", "true"),
        ],
    );
}

#[test]
fn words_of_the_grammar_are_names_where_no_operator_can_stand() {
    check(
        r#"{"resourceType": "Patient", "contains": "a", "is": "b", "div": "c", "in": "d", "days": "e"}"#,
        &[("contains", "a"), ("is", "b"), ("$this.div", "c"), ("`div`", "c"), ("in in in", "true"), ("days", "e"), ("as", "")],
    );
}

#[test]
fn literals_blanks_and_comments_are_read() {
    check(
        PATIENT,
        &[
            ("  1 // one\n + /* two */ 2", "3"),
            (r"'\'\\\/\n\t\u00e9'", "'\\/\n\té"),
            ("007", "7"),
            ("00.50", "0.50"),
            ("@2024T", "2024"),
            ("@2024T is DateTime", "true"),
            ("@2024 is Date", "true"),
            ("@2024-01-01T10:30", "2024-01-01T10:30"),
            ("@T10", "10"),
            ("4 days", "4 days"),
            ("4 'mg'", "4 'mg'"),
            ("99999999999 is Decimal", "true"),
        ],
    );
}

#[test]
fn a_fault_is_told_with_its_place() {
    let table = [
        ("", 0, "a value, a name or a function was expected here"),
        ("1 +", 3, "a value, a name or a function was expected here"),
        ("name.", 5, "a name or a function was expected here"),
        ("name.wher(true)", 5, "there is no function wher()"),
        ("name.where()", 5, "where() takes 1 to 1 arguments, here are 0"),
        ("name.first(1)", 5, "first() takes 0 to 0 arguments, here are 1"),
        ("(1", 2, ") was expected here"),
        ("1 2", 2, "the end of the expression was expected here"),
        ("'abc", 0, "the quoted text does not end"),
        (r"'a\q'", 2, "an escape that is none"),
        (r"'\ud800'", 1, "an escape that is none"),
        ("@2024-13", 0, "a date that is none"),
        ("@T25", 0, "a time of day that is none"),
        ("1 is System.Nothing", 19, "there is no type System.Nothing"),
        ("1 is Other.Integer", 18, "there is no namespace Other"),
        ("1 ; 2", 2, "a character that cannot stand here"),
        ("/* x", 0, "the comment does not end"),
        ("%", 0, "a name must follow %"),
        ("1 is 2", 6, "the name of a type was expected here"),
    ];
    for (source, offset, message) in table {
        let error = Expression::parse(source).unwrap_err();
        assert_eq!((error.offset, error.message.as_str()), (offset, message), "{source}");
    }
}

const LEAVES: &str = "name given $this 1 2.5 'a' true {} @2024-01 %resource Patient $index $total identifier.value";
const WITHOUT_ARGUMENT: &str = "count first last tail empty not children descendants distinct toString toChars length upper resolve \
                                type hasValue abs sqrt";
const WITH_ARGUMENT: &str = "where select repeat all exists combine union intersect exclude aggregate subsetOf skip take contains \
                             indexOf matches split join trace power log";
const OPERATORS: &str = "+ - * / div mod & | = != ~ !~ < >= and or xor implies in contains";

fn word_of(list: &'static str) -> impl Strategy<Value = &'static str> {
    prop::sample::select(list.split_whitespace().collect::<Vec<_>>())
}

fn expressions() -> impl Strategy<Value = String> {
    word_of(LEAVES).prop_map(str::to_owned).prop_recursive(5, 40, 3, |inner| {
        prop_oneof![
            (inner.clone(), word_of(OPERATORS), inner.clone()).prop_map(|(left, sign, right)| format!("({left} {sign} {right})")),
            (inner.clone(), word_of(WITH_ARGUMENT), inner.clone())
                .prop_map(|(base, name, argument)| format!("({base}).{name}({argument})")),
            (inner.clone(), word_of(WITHOUT_ARGUMENT)).prop_map(|(base, name)| format!("({base}).{name}()")),
            (inner.clone(), inner).prop_map(|(base, index)| format!("({base})[{index}]")),
        ]
    })
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_fall_over(text in "\\PC{0,60}") {
        let _ = Expression::parse(&text);
    }

    #[test]
    fn no_string_of_tokens_makes_the_parser_fall_over(
        tokens in prop::collection::vec(prop::sample::select(vec![
            "name", "where(", "(", ")", "[", "]", ".", ",", "1", "'a'", "@2024", "and", "is", "as(", "%x", "$this", "{", "}", "-", "|", "=",
        ]), 0..30)
    ) {
        let _ = Expression::parse(&tokens.join(" "));
    }

    #[test]
    fn every_well_formed_expression_compiles_and_its_evaluation_ends(expression in expressions()) {
        prop_assert!(!answer(PATIENT, &expression).starts_with('?'), "{}", expression);
    }

    #[test]
    fn a_fault_lies_within_the_text(text in "[a-z0-9'`@%.() +]{0,40}") {
        if let Err(error) = Expression::parse(&text) {
            prop_assert!(error.offset <= text.len());
        }
    }
}
