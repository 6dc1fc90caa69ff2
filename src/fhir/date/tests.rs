use chrono_tz::Europe::Paris;
use chrono_tz::UTC;
use proptest::prelude::*;

use super::*;

fn date(text: &str) -> PartialDate {
    PartialDate::parse(text).unwrap_or_else(|_| panic!("{text}"))
}

fn micros(text: &str) -> i64 {
    chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp_micros()
}

#[test]
fn every_form_is_read_where_it_is_allowed_and_nowhere_else() {
    use Form::{Date, DateTime, Instant, Literal, Search};
    let table: [(&str, &[Form]); 17] = [
        ("2013", &[Date, DateTime, Search, Literal]),
        ("2013-01", &[Date, DateTime, Search, Literal]),
        ("2012-02-29", &[Date, DateTime, Search, Literal]),
        ("2013-01-14T10", &[Literal]),
        ("2013-01-14T10:00", &[Search, Literal]),
        ("2013-01-14T10:00Z", &[Search, Literal]),
        ("2013-01-14T10:00:59", &[Search, Literal]),
        ("2013-01-14T10:00:59.5", &[Search, Literal]),
        ("2013-01-14T10:00:60Z", &[DateTime, Instant, Search, Literal]),
        ("2013-01-14T10:00:00.123456789123456789+14:00", &[DateTime, Instant, Search, Literal]),
        ("2013-01-14T10:00:00-00:00", &[DateTime, Instant, Search, Literal]),
        ("0001-01-01", &[Date, DateTime, Search, Literal]),
        ("9999-12-31T23:59:59Z", &[DateTime, Instant, Search, Literal]),
        ("0000", &[]),
        ("2013-02-29", &[]),
        ("2013-01-14T24:00:00Z", &[]),
        ("2013-01-14T10:00:00+14:01", &[]),
    ];
    for (text, accepted) in table {
        for form in [Date, DateTime, Instant, Search, Literal] {
            assert_eq!(PartialDate::parse_as(text, form).is_ok(), accepted.contains(&form), "{text} as {form:?}");
        }
    }
}

#[test]
fn what_is_not_a_date_is_refused() {
    let refused = [
        "",
        "1",
        "201",
        "02013",
        "2013-",
        "2013-1",
        "2013-00",
        "2013-13",
        "2013-01-",
        "2013-01-00",
        "2013-04-31",
        "2013-01-14T",
        "2013-01-14T1",
        "2013-01T10:00",
        "2013T10",
        "2013-01-14 10:00",
        "2013-01-14t10:00",
        "2013-01-14T10:60",
        "2013-01-14T10:00:61",
        "2013-01-14T10:00:00.",
        "2013-01-14T10:00:00z",
        "2013-01-14T10:00:00+1:00",
        "2013-01-14T10:00:00+01",
        "2013-01-14T10:00:00+0100",
        "2013-01-14T10:00:00+01:60",
        "2013-01-14T10:00:00 01:00",
        "2013-01-14Z",
        " 2013",
        "2013 ",
        "-2013",
        "+2013",
        "２０１３",
    ];
    for text in refused {
        assert!(PartialDate::parse(text).is_err(), "{text}");
    }
}

#[test]
fn a_value_covers_the_time_its_precision_leaves_open() {
    let table = [
        ("2013", "2013-01-01T00:00:00Z", "2014-01-01T00:00:00Z"),
        ("2013-12", "2013-12-01T00:00:00Z", "2014-01-01T00:00:00Z"),
        ("2012-02-29", "2012-02-29T00:00:00Z", "2012-03-01T00:00:00Z"),
        ("2013-01-14T10:00", "2013-01-14T10:00:00Z", "2013-01-14T10:01:00Z"),
        ("2013-01-14T10:00:00+02:00", "2013-01-14T08:00:00Z", "2013-01-14T08:00:01Z"),
        ("2013-01-14T10:00:00.25-05:30", "2013-01-14T15:30:00.25Z", "2013-01-14T15:30:00.26Z"),
        ("2013-01-14T10:00:00.1234567Z", "2013-01-14T10:00:00.123456Z", "2013-01-14T10:00:00.123457Z"),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z", "2017-01-01T00:00:00Z"),
    ];
    for (text, low, high) in table {
        assert_eq!(date(text).range(UTC), (micros(low), micros(high)), "{text}");
    }
    assert!(date("0001").range(UTC).0 < 0);
    assert_eq!(date("9999").range(UTC).1, 253_402_300_800_000_000);
}

#[test]
fn a_value_without_an_offset_is_read_on_the_clocks_of_the_zone() {
    let range = |text: &str| date(text).range(Paris);
    assert_eq!(range("2013-07-01"), (micros("2013-06-30T22:00:00Z"), micros("2013-07-01T22:00:00Z")));
    // The day the clocks go forward has 23 hours, the day they go back 25.
    assert_eq!(range("2024-03-31"), (micros("2024-03-30T23:00:00Z"), micros("2024-03-31T22:00:00Z")));
    assert_eq!(range("2024-10-27"), (micros("2024-10-26T22:00:00Z"), micros("2024-10-27T23:00:00Z")));
    // 02:30 never comes on the first, comes twice on the second.
    assert_eq!(range("2024-03-31T02:30"), (micros("2024-03-31T01:30:00Z"), micros("2024-03-31T01:31:00Z")));
    assert_eq!(range("2024-10-27T02:30"), (micros("2024-10-27T00:30:00Z"), micros("2024-10-27T01:31:00Z")));
}

