//! The settings: one struct per concern, the same keys from flags, environment and file, in that precedence, over the defaults.
//!
//! [`KEYS`] is the one table: a key that is not in it is refused with the nearest that is, whether a file or a `CARNET_…`
//! variable names it; a value is accepted only by the row of its key, whose own words say what is valid. Nothing is read
//! from the process here: file name, environment and flags come in as [`Sources`]. A secret is never shown.

mod content;
mod key;
mod load;
mod settings;
mod store;
mod url;

pub use content::{ContentPlace, ContentSettings, S3Settings, Secret, Word};
pub use key::{KEYS, Key};
pub use load::{Effective, Entry, Fault, Faults, Sources, load};
pub use settings::{AuditSettings, Limits, LogFormat, LogLevel, LogSettings, SecurityMode, SecuritySettings, Settings};
pub use store::{PostgresUrl, StoreSettings};
pub use url::BaseUrl;
