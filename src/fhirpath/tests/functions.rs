//! The functions, a table for each clause of the specification.

use super::{OBSERVATION, PATIENT, check};

#[test]
fn existence() {
    check(
        PATIENT,
        &[
            ("name.exists()", "true"),
            ("nothing.exists()", "false"),
            ("{}.empty()", "true"),
            ("name.empty()", "false"),
            ("name.exists(use = 'usual')", "true"),
            ("name.exists(use = 'old')", "false"),
            ("name.all(given.exists())", "true"),
            ("name.all(family.exists())", "false"),
            ("nothing.all(false)", "true"),
            ("(true | false).allTrue()", "false"),
            ("{}.allTrue()", "true"),
            ("(true | false).anyTrue()", "true"),
            ("{}.anyTrue()", "false"),
            ("(true | false).allFalse()", "false"),
            ("(true | false).anyFalse()", "true"),
            ("name.anyTrue()", "!a boolean was expected, the item is something else"),
            ("(1 | 2).subsetOf(1 | 2 | 3)", "true"),
            ("(1 | 4).subsetOf(1 | 2 | 3)", "false"),
            ("{}.subsetOf(1)", "true"),
            ("(1 | 2 | 3).supersetOf(2)", "true"),
            ("(1 | 2 | 3).supersetOf(2 | 4)", "false"),
            ("name.count()", "3"),
            ("{}.count()", "0"),
            ("name.given.distinct()", "Peter, James, Jim"),
            ("name.given.isDistinct()", "false"),
            ("name.use.isDistinct()", "true"),
            ("{}.isDistinct()", "true"),
        ],
    );
}

#[test]
fn filtering_and_projection() {
    check(
        PATIENT,
        &[
            ("name.where(use = 'official').given", "Peter, James"),
            ("name.where(nothing)", ""),
            ("name.where($index = 1).given", "Jim"),
            ("name.where(given.count() = 2).use", "official, maiden"),
            ("name.select(given.first())", "Peter, Jim, Peter"),
            ("name.select(given | family)", "Peter, James, Chalmers, Jim, Peter, James, Windsor"),
            ("name.select($index)", "0, 1, 2"),
            ("repeat(contained).id", "dr, org"),
            ("1.repeat(iif($this < 4, $this + 1))", "2, 3, 4"),
            ("contained.ofType(Practitioner).name.family", "House"),
            ("(1 | 'a' | true).ofType(Integer)", "1"),
            ("(1 | 'a' | true).ofType(System.String)", "a"),
        ],
    );
}

#[test]
fn subsetting_and_combining() {
    check(
        PATIENT,
        &[
            ("name.given[0]", "Peter"),
            ("name.first().use", "official"),
            ("name.last().use", "maiden"),
            ("name.tail().use", "usual, maiden"),
            ("name.skip(2).use", "maiden"),
            ("name.skip(-1).use", "official, usual, maiden"),
            ("name.skip(9)", ""),
            ("name.take(2).use", "official, usual"),
            ("name.take(0)", ""),
            ("name.take(-3)", ""),
            ("{}.first()", ""),
            ("name.first().given.single()", "!one item was expected, there are more"),
            ("birthDate.single()", "1974-12-25"),
            ("{}.single()", ""),
            ("(1 | 2 | 3).intersect(2 | 3 | 4)", "2, 3"),
            ("name.given.intersect('Peter')", "Peter"),
            ("(1 | 2 | 3).exclude(2)", "1, 3"),
            ("name.given.exclude('Jim')", "Peter, James, Peter, James"),
            ("(1 | 2).union(2 | 3)", "1, 2, 3"),
            ("(1 | 2).combine(2 | 3)", "1, 2, 2, 3"),
            ("name.given.combine('x').count()", "6"),
            ("name.where(use = 'usual').select(given.combine(%resource.gender))", "Jim, male"),
        ],
    );
}

