//! Why the registry cannot be built.

/// A fault of the embedded facts. None can occur in a binary whose tests passed.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A line that is not what its file should hold.
    #[error("{file}, line {line}: {source}")]
    Line {
        /// The file under `fhir-profiles/core`.
        file: &'static str,
        /// The line, from 1.
        line: usize,
        /// What the reader says.
        source: serde_json::Error,
    },
    /// A name that nothing defines.
    #[error("{place} names {name}, which is not defined")]
    Undefined {
        /// The element path or the URL that names it.
        place: &'static str,
        /// The name.
        name: String,
    },
    /// A word outside the code system it must come from.
    #[error("{place}: {word} is no {what}")]
    Word {
        /// The URL of the definition.
        place: &'static str,
        /// The word.
        word: &'static str,
        /// What it should be.
        what: &'static str,
    },
    /// More of something than the numbers given to it can tell apart.
    #[error("too many {0}")]
    TooMany(&'static str),
}
