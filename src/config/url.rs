//! The service base URL (R4 http.html §3.1.0.1.1): scheme, host and path, without a trailing slash.

use std::fmt;
use std::str::FromStr;

/// A service base URL such as `http://127.0.0.1:8080/fhir`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl(String);

/// A text that is no service base URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a base URL is http:// or https://, a host and a path, without query or fragment")]
pub struct InvalidBaseUrl;

impl BaseUrl {
    /// A URL this module made itself.
    pub(super) fn trusted(text: String) -> Self {
        Self(text)
    }

    /// The URL, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path under which the service stands: empty, or a slash and more.
    pub fn path(&self) -> &str {
        let authority = self.0.find("://").map_or(0, |scheme| scheme + 3);
        let path = self.0.get(authority..).and_then(|rest| rest.find('/')).map_or(self.0.len(), |slash| authority + slash);
        self.0.get(path..).unwrap_or_default()
    }
}

impl FromStr for BaseUrl {
    type Err = InvalidBaseUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://")).ok_or(InvalidBaseUrl)?;
        let host = rest.split('/').next().unwrap_or_default();
        let foreign =
            |c: char| c.is_whitespace() || c.is_control() || matches!(c, '?' | '#' | '\\' | '"' | '<' | '>' | '{' | '}');
        if host.is_empty() || host.contains('@') || rest.contains(foreign) {
            return Err(InvalidBaseUrl);
        }
        Ok(Self(text.trim_end_matches('/').to_owned()))
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_url_loses_the_slash_at_its_end() {
        let url: BaseUrl = "https://carnet.example/fhir/".parse().unwrap();
        assert_eq!((url.as_str(), url.path()), ("https://carnet.example/fhir", "/fhir"));
        assert_eq!("http://h:1".parse::<BaseUrl>().unwrap().path(), "");
    }

    #[test]
    fn a_base_url_has_a_scheme_a_host_and_neither_query_nor_credentials() {
        for refused in
            ["", "h", "ftp://h", "http://", "http:///fhir", "http://h/?a", "http://h/#a", "http://u:p@h", "http://h/a b"]
        {
            assert_eq!(refused.parse::<BaseUrl>(), Err(InvalidBaseUrl), "{refused}");
        }
    }
}
