//! The code systems and value sets that R4 defines.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::facts::Text;

/// A CodeSystem.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CodeSystem {
    /// Its canonical URL.
    pub url: &'static str,
    /// `complete`, `fragment`, `example`, `not-present` or `supplement`.
    pub content: &'static str,
    /// Whether the case of a code matters; `None` where it does not say.
    pub case_sensitive: Option<bool>,
    /// Its concepts at the top.
    pub concept: Vec<Concept>,
}

/// A concept of a code system.
#[derive(Debug)]
pub struct Concept {
    /// Its code.
    pub code: Cow<'static, str>,
    /// Its name for people.
    pub display: Option<Cow<'static, str>>,
    /// The concepts it subsumes.
    pub below: Vec<Concept>,
}

impl CodeSystem {
    /// The concept with that code, at any depth.
    pub fn concept(&self, code: &str) -> Option<&Concept> {
        find(&self.concept, code)
    }
}

fn find<'c>(concepts: &'c [Concept], code: &str) -> Option<&'c Concept> {
    concepts.iter().find_map(|concept| if concept.code == code { Some(concept) } else { find(&concept.below, code) })
}

impl<'de: 'static> Deserialize<'de> for Concept {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ConceptVisitor)
    }
}

/// Reads `[code, display]` or `[code, display, [concept…]]`.
struct ConceptVisitor;

impl<'de: 'static> Visitor<'de> for ConceptVisitor {
    type Value = Concept;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a code, its display and the concepts below it")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Concept, A::Error> {
        let code: Text = parts.next_element()?.ok_or_else(|| A::Error::invalid_length(0, &self))?;
        let display: Option<Text> = parts.next_element()?.flatten();
        Ok(Concept { code: code.0, display: display.map(|text| text.0), below: parts.next_element()?.unwrap_or_default() })
    }
}

/// A ValueSet: what it includes, less what it excludes.
#[derive(Debug, Deserialize)]
pub struct ValueSet {
    /// Its canonical URL.
    pub url: &'static str,
    /// The codes it takes in.
    pub include: Vec<ValueSetPart>,
    /// The codes it leaves out.
    pub exclude: Vec<ValueSetPart>,
}

/// One part of a value set: what fulfils all that is said here.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ValueSetPart {
    /// The code system.
    pub system: Option<&'static str>,
    /// Its version.
    pub version: Option<&'static str>,
    /// The codes; none: all of the system.
    #[serde(default, borrow)]
    pub code: Vec<Cow<'static, str>>,
    /// Conditions on concepts: property, operator, value.
    #[serde(default, borrow)]
    pub filter: Vec<(&'static str, &'static str, Cow<'static, str>)>,
    /// Value sets all of which must hold the code.
    #[serde(default, borrow)]
    pub value_set: Vec<&'static str>,
}
