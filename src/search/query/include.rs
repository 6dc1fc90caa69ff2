//! `_include` and `_revinclude`: what comes along with the matches (R4 search.html §include, §revinclude).

use super::fault::Fault;
use super::split::Piece;
use crate::definition::{ParameterId, ParameterKind, Registry};
use crate::fhir::ResourceType;

/// Which way references are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// `_include`: to what a resource points at.
    Along,
    /// `_revinclude`: to what points at a resource.
    Against,
}

/// One `_include` or `_revinclude`, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inclusion {
    /// Which way.
    pub direction: Direction,
    /// Whether it is followed from what was included as well: `:iterate`.
    pub iterates: bool,
    /// The type that points; `None`: any.
    pub source: Option<ResourceType>,
    /// Its reference parameter; `None`: each one it has.
    pub parameter: Option<ParameterId>,
    /// The type that is pointed at; `None`: any.
    pub target: Option<ResourceType>,
}

/// Every reference of every type.
const EVERYTHING: &str = "*";

impl Inclusion {
    /// Reads `name=value`; `None` where the name is another one.
    pub(super) fn read(registry: &Registry, (name, value): (&str, &str)) -> Result<Option<Self>, Fault> {
        let (code, modifier) = name.split_once(':').map_or((name, None), |(code, modifier)| (code, Some(modifier)));
        let direction = match code {
            "_include" => Direction::Along,
            "_revinclude" => Direction::Against,
            _ => return Ok(None),
        };
        let iterates = match modifier {
            None => false,
            Some("iterate") => true,
            Some(other) => return Err(Fault::modifier(other, code, "iterate")),
        };
        let value = Piece::whole(value);
        if value.raw == EVERYTHING {
            return Ok(Some(Self { direction, iterates, source: None, parameter: None, target: None }));
        }
        let (source, parameter, target) = parts(value)?;
        let source = kind(source)?;
        Ok(Some(Self {
            direction,
            iterates,
            source: Some(source),
            parameter: self::parameter(registry, source, parameter)?,
            target: target.map(kind).transpose()?,
        }))
    }
}

/// `Type:parameter`, or `Type:parameter:Type`.
fn parts(value: Piece<'_>) -> Result<(Piece<'_>, Piece<'_>, Option<Piece<'_>>), Fault> {
    let (source, rest) = value.split_once(b':').ok_or_else(|| {
        Fault::value(value.raw, value.position, "a type and one of its reference parameters, such as Observation:subject")
    })?;
    Ok(rest.split_once(b':').map_or((source, rest, None), |(parameter, target)| (source, parameter, Some(target))))
}

fn kind(name: Piece<'_>) -> Result<ResourceType, Fault> {
    name.raw.parse().map_err(|_| Fault::value(name.raw, name.position, "a resource type").softly())
}

fn parameter(registry: &Registry, kind: ResourceType, code: Piece<'_>) -> Result<Option<ParameterId>, Fault> {
    if code.raw == EVERYTHING {
        return Ok(None);
    }
    let references = || registry.parameters(kind).iter().filter(|parameter| parameter.kind == ParameterKind::Reference);
    let found = references().find(|parameter| parameter.code == code.raw && parameter.expression.is_some());
    let unknown = || Fault::unknown(code.raw, kind.name(), references().map(|parameter| &*parameter.code)).from(code.position);
    Ok(Some(found.ok_or_else(unknown)?.id))
}
