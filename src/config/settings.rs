//! What can be set, one struct per concern, with its defaults.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use super::{BaseUrl, ContentSettings, StoreSettings};

const DEFAULT_PORT: u16 = 8080;
const DEFAULT_PATH: &str = "/fhir";
const DEFAULT_FILE: &str = "./data/carnet.sqlite";

/// Everything that can be set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The address that is listened on; port 0 picks a free one.
    pub listen: SocketAddr,
    /// Another address for operators, where `/metrics` is answered instead; `None`: it is answered where clients are.
    pub metrics_listen: Option<SocketAddr>,
    /// The service base URL that clients use; `None`: `http://` and the address listened on, with the path `/fhir`.
    pub base_url: Option<BaseUrl>,
    /// Where instances rest.
    pub store: StoreSettings,
    /// Where content rests that is too long for the database.
    pub content: ContentSettings,
    /// Who may come in.
    pub security: SecuritySettings,
    /// What is remembered.
    pub audit: AuditSettings,
    /// How much of everything.
    pub limits: Limits,
    /// The zone in which a date without one is understood.
    pub time_zone: chrono_tz::Tz,
    /// What is told to the operator.
    pub log: LogSettings,
}

/// Who may come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecuritySettings {
    /// Whether the rules of the dossier are enforced.
    pub mode: SecurityMode,
}

/// Whether the rules of the dossier are enforced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecurityMode {
    /// Whoever reaches the server reads and writes everything: for trying and testing.
    Open,
    /// Every request needs credentials and a decision.
    Enforced,
}

/// What is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditSettings {
    /// Whether every access is journaled; `None`: as the security mode wants it.
    pub record: Option<bool>,
}

/// How much of everything. Each name ends in its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest request body.
    pub body_bytes: usize,
    /// The longest content of a Binary that is sent as it is.
    pub content_bytes: u64,
    /// The time a client has to send such content.
    pub content_seconds: u64,
    /// The most entries of one batch or transaction.
    pub bundle_entries: usize,
    /// The most instances that a conditional delete removes; 1: criteria must mean one.
    pub conditional_delete_resources: usize,
    /// The longest `X-Provenance`.
    pub provenance_bytes: usize,
    /// Matches on a page of a search that asks for no `_count`.
    pub page_resources: u32,
    /// The most matches on a page, whatever `_count` asks.
    pub page_max_resources: u32,
    /// The time for which the link to another page leads there.
    pub page_seconds: u64,
    /// The time for which what was to be answered later is kept.
    pub async_seconds: u64,
    /// The most resources that come along with the matches of a page.
    pub include_resources: usize,
    /// The most resources of one answer to `$everything` that asks for no `_count`, and that `$lastn` looks at.
    pub operation_resources: u32,
    /// The longest URL, path and query together.
    pub url_bytes: usize,
    /// The longest headers of a request, all together.
    pub headers_bytes: usize,
    /// Requests that are worked on at once; more are answered 429.
    pub requests: u64,
    /// The time a request may take once it has come in; 0: as long as it takes.
    pub request_seconds: u64,
    /// The time a client has to send the head of a request.
    pub header_seconds: u64,
    /// The time a client has to send the body of a request.
    pub body_seconds: u64,
    /// The time a client may take nothing of its answer.
    pub write_seconds: u64,
    /// The time an idle connection is kept.
    pub idle_seconds: u64,
    /// The time accepted requests have to finish when the server is told to stop.
    pub shutdown_seconds: u64,
    /// Connections that may be open at once.
    pub connections: usize,
    /// Threads that serve HTTP; 0: one a core.
    pub http_threads: usize,
    /// Threads that read the store; 0: one a core with SQLite, 8 with PostgreSQL.
    pub reader_threads: usize,
    /// Requests that may wait for a thread of the store; more are answered 503.
    pub store_queue_requests: usize,
    /// The memory in which what was lately read is kept, where one process has the store for itself; 0: none.
    pub recent_bytes: u64,
    /// The time a request waits for a PostgreSQL that is away before it is answered 503.
    pub store_wait_seconds: u64,
    /// The time that a statement of a search, or of anything else that only reads, may take in the database.
    pub search_seconds: u64,
}

/// What is told to the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogSettings {
    /// How a line is written.
    pub format: LogFormat,
    /// The least important line that is written.
    pub level: LogLevel,
}

