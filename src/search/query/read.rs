//! From the text of a value to its type, by the type of the parameter.

use super::MAX_VALUES;
use super::criterion::Filter;
use super::fault::Fault;
use super::name::Modifier;
use super::number::{NumberValue, Prefix};
use super::split::Piece;
use super::value::{
    Compared, Near, PathMatch, QuantityValue, ReferenceValue, Test, TextMatch, TokenMatch, TokenValue, TypedIdentifier, UnitValue,
};
use crate::definition::{Component, Parameter, ParameterId, ParameterKind};
use crate::fhir::date::{Form, PartialDate};
use crate::fhir::{Reference, ResourceType};
use crate::search::parameter::type_of_bare_id;

/// The special parameter by which places are searched.
const NEAR: &str = "near";
/// How far around a place is searched where the query does not say.
const USUAL_DISTANCE_KM: f64 = 50.0;

/// What `value` asks of `parameter`; `None` where it asks nothing, because it is empty.
pub(super) fn test(parameter: &Parameter, modifier: Option<&str>, value: &str) -> Result<Option<Test>, Fault> {
    let modifier = modifier.map(|text| read_modifier(parameter, text)).transpose()?;
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

/// The texts of a value, which are alternatives.
pub(super) fn texts(value: &str) -> Result<Vec<Box<str>>, Fault> {
    let pieces: Vec<Piece<'_>> = Piece::whole(value).split(b',').filter(|piece| !piece.raw.trim().is_empty()).collect();
    if pieces.len() > MAX_VALUES {
        return Err(Fault::too_many("values of one parameter", MAX_VALUES));
    }
    each(&pieces, text)
}

fn of_kind(parameter: &Parameter, modifier: Option<Modifier>, pieces: &[Piece<'_>]) -> Result<Test, Fault> {
    Ok(match parameter.kind {
        ParameterKind::Number => Test::Number(each(pieces, number)?),
        ParameterKind::Date => Test::Date(each(pieces, date)?),
        ParameterKind::String => Test::String(text_match(modifier), each(pieces, text)?),
        ParameterKind::Token => tokens(modifier, pieces)?,
        ParameterKind::Reference => match modifier {
            Some(Modifier::Identifier) => Test::Identifier(each(pieces, token)?),
            Some(Modifier::Type(kind)) => Test::Reference(PathMatch::Is, each(pieces, |piece| typed_reference(piece, kind))?),
            _ => Test::Reference(path_match(modifier), each(pieces, |piece| reference(piece, type_of_bare_id(parameter)))?),
        },
        ParameterKind::Composite => Test::Composite(each(pieces, |piece| components(parameter, piece))?),
        ParameterKind::Quantity => Test::Quantity(each(pieces, quantity)?),
        ParameterKind::Uri => Test::Uri(path_match(modifier), each(pieces, text)?),
        ParameterKind::Special if parameter.code == NEAR => Test::Near(each(pieces, near)?),
        ParameterKind::Special => return Err(Fault::unsupported("this parameter")),
    })
}

fn each<'v, T>(pieces: &[Piece<'v>], read: impl Fn(Piece<'v>) -> Result<T, Fault>) -> Result<Vec<T>, Fault> {
    pieces.iter().map(|piece| read(*piece)).collect()
}

/// The modifiers each type of parameter has in R4.
const fn modifiers(kind: ParameterKind) -> &'static str {
    match kind {
        ParameterKind::String => "missing, exact, contains",
        ParameterKind::Token => "missing, not, text, in, not-in, above, below, of-type",
        ParameterKind::Reference => "missing, identifier, above, below, and the types it points at",
        ParameterKind::Uri => "missing, above, below",
        ParameterKind::Number | ParameterKind::Date | ParameterKind::Quantity | ParameterKind::Composite => "missing",
        ParameterKind::Special => "missing",
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
        _ => TextMatch::Starts,
    }
}

