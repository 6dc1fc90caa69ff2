//! Where in the API a request points, and what is offered there (R4 http.html, the URL table of each interaction). The same
//! table serves HTTP requests and the entries of a Bundle.

use super::operation::Level;
use super::{Interaction, Operation, Request};
use crate::definition::Compartment;
use crate::fhir::{InstanceId, ResourceType, VersionId};
use crate::outcome::{Failure, Kind, Outcome};
use crate::search::Within;

/// What is to be done at a place, as HTTP says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each variant is the HTTP verb")]
pub enum Verb {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
}

impl Verb {
    /// The verb as HTTP writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// Reads a verb; case-sensitive, as HTTP has it.
    pub fn read(name: &str) -> Option<Self> {
        [Self::Get, Self::Head, Self::Post, Self::Put, Self::Patch, Self::Delete].into_iter().find(|verb| verb.name() == name)
    }
}

/// A place under the service base URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// `[base]`
    System,
    /// `[base]/_search`
    SystemSearch,
    /// `[base]/metadata`
    Metadata,
    /// `[base]/$name`, `[base]/[type]/$name`, `[base]/[type]/[id]/$name`, `[base]/[type]/[id]/_history/[vid]/$name`
    Operation(Operation, Option<ResourceType>, Option<(InstanceId, Option<VersionId>)>),
    /// `[base]/[type]`
    Type(ResourceType),
    /// `[base]/[type]/_search`
    TypeSearch(ResourceType),
    /// `[base]/[compartment]/[id]/[type]`; every type where `*` stands for one
    Compartment(Within, Option<ResourceType>),
    /// `[base]/[compartment]/[id]/[type]/_search`
    CompartmentSearch(Within, Option<ResourceType>),
    /// `[base]/[type]/[id]`
    Instance(ResourceType, InstanceId),
    /// `[base]/_history`
    SystemHistory,
    /// `[base]/[type]/_history`
    TypeHistory(ResourceType),
    /// `[base]/[type]/[id]/_history`
    InstanceHistory(ResourceType, InstanceId),
    /// `[base]/[type]/[id]/_history/[vid]`
    Version(ResourceType, InstanceId, VersionId),
}

/// One line of the table: a verb and what it does.
type Offer = (Verb, Interaction);

impl Place {
    /// Reads `path`, decoded, relative to the base URL, without query; slashes at its ends do not matter.
    ///
    /// # Errors
    /// 404 where nothing is served under that path, 400 where it holds an id that is none.
    pub fn read(path: &str) -> Outcome<Self> {
        let mut segments = path.trim_matches('/').split('/');
        let mut next = || segments.next();
        let (Some(first), second, third, fourth, fifth, None) = (next(), next(), next(), next(), next(), next()) else {
            return Err(nothing_there());
        };
        if let ([_, _, Some("_history"), Some(version)], Some(name)) = ([Some(first), second, third, fourth], fifth) {
            return Self::read_of_version((first, second.unwrap_or_default()), version, name);
        }
        if fifth.is_some() {
            return Err(nothing_there());
        }
        match (first, second, third, fourth) {
            ("", None, None, None) => Ok(Self::System),
            ("metadata", None, None, None) => Ok(Self::Metadata),
            ("_search", None, None, None) => Ok(Self::SystemSearch),
            ("_history", None, None, None) => Ok(Self::SystemHistory),
            (name, None, None, None) if let Some(operation) = Operation::at(name, Level::System, None) => {
                Ok(Self::Operation(operation, None, None))
            }
            (name, None, None, None) if name.starts_with(['$', '_']) => Err(not_offered(name)),
            (name, second, third, fourth) => Self::read_typed(read_type(name)?, [second, third, fourth]),
        }
    }

