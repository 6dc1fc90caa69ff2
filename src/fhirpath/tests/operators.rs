//! The operators, a table for each clause of the specification.

use super::{OBSERVATION, PATIENT, check};

#[test]
fn equality() {
    check(
        PATIENT,
        &[
            ("1 = 1.0", "true"),
            ("1 = 2", "false"),
            ("'a' = 'A'", "false"),
            ("1 = '1'", "false"),
            ("true = true", "true"),
            ("{} = 1", ""),
            ("{} = {}", ""),
            ("(1 | 2) = (1 | 2)", "true"),
            ("(1 | 2) = (2 | 1)", "false"),
            ("(1 | 2) = 1", "false"),
            ("1 != 2", "true"),
            ("gender = 'male'", "true"),
            ("gender != 'male'", "false"),
            ("active = true", "true"),
            ("deceased != false", "false"),
            ("birthDate = @1974-12-25", "true"),
            ("birthDate = @1974-12", ""),
            ("birthDate = @1975", "false"),
            ("@2024-01-01T10:00:00Z = @2024-01-01T11:00:00+01:00", "true"),
            ("@2012-01 = @2012", ""),
            ("@T10:30 = @T10:30:00", ""),
            ("@2012 = @T10:30", "false"),
            ("name[0] = name[0]", "true"),
            ("name[0] = name[2]", "false"),
            ("1 'mg' = 1.0 'mg'", "true"),
            ("1 'mg' = 1 'g'", ""),
            ("7 days = 1 week", "true"),
            ("1 year = 12 months", "true"),
            ("1 year = 365 days", ""),
            ("1 second = 1000 'ms'", "true"),
            ("1 year = 1 'a'", ""),
        ],
    );
}

#[test]
fn equivalence() {
    check(
        PATIENT,
        &[
            ("'Ab  c' ~ 'aB C'", "true"),
            ("1.01 ~ 1.0", "true"),
            ("1.1 ~ 1.2", "false"),
            ("{} ~ {}", "true"),
            ("{} ~ 1", "false"),
            ("(1 | 2) ~ (2 | 1)", "true"),
            ("(1 | 2) ~ (2 | 3)", "false"),
            ("@2012-01 ~ @2012", "false"),
            ("@2012-01 ~ @2012-01", "true"),
            ("1 year ~ 1 'a'", "true"),
            ("1 'mg' !~ 2 'mg'", "true"),
            ("name[0].given ~ name[2].given", "true"),
            ("name[0] ~ name[1]", "false"),
        ],
    );
}

#[test]
fn order() {
    check(
        OBSERVATION,
        &[
            ("1 < 1.5", "true"),
            ("2 >= 2.0", "true"),
            ("'a' < 'b'", "true"),
            ("@2024-01-02 > @2024-01-01", "true"),
            ("@2024 > @2024-01", ""),
            ("@2024 > @2023-12", "true"),
            ("@T10:30 <= @T10:31", "true"),
            ("{} < 1", ""),
            ("1 < 'a'", "!the operands cannot be combined"),
            ("(1 | 2) < 3", "!one item was expected, there are more"),
            ("1 'mg' < 2 'mg'", "true"),
            ("1 'mg' < 2 'm'", ""),
            ("2 days > 1 day", "true"),
            ("value > 100 '[lb_av]'", "true"),
            ("value < 100 'kg'", ""),
            ("component.value.ofType(Quantity) = 3 days", "true"),
            ("effective > @2024-02-29T08:00:00Z", "true"),
            ("value.value > 100", "true"),
            ("value.value <= 185", "true"),
        ],
    );
}

#[test]
fn logic_has_three_values() {
    check(
        PATIENT,
        &[
            ("true and true", "true"),
            ("true and false", "false"),
            ("true and {}", ""),
            ("{} and false", "false"),
            ("{} and {}", ""),
            ("false or true", "true"),
            ("false or false", "false"),
            ("{} or true", "true"),
            ("{} or false", ""),
            ("true xor false", "true"),
            ("true xor true", "false"),
            ("true xor {}", ""),
            ("{} xor true", ""),
            ("false implies {}", "true"),
            ("{} implies true", "true"),
            ("{} implies false", ""),
            ("true implies {}", ""),
            ("true implies false", "false"),
            ("true.not()", "false"),
            ("{}.not()", ""),
            ("gender and active", "true"),
            ("name and active", "!one item was expected, there are more"),
            ("false and name", "false"),
        ],
    );
}

