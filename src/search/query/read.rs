//! From the text of a value to its type, by the type of the parameter.

use super::MAX_VALUES;
use super::fault::Fault;
use super::name::Modifier;
use super::number::{NumberValue, Prefix};
use super::split::Piece;
use super::value::{Compared, PathMatch, QuantityValue, ReferenceValue, Test, TextMatch, TokenMatch, TokenValue, UnitValue};
use crate::definition::{Parameter, ParameterKind};
use crate::fhir::date::{Form, PartialDate};
use crate::fhir::{Reference, ResourceType};
use crate::search::parameter::type_of_bare_id;

/// What `value` asks of `parameter`; `None` where it asks nothing, because it is empty.
pub(super) fn test(parameter: &Parameter, modifier: Option<&str>, value: &str) -> Result<Option<Test>, Fault> {
    let modifier = modifier.map(|text| read_modifier(parameter, text)).transpose()?;
    if parameter.kind == ParameterKind::Special {
        return Ok((!value.is_empty()).then(|| Test::Special(value.into())));
    }
    let pieces: Vec<Piece<'_>> =
        Piece::whole(value).split(b',').filter(|piece| !piece.raw.trim().is_empty()).take(MAX_VALUES + 1).collect();
    if pieces.len() > MAX_VALUES {
        return Err(Fault::too_many("values of one parameter", MAX_VALUES));
    }
    if pieces.is_empty() {
        return Ok(None);
    }
    if modifier == Some(Modifier::Missing) {
        return missing(&pieces).map(Some);
    }
    of_kind(parameter, modifier, &pieces).map(Some)
}

fn of_kind(parameter: &Parameter, modifier: Option<Modifier>, pieces: &[Piece<'_>]) -> Result<Test, Fault> {
    Ok(match parameter.kind {
        ParameterKind::Number => Test::Number(each(pieces, number)?),
        ParameterKind::Date => Test::Date(each(pieces, date)?),
        ParameterKind::String => Test::String(text_match(modifier), each(pieces, text)?),
        ParameterKind::Token => Test::Token(token_match(modifier), each(pieces, token)?),
        ParameterKind::Reference => match modifier {
            Some(Modifier::Identifier) => Test::Identifier(each(pieces, token)?),
            Some(Modifier::Type(kind)) => Test::Reference(PathMatch::Is, each(pieces, |piece| typed_reference(piece, kind))?),
            _ => Test::Reference(path_match(modifier), each(pieces, |piece| reference(piece, type_of_bare_id(parameter)))?),
        },
        ParameterKind::Composite => Test::Composite(each(pieces, components)?),
        ParameterKind::Quantity => Test::Quantity(each(pieces, quantity)?),
        ParameterKind::Uri => Test::Uri(path_match(modifier), each(pieces, text)?),
        ParameterKind::Special => return Err(Fault::unsupported("this parameter")),
    })
}

fn each<'v, T>(pieces: &[Piece<'v>], read: impl Fn(Piece<'v>) -> Result<T, Fault>) -> Result<Vec<T>, Fault> {
    pieces.iter().map(|piece| read(*piece)).collect()
}

/// The modifiers each type of parameter has in R4.
const fn modifiers(kind: ParameterKind) -> &'static str {
    match kind {
        ParameterKind::String => "missing, exact, contains, text",
        ParameterKind::Token => "missing, not, text, in, not-in, above, below, of-type",
        ParameterKind::Reference => "missing, identifier, above, below, and the types it points at",
        ParameterKind::Uri => "missing, above, below",
        ParameterKind::Number | ParameterKind::Date | ParameterKind::Quantity | ParameterKind::Composite => "missing",
        ParameterKind::Special => "none",
    }
}

fn read_modifier(parameter: &Parameter, text: &str) -> Result<Modifier, Fault> {
    let refused = || Fault::modifier(text, &parameter.code, modifiers(parameter.kind));
    let modifier = Modifier::read(text).ok_or_else(refused)?;
    let belongs = match modifier {
        Modifier::Type(kind) => {
            parameter.kind == ParameterKind::Reference && (parameter.targets.is_empty() || parameter.targets.contains(&kind))
        }
        _ => modifiers(parameter.kind).split(", ").any(|known| known == text),
    };
    if belongs { Ok(modifier) } else { Err(refused()) }
}