    fn read_typed(kind: ResourceType, rest: [Option<&str>; 3]) -> Outcome<Self> {
        match rest {
            [None, None, None] => Ok(Self::Type(kind)),
            [Some("_search"), None, None] => Ok(Self::TypeSearch(kind)),
            [Some("_history"), None, None] => Ok(Self::TypeHistory(kind)),
            [Some(name), None, None] if let Some(operation) = Operation::at(name, Level::Type, Some(kind)) => {
                Ok(Self::Operation(operation, Some(kind), None))
            }
            [Some(name), None, None] if name.starts_with(['$', '_']) => Err(not_offered(name)),
            [Some(id), None, None] => Ok(Self::Instance(kind, read_id(id)?)),
            [Some(id), Some(name), None] if let Some(operation) = Operation::at(name, Level::Instance, Some(kind)) => {
                Ok(Self::Operation(operation, Some(kind), Some((read_id(id)?, None))))
            }
            [Some(id), Some("_history"), None] => Ok(Self::InstanceHistory(kind, read_id(id)?)),
            [Some(id), Some("_history"), Some(version)] => {
                let version = read_version(version)?;
                Ok(Self::Version(kind, read_id(id)?, version))
            }
            [Some(id), Some(name), rest] if name == EVERY_TYPE || is_type(name) => Self::read_compartment((kind, id), name, rest),
            [Some(_), Some(name), _] if name.starts_with(['$', '_', '*']) => Err(not_offered(name)),
            [_, _, _] => Err(nothing_there()),
        }
    }

    fn read_of_version((kind, id): (&str, &str), version: &str, name: &str) -> Outcome<Self> {
        let kind = read_type(kind)?;
        let operation = Operation::at(name, Level::Version, Some(kind)).ok_or_else(nothing_there)?;
        Ok(Self::Operation(operation, Some(kind), Some((read_id(id)?, Some(read_version(version)?)))))
    }

    fn read_compartment((focus, id): (ResourceType, &str), name: &str, rest: Option<&str>) -> Outcome<Self> {
        let compartment = Compartment::ALL.into_iter().find(|compartment| compartment.focus() == focus);
        let within = Within { compartment: compartment.ok_or_else(|| not_offered(name))?, id: read_id(id)? };
        let kind = if name == EVERY_TYPE { None } else { Some(read_type(name)?) };
        match rest {
            None => Ok(Self::Compartment(within, kind)),
            Some("_search") => Ok(Self::CompartmentSearch(within, kind)),
            Some(_) => Err(nothing_there()),
        }
    }

