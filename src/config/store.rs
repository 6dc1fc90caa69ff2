//! Where instances rest: `sqlite:PATH` or `postgres://…`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// Where instances rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreSettings {
    /// A file of this machine, made if it is not there.
    Sqlite {
        /// The file.
        path: PathBuf,
    },
    /// A PostgreSQL server.
    Postgres {
        /// How to reach it.
        url: PostgresUrl,
    },
}

/// A connection URL that shows its password to nobody but the driver.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl(String);

/// A text that names no store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a store is sqlite:PATH or postgres://USER:PASSWORD@HOST:PORT/DATABASE")]
pub struct InvalidStore;

const SQLITE: &str = "sqlite:";
const POSTGRES: [&str; 2] = ["postgres://", "postgresql://"];

impl FromStr for StoreSettings {
    type Err = InvalidStore;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(path) = text.strip_prefix(SQLITE) {
            let path = path.strip_prefix("//").unwrap_or(path);
            return if path.is_empty() { Err(InvalidStore) } else { Ok(Self::Sqlite { path: PathBuf::from(path) }) };
        }
        let rest = POSTGRES.iter().find_map(|scheme| text.strip_prefix(scheme)).unwrap_or_default();
        if rest.is_empty() || text.contains(char::is_whitespace) {
            return Err(InvalidStore);
        }
        Ok(Self::Postgres { url: PostgresUrl(text.to_owned()) })
    }
}

impl PostgresUrl {
    /// The URL with its password, for the driver alone.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PostgresUrl {
    /// The URL without its password and without its query, which may hold one too.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.0.split_once('?').map_or(self.0.as_str(), |(before, _)| before);
        let (scheme, rest) = shown.split_once("://").unwrap_or(("postgres", shown));
        match rest.rsplit_once('@') {
            Some((user, host)) => {
                let name = user.split_once(':').map_or(user, |(name, _)| name);
                let hidden = if name.len() < user.len() { ":…" } else { "" };
                write!(f, "{scheme}://{name}{hidden}@{host}")
            }
            None => write!(f, "{scheme}://{rest}"),
        }
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresUrl({self})")
    }
}

impl fmt::Display for StoreSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite { path } => write!(f, "{SQLITE}{}", path.display()),
            Self::Postgres { url } => url.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_a_file_or_a_server() {
        assert_eq!("sqlite:./a.db".parse(), Ok(StoreSettings::Sqlite { path: "./a.db".into() }));
        assert_eq!("sqlite:///var/a.db".parse(), Ok(StoreSettings::Sqlite { path: "/var/a.db".into() }));
        assert!(matches!("postgresql://h/d".parse(), Ok(StoreSettings::Postgres { .. })));
        for refused in ["", "sqlite:", "sqlite://", "postgres://", "mysql://h/d", "./a.db", "postgres://a b/c"] {
            assert_eq!(refused.parse::<StoreSettings>(), Err(InvalidStore), "{refused}");
        }
    }

    #[test]
    fn a_password_is_shown_to_the_driver_only() {
        let store: StoreSettings = "postgres://carnet:s3cr@t@db:5432/carnet?password=s3cr%40t".parse().unwrap();
        assert_eq!(store.to_string(), "postgres://carnet:…@db:5432/carnet");
        assert!(!format!("{store:?}").contains("s3cr"));
        let StoreSettings::Postgres { url } = store else { panic!("a server") };
        assert!(url.expose().contains("s3cr@t"));
    }
}