fn tokens(modifier: Option<Modifier>, pieces: &[Piece<'_>]) -> Result<Test, Fault> {
    Ok(match modifier {
        Some(Modifier::Not) => Test::Token(TokenMatch::IsNot, each(pieces, token)?),
        Some(Modifier::Above) => Test::Token(TokenMatch::Above, each(pieces, token)?),
        Some(Modifier::Below) => Test::Token(TokenMatch::Below, each(pieces, token)?),
        Some(Modifier::Text) => Test::Text(each(pieces, text)?),
        Some(Modifier::In) => Test::ValueSet { negated: false, urls: each(pieces, text)? },
        Some(Modifier::NotIn) => Test::ValueSet { negated: true, urls: each(pieces, text)? },
        Some(Modifier::OfType) => Test::OfType(each(pieces, typed_identifier)?),
        _ => Test::Token(TokenMatch::Is, each(pieces, token)?),
    })
}

fn typed_identifier(piece: Piece<'_>) -> Result<TypedIdentifier, Fault> {
    let parts: Vec<Box<str>> = piece.split(b'|').map(|part| part.text().into()).collect();
    match <[Box<str>; 3]>::try_from(parts) {
        Ok([system, code, value]) if ![&system, &code, &value].iter().any(|part| part.is_empty()) => {
            Ok(TypedIdentifier { system, code, value })
        }
        _ => Err(Fault::value(piece.raw, piece.position, "an identifier of a type: system|code|value, all three of them")),
    }
}

/// `latitude|longitude|distance|unit`, the last two optional.
fn near(piece: Piece<'_>) -> Result<Near, Fault> {
    let refused = || Fault::value(piece.raw, piece.position, "a place such as 48.85|2.35|10|km, the unit one of km, m, mi");
    let parts: Vec<String> = piece.split(b'|').map(Piece::text).collect();
    let number = |index: usize| parts.get(index).and_then(|part| NumberValue::read(part)).map(|number| number.value);
    let (latitude, longitude) = number(0).zip(number(1)).ok_or_else(refused)?;
    let distance = match parts.get(2) {
        None => USUAL_DISTANCE_KM,
        Some(empty) if empty.is_empty() => USUAL_DISTANCE_KM,
        Some(_) => number(2).ok_or_else(refused)? * kilometres(parts.get(3).map_or("", String::as_str)).ok_or_else(refused)?,
    };
    let is_on_earth = latitude.abs() <= 90.0 && longitude.abs() <= 180.0 && distance >= 0.0 && parts.len() <= 4;
    if is_on_earth { Ok(Near { latitude, longitude, distance }) } else { Err(refused()) }
}

/// How many kilometres a unit is.
fn kilometres(unit: &str) -> Option<f64> {
    match unit {
        "" | "km" => Some(1.0),
        "m" => Some(0.001),
        "mi" | "mi_us" | "[mi_i]" | "[mi_us]" => Some(1.609_344),
        _ => None,
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

/// What a value asks of each component, parted by `$`.
fn components(parameter: &Parameter, piece: Piece<'_>) -> Result<Vec<Filter>, Fault> {
    let parts: Vec<Piece<'_>> = piece.split(b'$').collect();
    if parts.len() != parameter.components.len() {
        let expected = format!("{} values parted by `$`", parameter.components.len());
        return Err(Fault::value(piece.raw, piece.position, &expected));
    }
    parameter.components.iter().zip(parts).map(|(component, part)| component_filter(parameter, component, part)).collect()
}

fn component_filter(composite: &Parameter, component: &Component, part: Piece<'_>) -> Result<Filter, Fault> {
    if part.raw.trim().is_empty() {
        return Err(Fault::value(part.raw, part.position, "a value; each component needs one"));
    }
    let parameter = Parameter {
        id: ParameterId::of_url(component.url),
        kind: component.kind,
        targets: component.targets.clone(),
        components: Vec::new(),
        ..composite.clone()
    };
    let test = of_kind(&parameter, None, &[part])?;
    Ok(Filter { parameter: parameter.id, code: (&*composite.code).into(), kind: component.kind, test })
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
