//! `carnet serve`: the server, until a signal ends it.

use std::net::SocketAddr;

use super::{output, told};
use crate::app::{self, Ending};
use crate::config::{SecurityMode, Settings};
use crate::interaction::Context;

/// Serves as `settings` say; returns once what was accepted is finished.
///
/// # Errors
/// In a sentence, why it cannot serve, or what ended it against its will.
pub(super) fn run(settings: &Settings) -> Result<(), String> {
    let running = app::start(settings, Context::of_this_machine(), Ending::BySignal).map_err(|failure| told(&failure))?;
    for line in announcement(settings, running.base_url().as_str(), running.operators_at()) {
        output::say(line);
    }
    running.wait().map_err(|failure| told(&failure))
}

/// What a server that is ready says of itself. Other software waits for the end of the last line.
fn announcement(settings: &Settings, base_url: &str, operators_at: SocketAddr) -> [String; 7] {
    let security = match settings.security.mode {
        SecurityMode::Open => "OPEN: whoever reaches this server reads and writes everything",
        SecurityMode::Enforced => "enforced",
    };
    let journal = if settings.records_audit() { "every access is journaled" } else { "accesses are not journaled" };
    [
        format!("carnet {}: FHIR R4 (4.0.1), every resource type and transactions", env!("CARGO_PKG_VERSION")),
        format!("  store     {}", settings.store),
        format!("  security  {security}; {journal}"),
        format!("  watched   http://{operators_at}/metrics, /health/ready, /health/live"),
        format!("  to try    curl {base_url}/metadata"),
        format!(
            "            curl -X POST {base_url}/Patient -H 'Content-Type: application/fhir+json' -d '{{\"resourceType\":\"Patient\",\"active\":true}}'"
        ),
        format!("listening on {base_url}"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at() -> SocketAddr {
        "127.0.0.1:9090".parse().unwrap()
    }

    #[test]
    fn only_the_last_line_says_that_the_server_listens() {
        let lines = announcement(&Settings::default(), "http://127.0.0.1:8080/fhir", at());
        let listening: Vec<_> = lines.iter().filter(|line| line.contains("listening on ")).collect();
        assert_eq!(listening, ["listening on http://127.0.0.1:8080/fhir"]);
        assert_eq!(lines.last(), Some(listening[0]));
    }

    #[test]
    fn an_open_server_says_so_loudly() {
        let mut settings = Settings::default();
        assert!(announcement(&settings, "http://h", at()).join("\n").contains("OPEN: whoever"));
        settings.security.mode = SecurityMode::Enforced;
        assert!(!announcement(&settings, "http://h", at()).join("\n").contains("OPEN"));
    }
}