#[test]
fn membership_and_union() {
    check(
        PATIENT,
        &[
            ("'Jim' in name.given", "true"),
            ("'Jo' in name.given", "false"),
            ("{} in name.given", ""),
            ("'a' in {}", "false"),
            ("name.given contains 'Jim'", "true"),
            ("{} contains 'Jim'", "false"),
            ("name.given contains {}", ""),
            ("name.given in name.given", "!one item was expected, there are more"),
            ("gender in ('male' | 'female')", "true"),
            ("1 | 1 | 2", "1, 2"),
            ("name.family | name.given", "Chalmers, Windsor, Peter, James, Jim"),
            ("1 | 1.0", "1"),
            ("(1|2|3|4|5|6|7|8|9|10|11|5|12|1).count()", "12"),
        ],
    );
}

#[test]
fn arithmetic() {
    check(
        PATIENT,
        &[
            ("1 + 2 * 3", "7"),
            ("(1 + 2) * 3", "9"),
            ("-2 * 3", "-6"),
            ("3 - 2 - 1", "0"),
            ("7 / 2", "3.5"),
            ("7 div 2", "3"),
            ("-7 div 2", "-3"),
            ("7 mod 2", "1"),
            ("5.5 mod 0.7", "0.6"),
            ("1 / 0", ""),
            ("1 div 0", ""),
            ("1 mod 0", ""),
            ("2147483647 + 1", ""),
            ("0.1 + 0.2", "0.3"),
            ("1 + {}", ""),
            ("'a' + 'b'", "ab"),
            ("'a' + {}", ""),
            ("'a' & {}", "a"),
            ("{} & {}", ""),
            ("'a' & 'b' & 'c'", "abc"),
            ("1 & 'a'", "!a text was expected, the item is something else"),
            ("1 + 'a'", "!the operands cannot be combined"),
            ("(1 | 2) + 1", "!one item was expected, there are more"),
            ("(2 'mg' + 3 'mg').toString()", "5 'mg'"),
            ("(2 'mg' * 3).toString()", "6 'mg'"),
            ("(6 'mg' / 3 'mg').toString()", "2 '1'"),
            ("-(2 'mg')", "-2 'mg'"),
            ("+5", "5"),
            ("-'a'", "!a number was expected, the item is something else"),
        ],
    );
}

#[test]
fn dates_move_by_the_calendar() {
    check(
        PATIENT,
        &[
            ("@2024-01-31 + 1 month", "2024-02-29"),
            ("@2024-02-29 - 1 year", "2023-02-28"),
            ("@1974-12-25 - 1 'month'", "1974-11-25"),
            ("@2024-02-28 + 2 days", "2024-03-01"),
            ("@2024-02-28 + 1 week", "2024-03-06"),
            ("@2014 + 24 months", "2016"),
            ("@2024-01-01T23:59:59.900Z + 100 milliseconds", "2024-01-02T00:00:00.000Z"),
            ("@2024-01-01T10:00:00Z + 1.5 seconds", "2024-01-01T10:00:01.500Z"),
            ("@2024-01-01T10:00:00+02:00 - 90 minutes", "2024-01-01T08:30:00+02:00"),
            ("@T23:30 + 45 minutes", "00:15"),
            ("@T23:30 + 1 day", ""),
            ("@2024-01-01 + 1 's'", "2024-01-01"),
            ("@2024-01-01 + 1 'a'", "!the operands cannot be combined"),
            ("@2024-01-01 + 1 'mg'", "!the operands cannot be combined"),
            ("@2024-01-01 * 2 days", "!the operands cannot be combined"),
            ("@9999-12-31 + 1 day", ""),
            ("birthDate + 18 years", "1992-12-25"),
        ],
    );
}
