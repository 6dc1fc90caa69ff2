//! The names of parameters: `code`, `code:modifier`, chains and `_has` (R4 search.html §modifiers, §chaining, §has).

use crate::fhir::ResourceType;

/// The name of a parameter, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Name<'n> {
    /// `code` or `code:modifier`
    Plain { code: &'n str, modifier: Option<&'n str> },
    /// `code.rest` or `code:Type.rest`
    Chain { code: &'n str, kind: Option<&'n str>, rest: &'n str },
    /// `_has:Type:reference:rest`
    Has { kind: &'n str, reference: &'n str, rest: &'n str },
}

impl<'n> Name<'n> {
    /// Takes `text` apart; `None` where `_has` lacks a part.
    pub(super) fn read(text: &'n str) -> Option<Self> {
        if let Some(reverse) = text.strip_prefix("_has:") {
            let mut parts = reverse.splitn(3, ':');
            return Some(Self::Has { kind: parts.next()?, reference: parts.next()?, rest: parts.next()? });
        }
        if let Some((head, rest)) = text.split_once('.') {
            let (code, kind) = split_modifier(head);
            return Some(Self::Chain { code, kind, rest });
        }
        let (code, modifier) = split_modifier(text);
        Some(Self::Plain { code, modifier })
    }
}

fn split_modifier(text: &str) -> (&str, Option<&str>) {
    text.split_once(':').map_or((text, None), |(code, modifier)| (code, Some(modifier)))
}

/// `http://hl7.org/fhir/search-modifier-code`; a type stands for the modifier `type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each variant is a code of the standard")]
pub enum Modifier {
    Missing,
    Exact,
    Contains,
    Text,
    Not,
    Above,
    Below,
    In,
    NotIn,
    OfType,
    Identifier,
    Type(ResourceType),
}

impl Modifier {
    /// The modifier written so.
    pub(super) fn read(text: &str) -> Option<Self> {
        Some(match text {
            "missing" => Self::Missing,
            "exact" => Self::Exact,
            "contains" => Self::Contains,
            "text" => Self::Text,
            "not" => Self::Not,
            "above" => Self::Above,
            "below" => Self::Below,
            "in" => Self::In,
            "not-in" => Self::NotIn,
            "of-type" => Self::OfType,
            "identifier" => Self::Identifier,
            name => Self::Type(name.parse().ok()?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_name_is_told_apart() {
        let table = [
            ("date", Some(Name::Plain { code: "date", modifier: None })),
            ("name:exact", Some(Name::Plain { code: "name", modifier: Some("exact") })),
            ("name:", Some(Name::Plain { code: "name", modifier: Some("") })),
            ("subject.name:exact", Some(Name::Chain { code: "subject", kind: None, rest: "name:exact" })),
            ("subject:Patient.a.b", Some(Name::Chain { code: "subject", kind: Some("Patient"), rest: "a.b" })),
            (
                "_has:Observation:patient:_has:A:b:c",
                Some(Name::Has { kind: "Observation", reference: "patient", rest: "_has:A:b:c" }),
            ),
            ("_has:Observation", None),
        ];
        for (text, expected) in table {
            assert_eq!(Name::read(text), expected, "{text}");
        }
        assert_eq!(Modifier::read("Patient"), Some(Modifier::Type(ResourceType::Patient)));
        assert_eq!(Modifier::read("exakt"), None);
    }
}
