//! The table of keys: what each is called, what it means, which values are valid, how it is read and shown.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use super::Settings;
use super::settings::Word;

/// One key of the configuration.
pub struct Key {
    /// Its name in a file: tables and members joined by dots.
    pub name: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// Which values are valid, as the end of a sentence.
    pub valid: &'static str,
    /// Takes a value; false: it is not valid, and nothing changed.
    pub(super) set: fn(&mut Settings, &str) -> bool,
    /// The value as it may be shown; never a secret.
    pub(super) show: fn(&Settings) -> String,
}

const VARIABLE_PREFIX: &str = "CARNET_";

impl Key {
    /// The environment variable of this key: `limits.body_bytes` is `CARNET_LIMITS_BODY_BYTES`.
    pub fn variable(&self) -> String {
        format!("{VARIABLE_PREFIX}{}", self.name.to_uppercase().replace('.', "_"))
    }

    /// Its value where nothing is set.
    pub fn default(&self) -> String {
        (self.show)(&Settings::default())
    }
}

fn parsed<T: FromStr>(place: &mut T, text: &str) -> bool {
    text.parse().map(|value| *place = value).is_ok()
}

fn word<T: Word>(place: &mut T, text: &str) -> bool {
    T::read(text).map(|value| *place = value).is_some()
}

fn within<T: FromStr + PartialOrd>(place: &mut T, text: &str, range: RangeInclusive<T>) -> bool {
    text.parse().ok().filter(|value| range.contains(value)).map(|value| *place = value).is_some()
}

fn optional<T: Display>(value: Option<T>, otherwise: &str) -> String {
    value.map_or_else(|| otherwise.to_owned(), |value| value.to_string())
}

