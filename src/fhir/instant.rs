//! A moment as the server writes it: microseconds since 1970-01-01T00:00:00Z.

use std::fmt;

use chrono::{DateTime, Datelike as _, Timelike as _, Utc};

/// A moment in UTC, to the microsecond. What `meta.lastUpdated` shows is exactly what is stored and searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(i64);

impl Instant {
    /// The moment `micros` microseconds after the Unix epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the Unix epoch.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// The moment `seconds` later; the last there is where it would lie beyond that.
    pub fn after_seconds(self, seconds: u64) -> Self {
        let micros = i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1_000_000);
        Self(self.0.saturating_add(micros))
    }

    /// The same moment as a chrono value; the epoch where the moment lies outside what chrono can hold.
    pub fn to_chrono(self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0).unwrap_or(DateTime::UNIX_EPOCH)
    }

    /// The `HTTP-date` of this moment, cut to the second (RFC 9110 §5.6.7), as `Last-Modified` shows it.
    pub fn http_date(self) -> String {
        let seconds = u64::try_from(self.0.div_euclid(1_000_000)).unwrap_or(0);
        httpdate::fmt_http_date(std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds))
    }
}

impl From<DateTime<Utc>> for Instant {
    fn from(moment: DateTime<Utc>) -> Self {
        Self(moment.timestamp_micros())
    }
}

impl fmt::Display for Instant {
    /// The R4 `instant` form with six fraction digits and `Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Every write and every read shows an instant; chrono's own formatting takes ten times as long.
        let moment = self.to_chrono();
        let mut text = *b"0000-00-00T00:00:00.000000Z";
        let year = u32::try_from(moment.year()).unwrap_or(0);
        let fields = [
            (0..4, year),
            (5..7, moment.month()),
            (8..10, moment.day()),
            (11..13, moment.hour()),
            (14..16, moment.minute()),
            (17..19, moment.second()),
            (20..26, moment.timestamp_subsec_micros()),
        ];
        for (place, number) in fields {
            put_digits(text.get_mut(place).unwrap_or_default(), number);
        }
        f.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

/// Fills `place` with the last digits of `number`.
fn put_digits(place: &mut [u8], mut number: u32) {
    for digit in place.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_instant_is_written_in_utc_with_six_digits() {
        assert_eq!(Instant::from_micros(1_700_000_000_000_001).to_string(), "2023-11-14T22:13:20.000001Z");
        assert_eq!(Instant::from_micros(1_700_000_000_999_999).http_date(), "Tue, 14 Nov 2023 22:13:20 GMT");
    }

    proptest! {
        #[test]
        fn an_instant_is_written_as_chrono_writes_it(micros in 0..253_402_300_800_000_000_i64) {
            let instant = Instant::from_micros(micros);
            prop_assert_eq!(instant.to_string(), instant.to_chrono().format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string());
        }
    }
}