#[test]
fn conversion() {
    check(
        OBSERVATION,
        &[
            ("iif(status = 'final', 'yes', 'no')", "yes"),
            ("iif(status = 'draft', 'yes')", ""),
            ("iif({}, 1, 2)", "2"),
            ("component.select(iif(code.text = 'b', $index, {}))", "1"),
            ("component.iif(count() > 1, 'many', 'few')", "many"),
            ("iif(true, 1, 1.single().single() + 'a')", "1"),
            ("'TRUE'.toBoolean()", "true"),
            ("'n'.toBoolean()", "false"),
            ("'maybe'.toBoolean()", ""),
            ("1.0.toBoolean()", "true"),
            ("2.convertsToBoolean()", "false"),
            ("'12'.toInteger()", "12"),
            ("'+12'.toInteger()", "12"),
            ("'12.0'.toInteger()", ""),
            ("'2147483648'.toInteger()", ""),
            ("true.toInteger()", "1"),
            ("'a'.convertsToInteger()", "false"),
            ("'1.10'.toDecimal()", "1.10"),
            ("5.toDecimal()", "5"),
            ("'x'.toDecimal()", ""),
            ("'1.1'.convertsToDecimal()", "true"),
            ("1.5.toString()", "1.5"),
            ("true.toString()", "true"),
            ("value.value.toString()", "185.0"),
            ("(4 days).toString()", "4 days"),
            ("(1 'mg').toString()", "1 'mg'"),
            ("component.toString()", "!one item was expected, there are more"),
            ("'2024-02-29'.toDate()", "2024-02-29"),
            ("'2024-02-30'.toDate()", ""),
            ("@2024-02-29T10:00:00Z.toDate()", "2024-02-29"),
            ("'2024-02-29T10:00:00+01:00'.toDateTime()", "2024-02-29T10:00:00+01:00"),
            ("@2024.toDateTime() is DateTime", "true"),
            ("'10:30'.toTime()", "10:30"),
            ("'25:30'.convertsToTime()", "false"),
            ("'4 days'.toQuantity() = 4 days", "true"),
            ("'1.5 \\'mg\\''.toQuantity().toString()", "1.5 'mg'"),
            ("'1 parsec'.toQuantity()", ""),
            ("5.toQuantity().toString()", "5 '1'"),
            ("'4 \\'d\\''.toQuantity('d').exists()", "true"),
            ("'4 \\'d\\''.convertsToQuantity('mg')", "false"),
            ("{}.toInteger()", ""),
            ("{}.convertsToInteger()", ""),
        ],
    );
}

#[test]
fn text() {
    check(
        PATIENT,
        &[
            ("'abcdefg'.indexOf('bc')", "1"),
            ("'abc'.indexOf('x')", "-1"),
            ("'abc'.indexOf('')", "0"),
            ("'éèê'.indexOf('ê')", "2"),
            ("'abcabc'.lastIndexOf('bc')", "4"),
            ("'abcdefg'.substring(3)", "defg"),
            ("'abcdefg'.substring(1, 2)", "bc"),
            ("'abcdefg'.substring(6, 9)", "g"),
            ("'abcdefg'.substring(7)", ""),
            ("'abcdefg'.substring(-1)", ""),
            ("'abc'.substring(1, -1)", ""),
            ("'éèê'.substring(1, 1)", "è"),
            ("'abc'.startsWith('ab')", "true"),
            ("'abc'.startsWith('')", "true"),
            ("'abc'.endsWith('b')", "false"),
            ("'abc'.contains('bc')", "true"),
            ("{}.contains('bc')", ""),
            ("'abc'.startsWith({})", ""),
            ("'aBé'.upper()", "ABÉ"),
            ("'AbÉ'.lower()", "abé"),
            ("'abab'.replace('ab', 'c')", "cc"),
            ("'abc'.replace('', 'x')", "xaxbxcx"),
            ("'abc'.replace('z', 'x')", "abc"),
            ("'11/30/1972'.replaceMatches('(?<m>\\\\d+)/(?<d>\\\\d+)/(?<y>\\\\d+)', '${d}-${m}-${y}')", "30-11-1972"),
            ("'abc'.replaceMatches('', 'x')", "abc"),
            ("'abc'.replaceMatches('[bc]', '-')", "a--"),
            ("'abc'.replaceMatches({}, '-')", ""),
            ("'abc'.matches('b')", "true"),
            ("'abc'.matches('^b')", "false"),
            ("'a\\nb'.matches('a.b')", "true"),
            ("'abc'.matchesFull('b')", "false"),
            ("'abc'.matchesFull('a.c')", "true"),
            ("'abc'.matches('(')", "!a regular expression that cannot be read or is too large"),
            ("'abc'.matches('(a{1000}){1000}')", "!a regular expression that cannot be read or is too large"),
            ("name.use.where(matches('^o')).first()", "official"),
            ("name.where(use.matches(%resource.name.use.first())).given.first()", "Peter"),
            ("'éa'.length()", "2"),
            ("''.length()", "0"),
            ("'ab'.toChars()", "a, b"),
            ("' ab '.trim()", "ab"),
            ("'a,b,,c'.split(',')", "a, b, , c"),
            ("name.given.join('+')", "Peter+James+Jim+Peter+James"),
            ("{}.join(',')", ""),
            ("name.given.upper()", "!one item was expected, there are more"),
            ("1.upper()", "!a text was expected, the item is something else"),
        ],
    );
}