/// Every key there is.
pub const KEYS: &[Key] = &[
    Key {
        name: "listen",
        meaning: "the address that is listened on; port 0 picks a free one",
        valid: "ADDRESS:PORT, such as 127.0.0.1:8080 or [::1]:8080",
        set: |settings, text| parsed(&mut settings.listen, text),
        show: |settings| settings.listen.to_string(),
    },
    Key {
        name: "metrics_listen",
        meaning: "another address for operators, where /metrics is then answered instead; /health is answered on both",
        valid: "ADDRESS:PORT, such as 127.0.0.1:9090",
        set: |settings, text| text.parse().map(|address| settings.metrics_listen = Some(address)).is_ok(),
        show: |settings| optional(settings.metrics_listen, "as listen"),
    },
    Key {
        name: "base_url",
        meaning: "the service base URL that clients use",
        valid: "a URL such as https://carnet.example/fhir",
        set: |settings, text| text.parse().map(|url| settings.base_url = Some(url)).is_ok(),
        show: |settings| optional(settings.base_url.as_ref(), "http://ADDRESS:PORT/fhir"),
    },
    Key {
        name: "store",
        meaning: "where instances rest",
        valid: "sqlite:PATH or postgres://USER:PASSWORD@HOST:PORT/DATABASE",
        set: |settings, text| parsed(&mut settings.store, text),
        show: |settings| settings.store.to_string(),
    },
    Key {
        name: "content.store",
        meaning: "where content rests that is too long for the database; no two stores may share a place",
        valid: "file:PATH or s3://BUCKET/PREFIX",
        set: |settings, text| text.parse().map(|place| settings.content.store = Some(place)).is_ok(),
        show: |settings| settings.content.place_beside(&settings.store).to_string(),
    },
    Key {
        name: "content.inline_bytes",
        meaning: "the longest content that rests in the database",
        valid: "a whole number of bytes from 0 to 1048576",
        set: |settings, text| within(&mut settings.content.inline_bytes, text, 0..=1_048_576),
        show: |settings| settings.content.inline_bytes.to_string(),
    },
    Key {
        name: "content.sweep_seconds",
        meaning: "how often content that no version names is looked for; 0: never",
        valid: "a whole number of seconds from 0 to 31536000",
        set: |settings, text| within(&mut settings.content.sweep_seconds, text, 0..=31_536_000),
        show: |settings| settings.content.sweep_seconds.to_string(),
    },
    Key {
        name: "content.orphan_seconds",
        meaning: "how old content that no version names must be to be swept",
        valid: "a whole number of seconds from 60 to 31536000",
        set: |settings, text| within(&mut settings.content.orphan_seconds, text, 60..=31_536_000),
        show: |settings| settings.content.orphan_seconds.to_string(),
    },
    Key {
        name: "content.s3_endpoint",
        meaning: "the server that keeps the bucket of content.store",
        valid: "a URL such as https://s3.carnet.example",
        set: |settings, text| text.parse().map(|url| settings.content.s3.endpoint = Some(url)).is_ok(),
        show: |settings| optional(settings.content.s3.endpoint.as_ref(), "https://s3.REGION.amazonaws.com"),
    },
    Key {
        name: "content.s3_region",
        meaning: "the region of the bucket of content.store",
        valid: "a name such as us-east-1",
        set: |settings, text| parsed(&mut settings.content.s3.region, text),
        show: |settings| settings.content.s3.region.to_string(),
    },
    Key {
        name: "content.s3_access_key_id",
        meaning: "the id of the key to the bucket of content.store",
        valid: "a text without blanks",
        set: |settings, text| text.parse().map(|key| settings.content.s3.access_key_id = Some(key)).is_ok(),
        show: |settings| optional(settings.content.s3.access_key_id.as_ref(), "the credentials of the machine"),
    },
    Key {
        name: "content.s3_secret_access_key",
        meaning: "the key to the bucket of content.store",
        valid: "a text without blanks",
        set: |settings, text| text.parse().map(|key| settings.content.s3.secret_access_key = Some(key)).is_ok(),
        show: |settings| optional(settings.content.s3.secret_access_key.as_ref(), "none"),
    },
    Key {
        name: "time_zone",
        meaning: "the zone in which a date without one is understood",
        valid: "a name of the IANA time zone database, such as Europe/Paris",
        set: |settings, text| parsed(&mut settings.time_zone, text),
        show: |settings| settings.time_zone.name().to_owned(),
    },
    Key {
        name: "security.mode",
        meaning: "open: whoever reaches the server reads and writes everything; enforced: credentials and a decision for each request",
        valid: "open or enforced",
        set: |settings, text| word(&mut settings.security.mode, text),
        show: |settings| settings.security.mode.word().to_owned(),
    },
    Key {
        name: "audit.record",
        meaning: "whether every access is journaled before it is answered",
        valid: "true or false",
        set: |settings, text| bool::read(text).map(|record| settings.audit.record = Some(record)).is_some(),
        show: |settings| optional(settings.audit.record, "true where security.mode is enforced"),
    },
    Key {
        name: "limits.body_bytes",
        meaning: "the longest request body",
        valid: "a whole number of bytes from 1024 to 1073741824",
        set: |settings, text| within(&mut settings.limits.body_bytes, text, 1_024..=1_073_741_824),
        show: |settings| settings.limits.body_bytes.to_string(),
    },
    Key {
        name: "limits.content_bytes",
        meaning: "the longest content of a Binary that is sent as it is, not as FHIR",
        valid: "a whole number of bytes from 1024 to 1099511627776",
        set: |settings, text| within(&mut settings.limits.content_bytes, text, 1_024..=1_099_511_627_776),
        show: |settings| settings.limits.content_bytes.to_string(),
    },
    Key {
        name: "limits.content_seconds",
        meaning: "the time a client has to send such content",
        valid: "a whole number of seconds from 1 to 86400",
        set: |settings, text| within(&mut settings.limits.content_seconds, text, 1..=86_400),
        show: |settings| settings.limits.content_seconds.to_string(),
    },
    Key {
        name: "limits.bundle_entries",
        meaning: "the most entries of one batch or transaction",
        valid: "a whole number from 1 to 100000",
        set: |settings, text| within(&mut settings.limits.bundle_entries, text, 1..=100_000),
        show: |settings| settings.limits.bundle_entries.to_string(),
    },
    Key {
        name: "limits.conditional_delete_resources",
        meaning: "the most instances that a conditional delete removes at once; 1: its criteria must mean one",
        valid: "a whole number from 1 to 10000",
        set: |settings, text| within(&mut settings.limits.conditional_delete_resources, text, 1..=10_000),
        show: |settings| settings.limits.conditional_delete_resources.to_string(),
    },
    Key {
        name: "limits.provenance_bytes",
        meaning: "the longest X-Provenance header",
        valid: "a whole number of bytes from 0 to 65536",
        set: |settings, text| within(&mut settings.limits.provenance_bytes, text, 0..=65_536),
        show: |settings| settings.limits.provenance_bytes.to_string(),
    },
    Key {
        name: "limits.page_resources",
        meaning: "matches on a page of a search that asks for no _count",
        valid: "a whole number from 1 to 10000",
        set: |settings, text| within(&mut settings.limits.page_resources, text, 1..=10_000),
        show: |settings| settings.limits.page_resources.to_string(),
    },
    Key {
        name: "limits.page_max_resources",
        meaning: "the most matches on a page, whatever _count asks",
        valid: "a whole number from 1 to 10000",
        set: |settings, text| within(&mut settings.limits.page_max_resources, text, 1..=10_000),
        show: |settings| settings.limits.page_max_resources.to_string(),
    },
    Key {
        name: "limits.page_seconds",
        meaning: "the time for which the link to another page of a search leads there",
        valid: "a whole number of seconds from 1 to 31536000",
        set: |settings, text| within(&mut settings.limits.page_seconds, text, 1..=31_536_000),
        show: |settings| settings.limits.page_seconds.to_string(),
    },
    Key {
        name: "limits.async_seconds",
        meaning: "the time for which what was to be answered later is kept",
        valid: "a whole number from 60 to 31536000",
        set: |settings, text| within(&mut settings.limits.async_seconds, text, 60..=31_536_000),
        show: |settings| settings.limits.async_seconds.to_string(),
    },
    Key {
        name: "limits.include_resources",
        meaning: "the most resources that _include and _revinclude bring along on a page",
        valid: "a whole number from 0 to 100000",
        set: |settings, text| within(&mut settings.limits.include_resources, text, 0..=100_000),
        show: |settings| settings.limits.include_resources.to_string(),
    },
    Key {
        name: "limits.operation_resources",
        meaning: "the most resources of one answer to $everything that asks for no _count, and that $lastn looks at",
        valid: "a whole number from 1 to 1000000",
        set: |settings, text| within(&mut settings.limits.operation_resources, text, 1..=1_000_000),
        show: |settings| settings.limits.operation_resources.to_string(),
    },
    Key {
        name: "limits.url_bytes",
        meaning: "the longest URL, path and query together",
        valid: "a whole number from 1024 to 65536",
        set: |settings, text| within(&mut settings.limits.url_bytes, text, 1_024..=65_536),
        show: |settings| settings.limits.url_bytes.to_string(),
    },
    Key {
        name: "limits.headers_bytes",
        meaning: "the longest headers of a request, all together",
        valid: "a whole number from 1024 to 100000",
        set: |settings, text| within(&mut settings.limits.headers_bytes, text, 1_024..=100_000),
        show: |settings| settings.limits.headers_bytes.to_string(),
    },
    Key {
        name: "limits.requests",
        meaning: "requests that are worked on at once; more are answered 429",
        valid: "a whole number from 1 to 1000000",
        set: |settings, text| within(&mut settings.limits.requests, text, 1..=1_000_000),
        show: |settings| settings.limits.requests.to_string(),
    },
    Key {
        name: "limits.request_seconds",
        meaning: "the time a request may take once it has come in; 0: as long as it takes",
        valid: "a whole number from 0 to 86400",
        set: |settings, text| within(&mut settings.limits.request_seconds, text, 0..=86_400),
        show: |settings| settings.limits.request_seconds.to_string(),
    },
    Key {
        name: "limits.header_seconds",
        meaning: "the time a client has to send the head of a request",
        valid: "a whole number of seconds from 1 to 3600",
        set: |settings, text| within(&mut settings.limits.header_seconds, text, 1..=3_600),
        show: |settings| settings.limits.header_seconds.to_string(),
    },
    Key {
        name: "limits.body_seconds",
        meaning: "the time a client has to send the body of a request",
        valid: "a whole number of seconds from 1 to 3600",
        set: |settings, text| within(&mut settings.limits.body_seconds, text, 1..=3_600),
        show: |settings| settings.limits.body_seconds.to_string(),
    },
    Key {
        name: "limits.write_seconds",
        meaning: "the time a client may take nothing of its answer",
        valid: "a whole number of seconds from 1 to 3600",
        set: |settings, text| within(&mut settings.limits.write_seconds, text, 1..=3_600),
        show: |settings| settings.limits.write_seconds.to_string(),
    },
    Key {
        name: "limits.idle_seconds",
        meaning: "the time an idle connection is kept",
        valid: "a whole number of seconds from 1 to 3600",
        set: |settings, text| within(&mut settings.limits.idle_seconds, text, 1..=3_600),
        show: |settings| settings.limits.idle_seconds.to_string(),
    },
    Key {
        name: "limits.shutdown_seconds",
        meaning: "the time accepted requests have to finish when the server is told to stop",
        valid: "a whole number of seconds from 0 to 3600",
        set: |settings, text| within(&mut settings.limits.shutdown_seconds, text, 0..=3_600),
        show: |settings| settings.limits.shutdown_seconds.to_string(),
    },
    Key {
        name: "limits.connections",
        meaning: "connections that may be open at once",
        valid: "a whole number from 1 to 1000000",
        set: |settings, text| within(&mut settings.limits.connections, text, 1..=1_000_000),
        show: |settings| settings.limits.connections.to_string(),
    },
    Key {
        name: "limits.http_threads",
        meaning: "threads that serve HTTP; 0: one a core",
        valid: "a whole number from 0 to 1024",
        set: |settings, text| within(&mut settings.limits.http_threads, text, 0..=1_024),
        show: |settings| settings.limits.http_threads.to_string(),
    },
    Key {
        name: "limits.reader_threads",
        meaning: "threads that read the store; 0: one a core with SQLite, 8 with PostgreSQL",
        valid: "a whole number from 0 to 1024",
        set: |settings, text| within(&mut settings.limits.reader_threads, text, 0..=1_024),
        show: |settings| settings.limits.reader_threads.to_string(),
    },
    Key {
        name: "limits.store_queue_requests",
        meaning: "requests that may wait for a thread of the store; more are answered 503",
        valid: "a whole number from 1 to 1000000",
        set: |settings, text| within(&mut settings.limits.store_queue_requests, text, 1..=1_000_000),
        show: |settings| settings.limits.store_queue_requests.to_string(),
    },
    Key {
        name: "limits.recent_bytes",
        meaning: "memory for what was lately read, where one process has the store for itself (SQLite); 0: none",
        valid: "a whole number of bytes from 0 to 1099511627776",
        set: |settings, text| within(&mut settings.limits.recent_bytes, text, 0..=1_099_511_627_776),
        show: |settings| settings.limits.recent_bytes.to_string(),
    },
    Key {
        name: "limits.search_seconds",
        meaning: "the time one statement of a search may take in the database; a search that needs more is refused",
        valid: "a whole number of seconds from 1 to 600",
        set: |settings, text| within(&mut settings.limits.search_seconds, text, 1..=600),
        show: |settings| settings.limits.search_seconds.to_string(),
    },
    Key {
        name: "limits.store_wait_seconds",
        meaning: "the time a request waits for a PostgreSQL that is away before it is answered 503",
        valid: "a whole number of seconds from 1 to 600",
        set: |settings, text| within(&mut settings.limits.store_wait_seconds, text, 1..=600),
        show: |settings| settings.limits.store_wait_seconds.to_string(),
    },
    Key {
        name: "log.format",
        meaning: "how a line of the log is written",
        valid: "text or json",
        set: |settings, text| word(&mut settings.log.format, text),
        show: |settings| settings.log.format.word().to_owned(),
    },
    Key {
        name: "log.level",
        meaning: "the least important line of the log that is written",
        valid: "error, warn, info, debug or trace",
        set: |settings, text| word(&mut settings.log.level, text),
        show: |settings| settings.log.level.word().to_owned(),
    },
];
