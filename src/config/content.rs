//! Where content rests that is too long for the database: `file:PATH` or `s3://BUCKET/PREFIX`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use super::{BaseUrl, StoreSettings};

const FILE: &str = "file:";
const S3: &str = "s3://";
/// What is added to the name of the file of the store to name the folder beside it.
const BESIDE: &str = "-content";
/// The folder of a store that is no file.
const DEFAULT_FOLDER: &str = "./data/content";

/// Where content rests, and what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentSettings {
    /// Where it rests; `None`: in a folder beside the store.
    pub store: Option<ContentPlace>,
    /// The longest content that rests in the database.
    pub inline_bytes: usize,
    /// How often content that no version names is looked for; 0: never.
    pub sweep_seconds: u64,
    /// How old such content must be to be swept.
    pub orphan_seconds: u64,
    /// How a bucket is reached.
    pub s3: S3Settings,
}

/// Where content rests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContentPlace {
    /// A folder of this machine, made if it is not there.
    Folder(PathBuf),
    /// A bucket of a server that speaks S3, and what the names in it begin with.
    Bucket {
        /// The bucket.
        name: String,
        /// What the names begin with; may be empty.
        prefix: String,
    },
}

/// How a bucket is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3Settings {
    /// The URL of the server; `None`: that of Amazon for the region.
    pub endpoint: Option<BaseUrl>,
    /// The region.
    pub region: Word,
    /// The id of the access key; `None`: the credentials of the machine.
    pub access_key_id: Option<Word>,
    /// The access key.
    pub secret_access_key: Option<Secret>,
}

/// A text without blanks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word(String);

/// A text without blanks that is shown to nobody but who must have it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Word);

/// A text that is empty or holds blanks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a text without blanks is expected")]
pub struct InvalidWord;

/// A text that names no place for content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("content rests in file:PATH or s3://BUCKET/PREFIX")]
pub struct InvalidContentPlace;

impl Default for ContentSettings {
    fn default() -> Self {
        Self {
            store: None,
            inline_bytes: 64 * 1024,
            sweep_seconds: 60 * 60,
            orphan_seconds: 24 * 60 * 60,
            s3: S3Settings {
                endpoint: None,
                region: Word(String::from("us-east-1")),
                access_key_id: None,
                secret_access_key: None,
            },
        }
    }
}

impl ContentSettings {
    /// Where the content of the store `store` rests. No two stores may share a place: each would sweep what the other names.
    pub fn place_beside(&self, store: &StoreSettings) -> ContentPlace {
        match (&self.store, store) {
            (Some(place), _) => place.clone(),
            (None, StoreSettings::Sqlite { path }) => {
                let mut folder = path.clone().into_os_string();
                folder.push(BESIDE);
                ContentPlace::Folder(folder.into())
            }
            (None, StoreSettings::Postgres { .. }) => ContentPlace::Folder(PathBuf::from(DEFAULT_FOLDER)),
        }
    }
}

impl FromStr for ContentPlace {
    type Err = InvalidContentPlace;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(path) = text.strip_prefix(FILE) {
            let path = path.strip_prefix("//").unwrap_or(path);
            return if path.is_empty() { Err(InvalidContentPlace) } else { Ok(Self::Folder(PathBuf::from(path))) };
        }
        let rest = text.strip_prefix(S3).ok_or(InvalidContentPlace)?;
        let (name, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let is_harmless = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/');
        if name.is_empty() || !rest.bytes().all(is_harmless) {
            return Err(InvalidContentPlace);
        }
        Ok(Self::Bucket { name: name.to_owned(), prefix: prefix.trim_matches('/').to_owned() })
    }
}

impl fmt::Display for ContentPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => write!(f, "{FILE}{}", path.display()),
            Self::Bucket { name, prefix } => write!(f, "{S3}{name}/{prefix}"),
        }
    }
}

impl FromStr for Word {
    type Err = InvalidWord;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_word = !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c.is_control());
        if is_word { Ok(Self(text.to_owned())) } else { Err(InvalidWord) }
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Secret {
    type Err = InvalidWord;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

impl Secret {
    /// The text, for whoever must have it.
    pub fn expose(&self) -> &str {
        &self.0.0
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_rests_in_a_folder_or_in_a_bucket() {
        assert_eq!("file:./c".parse(), Ok(ContentPlace::Folder("./c".into())));
        assert_eq!("file:///var/c".parse(), Ok(ContentPlace::Folder("/var/c".into())));
        let bucket = |name: &str, prefix: &str| Ok(ContentPlace::Bucket { name: name.into(), prefix: prefix.into() });
        assert_eq!("s3://b".parse(), bucket("b", ""));
        assert_eq!("s3://b/deep/er/".parse(), bucket("b", "deep/er"));
        for refused in ["", "file:", "s3://", "s3:///p", "s3://b/?x", "./c"] {
            assert_eq!(refused.parse::<ContentPlace>(), Err(InvalidContentPlace), "{refused}");
        }
    }

    #[test]
    fn two_stores_in_one_folder_have_two_places_for_content() {
        let beside = |store: &str| ContentSettings::default().place_beside(&store.parse().unwrap()).to_string();
        assert_eq!(beside("sqlite:d/a.db"), "file:d/a.db-content");
        assert_ne!(beside("sqlite:d/a.db"), beside("sqlite:d/a.sqlite"));
    }

    #[test]
    fn a_secret_is_not_shown() {
        let secret: Secret = "hush".parse().unwrap();
        let shown =
            format!("{secret} {:?}", S3Settings { secret_access_key: Some(secret.clone()), ..ContentSettings::default().s3 });
        assert!(!shown.contains("hush") && secret.expose() == "hush");
    }
}