    fn offers(&self) -> &'static [Offer] {
        use Interaction::{Capabilities, Create, Delete, HistoryInstance, HistorySystem, HistoryType};
        use Interaction::{Patch, Transaction, Update, Vread};
        use Interaction::{Read, SearchSystem, SearchType};
        match self {
            Self::System => &[(Verb::Get, SearchSystem), (Verb::Head, SearchSystem), (Verb::Post, Transaction)],
            Self::SystemSearch | Self::CompartmentSearch(_, None) => &[(Verb::Post, SearchSystem)],
            Self::Compartment(_, None) => &[(Verb::Get, SearchSystem), (Verb::Head, SearchSystem)],
            Self::Compartment(_, Some(_)) => &[(Verb::Get, SearchType), (Verb::Head, SearchType)],
            Self::Metadata => &[(Verb::Get, Capabilities), (Verb::Head, Capabilities)],
            Self::Operation(Operation::Job, ..) => {
                &[(Verb::Get, Interaction::Operation), (Verb::Head, Interaction::Operation), (Verb::Delete, Interaction::Delete)]
            }
            // How far it is, is asked by GET.
            Self::Operation(Operation::Reindex, ..) => {
                &[(Verb::Get, Interaction::Operation), (Verb::Post, Interaction::Operation)]
            }
            Self::Operation(operation, ..) if operation.definition().affects_state => &[(Verb::Post, Interaction::Operation)],
            Self::Operation(..) => {
                &[(Verb::Get, Interaction::Operation), (Verb::Head, Interaction::Operation), (Verb::Post, Interaction::Operation)]
            }
            Self::Type(ResourceType::Binary) => &[
                (Verb::Get, SearchType),
                (Verb::Head, SearchType),
                (Verb::Post, Create),
                (Verb::Put, Update),
                (Verb::Delete, Delete),
            ],
            // Those that name their instance by criteria come here too.
            Self::Type(_) => &[
                (Verb::Get, SearchType),
                (Verb::Head, SearchType),
                (Verb::Post, Create),
                (Verb::Put, Update),
                (Verb::Patch, Patch),
                (Verb::Delete, Delete),
            ],
            Self::TypeSearch(_) | Self::CompartmentSearch(_, Some(_)) => &[(Verb::Post, SearchType)],
            // Patch is not defined for Binary (R4 binary.html §patch).
            Self::Instance(ResourceType::Binary, _) => {
                &[(Verb::Get, Read), (Verb::Head, Read), (Verb::Put, Update), (Verb::Delete, Delete)]
            }
            Self::Instance(..) => {
                &[(Verb::Get, Read), (Verb::Head, Read), (Verb::Put, Update), (Verb::Patch, Patch), (Verb::Delete, Delete)]
            }
            Self::SystemHistory => &[(Verb::Get, HistorySystem), (Verb::Head, HistorySystem)],
            Self::TypeHistory(_) => &[(Verb::Get, HistoryType), (Verb::Head, HistoryType)],
            Self::InstanceHistory(..) => &[(Verb::Get, HistoryInstance), (Verb::Head, HistoryInstance)],
            Self::Version(..) => &[(Verb::Get, Vread), (Verb::Head, Vread)],
        }
    }

    /// The verbs offered here, as `Allow` lists them.
    pub fn allowed(&self) -> String {
        self.offers().iter().map(|(verb, _)| verb.name()).collect::<Vec<_>>().join(", ")
    }

    /// What `verb` does here. A Bundle sent to the system is taken for a transaction until its `type` is read.
    ///
    /// # Errors
    /// 405 where the verb does nothing here.
    pub fn interaction(&self, verb: Verb) -> Outcome<Interaction> {
        if let Some((_, interaction)) = self.offers().iter().find(|(offered, _)| *offered == verb) {
            return Ok(*interaction);
        }
        Err(Failure::new(Kind::NotAllowed, format!("{} is not offered here; this is: {}", verb.name(), self.allowed())))
    }

    /// Says in `request` what the place names.
    pub fn tell(self, request: &mut Request) {
        match self {
            Self::System | Self::SystemSearch | Self::SystemHistory | Self::Metadata => {}
            Self::Operation(operation, kind, instance) => {
                let (id, version) = instance.unzip();
                (request.operation, request.kind, request.id, request.version) = (Some(operation), kind, id, version.flatten());
            }
            Self::Type(kind) | Self::TypeSearch(kind) | Self::TypeHistory(kind) => request.kind = Some(kind),
            Self::Compartment(within, kind) | Self::CompartmentSearch(within, kind) => {
                (request.kind, request.within) = (kind, Some(within));
            }
            Self::Instance(kind, id) | Self::InstanceHistory(kind, id) => {
                (request.kind, request.id) = (Some(kind), Some(id));
            }
            Self::Version(kind, id, version) => {
                (request.kind, request.id, request.version) = (Some(kind), Some(id), Some(version));
            }
        }
    }
}

/// What stands for every type in the URL of a compartment.
const EVERY_TYPE: &str = "*";

fn is_type(name: &str) -> bool {
    name.parse::<ResourceType>().is_ok()
}

fn read_type(name: &str) -> Outcome<ResourceType> {
    name.parse().map_err(|_| Failure::new(Kind::UnknownType, "the URL begins with a name that is not an R4 resource type"))
}

fn read_version(version: &str) -> Outcome<VersionId> {
    version.parse().map_err(|_| Failure::new(Kind::Absent, "there is no such version"))
}

fn read_id(id: &str) -> Outcome<InstanceId> {
    id.parse().map_err(|error: crate::fhir::id::InvalidId| Failure::new(Kind::InvalidParameter, error.to_string()))
}

fn nothing_there() -> Failure {
    Failure::new(Kind::UnknownType, "nothing is served under this URL")
}

