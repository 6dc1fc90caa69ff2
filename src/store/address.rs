//! The URL of a PostgreSQL server, completed by what the settings of this program would otherwise leave to chance: how long a
//! connection may take, when a dead one is noticed, and that the server can be written to.

/// What is added where the URL does not say it itself. Times in seconds; `tcp_user_timeout` in milliseconds.
const UNSAID: &[(&str, &str)] = &[
    ("connect_timeout", "5"),
    ("keepalives_idle", "30"),
    ("keepalives_interval", "10"),
    ("keepalives_count", "3"),
    ("tcp_user_timeout", "20000"),
    ("target_session_attrs", "read-write"),
    ("application_name", "carnet"),
];

/// The URL with everything said.
pub(super) fn complete(url: &str) -> String {
    let said = url.split_once('?').map_or("", |(_, said)| said);
    let is_said = |name: &str| said.split('&').any(|pair| pair.split('=').next() == Some(name));
    let mut complete = url.to_owned();
    let mut separator = match (url.contains('?'), said.is_empty()) {
        (false, _) => "?",
        (true, true) => "",
        (true, false) => "&",
    };
    for (name, value) in UNSAID.iter().filter(|(name, _)| !is_said(name)) {
        complete.push_str(separator);
        complete.push_str(name);
        complete.push('=');
        complete.push_str(value);
        separator = "&";
    }
    complete
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_url_says_stays_and_the_rest_is_added() {
        let several = "postgres://u@a:5432,b:5433/d?target_session_attrs=any&sslmode=verify-full";
        let whole = complete(several);
        assert!(whole.starts_with(several) && whole.contains("&connect_timeout=5&"), "{whole}");
        assert_eq!(whole.matches("target_session_attrs").count(), 1);
        assert!(complete("postgres://h/d").starts_with("postgres://h/d?connect_timeout=5&"));
        assert!(complete("postgres://h/d?").starts_with("postgres://h/d?connect_timeout=5&"));
    }
}