fn missing(pieces: &[Piece<'_>]) -> Result<Test, Fault> {
    match pieces {
        [Piece { raw: "true", .. }] => Ok(Test::Missing(true)),
        [Piece { raw: "false", .. }] => Ok(Test::Missing(false)),
        [piece, ..] => Err(Fault::value(piece.raw, piece.position, "`true` or `false`")),
        [] => Err(Fault::wrong("`true` or `false` is wanted")),
    }
}

fn text_match(modifier: Option<Modifier>) -> TextMatch {
    match modifier {
        Some(Modifier::Exact) => TextMatch::Exact,
        Some(Modifier::Contains) => TextMatch::Contains,
        Some(Modifier::Text) => TextMatch::FullText,
        _ => TextMatch::Starts,
    }
}

fn token_match(modifier: Option<Modifier>) -> TokenMatch {
    match modifier {
        Some(Modifier::Not) => TokenMatch::IsNot,
        Some(Modifier::Text) => TokenMatch::Text,
        Some(Modifier::In) => TokenMatch::In,
        Some(Modifier::NotIn) => TokenMatch::NotIn,
        Some(Modifier::Above) => TokenMatch::Above,
        Some(Modifier::Below) => TokenMatch::Below,
        Some(Modifier::OfType) => TokenMatch::OfType,
        _ => TokenMatch::Is,
    }
}

fn path_match(modifier: Option<Modifier>) -> PathMatch {
    match modifier {
        Some(Modifier::Above) => PathMatch::Above,
        Some(Modifier::Below) => PathMatch::Below,
        _ => PathMatch::Is,
    }
}

fn text(piece: Piece<'_>) -> Result<Box<str>, Fault> {
    Ok(piece.text().into())
}

fn prefixed(piece: Piece<'_>) -> Result<(Prefix, Piece<'_>), Fault> {
    let unknown = || Fault::value(piece.raw, piece.position, "preceded by one of eq, ne, gt, lt, ge, le, sa, eb, ap");
    let (prefix, length) = Prefix::read(piece.raw).ok_or_else(unknown)?;
    Ok((prefix, piece.skip(length)))
}

fn number(piece: Piece<'_>) -> Result<Compared<NumberValue>, Fault> {
    let (prefix, rest) = prefixed(piece)?;
    let refused = || Fault::value(rest.raw, rest.position, "a number such as 100, 5.40 or 1e2");
    Ok(Compared { prefix, value: NumberValue::read(rest.raw).ok_or_else(refused)? })
}

/// A blank before the digits of an offset was a plus sign that nobody encoded.
fn date(piece: Piece<'_>) -> Result<Compared<PartialDate>, Fault> {
    let (prefix, rest) = prefixed(piece)?;
    let expected = if rest.raw.contains(' ') {
        "a date: the plus sign of an offset must be sent as %2B"
    } else {
        "a date such as 2013, 2013-01, 2013-01-14 or 2013-01-14T10:00:00Z"
    };
    let refused = |_| Fault::value(rest.raw, rest.position, expected);
    Ok(Compared { prefix, value: PartialDate::parse_as(rest.raw, Form::Search).map_err(refused)? })
}

fn token(piece: Piece<'_>) -> Result<TokenValue, Fault> {
    let Some((system, code)) = piece.split_once(b'|') else { return Ok(TokenValue::Code(piece.text().into())) };
    let (system, code): (Box<str>, Box<str>) = (system.text().into(), code.text().into());
    match (system.is_empty(), code.is_empty()) {
        (false, false) => Ok(TokenValue::SystemCode(system, code)),
        (true, false) => Ok(TokenValue::CodeWithoutSystem(code)),
        (false, true) => Ok(TokenValue::System(system)),
        (true, true) => Err(Fault::value(piece.raw, piece.position, "a token: system, code or both")),
    }
}

fn components(piece: Piece<'_>) -> Result<Vec<Box<str>>, Fault> {
    Ok(piece.split(b'$').map(|component| component.raw.into()).collect())
}

fn quantity(piece: Piece<'_>) -> Result<QuantityValue, Fault> {
    let Some((amount, unit)) = piece.split_once(b'|') else { return Ok(QuantityValue { number: number(piece)?, unit: None }) };
    let refused =
        || Fault::value(piece.raw, piece.position, "a quantity such as 5.4, 5.4|http://unitsofmeasure.org|mg or 5.4||mg");
    let (system, code) = unit.split_once(b'|').ok_or_else(refused)?;
    let (system, code): (Box<str>, Box<str>) = (system.text().into(), code.text().into());
    let unit = match (system.is_empty(), code.is_empty()) {
        (false, false) => Some(UnitValue::Coded(system, code)),
        (true, false) => Some(UnitValue::Plain(code)),
        (true, true) => None,
        (false, true) => return Err(refused()),
    };
    Ok(QuantityValue { number: number(amount)?, unit })
}

/// `kind` is the type of a bare id, where the query or the parameter says it.
fn reference(piece: Piece<'_>, kind: Option<ResourceType>) -> Result<ReferenceValue, Fault> {
    let text = piece.text();
    if let Ok(id) = text.parse() {
        return Ok(match kind {
            Some(kind) => ReferenceValue::Instance { kind, id, version: None },
            None => ReferenceValue::Id(id),
        });
    }
    match Reference::read(&text, NO_BASE) {
        Reference::Instance { kind, id, version } => Ok(ReferenceValue::Instance { kind, id, version: version.map(Into::into) }),
        Reference::Absolute(url) | Reference::Urn(url) => {
            let (url, version) = url.split_once('|').map_or((url, None), |(url, version)| (url, Some(version)));
            Ok(ReferenceValue::Url { url: url.into(), version: version.map(Into::into) })
        }
        Reference::Fragment(_) | Reference::Conditional { .. } | Reference::Unreadable(_) => {
            Err(Fault::value(piece.raw, piece.position, "a reference: an id, Type/id or a URL"))
        }
    }
}

/// `subject:Patient=…` names patients only.
fn typed_reference(piece: Piece<'_>, kind: ResourceType) -> Result<ReferenceValue, Fault> {
    match reference(piece, Some(kind))? {
        ReferenceValue::Instance { kind: other, .. } if other != kind => {
            Err(Fault::value(piece.raw, piece.position, "a reference to the type that the modifier names"))
        }
        value => Ok(value),
    }
}

/// No URL begins with it: where this server stands is known only when the query is planned.
const NO_BASE: &str = "\u{0}";