fn not_offered(name: &str) -> Failure {
    let shown: String =
        name.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '$' | '_' | '*' | '-')).take(64).collect();
    Failure::new(Kind::UnknownType, format!("{shown} is not offered here"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> InstanceId {
        text.parse().unwrap()
    }

    fn within(compartment: Compartment, focus: &str) -> Within {
        Within { compartment, id: id(focus) }
    }

    #[test]
    fn every_place_of_the_api_is_told_apart() {
        let table = [
            ("", Place::System),
            ("/", Place::System),
            ("metadata", Place::Metadata),
            ("Patient", Place::Type(ResourceType::Patient)),
            ("Patient/", Place::Type(ResourceType::Patient)),
            ("Patient/_search", Place::TypeSearch(ResourceType::Patient)),
            ("Patient/p1", Place::Instance(ResourceType::Patient, id("p1"))),
            ("Patient/p1/_history", Place::InstanceHistory(ResourceType::Patient, id("p1"))),
            ("_search", Place::SystemSearch),
            ("_history", Place::SystemHistory),
            ("Patient/_history", Place::TypeHistory(ResourceType::Patient)),
            ("Patient/p1/Observation", Place::Compartment(within(Compartment::Patient, "p1"), Some(ResourceType::Observation))),
            ("Device/d/*", Place::Compartment(within(Compartment::Device, "d"), None)),
            ("Encounter/e/*/_search", Place::CompartmentSearch(within(Compartment::Encounter, "e"), None)),
            ("Patient/p1/_history/2", Place::Version(ResourceType::Patient, id("p1"), VersionId(2))),
            ("$meta", Place::Operation(Operation::Meta, None, None)),
            ("Patient/$meta", Place::Operation(Operation::Meta, Some(ResourceType::Patient), None)),
            ("Patient/p1/$meta-add", Place::Operation(Operation::MetaAdd, Some(ResourceType::Patient), Some((id("p1"), None)))),
            (
                "Patient/p1/_history/2/$meta-delete",
                Place::Operation(Operation::MetaDelete, Some(ResourceType::Patient), Some((id("p1"), Some(VersionId(2))))),
            ),
        ];
        for (path, expected) in table {
            assert_eq!(Place::read(path).unwrap(), expected, "{path}");
        }
    }

    #[test]
    fn what_is_not_served_says_why() {
        let table = [
            ("patient", Kind::UnknownType),
            ("Nothing/1", Kind::UnknownType),
            ("$export", Kind::UnknownType),
            ("Device/$everything", Kind::UnknownType),
            ("Organization/o1/Observation", Kind::UnknownType),
            ("Patient/p1/Observation/o1", Kind::UnknownType),
            ("Patient/p1/nothing", Kind::UnknownType),
            ("Patient/p1/_history/x", Kind::Absent),
            ("Patient/p1/_history/1/more", Kind::UnknownType),
            ("Patient/p1/_history/x/$meta", Kind::Absent),
            ("Patient/p1/_history/1/$meta/more", Kind::UnknownType),
            ("Patient/$meta-add", Kind::UnknownType),
            ("$meta-delete", Kind::UnknownType),
            ("Patient/a b", Kind::InvalidParameter),
        ];
        for (path, expected) in table {
            assert_eq!(Place::read(path).unwrap_err().kind(), expected, "{path}");
        }
    }

    #[test]
    fn a_verb_that_does_nothing_here_is_refused_with_those_that_do() {
        let place = Place::Instance(ResourceType::Patient, id("p1"));
        assert_eq!(place.interaction(Verb::Put).unwrap(), Interaction::Update);
        assert_eq!(place.interaction(Verb::Post).unwrap_err().kind(), Kind::NotAllowed);
        assert_eq!(place.allowed(), "GET, HEAD, PUT, PATCH, DELETE");
        let binary = Place::Instance(ResourceType::Binary, id("b1"));
        assert_eq!(binary.interaction(Verb::Patch).unwrap_err().kind(), Kind::NotAllowed);
        assert_eq!(binary.allowed(), "GET, HEAD, PUT, DELETE");
    }

    #[test]
    fn what_names_its_instance_by_criteria_is_sent_to_the_type() {
        let place = Place::Type(ResourceType::Patient);
        let table = [(Verb::Put, Interaction::Update), (Verb::Patch, Interaction::Patch), (Verb::Delete, Interaction::Delete)];
        for (verb, interaction) in table {
            assert_eq!(place.interaction(verb).unwrap(), interaction);
        }
        assert_eq!(Place::Type(ResourceType::Binary).interaction(Verb::Patch).unwrap_err().kind(), Kind::NotAllowed);
    }
}