#[test]
fn a_comparison_goes_as_far_as_both_sides_were_written() {
    use Ordering::{Equal, Greater, Less};
    let table = [
        ("2012", "2013", Some(Less)),
        ("2012", "2012", Some(Equal)),
        ("2012", "2012-01", None),
        ("2012-04-15", "2012-04-16T10:00:00", Some(Less)),
        ("2012-04-15", "2012-04-15T10:00:00Z", None),
        ("2012-04-15T10:00:00", "2012-04-15T10:00:00.0", Some(Equal)),
        ("2012-04-15T10:00:00.1", "2012-04-15T10:00:00", Some(Greater)),
        ("2012-04-15T10:30:31", "2012-04-15T10:30", None),
        ("2012-04-15T15:00:00+02:00", "2012-04-15T16:00:00+03:00", Some(Equal)),
        ("2012-04-15T23:00:00-05:00", "2012-04-16T00:00:00Z", Some(Greater)),
        ("2012-04-15T15:00:00Z", "2012-04-15T10:00:00", None),
        ("2012-04-15T15:00:00Z", "2012-04-17T10:00:00", Some(Less)),
        ("2012-04-15T15:00:00", "2012-04-13T10:00:00Z", Some(Greater)),
    ];
    for (left, right, expected) in table {
        assert_eq!(date(left).compare(date(right)), expected, "{left} and {right}");
        assert_eq!(date(right).compare(date(left)), expected.map(Ordering::reverse), "{right} and {left}");
    }
}

#[test]
fn time_is_added_at_the_precision_of_the_value() {
    const DAY: i64 = 86_400_000_000;
    let table = [
        ("2014", Span::Months(25), "2016"),
        ("2014", Span::Months(-11), "2014"),
        ("2014", Span::Micros(365 * DAY), "2015"),
        ("2014-01", Span::Micros(59 * DAY), "2014-02"),
        ("2012-01-31", Span::Months(1), "2012-02-29"),
        ("2012-02-29", Span::Months(12), "2013-02-28"),
        ("2014-12-31", Span::Micros(DAY + DAY / 2), "2015-01-01"),
        ("2014-12-31T23:59", Span::Micros(119_000_000), "2015-01-01T00:00"),
        ("2014-12-31T23:59:59Z", Span::Micros(1_000_000), "2015-01-01T00:00:00Z"),
        ("2014-12-31T23:59:59+01:00", Span::Micros(1_500_000), "2015-01-01T00:00:00.500+01:00"),
    ];
    for (start, span, expected) in table {
        assert_eq!(date(start).plus(span).map(|sum| sum.to_string()).as_deref(), Some(expected), "{start} plus {span:?}");
    }
    for (start, span) in [("9999", Span::Months(12)), ("0001-01-01", Span::Micros(-DAY)), ("2014", Span::Months(i64::MAX))] {
        assert_eq!(date(start).plus(span), None, "{start} plus {span:?}");
    }
}

#[test]
fn a_time_of_day_is_read_compared_and_moved_around_the_clock() {
    let time = |text: &str| Time::parse(text).unwrap();
    assert!(Time::parse_r4("10:30").is_err() && Time::parse_r4("10:30:00.5").is_ok());
    for refused in ["", "1", "24:00:00", "10:60:00", "10:00:00Z", "10:00:61", "T10"] {
        assert!(Time::parse(refused).is_err(), "{refused}");
    }
    assert_eq!(time("10:30").compare(time("10:31:59")), Some(Ordering::Less));
    assert_eq!(time("10:30").compare(time("10:30:59")), None);
    assert_eq!(time("10:30:00").compare(time("10:30:00.000")), Some(Ordering::Equal));
    assert_eq!(time("23:30").plus(3_600_000_000).to_string(), "00:30");
    assert_eq!(time("00:00:00.5").plus(-1_000_000).to_string(), "23:59:59.5");
}

#[test]
fn a_moment_of_the_clock_is_written_to_the_millisecond() {
    let moment = PartialDate::moment(1_700_000_000_123_456, 60).unwrap();
    assert_eq!(moment.to_string(), "2023-11-14T23:13:20.123+01:00");
    assert_eq!(moment.to_date(), date("2023-11-14"));
    assert_eq!(PartialDate::moment(i64::MAX, 0), None);
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(text in "[0-9]{4}(-[01][0-9](-[0-3][0-9](T[0-2][0-9](:[0-5][0-9](:[0-5][0-9](\\.[0-9]{1,6})?)?)?(Z|[+-]0[1-9]:[0-5][0-9])?)?)?)?") {
        if let Ok(value) = PartialDate::parse(&text) {
            prop_assert_eq!(value.to_string(), text);
            let (low, high) = value.range(Paris);
            prop_assert!(low < high);
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC*") {
        let _ = (PartialDate::parse(&text), Time::parse(&text));
    }

    #[test]
    fn ranges_and_comparison_agree_on_moments(left in 0..2_000_000_000_000_000_i64, right in 0..2_000_000_000_000_000_i64, east in -720..840_i16) {
        let (a, b) = (PartialDate::moment(left, east).unwrap(), PartialDate::moment(right, 0).unwrap());
        prop_assert_eq!(a.compare(b), Some(a.range(UTC).cmp(&b.range(UTC))));
    }
}