#[test]
fn math() {
    check(
        OBSERVATION,
        &[
            ("(-5).abs()", "5"),
            ("(-5.5).abs()", "5.5"),
            ("(-5.5 'mg').abs().toString()", "5.5 'mg'"),
            ("1.1.ceiling()", "2"),
            ("(-1.1).ceiling()", "-1"),
            ("2.9.floor()", "2"),
            ("(-2.1).floor()", "-3"),
            ("(-1.9).truncate()", "-1"),
            ("0.exp()", "1"),
            ("1.ln()", "0"),
            ("0.ln()", ""),
            ("16.log(2)", "4"),
            ("100.0.log(10)", "2"),
            ("2.power(3)", "8"),
            ("2.5.power(2)", "6.25"),
            ("(-1).power(0.5)", ""),
            ("3.14159.round(3)", "3.142"),
            ("2.5.round()", "3"),
            ("81.sqrt()", "9"),
            ("(-1).sqrt()", ""),
            ("{}.abs()", ""),
            ("'a'.abs()", "!a number was expected, the item is something else"),
            ("value.value.round()", "185"),
        ],
    );
}

#[test]
fn utility_and_aggregates() {
    check(
        PATIENT,
        &[
            ("name.given.trace('given').count()", "5"),
            ("name.trace('names', given).count()", "3"),
            ("now()", "2024-05-06T09:08:09.010+02:00"),
            ("today()", "2024-05-06"),
            ("timeOfDay()", "09:08:09.010"),
            ("now() > today() - 1 day", "true"),
            ("(1 | 2 | 3).aggregate($this + $total, 0)", "6"),
            ("(1 | 2 | 3).aggregate(iif($total.empty(), $this, iif($this < $total, $this, $total)))", "1"),
            ("(3 | 5).aggregate($total + $index, 0)", "1"),
            ("children().count() > 10", "true"),
            ("contained.descendants().where($this = 'House')", "House"),
        ],
    );
}

#[test]
fn functions_that_need_more_than_the_resource_say_so() {
    check(
        PATIENT,
        &[
            (
                "gender.memberOf('http://hl7.org/fhir/ValueSet/administrative-gender')",
                "!memberOf() needs something that was not given to this evaluation",
            ),
            ("conformsTo('http://a.example/profile')", "!conformsTo() needs something that was not given to this evaluation"),
            ("conformsTo('http://hl7.org/fhir/StructureDefinition/Patient')", "true"),
            ("conformsTo('http://hl7.org/fhir/StructureDefinition/Organization')", "false"),
            ("gender.subsumes('male')", "true"),
            ("gender.subsumedBy('female')", "!subsumedBy() needs something that was not given to this evaluation"),
            ("elementDefinition()", "!elementDefinition() needs something that was not given to this evaluation"),
            ("slice('http://a.example/profile', 'x')", "!slice() needs something that was not given to this evaluation"),
            ("checkModifiers('http://a.example/m').id", "p1"),
            ("text.htmlChecks()", ""),
            ("nothing.memberOf('x')", ""),
        ],
    );
}

#[test]
fn external_constants() {
    check(
        PATIENT,
        &[
            ("name.first().select(%resource.id)", "p1"),
            ("%context.id", "p1"),
            ("%rootResource.id", "p1"),
            ("%ucum", "http://unitsofmeasure.org"),
            ("%sct", "http://snomed.info/sct"),
            ("%loinc", "http://loinc.org"),
            ("%`vs-administrative-gender`", "http://hl7.org/fhir/ValueSet/administrative-gender"),
            ("%\"ext-patient-birthTime\"", "http://hl7.org/fhir/StructureDefinition/patient-birthTime"),
            ("%'vs-a'", "http://hl7.org/fhir/ValueSet/a"),
            ("%unheard", "!an external constant that is not defined: %unheard"),
        ],
    );
}