/// How a line of the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// How important a line of the log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the usual ones")]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), DEFAULT_PORT),
            metrics_listen: None,
            base_url: None,
            store: StoreSettings::Sqlite { path: PathBuf::from(DEFAULT_FILE) },
            content: ContentSettings::default(),
            security: SecuritySettings { mode: SecurityMode::Open },
            audit: AuditSettings { record: None },
            limits: Limits::default(),
            time_zone: chrono_tz::Europe::Paris,
            log: LogSettings { format: LogFormat::Text, level: LogLevel::Info },
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 16 * 1024 * 1024,
            content_bytes: 1024 * 1024 * 1024,
            content_seconds: 900,
            bundle_entries: 5_000,
            conditional_delete_resources: 1,
            provenance_bytes: 16 * 1024,
            page_resources: 20,
            page_max_resources: 1_000,
            page_seconds: 86_400,
            async_seconds: 86_400,
            include_resources: 1_000,
            operation_resources: 10_000,
            url_bytes: 16 * 1024,
            headers_bytes: 64 * 1024,
            requests: 20_000,
            request_seconds: 300,
            header_seconds: 10,
            body_seconds: 30,
            write_seconds: 60,
            idle_seconds: 75,
            shutdown_seconds: 30,
            connections: 25_000,
            http_threads: 0,
            reader_threads: 0,
            store_queue_requests: 4_096,
            recent_bytes: 64 * 1024 * 1024,
            store_wait_seconds: 20,
            search_seconds: 10,
        }
    }
}

impl Settings {
    /// The service base URL once the server listens on `bound`: the one that was set, or the address itself (the loopback
    /// address where all are listened on).
    pub fn base_url_at(&self, bound: SocketAddr) -> BaseUrl {
        if let Some(url) = &self.base_url {
            return url.clone();
        }
        let ip = match bound.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            named => named,
        };
        BaseUrl::trusted(format!("http://{}{DEFAULT_PATH}", SocketAddr::new(ip, bound.port())))
    }

    /// Whether every access is journaled: as set, otherwise where the rules are enforced.
    pub fn records_audit(&self) -> bool {
        self.audit.record.unwrap_or(match self.security.mode {
            SecurityMode::Open => false,
            SecurityMode::Enforced => true,
        })
    }
}

/// Settings whose values are words of a small vocabulary.
pub(super) trait Word: Copy + PartialEq + 'static {
    const WORDS: &'static [(&'static str, Self)];

    fn read(text: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(word, _)| *word == text).map(|(_, value)| *value)
    }

    fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, value)| *value == self).map_or("", |(word, _)| *word)
    }
}

impl Word for SecurityMode {
    const WORDS: &'static [(&'static str, Self)] = &[("open", Self::Open), ("enforced", Self::Enforced)];
}

impl Word for LogFormat {
    const WORDS: &'static [(&'static str, Self)] = &[("text", Self::Text), ("json", Self::Json)];
}

impl Word for LogLevel {
    const WORDS: &'static [(&'static str, Self)] =
        &[("error", Self::Error), ("warn", Self::Warn), ("info", Self::Info), ("debug", Self::Debug), ("trace", Self::Trace)];
}

impl Word for bool {
    const WORDS: &'static [(&'static str, Self)] = &[("true", true), ("false", false)];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_journal_follows_the_security_mode_unless_told_otherwise() {
        let mut settings = Settings::default();
        assert!(!settings.records_audit());
        settings.security.mode = SecurityMode::Enforced;
        assert!(settings.records_audit());
        settings.audit.record = Some(false);
        assert!(!settings.records_audit());
    }

    #[test]
    fn the_base_url_is_the_address_listened_on_unless_it_is_set() {
        let mut settings = Settings::default();
        let at = |settings: &Settings, bound: &str| settings.base_url_at(bound.parse().unwrap()).to_string();
        assert_eq!(at(&settings, "127.0.0.1:8080"), "http://127.0.0.1:8080/fhir");
        assert_eq!(at(&settings, "0.0.0.0:4711"), "http://127.0.0.1:4711/fhir");
        assert_eq!(at(&settings, "[::]:4711"), "http://[::1]:4711/fhir");
        settings.base_url = Some("https://carnet.example/r4".parse().unwrap());
        assert_eq!(at(&settings, "127.0.0.1:8080"), "https://carnet.example/r4");
    }
}
